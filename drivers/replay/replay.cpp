// SPDX-License-Identifier: Apache-2.0
//
// What the host sees of the replay driver: its keys, and a file that is read as it is played.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <gerbang/driver.hpp>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "moment/moment.hpp"
#include "pace.hpp"
#include "table.hpp"

namespace gerbang::replay {
namespace {

using namespace std::chrono_literals;
using namespace gerbang::driver;
using Time = std::chrono::nanoseconds;

constexpr std::uint64_t kFaultsTold = 10;  // then only how many there were
constexpr std::size_t kChunk = 64 << 10;

[[noreturn]] void refuse(const std::string& text) {
  throw Failure(GERBANG_CONFIG, text);
}

class File {
 public:
  explicit File(const std::string& path)
      : path_(path), fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (fd_ < 0) fail("cannot be opened");
  }
  ~File() { ::close(fd_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  // Empty at the end.
  std::string_view read(std::vector<char>& into) {
    for (;;) {
      const ssize_t got = ::read(fd_, into.data(), into.size());
      if (got >= 0) return {into.data(), static_cast<std::size_t>(got)};
      if (errno != EINTR) fail("cannot be read");
    }
  }

 private:
  [[noreturn]] void fail(const char* what) const {
    throw Failure(GERBANG_GONE, path_ + " " + what + ": " + std::generic_category().message(errno));
  }
  std::string path_;
  int fd_;
};

TableSettings table_of(const Config& config) {
  const Values options = config.options();
  TableSettings s;
  const std::string separator = options.text("separator");
  s.separator = separator == "comma"       ? ','
                : separator == "semicolon" ? ';'
                : separator == "tab"       ? '\t'
                                           : '\0';
  s.decimal_comma = options.text("decimal") == "comma";
  if (s.decimal_comma && s.separator == ',')
    refuse("separator and decimal are both a comma; choose separator = \"semicolon\"");
  s.time_column = options.text("time_column");
  if (options.has("date_column")) s.date_column = options.text("date_column");
  const std::string format = options.text("time_format");
  s.time_format = format == "text"      ? TimeFormat::text
                  : format == "unix"    ? TimeFormat::seconds
                  : format == "unix_ms" ? TimeFormat::milliseconds
                                        : TimeFormat::automatic;
  if (options.has("timezone_offset")) {
    s.local = moment::offset_of(options.text("timezone_offset"));
    if (!s.local)
      refuse("timezone_offset = \"" + options.text("timezone_offset") +
             "\" is no offset; write how far local time is ahead of UTC: \"+08:00\"");
  }
  for (std::size_t i = 0; i < config.sensor_count(); ++i) {
    s.columns.push_back(config.sensor(i).address.text("column"));
    s.integers.push_back(config.sensor(i).address.boolean("integer"));
  }
  return s;
}

class Replay {
 public:
  static constexpr const char* kName = "replay";
  static constexpr const char* kVersion = "1.0.0";
  static constexpr bool kPushes = true;
  static constexpr const char* kSummary = "Plays a recording in a CSV file as if it happened now.";

  static constexpr gerbang_option_spec kOptions[] = {
      text("file", "The CSV file, with its whole path").required(),
      text("time_column", "Name of the column with the time").otherwise("time"),
      text("date_column", "Name of the column with the date, when it stands apart"),
      choice(
          "time_format", "auto|text|unix|unix_ms",
          "text: RFC 3339 or YYYY-MM-DD HH:MM:SS; unix: seconds since 1970; unix_ms: milliseconds")
          .otherwise("auto"),
      text("timezone_offset", "How far times without a zone are ahead of UTC, as +08:00"),
      choice("separator", "auto|comma|semicolon|tab", "What stands between cells")
          .otherwise("auto"),
      choice("decimal", "point|comma", "What stands before the decimals").otherwise("point"),
      integer("header_line", "Line with the names of the columns, from 1")
          .range(1, 1000)
          .otherwise("1"),
      integer("skip_lines", "Lines after the header that hold no values, such as units")
          .range(0, 1000)
          .otherwise("0"),
      number("speed", "Seconds of the recording in one second; 0: as fast as it is taken")
          .range(0, 1e6)
          .otherwise("1"),
      choice("repeat", "once|loop", "What happens at the end of the file").otherwise("once"),
      choice("start", "now|recorded",
             "now: as if it happened now; recorded: readings keep the times of the file")
          .otherwise("now"),
  };
  static constexpr gerbang_option_spec kAddress[] = {
      text("column", "Name of the column").required().identity(),
      boolean("integer", "The column holds counts, for totalisers and states").otherwise("false"),
  };

  Replay(Host host, const Config& config)
      : host_(host),
        path_(config.options().text("file")),
        device_(path_.substr(path_.rfind('/') + 1)),
        settings_(table_of(config)),
        header_line_(static_cast<std::uint64_t>(config.options().integer("header_line"))),
        skip_(static_cast<std::uint64_t>(config.options().integer("skip_lines"))),
        loop_(config.options().text("repeat") == "loop"),
        recorded_(config.options().text("start") == "recorded"),
        fast_(config.options().number("speed") <= 0),
        pace_(config.options().number("speed")),
        table_(settings_),
        chunk_(kChunk) {
    if (!path_.starts_with('/')) refuse("file = \"" + path_ + "\": write the whole path, from /");
    if (loop_ && recorded_)
      refuse(
          "repeat = \"loop\" with start = \"recorded\" would tell the same past again and again; "
          "use start = \"now\"");
    for (std::size_t i = 0; i < config.sensor_count(); ++i)
      indices_.push_back(config.sensor(i).index);
  }

  gerbang_status poll(std::chrono::milliseconds budget) {
    const Time deadline = host_.boottime() + budget;
    bool said = false;
    for (;;) {
      Time now = host_.boottime();
      if (!waiting_ && !ended_) advance(now);
      const Time due = waiting_ ? due_ : Time::max();
      if (due > now) {
        // Readings travel when poll returns.
        if (said || now >= deadline || host_.stopping()) return GERBANG_OK;
        std::this_thread::sleep_for(std::min(due, deadline) - now);
        if (due >= deadline) return GERBANG_OK;
        continue;
      }
      emit(row_, fast_ ? now : due_);
      waiting_ = false;
      said = true;
      if (now >= deadline || host_.stopping()) return GERBANG_OK;
    }
  }

 private:
  // The next row that has a time: waiting_ and due_ afterwards, or the end.
  void advance(Time now) {
    while (auto line = next_line()) {
      if (!has_header_) {
        if (line->number < header_line_) continue;
        if (auto found = table_.header(line->text); !found)
          refuse(path_ + ":" + std::to_string(line->number) + ": " + found.error());
        has_header_ = true;
        continue;
      }
      if (line->number <= header_line_ + skip_) continue;
      if (line->text.empty() || line->text.starts_with('#')) continue;
      if (take(*line, now)) return;
    }
  }

  bool take(const Line& line, Time now) {
    if (line.too_long) return fault(line, "it is longer than 64 KiB");
    auto row = table_.row(line.text);
    if (!row) return fault(line, row.error());
    if (rows_ > 0 && row->unix_ns < last_unix_ns_)
      return fault(line, "its time is before that of the row above");
    if (!row->fault.empty()) fault(line, row->fault);
    if (rows_++ == 0 && rounds_ > 0) pace_.again(row->unix_ns);
    last_unix_ns_ = row->unix_ns;
    row_ = std::move(*row);
    due_ = pace_.due(row_.unix_ns, now);
    waiting_ = true;
    return true;
  }

  // Told by number, the first ones. Always false.
  bool fault(const Line& line, const std::string& why) {
    if (rounds_ > 0) return false;  // told in the first round
    if (++faults_ <= kFaultsTold)
      host_.warning(path_ + ":" + std::to_string(line.number) + ": " + why);
    return false;
  }

  // Nothing when the recording is over.
  std::optional<Line> next_line() {
    if (!file_) {
      file_ = std::make_unique<File>(path_);
      lines_ = Lines();
      has_header_ = false;
      rows_ = 0;
    }
    for (;;) {
      if (auto line = lines_.next()) return line;
      if (at_end_) break;
      const std::string_view chunk = file_->read(chunk_);
      at_end_ = chunk.empty();
      if (at_end_)
        lines_.finish();
      else
        lines_.feed(chunk);
    }
    end_round();
    return loop_ && !ended_ ? next_line() : std::nullopt;
  }

  void end_round() {
    if (!has_header_)
      throw Failure(GERBANG_GONE,
                    path_ + ": it ends before its header, in line " + std::to_string(header_line_));
    ended_ = !loop_ || rows_ == 0;
    if (rounds_ == 0 && faults_ > kFaultsTold)
      host_.warning(path_ + ": " + std::to_string(faults_) + " bad lines in all");
    if (ended_)
      host_.info(path_ + ": the recording has ended after " + std::to_string(rows_) + " rows");
    ++rounds_;
    file_.reset();
    at_end_ = false;
  }

  void emit(const Row& row, Time at) {
    host_.exchange(device_.c_str(),
                   row.fault.empty() ? GERBANG_REASON_NONE : GERBANG_REASON_PROTOCOL, {});
    Emitter out(host_, at, Time(recorded_ ? row.unix_ns : 0));
    for (std::size_t i = 0; i < row.cells.size(); ++i) {
      const Cell& cell = row.cells[i];
      switch (cell.kind) {
        case Cell::Kind::number:
          out.number(indices_[i], cell.number);
          break;
        case Cell::Kind::integer:
          out.integer(indices_[i], cell.integer);
          break;
        case Cell::Kind::empty:
          out.missing(indices_[i], GERBANG_REASON_NOT_A_NUMBER);
          break;
        case Cell::Kind::bad:
          out.missing(indices_[i], GERBANG_REASON_PROTOCOL);
          break;
      }
    }
  }

  Host host_;
  std::string path_, device_;
  TableSettings settings_;
  std::uint64_t header_line_, skip_;
  bool loop_, recorded_, fast_;
  Pace pace_;
  Table table_;
  std::vector<std::uint32_t> indices_;  // of the host, as the table's columns

  std::unique_ptr<File> file_;
  std::vector<char> chunk_;
  Lines lines_;
  bool at_end_ = false, has_header_ = false, ended_ = false;
  std::uint64_t rows_ = 0, rounds_ = 0, faults_ = 0;  // rows: of this round
  std::int64_t last_unix_ns_ = 0;
  Row row_;  // the next one, when waiting_
  bool waiting_ = false;
  Time due_{};
};

}  // namespace
}  // namespace gerbang::replay

GERBANG_DRIVER(gerbang::replay::Replay)
