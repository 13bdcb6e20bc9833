// SPDX-License-Identifier: Apache-2.0
#include "ctl/audit_text.hpp"

namespace gerbang::ctl {
namespace {

std::string ranges(const std::vector<Audit::Range>& ranges, bool ind) {
  std::string out;
  for (const Audit::Range& range : ranges) {
    out += (out.empty() ? "" : ", ") + std::to_string(range.first);
    if (range.last != range.first) out += "-" + std::to_string(range.last);
  }
  return !out.empty() ? out : ind ? "tidak ada" : "none";
}

void append(std::vector<std::string>& out, const Audit::Stream& s, bool ind) {
  const std::string first = std::to_string(s.first), last = std::to_string(s.last);
  out.push_back(s.gateway + " stream " + s.stream + ": " + std::to_string(s.messages) +
                (ind ? " pesan, #" + first + " sampai #" + last + ", "
                     : " messages, #" + first + " to #" + last + ", ") +
                std::to_string(s.duplicates) + (ind ? " ganda" : " duplicates"));
  out.push_back((ind ? "  hilang: " : "  missing: ") + ranges(s.missing, ind));
  out.push_back((ind ? "  dilepas oleh gerbang: " : "  given up by the gateway: ") +
                ranges(s.gaps, ind));
  if (s.conflicts.empty()) return;
  out.push_back("  " + std::to_string(s.conflicts.size()) +
                (ind ? " nomor datang dengan dua isi, pertama #"
                     : " numbers came with two contents, first #") +
                std::to_string(s.conflicts.front()));
}

std::string away_text(const Audit::Away& away, bool ind) {
  const bool stopped = away.reason == "STOPPED";
  const std::string_view how = ind       ? stopped ? "sudah dihentikan" : "terputus"
                               : stopped ? "had been stopped"
                                         : "was away";
  const std::string_view when = ind              ? away.all_along ? "sejak awal" : "pada akhirnya"
                                : away.all_along ? "all along"
                                                 : "at the end";
  return (ind ? "gerbang " : "gateway ") + away.gateway + " " + std::string(how) + " " +
         std::string(when) +
         (ind ? ": apa yang masih disimpannya tidak dapat dinilai"
              : ": nothing can be said of what it still holds");
}

// What was found in what was heard.
std::string found_text(const Audit::Report& report, const std::string& filter, bool ind) {
  if (report.heard == 0)
    return ind ? "tidak ada pesan gerbang yang terdengar di " + filter +
                     ": tidak ada yang dapat dinilai; periksa --root, --topic, --for dan apa yang "
                     "boleh dibaca pengguna ini di broker"
               : "no message of a gateway was heard on " + filter +
                     ": nothing can be said; look at --root, --topic, --for and at what the broker "
                     "lets this user read";
  const std::string missing = std::to_string(report.missing());
  const std::string streams = std::to_string(report.streams.size());
  return ind ? missing + " pesan hilang dalam " + streams + " stream"
             : missing + " gaps in " + streams + " streams";
}

}  // namespace

std::vector<std::string> report_lines(const Audit::Report& report, const std::string& filter,
                                      std::string_view language) {
  const bool ind = language == "ind";
  std::vector<std::string> out;
  for (const Audit::Stream& stream : report.streams) append(out, stream, ind);
  std::string verdict = found_text(report, filter, ind);
  if (report.cut_off)
    verdict += ind ? "; pemeriksaan tidak selesai: hubungan ke broker terputus dan tidak pulih, "
                     "ini yang terdengar sampai saat itu"
                   : "; the audit is not finished: the connection to the broker was lost and did "
                     "not come back, this is what was heard until then";
  for (const Audit::Away& away : report.away) verdict += "; " + away_text(away, ind);
  out.push_back(std::move(verdict));
  return out;
}

}  // namespace gerbang::ctl
