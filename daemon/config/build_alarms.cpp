// SPDX-License-Identifier: Apache-2.0
//
// [[alarm]], and the alarms that a gateway has of itself.
#include <algorithm>
#include <array>
#include <charconv>

#include "config/alarm_texts.hpp"
#include "config/build.hpp"
#include "core/letters.hpp"

namespace gerbang::config {
namespace {

std::string text_of(const Table& table, std::string_view key) {
  auto value = table.value(key);
  return value ? std::move(value->text) : std::string();
}

// What a condition is called and what it says.
struct Condition {
  std::string id, kind, about;
};
std::vector<Condition> conditions_of(const Config& config) {
  std::vector<Condition> out;
  for (const Driver& driver : config.drivers)
    out.push_back({"driver-" + driver.name + "-down", "driver-down", driver.name});
  for (const Uplink& uplink : config.uplinks)
    out.push_back({"uplink-" + uplink.name + "-down", "uplink-down", uplink.name});
  for (const char* kind : {"store-degraded", "store-damaged", "clock-untrusted", "no-readings"})
    out.push_back({kind, kind, ""});
  return out;
}

class Builder {
 public:
  Builder(const Table& table, const Catalogue& catalogue, const AlarmTexts& texts, Report& report,
          const Config& config, const std::vector<Condition>& conditions,
          const std::vector<std::string>& indicators)
      : table_(table),
        catalogue_(catalogue),
        texts_(texts),
        report_(report),
        config_(config),
        conditions_(conditions),
        written_(indicators) {}

  Alarm build(bool complete) {
    out_.place = table_.place();
    out_.id = text_of(table_, "id");
    subject(complete);
    on();
    out_.inclusive = table_.value("inclusive").value_or(Value()).boolean;
    out_.statistic = text_of(table_, "statistic");
    out_.suspect = text_of(table_, "flag") == "suspect";
    for (const char* key : {"span", "hold", "release"})
      if (auto value = table_.given(key)) duration(key) = Milliseconds(value->integer);
    if (auto list = table_.given("categories")) categories(list->texts);
    thresholds();
    only_useful_keys();
    words();
    return std::move(out_);
  }

 private:
  void error(std::string_view key, std::string what, std::string remedy) {
    report_.error(table_.place(key), table_.key(key), std::move(what), std::move(remedy));
  }
  Milliseconds& duration(std::string_view key) {
    return key == "span" ? out_.span : key == "hold" ? out_.hold : out_.release;
  }

  void subject(bool complete) {
    std::string given;
    for (const char* key : {"sensor", "indicator", "condition"}) {
      if (!table_.has(key)) continue;
      if (!given.empty())
        error(key, given + " is given too", "an alarm watches one thing: keep one of the two");
      if (given.empty()) given = key;
    }
    if (given.empty())
      report_.error(table_.place(), table_.prefix(), "it watches nothing",
                    "add sensor = \"…\", indicator = \"…\" or condition = \"…\"");
    if (given == "sensor") sensor(complete);
    if (given == "indicator") indicator(complete);
    if (given == "condition") condition();
  }

  void sensor(bool complete) {
    const std::string id = text_of(table_, "sensor");
    std::vector<std::string_view> ids;
    for (std::size_t i = 0; i < config_.sensors.size(); ++i) {
      const Sensor& s = config_.sensors[i];
      ids.push_back(s.id);
      if (s.id != id) continue;
      out_.sensor = i;
      sensor_ = &s;
      unit_ = s.quantity->unit;
    }
    if (sensor_ == nullptr && !id.empty() && complete)
      error("sensor", "there is no sensor " + in_quotes(id), did_you_mean(id, ids));
  }

  void indicator(bool complete) {
    out_.watch = alarm::Watch::indicator;
    out_.source = text_of(table_, "indicator");
    name_ = both(out_.source);
    for (const Indicator& one : config_.indicators)
      if (one.id == out_.source) indicator_ = &one;
    if (indicator_ != nullptr) name_ = indicator_->label;
    // One that is written, but wrong, has its own error.
    const std::vector<std::string_view> written(written_.begin(), written_.end());
    const bool known = std::find(written.begin(), written.end(), out_.source) != written.end();
    if (!known && !out_.source.empty() && complete)
      error("indicator", "there is no indicator " + in_quotes(out_.source),
            written.empty() ? "add an [[indicator]] with this id"
                            : did_you_mean(out_.source, written));
  }

  // As the standard spells them, so that they can be compared; upper and lower case are the same.
  void categories(const std::vector<std::string>& given) {
    out_.categories = given;
    if (indicator_ == nullptr) return;
    std::vector<std::string_view> known;
    for (const auto& category : indicator_->standard->categories) known.push_back(category.name);
    for (std::string& one : out_.categories) {
      const auto same = std::find_if(known.begin(), known.end(), [&](std::string_view name) {
        return lower(name) == lower(one);
      });
      if (same != known.end())
        one = *same;
      else
        error("categories",
              in_quotes(indicator_->standard->id) + " has no category " + in_quotes(one),
              did_you_mean(one, known));
    }
  }
  void condition() {
    out_.watch = alarm::Watch::condition;
    out_.source = text_of(table_, "condition");
    std::vector<std::string_view> known;
    for (const Condition& one : conditions_) {
      known.push_back(one.id);
      if (one.id == out_.source) condition_ = &one;
    }
    if (condition_ == nullptr && !out_.source.empty())
      error("condition", "there is no condition " + in_quotes(out_.source),
            did_you_mean(out_.source, known));
  }

  void on() {
    if (out_.watch != alarm::Watch::reading) {
      if (table_.has("on")) error("on", "it belongs to sensors", "remove it");
      return;
    }
    const std::string on = text_of(table_, "on");
    if (on == "reading") return;
    if (on == "rate" || on == "stale" || on == "quality") {
      out_.watch = on == "rate"    ? alarm::Watch::rate
                   : on == "stale" ? alarm::Watch::stale
                                   : alarm::Watch::quality;
      return;
    }
    const auto window = parse_duration(on);
    const auto& lengths = config_.windows.lengths_ms;
    if (!window || std::find(lengths.begin(), lengths.end(), window->count()) == lengths.end()) {
      std::string known =
          "write \"reading\", \"rate\", \"stale\", \"quality\" or a window of "
          "windows.default:";
      for (std::int64_t length : lengths)
        known += " \"" + format_duration(Milliseconds(length)) + "\"";
      error("on", in_quotes(on) + " is nothing that can be watched", known);
      return;
    }
    out_.watch = alarm::Watch::window;
    out_.window_ms = window->count();
    if (sensor_ != nullptr && sensor_->interval.count() > out_.window_ms)
      error("on",
            "the sensor is read every \"" + format_duration(sensor_->interval) +
                "\" and takes no part in these windows",
            "choose a longer window");
  }

  // `difference`: of two values, such as a hysteresis.
  std::optional<double> amount(std::string_view key, bool difference) {
    const auto value = table_.given(key);
    if (!value) return std::nullopt;
    if (value->is_number) return value->number;
    double number = 0;
    const std::string& text = value->text;
    const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), number);
    std::string unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
    unit.erase(0, std::min(unit.find_first_not_of(' '), unit.size()));
    if (wrong != std::errc{}) {
      error(key, in_quotes(text) + " is not an amount",
            "write a number in the quantity's unit, or one with its own: \"0.2 mg/L\"");
      return std::nullopt;
    }
    if (out_.watch == alarm::Watch::indicator) {
      error(key, "an indicator has no unit", "write a number");
      return std::nullopt;
    }
    const QuantityRow* row =
        sensor_ == nullptr ? nullptr : catalogue_.find(sensor_->quantity->name);
    if (row == nullptr) return std::nullopt;
    const auto line = catalogue_.units.convert(unit, *row);
    if (!line) {
      const auto [what, remedy] = halves(line.error().what);
      error(key, what, remedy);
      return std::nullopt;
    }
    return number * line->slope + (difference ? 0 : line->intercept);
  }

  bool has_thresholds() const {
    return out_.watch == alarm::Watch::reading || out_.watch == alarm::Watch::window ||
           out_.watch == alarm::Watch::rate ||
           (out_.watch == alarm::Watch::indicator && out_.categories.empty());
  }

  void thresholds() {
    const bool rate = out_.watch == alarm::Watch::rate;
    out_.above = amount("above", rate);
    out_.below = amount("below", rate);
    if (auto back = amount("hysteresis", true)) out_.hysteresis = *back;
    if (has_thresholds() && !table_.has("above") && !table_.has("below"))
      report_.error(table_.place(), table_.prefix(), "neither above nor below",
                    out_.watch == alarm::Watch::indicator
                        ? "add above = 100, or categories = [\"…\"]"
                        : "add above = 5.0, or below = \"0.2 mg/L\"");
    if (out_.hysteresis < 0)
      error("hysteresis", "it is negative", "write by how much the value has to come back");
    if (out_.above && out_.below && *out_.below + out_.hysteresis >= *out_.above - out_.hysteresis)
      error("above", "nothing is left between below and above",
            "below has to be lower than above by more than twice the hysteresis");
    if (out_.watch == alarm::Watch::stale && !table_.has("span"))
      report_.error(table_.place(), table_.prefix(), "span is missing",
                    "write for how long nothing may come: span = \"10m\"");
    if (rate && !table_.has("span")) {
      out_.span = Milliseconds(60'000);
      if (sensor_ != nullptr && sensor_->driver != kNoDriver && sensor_->interval.count() == 0)
        report_.error(
            table_.place(), table_.prefix(), "span is missing",
            "the device speaks by itself: write a time in which it speaks more than once");
    }
    const bool timed = rate || out_.watch == alarm::Watch::stale;
    if (timed && sensor_ != nullptr && out_.span.count() > 0 && out_.span < sensor_->interval)
      error("span", "the sensor is read every \"" + format_duration(sensor_->interval) + "\" only",
            "choose a longer time");
    const bool sums = sensor_ != nullptr && (sensor_->quantity->kind == QuantityKind::totaliser ||
                                             sensor_->quantity->kind == QuantityKind::event);
    if (out_.watch == alarm::Watch::window && out_.statistic == "delta" && sensor_ && !sums)
      error("statistic", "only counters and events have an amount", "write \"mean\"");
  }

  // A key without an effect is a mistake that somebody believes in.
  void only_useful_keys() {
    struct Use {
      const char* key;
      bool good;
    };
    const bool timed = out_.watch == alarm::Watch::rate || out_.watch == alarm::Watch::stale;
    const std::array<Use, 8> uses = {{{"above", has_thresholds()},
                                      {"below", has_thresholds()},
                                      {"inclusive", has_thresholds()},
                                      {"hysteresis", has_thresholds()},
                                      {"statistic", out_.watch == alarm::Watch::window},
                                      {"span", timed},
                                      {"flag", out_.watch == alarm::Watch::quality},
                                      {"categories", out_.watch == alarm::Watch::indicator}}};
    for (const Use& use : uses)
      if (table_.has(use.key) && !use.good)
        error(use.key, "it has no effect on what this alarm watches", "remove it");
  }

  std::string watch_name() const {
    switch (out_.watch) {
      case alarm::Watch::rate:
        return "rate";
      case alarm::Watch::stale:
        return "stale";
      case alarm::Watch::quality:
        return "quality";
      case alarm::Watch::indicator:
        return "indicator";
      case alarm::Watch::reading:
      case alarm::Watch::window:
      case alarm::Watch::condition:
        break;
    }
    const std::string side = out_.above && out_.below ? "outside" : out_.above ? "above" : "below";
    return (out_.watch == alarm::Watch::window ? "window-" : "") + side;
  }

  void words() {
    const AlarmText* words = nullptr;
    out_.severity = text_of(table_, "severity");
    if (condition_ != nullptr) {
      const auto row = texts_.conditions.find(condition_->kind);
      if (row != texts_.conditions.end()) {
        words = &row->second.words;
        if (!table_.has("severity")) out_.severity = row->second.severity;
        if (!table_.has("hold")) out_.hold = row->second.hold;
      }
      name_ = both(condition_->about);
    } else if (const auto row = texts_.watches.find(watch_name()); row != texts_.watches.end()) {
      words = &row->second;
    }
    if (words != nullptr) {
      const std::vector<Word> known = known_words();
      out_.text = fill_in(words->text, known);
      out_.advice = fill_in(words->advice, known);
    }
    own_words("text", out_.text);
    own_words("advice", out_.advice);
  }

  std::vector<Word> known_words() const {
    std::vector<Word> out;
    if (sensor_ != nullptr) out.push_back({"sensor", *sensor_->label});
    if (out_.above) out.push_back({"above", amount_words(*out_.above, unit_)});
    if (out_.below) out.push_back({"below", amount_words(*out_.below, unit_)});
    out.push_back({"window", both(format_duration(Milliseconds(out_.window_ms)))});
    out.push_back({"span", both(format_duration(out_.span))});
    out.push_back({"statistic", statistic_words(out_.statistic)});
    out.push_back({"flag", out_.suspect ? Label{"meragukan", "suspect"} : Label{"buruk", "bad"}});
    out.push_back({"name", name_});
    Label judged;
    for (const std::string& one : out_.categories) {
      const Label words = category_words(one);
      judged.ind += (judged.ind.empty() ? "" : ", ") + words.ind;
      judged.eng += (judged.eng.empty() ? "" : ", ") + words.eng;
    }
    if (out_.categories.empty() && (out_.above || out_.below)) {
      const Label limit = amount_words(out_.above ? *out_.above : *out_.below, "");
      judged = out_.above ? Label{"di atas " + limit.ind, "above " + limit.eng}
                          : Label{"di bawah " + limit.ind, "below " + limit.eng};
    }
    out.push_back({"categories", judged});
    return out;
  }

  Label category_words(const std::string& name) const {
    if (indicator_ != nullptr)
      for (const auto& category : indicator_->standard->categories)
        if (category.name == name) return category.label;
    return both(name);
  }

  // One language is better than a general text.
  void own_words(std::string_view key, Label& to) {
    const Node* node = table_.node(key);
    if (node == nullptr) return;
    if (node->kind == Node::Kind::string) {
      to = both(node->text);
      return;
    }
    if (node->kind != Node::Kind::table) return;
    const Table languages = table_.table(key);
    const auto ind = languages.value("ind"), eng = languages.value("eng");
    if (!languages.has("ind") && !languages.has("eng"))
      error(key, "no language",
            "write " + std::string(key) + " = { ind = \"…\", eng = \"…\" }, or one text");
    if (ind || eng) to = Label{(ind ? ind : eng)->text, (eng ? eng : ind)->text};
  }

  const Table& table_;
  const Catalogue& catalogue_;
  const AlarmTexts& texts_;
  Report& report_;
  const Config& config_;
  const std::vector<Condition>& conditions_;
  const std::vector<std::string>& written_;  // the indicators' ids
  const Sensor* sensor_ = nullptr;
  const Indicator* indicator_ = nullptr;
  const Condition* condition_ = nullptr;
  std::string unit_;
  Label name_;
  Alarm out_;
};

Alarm built_in(const Condition& condition, const AlarmTexts& texts) {
  Alarm out;
  out.id = out.source = condition.id;
  out.watch = alarm::Watch::condition;
  out.severity = "warning";
  out.built_in = true;
  const auto row = texts.conditions.find(condition.kind);
  if (row == texts.conditions.end()) return out;
  out.severity = row->second.severity;
  out.hold = row->second.hold;
  const std::vector<Word> words = {{"name", both(condition.about)}};
  out.text = fill_in(row->second.words.text, words);
  out.advice = fill_in(row->second.words.advice, words);
  return out;
}

}  // namespace

void build_alarms(const Document& document, const Catalogue& catalogue, const Context& context,
                  Report& report, Diagnostics& errors, Config& config) {
  const AlarmTexts texts = read_alarm_texts(context.data, errors);
  const std::vector<Condition> conditions = conditions_of(config);
  const Table general = section_table(document, "alarms");
  Alarms& out = config.alarms;
  if (auto most = general.value("flap_count"))
    out.flap_count = static_cast<unsigned>(most->integer);
  if (auto period = general.value("flap_period")) out.flap_period = Milliseconds(period->integer);
  out.flapping = fill_in(texts.flapping, {{"most", both(std::to_string(out.flap_count))},
                                          {"period", both(format_duration(out.flap_period))}});
  std::vector<std::string> indicators;
  for (const Table& table : section_tables(document, "indicator"))
    indicators.push_back(text_of(table, "id"));
  Unique ids;
  for (const Table& table : section_tables(document, "alarm")) {
    Alarm alarm = Builder(table, catalogue, texts, report, config, conditions, indicators)
                      .build(document.complete);
    if (!alarm.id.empty()) ids.add(alarm.id, table.place("id"), table.key("id"), "alarm", report);
    out.all.push_back(std::move(alarm));
  }

  std::vector<std::string>& off = out.off;
  if (auto list = general.given("off")) off = list->texts;
  std::vector<std::string_view> known;
  for (const Condition& condition : conditions) known.push_back(condition.id);
  for (const std::string& one : off)
    if (std::find(known.begin(), known.end(), one) == known.end())
      report.error(general.place("off"), general.key("off"),
                   "there is no built-in alarm " + in_quotes(one), did_you_mean(one, known));
  if (const auto wanted = general.value("built_in")) out.built_in = wanted->boolean;
  if (!out.built_in) return;
  for (const Condition& condition : conditions) {
    const bool is_off = std::find(off.begin(), off.end(), condition.id) != off.end();
    const bool replaced = std::any_of(out.all.begin(), out.all.end(),
                                      [&](const Alarm& a) { return a.id == condition.id; });
    if (!is_off && !replaced) out.all.push_back(built_in(condition, texts));
  }
}

}  // namespace gerbang::config
