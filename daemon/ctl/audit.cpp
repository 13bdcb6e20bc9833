// SPDX-License-Identifier: Apache-2.0
#include "ctl/audit.hpp"

#include <algorithm>
#include <functional>

namespace gerbang::ctl {
namespace {

bool given_up_at(const std::vector<Audit::Range>& gaps, std::int64_t sequence) {
  return std::any_of(gaps.begin(), gaps.end(), [sequence](const Audit::Range& gap) {
    return gap.first <= sequence && sequence <= gap.last;
  });
}

// What is left of [first, last] without the gaps.
void append_without(std::vector<Audit::Range>& out, std::int64_t first, std::int64_t last,
                    std::vector<Audit::Range> gaps) {
  std::sort(gaps.begin(), gaps.end(),
            [](const Audit::Range& a, const Audit::Range& b) { return a.first < b.first; });
  for (const Audit::Range& gap : gaps) {
    if (gap.last < first || gap.first > last) continue;
    if (gap.first > first) out.push_back({first, gap.first - 1});
    first = std::max(first, gap.last + 1);
  }
  if (first <= last) out.push_back({first, last});
}

}  // namespace

void Audit::received(std::string_view topic, const wire::Source& source, std::string_view content) {
  if (source.sequence <= 0) return;
  Track& track = streams_[source.stream];
  track.gateway = source.gateway;
  Seen seen{std::hash<std::string_view>{}(content), source.previous, std::string(topic)};
  auto [entry, fresh] = track.seen.try_emplace(source.sequence, seen);
  if (fresh) return;
  if (entry->second.content == seen.content && entry->second.topic == seen.topic)
    ++track.duplicates;
  else
    track.conflicts.insert(source.sequence);
}

void Audit::given_up(const std::string& stream, std::int64_t first, std::int64_t last) {
  if (first <= last) streams_[stream].gaps.push_back({first, last});
}

void Audit::state(const wire::Source& source, bool online, std::string_view reason,
                  std::int64_t last_sequence) {
  const std::string place = source.region + "/" + source.site + "/" + source.gateway;
  offline_.erase(place);
  if (online) return;
  State& state = offline_[place];
  state.said = Away{source.gateway, std::string(reason)};
  state.stream = source.stream;
  state.last_sequence = last_sequence;
}

// A last will was written when the connection began: what was made since it does not know.
bool Audit::has_all(const State& state) const {
  if (state.said.reason != "STOPPED") return false;
  const auto track = streams_.find(state.stream);
  const bool any = track != streams_.end() && !track->second.seen.empty();
  if (rule_ == Rule::previous) return true;  // the newest of all may be of another topic
  return (any ? track->second.seen.rbegin()->first : 0) >= state.last_sequence;
}

std::vector<Audit::Range> Audit::missing_by_sequence(const Track& track) const {
  std::vector<Range> missing;
  std::int64_t expected = track.seen.empty() ? 0 : track.seen.begin()->first;
  for (const auto& [sequence, seen] : track.seen) {
    if (sequence > expected) append_without(missing, expected, sequence - 1, track.gaps);
    expected = sequence + 1;
  }
  return missing;
}

std::vector<Audit::Range> Audit::missing_by_previous(const Track& track) const {
  std::vector<Range> missing;
  std::map<std::string, std::int64_t> first_of_topic;
  for (const auto& [sequence, seen] : track.seen) {
    bool first_on_topic = first_of_topic.try_emplace(seen.topic, sequence).second;
    if (first_on_topic || seen.previous == 0 || track.seen.contains(seen.previous)) continue;
    if (!given_up_at(track.gaps, seen.previous)) missing.push_back({seen.previous, seen.previous});
  }
  return missing;
}

Audit::Report Audit::report() const {
  Report report;
  for (const auto& [name, track] : streams_) {
    Stream stream;
    stream.gateway = track.gateway;
    stream.stream = name;
    stream.messages = track.seen.size();
    stream.duplicates = track.duplicates;
    stream.conflicts.assign(track.conflicts.begin(), track.conflicts.end());
    stream.gaps = track.gaps;
    if (!track.seen.empty()) {
      stream.first = track.seen.begin()->first;
      stream.last = track.seen.rbegin()->first;
    }
    stream.missing =
        rule_ == Rule::sequence ? missing_by_sequence(track) : missing_by_previous(track);
    report.streams.push_back(std::move(stream));
  }
  for (const auto& [place, state] : offline_) {
    if (has_all(state)) continue;
    const auto track = streams_.find(state.stream);
    report.away.push_back(state.said);
    report.away.back().all_along = track == streams_.end() || track->second.seen.empty();
  }
  report.heard = heard_;
  report.cut_off = cut_off_;
  return report;
}

bool Audit::Report::flawless() const {
  return std::all_of(streams.begin(), streams.end(),
                     [](const Stream& s) { return s.missing.empty() && s.conflicts.empty(); });
}

bool Audit::Report::all_there() const {
  return std::all_of(away.begin(), away.end(), [](const Away& a) { return a.all_along; });
}

bool Audit::Report::complete() const {
  return flawless() && heard > 0 && !cut_off && all_there();
}

std::uint64_t Audit::Report::missing() const {
  std::uint64_t n = 0;
  for (const Stream& stream : streams)
    for (const Range& range : stream.missing)
      n += static_cast<std::uint64_t>(range.last - range.first + 1);
  return n;
}

}  // namespace gerbang::ctl
