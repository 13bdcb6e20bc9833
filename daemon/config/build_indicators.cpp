// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <functional>
#include <set>

#include "config/build.hpp"
#include "config/standards.hpp"

namespace gerbang::config {
namespace {

using indicator::Averaging;
using indicator::Method;
using indicator::Standard;

constexpr std::int64_t kHourMs = 3'600'000, kDayMs = 86'400'000;

std::string text_of(const Table& table, std::string_view key) {
  auto value = table.value(key);
  return value ? std::move(value->text) : std::string();
}

// Of every polled sensor, unless some are named.
bool of_station(Method method) {
  return method == Method::capture || method == Method::availability ||
         method == Method::inventory || method == Method::calibration_due;
}

// Reads each row of a day, so that another window makes no sense.
bool of_a_day(Method method) {
  return of_station(method) || method == Method::hours_outside ||
         method == Method::share_complying || method == Method::difference;
}

// Counts what is missing, so it has to know what was expected.
bool counts_missing(Method method) {
  return method == Method::capture || method == Method::availability ||
         method == Method::hours_outside || method == Method::difference;
}

// Is as good as its hours are complete.
bool wants_completeness(Method method) {
  return method == Method::breakpoints || method == Method::limits ||
         method == Method::pollution_index || method == Method::average ||
         method == Method::share_complying;
}

bool takes_several(Method method) {
  return method == Method::levels || method == Method::count_over || method == Method::amount ||
         method == Method::average || method == Method::hours_outside;
}

class Builder {
 public:
  Builder(const Table& table, const Document& document, const std::vector<Standard>& standards,
          Report& report, const Config& config)
      : table_(table),
        document_(document),
        standards_(standards),
        report_(report),
        config_(config) {}

  std::optional<Indicator> build() {
    out_.place = table_.place();
    out_.id = text_of(table_, "id");
    const auto name = table_.value("standard");
    if (!name) return std::nullopt;
    const Standard* found = indicator::find(standards_, name->text);
    if (found == nullptr) {
      if (!standards_.empty())  // else the installation is damaged, which is reported
        error("standard", "there is no standard " + in_quotes(name->text),
              suggest_standard(standards_, name->text));
      return std::nullopt;
    }
    Standard standard = *found;
    if (const auto number = table_.value("capture")) out_.threshold.window = number->number;
    if (const auto number = table_.value("hour_capture")) out_.threshold.block = number->number;
    window(standard);
    lows(standard);
    levels(standard);
    out_.standard = std::make_shared<const Standard>(std::move(standard));
    if (of_station(out_.standard->method))
      station();
    else
      inputs();
    windows_there();
    label();
    return std::move(out_);
  }

 private:
  void error(std::string_view key, std::string what, std::string remedy) {
    report_.error(table_.place(key), table_.key(key), std::move(what), std::move(remedy));
  }

  void window(const Standard& standard) {
    out_.averaging = standard.averaging;
    const auto given = table_.given("window");
    if (!given) return;
    const auto averaging = indicator::averaging_of(given->text);
    if (!averaging)
      error("window", in_quotes(given->text) + " is not a window",
            "write hours such as \"24h\" (rolling, up to 72h) or local days such as \"1d\"");
    else if (of_a_day(standard.method) && *averaging != Averaging{Averaging::Unit::day, 1})
      error("window", in_quotes(standard.id) + " is of a local day", "remove this key");
    else
      out_.averaging = *averaging;
  }

  // Where service counts as interrupted is a matter of the network.
  void lows(Standard& standard) {
    const Node* node = table_.node("low");
    if (node == nullptr || node->kind != Node::Kind::table) return;
    for (const Member& member : node->members) {
      const std::string key = table_.key("low") + "." + member.key;
      const Place at = document_.place(member);
      const bool number =
          member.value.kind == Node::Kind::integer || member.value.kind == Node::Kind::number;
      auto row = std::find_if(standard.limits.begin(), standard.limits.end(),
                              [&](const auto& limit) { return limit.quantity == member.key; });
      if (standard.method != Method::hours_outside)
        report_.error(at, key, "the limits of " + in_quotes(standard.id) + " are not yours to set",
                      "remove it; a limit of your own is an alarm");
      else if (row == standard.limits.end())
        report_.error(at, key, standard.id + " has no limit for " + in_quotes(member.key),
                      known_inputs(standard));
      else if (!number)
        report_.error(at, key, describe(member.value) + " is not a number",
                      "write a number in " + row->unit);
      else
        row->low = member.value.number;
    }
  }

  // Steps of severity are for the site to choose, limits are not; whether a bound itself
  // belongs to the step stays as the table says.
  void levels(Standard& standard) {
    const Node* node = table_.node("levels");
    if (node == nullptr || node->kind != Node::Kind::table) return;
    for (const Member& member : node->members) {
      const std::string key = table_.key("levels") + "." + member.key;
      const Place at = document_.place(member);
      std::vector<indicator::Level*> steps;
      for (indicator::Level& level : standard.levels)
        if (level.quantity == member.key) steps.push_back(&level);
      const bool list = member.value.kind == Node::Kind::array;
      const std::vector<Node> given = list ? member.value.items : std::vector<Node>{member.value};
      if (standard.levels.empty())
        report_.error(at, key, in_quotes(standard.id) + " has no steps", "remove it");
      else if (steps.empty())
        report_.error(at, key, standard.id + " has no steps for " + in_quotes(member.key),
                      known_inputs(standard));
      else if (given.size() != steps.size())
        report_.error(at, key,
                      standard.id + " has " + std::to_string(steps.size()) + " steps for it, not " +
                          std::to_string(given.size()),
                      "write where each begins: " + as_it_is(steps));
      else
        take_steps(steps, given, key);
    }
  }

  void take_steps(const std::vector<indicator::Level*>& steps, const std::vector<Node>& given,
                  const std::string& key) {
    for (std::size_t i = 0; i < steps.size(); ++i) {
      const Node& node = given[i];
      if (node.kind != Node::Kind::integer && node.kind != Node::Kind::number) {
        report_.error(node, key, describe(node) + " is not a number",
                      "write a number in " + steps[i]->unit);
        return;
      }
      const double before = i == 0 ? 0 : steps[i - 1]->bound;
      if (i > 0 && (steps[i]->falling ? node.number >= before : node.number <= before)) {
        report_.error(node, key,
                      format_number(node.number) + " comes after " + format_number(before),
                      steps[i]->falling ? "write them from mild to severe, descending"
                                        : "write them from mild to severe, ascending");
        return;
      }
      steps[i]->bound = node.number;
      steps[i]->note = "as the site has set it";
    }
  }

  static std::string as_it_is(const std::vector<indicator::Level*>& steps) {
    std::string out;
    for (const indicator::Level* step : steps)
      out += (out.empty() ? "[" : ", ") + format_number(step->bound);
    return out + "]";
  }

  std::string known_inputs(const Standard& standard) const {
    const auto names = indicator::inputs_of(standard);
    std::string out;
    for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
    return "known here: " + out;
  }

  const Sensor* sensor(const Node& node, const std::string& key) {
    if (node.kind != Node::Kind::string) {
      report_.error(node, key, describe(node) + " is not the id of a sensor",
                    "write it in quotes: pm2_5 = \"station-pm2-5\"");
      return nullptr;
    }
    std::vector<std::string_view> names;
    for (const Sensor& one : config_.sensors) {
      if (one.id == node.text) return &one;
      names.push_back(one.id);
    }
    if (document_.complete)
      report_.error(node, key, "there is no sensor " + in_quotes(node.text),
                    did_you_mean(node.text, names));
    return nullptr;
  }

  void add(const Node& node, const std::string& key, const std::string& quantity) {
    const Sensor* found = sensor(node, key);
    if (found == nullptr) return;
    if (!quantity.empty() && found->quantity->name != quantity) {
      report_.error(
          node, key,
          in_quotes(found->id) + " measures " + found->quantity->name + ", not " + quantity,
          "name a sensor with quantity = " + in_quotes(quantity));
      return;
    }
    const auto index = static_cast<std::size_t>(found - config_.sensors.data());
    for (const Indicator::Input& input : out_.inputs)
      if (input.sensor == index) {
        report_.error(node, key, in_quotes(found->id) + " is named twice", "keep one");
        return;
      }
    if (found->quantity->kind != QuantityKind::event && found->interval.count() > kHourMs &&
        !of_station(out_.standard->method))
      report_.error(node, key,
                    in_quotes(found->id) + " is read less than once an hour, and hours are what " +
                        out_.standard->id + " is made of",
                    "choose an interval of at most \"1h\"");
    how_often(*found, node, key);
    out_.inputs.push_back({found->quantity->name, index});
  }

  void how_often(const Sensor& sensor, const Node& node, const std::string& key) {
    if (expected_every(sensor) > 0) return;
    const Standard& standard = *out_.standard;
    const bool event = sensor.quantity->kind == QuantityKind::event;
    const bool witness = sensor.quantity->name == standard.witness;
    if (counts_missing(standard.method) || witness)
      report_.error(node, key,
                    "nothing is expected of " + in_quotes(sensor.id) +
                        ", so nobody can say what of it is missing",
                    event ? "name a sensor that is read at intervals"
                          : "write at the sensor how often it speaks: interval = \"15m\"");
    else if (!event && wants_completeness(standard.method))
      report_.warning(document_.place(node), key,
                      "how complete the hours of " + in_quotes(sensor.id) +
                          " are will not be known, so one reading is enough for an hour",
                      "write at the sensor how often it speaks: interval = \"15m\"");
  }

  void inputs() {
    const Standard& standard = *out_.standard;
    const Node* node = table_.node("inputs");
    if (table_.has("sensors"))
      error("sensors", in_quotes(standard.id) + " wants to know which sensor is what",
            "write inputs = { " + indicator::inputs_of(standard).front() + " = \"sensor-id\" }");
    if (node == nullptr || node->kind != Node::Kind::table || node->members.empty()) {
      if (node == nullptr || node->kind == Node::Kind::table)
        error("inputs", "no inputs",
              "write inputs = { QUANTITY = \"sensor-id\" }; " + known_inputs(standard));
      return;
    }
    auto known = indicator::inputs_of(standard);
    if (standard.method == Method::pollution_index) known.emplace_back("water_temperature");
    for (const Member& member : node->members) {
      const std::string key = table_.key("inputs") + "." + member.key;
      if (std::find(known.begin(), known.end(), member.key) == known.end()) {
        const std::vector<std::string_view> names(known.begin(), known.end());
        report_.error(document_.place(member), key,
                      in_quotes(standard.id) + " has no " + in_quotes(member.key),
                      did_you_mean(member.key, names));
        continue;
      }
      if (member.value.kind != Node::Kind::array) {
        add(member.value, key, member.key);
        continue;
      }
      if (!takes_several(standard.method))
        report_.error(member.value, key, in_quotes(standard.id) + " takes one sensor a quantity",
                      "write one id; for another place make another [[indicator]]");
      else
        for (const Node& item : member.value.items) add(item, key, member.key);
    }
    helpers(standard, *node);
  }

  // A limit that is judged against another quantity, without it, is never judged; a difference
  // needs both.
  void helpers(const Standard& standard, const Node& node) {
    if (standard.method == Method::difference)
      for (const std::string& quantity : standard.quantities)
        if (node.get(quantity) == nullptr)
          error("inputs", in_quotes(standard.id) + " compares two and " + quantity + " is missing",
                "add " + quantity + " = \"sensor-id\"");
    if (!standard.witness.empty() && node.get(standard.witness) == nullptr)
      report_.warning(table_.place("inputs"), table_.key("inputs"),
                      "without " + standard.witness + " a day without an event is no data",
                      "add " + standard.witness +
                          " = \"sensor-id\": that it was heard all day "
                          "makes it 0");
    for (const auto& limit : standard.limits)
      if (!limit.relative_to.empty() && node.get(limit.quantity) != nullptr &&
          node.get(limit.relative_to) == nullptr && standard.method != Method::pollution_index)
        report_.warning(document_.place(*node.find(limit.quantity)),
                        table_.key("inputs") + "." + limit.quantity,
                        "is judged against " + limit.relative_to + ", and so is left out",
                        "add " + limit.relative_to + " = \"sensor-id\"");
  }

  void station() {
    if (table_.has("inputs"))
      error("inputs", in_quotes(out_.standard->id) + " takes sensors whatever they measure",
            "write sensors = [\"sensor-id\"], or nothing for all of them");
    if (const Node* list = table_.node("sensors")) {
      for (const Node& item : list->items) add(item, table_.key("sensors"), "");
      return;
    }
    const bool polled_only =
        out_.standard->method == Method::capture || out_.standard->method == Method::availability;
    for (std::size_t i = 0; i < config_.sensors.size(); ++i)
      if (!polled_only || expected_every(config_.sensors[i]) > 0)
        out_.inputs.push_back({config_.sensors[i].quantity->name, i});
  }

  void windows_there() {
    const auto& lengths = config_.windows.lengths_ms;
    std::set<std::int64_t> needed = {kHourMs};
    if (out_.averaging.unit == Averaging::Unit::day) needed.insert(kDayMs);
    for (std::int64_t length : needed)
      if (!lengths.empty() && std::find(lengths.begin(), lengths.end(), length) == lengths.end())
        error("standard",
              in_quotes(out_.standard->id) + " is made of the windows of " +
                  (length == kHourMs ? "an hour" : "a day"),
              std::string("add \"") + (length == kHourMs ? "1h" : "1d") + "\" to windows.default");
  }

  void label() {
    out_.label = out_.standard->title;
    const Node* node = table_.node("label");
    if (node == nullptr) return;
    if (node->kind == Node::Kind::string) out_.label = Label{node->text, node->text};
    if (node->kind != Node::Kind::table) return;
    const Table languages = table_.table("label");
    const auto ind = languages.value("ind"), eng = languages.value("eng");
    if (ind || eng) out_.label = Label{(ind ? ind : eng)->text, (eng ? eng : ind)->text};
  }

  const Table& table_;
  const Document& document_;
  const std::vector<Standard>& standards_;
  Report& report_;
  const Config& config_;
  Indicator out_;
};

}  // namespace

void build_indicators(const Document& document, const Context& context, const Catalogue& catalogue,
                      Report& report, Diagnostics& errors, Config& config) {
  const auto tables = section_tables(document, "indicator");
  if (tables.empty()) return;
  const auto standards = read_standards(context.data, catalogue, errors);
  Unique ids;
  for (const Table& table : tables) {
    auto built = Builder(table, document, standards, report, config).build();
    if (!built) continue;
    if (!built->id.empty())
      ids.add(built->id, table.place("id"), table.key("id"), "indicator", report);
    config.indicators.push_back(std::move(*built));
  }
}

}  // namespace gerbang::config
