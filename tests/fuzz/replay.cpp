// SPDX-License-Identifier: Apache-2.0
//
// CSV files for the replay driver: the first byte is the size of a read, the rest the file.
#include <cmath>
#include <cstdint>
#include <cstdlib>

#include "../../drivers/replay/pace.hpp"
#include "../../drivers/replay/table.hpp"

using namespace gerbang::replay;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::size_t step = data[0] + 1u;
  std::string_view file(reinterpret_cast<const char*>(data + 1), size - 1);
  TableSettings settings;
  settings.columns = {"a", "b"};
  settings.integers = {false, true};
  settings.decimal_comma = (data[0] & 1) != 0;
  settings.local = std::chrono::minutes(480);
  Table table(settings);
  Lines lines;
  Pace pace(60);
  bool header = false;
  std::uint64_t number = 0;
  auto drain = [&] {
    while (auto line = lines.next()) {
      if (line->number != ++number || line->text.size() > Lines::kMax) std::abort();
      if (!header) {
        header = table.header(line->text).has_value();
        continue;
      }
      const auto row = table.row(line->text);
      if (!row) continue;
      if (row->unix_ns < 0 || row->cells.size() != 2) std::abort();
      for (const Cell& cell : row->cells) {
        if (!std::isfinite(cell.number)) std::abort();
        if (cell.kind == Cell::Kind::bad && row->fault.empty()) std::abort();
      }
      (void)pace.due(row->unix_ns, std::chrono::nanoseconds(0));
    }
  };
  for (std::size_t at = 0; at < file.size(); at += step) {
    lines.feed(file.substr(at, step));
    drain();
  }
  lines.finish();
  drain();
  return 0;
}
