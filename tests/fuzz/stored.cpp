// SPDX-License-Identifier: Apache-2.0
//
// What a damaged disk or memory may hold where a batch, a chunk, an aggregate or the journal stood.
#include <cstdint>
#include <cstdlib>

#include "store/aggregate_code.hpp"
#include "store/chunk.hpp"
#include "store/journal_code.hpp"
#include "store/pack.hpp"

using namespace gerbang;
using namespace gerbang::store;

// The first byte chooses what is decoded.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 4) {
    case 0: {
      std::vector<Reading> readings;
      if (unpack(bytes, readings)) {
        std::vector<Reading> again;
        if (!unpack(pack(readings), again) || again.size() != readings.size()) std::abort();
      }
      (void)packed_count(bytes);
      break;
    }
    case 1:
      if (auto readings = decode_chunk(bytes))
        if (auto again = decode_chunk(encode_chunk(*readings));
            !again || again->size() != readings->size())
          std::abort();
      break;
    case 2: {
      Aggregate aggregate;
      (void)decode(bytes, aggregate);
      break;
    }
    case 3: {
      if (bytes.size() < kJournalHeader) break;
      auto header = decode_journal_header(bytes.substr(0, kJournalHeader));
      if (!header) {
        header.emplace();
        header->stream = "0123456789abcdef";
      }
      (void)scan_journal(bytes.substr(kJournalHeader), *header, 0);
      break;
    }
  }
  return 0;
}
