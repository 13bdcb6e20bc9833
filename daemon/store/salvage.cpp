// SPDX-License-Identifier: Apache-2.0
#include "store/salvage_source.hpp"

#include <algorithm>
#include <sstream>
#include <utility>

#include "observe/log.hpp"
#include "store/check.hpp"
#include "store/schema.hpp"

namespace gerbang::store {
namespace {

constexpr const char* kKey = "store/salvage";  // see place()
constexpr int kMostSkips = 48;                 // in a row, each twice as far as the one before

std::int64_t plus(std::int64_t a, std::int64_t b) {
  return a > INT64_MAX - b ? INT64_MAX : a + b;
}

}  // namespace

Salvage::Salvage(Plan plan, std::string vfs) : plan_(std::move(plan)), vfs_(std::move(vfs)) {}
Salvage::~Salvage() = default;

Result<void> Salvage::put(State& state, const Plan& plan) {
  return state.put_item(kKey, Salvage(plan, "").place());
}

std::string Salvage::place() const {
  if (part_ == Part::done) return {};
  std::ostringstream out;
  out << static_cast<int>(part_) << ' ' << window_ << ' ' << after_ << ' ' << plan_.with_readings
      << ' ' << plan_.has_from << ' ' << plan_.has_to << ' '
      << (plan_.lost.stream.empty() ? "-" : plan_.lost.stream) << ' ' << plan_.lost.first << ' '
      << plan_.lost.last << ' ' << plan_.from.filename().string();
  return out.str();
}

std::unique_ptr<Salvage> Salvage::resume(State& state, const std::filesystem::path& folder,
                                         const std::string& vfs) {
  auto item = state.item(kKey);
  if (!item || !*item || (*item)->empty()) return nullptr;
  std::istringstream in(**item);
  int part = 0;
  std::int64_t window = 0, after = 0;
  Plan plan;
  std::string name;
  in >> part >> window >> after >> plan.with_readings >> plan.has_from >> plan.has_to >>
      plan.lost.stream >> plan.lost.first >> plan.lost.last >> std::ws;
  if (!std::getline(in, name) || name.empty()) return nullptr;
  if (plan.lost.stream == "-") plan.lost.stream.clear();
  plan.lost.reason = "damaged";
  if (plan.lost.last >= plan.lost.first)
    plan.lost.count = static_cast<std::uint64_t>(plan.lost.last - plan.lost.first + 1);
  plan.from = folder / name;
  std::error_code none;
  if (!std::filesystem::exists(plan.from, none)) return nullptr;
  std::unique_ptr<Salvage> out(new Salvage(std::move(plan), vfs));
  out->part_ = static_cast<Part>(std::clamp(part, 0, static_cast<int>(Part::done)));
  out->window_ = window;
  out->after_ = after;
  return out;
}

void Salvage::next_part() {
  part_ = static_cast<Part>(static_cast<int>(part_) + 1);
  if (part_ == Part::rows && !plan_.with_readings) part_ = Part::done;  // nobody knows the series
  after_ = part_ == Part::chunks ? INT64_MIN : part_ == Part::rows ? INT64_MIN : 0;
  window_ = 0;
  skips_ = 0;
  stride_ = 1;
}

bool Salvage::skip(std::int64_t by) {
  if (++skips_ > kMostSkips || after_ == INT64_MAX) return false;
  after_ =
      plus(after_ == INT64_MIN ? 0 : after_, stride_ > INT64_MAX / by ? INT64_MAX : stride_ * by);
  stride_ = stride_ > INT64_MAX / 2 ? INT64_MAX : stride_ * 2;
  return true;
}

Result<void> Salvage::save(const Target& target) {
  return target.state.put_item(kKey, place());
}

Result<bool> Salvage::step(const Target& target) {
  if (!source_) {
    auto db = open_to_read(plan_.from, vfs_);
    if (!db) {
      part_ = Part::done;
    } else {
      source_ = std::make_unique<Source>(std::move(*db));
      source_->read();
    }
  }
  Result<bool> more = false;
  switch (part_) {
    case Part::messages:
      more = messages(target);
      break;
    case Part::rows:
      more = rows(target);
      break;
    case Part::chunks:
      more = chunks(target);
      break;
    case Part::batches:
      more = batches(target);
      break;
    case Part::done:
      break;
  }
  STORE_TRY(more);
  if (*more) return true;
  if (part_ != Part::done) next_part();
  auto finish = [&] { return save(target); };
  STORE_TRY(target.transact(finish));
  return part_ != Part::done;
}

}  // namespace gerbang::store
