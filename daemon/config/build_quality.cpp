// SPDX-License-Identifier: Apache-2.0
#include "config/build_quality.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>

#include "core/text.hpp"

namespace gerbang::config {
namespace {

constexpr double kMsPerSecond = 1000;

// A number and a unit: "0.2 mg/L".
std::optional<std::pair<double, std::string>> parse_amount(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return std::nullopt;
  std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  while (!unit.empty() && unit.front() == ' ') unit.remove_prefix(1);
  return std::pair(number, std::string(unit));
}

bool is_date(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (i != 4 && i != 7 && (text[i] < '0' || text[i] > '9')) return false;
  auto number = [&](std::size_t at, std::size_t count) {
    unsigned out = 0;
    (void)std::from_chars(text.data() + at, text.data() + at + count, out);
    return out;
  };
  return std::chrono::year_month_day(std::chrono::year(static_cast<int>(number(0, 4))),
                                     std::chrono::month(number(5, 2)),
                                     std::chrono::day(number(8, 2)))
      .ok();
}

// What a correction takes and gives.
struct Shape {
  std::string_view name;
  quality::Formula::Kind kind;
  std::array<std::string_view, 2> inputs;  // quantities; empty: any
  std::string_view output;                 // likewise
  std::string_view parameters;             // "a|b"
};
constexpr std::array<Shape, 7> kShapes = {{
    {"conductivity-25",
     quality::Formula::Kind::conductivity_25,
     {"conductivity", ""},
     "conductivity_25",
     "coefficient"},
    {"ppb-to-ug-m3", quality::Formula::Kind::ppb_to_ug_m3, {"", ""}, "", "molar_mass"},
    {"do-saturation",
     quality::Formula::Kind::do_saturation,
     {"dissolved_oxygen", ""},
     "dissolved_oxygen_saturation",
     ""},
    {"totaliser-volume", quality::Formula::Kind::totaliser_volume, {"", ""}, "", "fastest"},
    {"flow-integral", quality::Formula::Kind::flow_integral, {"", ""}, "", "max_gap|reverse"},
    {"wind-vector",
     quality::Formula::Kind::wind_vector,
     {"wind_speed", "wind_direction"},
     "",
     "period|output"},
    {"table", quality::Formula::Kind::table, {"", ""}, "", "points_from|points_to"},
}};

class Quality {
 public:
  Quality(const std::vector<Table>& tables, const Catalogue& catalogue, Report& report,
          Config& config)
      : tables_(tables), catalogue_(catalogue), report_(report), config_(config) {
    for (std::size_t i = 0; i < config.sensors.size(); ++i) index_.emplace(config.sensors[i].id, i);
    for (const auto& [id, index] : index_) ids_.push_back(id);
  }

  void build() {
    for (std::size_t i = 0; i < config_.sensors.size(); ++i) {
      correction(i);
      rules(i);
      calibration(i);
    }
    related();
  }

 private:
  void error(const Table& table, std::string_view key, std::string what, std::string remedy) {
    report_.error(table.place(key), table.key(key), std::move(what), std::move(remedy));
  }
  const QuantityRow* row(std::size_t i) const {
    return catalogue_.find(config_.sensors[i].quantity->name);
  }
  std::optional<double> amount(const Table& table, std::string_view key, std::size_t i) {
    return amount_of(table, key, row(i), catalogue_, report_);
  }
  std::optional<std::size_t> find(const Table& table, std::string_view key, const std::string& id) {
    auto found = index_.find(id);
    if (found != index_.end()) return found->second;
    if (report_.document().complete)
      error(table, key, "there is no sensor " + in_quotes(id), did_you_mean(id, ids_));
    return std::nullopt;
  }

  std::optional<quality::Range> range(const Table& table, std::string_view key, std::size_t i) {
    const Table at = table.table(key);
    quality::Range out;
    out.low = amount(at, "low", i);
    out.high = amount(at, "high", i);
    if (!at.has("low") && !at.has("high"))
      error(table, key, "neither low nor high",
            "write " + std::string(key) + " = { low = 4.0, high = 11.0 }");
    if (out.low && out.high && *out.low >= *out.high)
      error(table, key, "low is not below high", "exchange them");
    return out;
  }

  static bool apart(const quality::Range& a, const quality::Range& b) {
    return (a.high && b.low && *b.low > *a.high) || (a.low && b.high && *b.high < *a.low);
  }

  void rules(std::size_t i) {
    Sensor& sensor = config_.sensors[i];
    quality::Rules out;
    auto known = catalogue_.quality.quantities.find(sensor.quantity->name);
    const bool defaults = known != catalogue_.quality.quantities.end();
    if (sensor.range) {
      out.range.emplace();
      out.range->low = sensor.range->low;
      out.range->high = sensor.range->high;
    } else if (defaults) {
      out.range = known->second.range;
    }
    // A site's span that reaches beyond what the sensor can say would never be asked.
    if (defaults && !sensor.range) out.expected = known->second.expected;
    out.interval_ms = expected_every(sensor);
    const bool polled = out.interval_ms != 0 && !sensor.formula;
    if (polled && catalogue_.quality.silence_intervals > 0)
      out.stale_ms = std::max(catalogue_.quality.silence_intervals * sensor.interval.count(),
                              catalogue_.quality.silence_least_ms);
    const Table own = tables_[i].table("quality");
    if (own.has("expected")) out.expected = range(own, "expected", i);
    if (auto off = own.value("defaults"); off && !off->boolean) {
      if (!sensor.range) out.range.reset();
      if (!own.has("expected")) out.expected.reset();
      out.stale_ms = 0;
    }
    if (own.has("expected") && out.range && out.expected && apart(*out.range, *out.expected))
      error(own, "expected", "lies wholly outside of the sensor's range: nothing could be good",
            "correct one of the two");
    if (own.has("rate")) {
      const Table rate = own.table("rate");
      const auto change = amount(rate, "change", i);
      const auto within = rate.value("within");
      if (change && *change <= 0) error(rate, "change", "is not above 0", "write what is too much");
      if (change && within)
        out.rate = *change / (static_cast<double>(within->integer) / kMsPerSecond);
    }
    if (own.has("spike")) {
      const Table spike = own.table("spike");
      quality::SpikeRule rule;
      rule.suspect = amount(spike, "suspect", i);
      rule.bad = amount(spike, "bad", i);
      if (!spike.has("suspect") && !spike.has("bad"))
        error(own, "spike", "neither suspect nor bad",
              "write spike = { suspect = 1.0, bad = 3.0 }");
      if (rule.suspect && rule.bad && *rule.suspect >= *rule.bad)
        error(own, "spike", "suspect is not below bad", "exchange them");
      out.spike = rule;
    }
    if (own.has("flat")) {
      const Table flat = own.table("flat");
      quality::FlatRule rule;
      rule.tolerance = amount(flat, "tolerance", i).value_or(0);
      if (auto n = flat.value("suspect")) rule.suspect = static_cast<std::uint32_t>(n->integer);
      if (auto n = flat.value("bad")) rule.bad = static_cast<std::uint32_t>(n->integer);
      if (rule.suspect > rule.bad)
        error(own, "flat", "suspect comes after bad", "write suspect = 4, bad = 6 or the like");
      out.flat = rule;
    }
    if (auto stale = own.given("stale")) out.stale_ms = stale->integer;
    if (auto warm = own.given("warm_up")) out.warm_up_ms = warm->integer;
    if (own.has("detection_limit")) out.detection_limit = amount(own, "detection_limit", i);
    sensor.rules = sharing_.share(out);
    relations(i, own);
  }

  void relations(std::size_t i, const Table& own) {
    auto add = [&](std::string_view key, const Table& table, std::string_view peer_key) {
      quality::Relation out;
      const auto peer = table.value(peer_key);
      if (!peer) return std::optional<quality::Relation>();
      const auto other = find(table, peer_key, peer->text);
      if (!other) return std::optional<quality::Relation>();
      if (*other == i) {
        error(table, peer_key, "is this sensor itself", "name another one for " + std::string(key));
        return std::optional<quality::Relation>();
      }
      out.one = static_cast<std::uint32_t>(i);
      out.other = static_cast<std::uint32_t>(*other);
      return std::optional(out);
    };
    if (own.has("at_most")) {
      const Table table = own.table("at_most");
      if (auto out = add("at_most", table, "sensor")) {
        out->kind = quality::Relation::Kind::at_most;
        out->tolerance = amount(table, "tolerance", i).value_or(0);
        if (config_.sensors[out->other].quantity->unit != config_.sensors[i].quantity->unit)
          error(table, "sensor",
                "is in " + in_quotes(config_.sensors[out->other].quantity->unit) +
                    " and this one in " + in_quotes(config_.sensors[i].quantity->unit),
                "name a sensor of the same unit");
        config_.sensors[i].relations.push_back(*out);
      }
    }
    if (own.has("ratio")) {
      const Table table = own.table("ratio");
      const auto low = table.value("low"), high = table.value("high");
      auto out = add("ratio", table, "to");
      if (low && high && low->number >= high->number)
        error(own, "ratio", "low is not below high", "exchange them");
      if (out && low && high) {
        out->kind = quality::Relation::Kind::ratio;
        out->low = low->number;
        out->high = high->number;
        config_.sensors[i].relations.push_back(*out);
      }
    }
    if (own.has("saturation")) {
      const Table table = own.table("saturation");
      const auto percent = table.value("percent");
      auto out = add("saturation", table, "temperature");
      if (config_.sensors[i].quantity->name != "dissolved_oxygen")
        error(own, "saturation", "is of dissolved oxygen only", "remove it");
      if (out && percent) {
        out->kind = quality::Relation::Kind::saturation;
        out->high = percent->number;
        config_.sensors[i].relations.push_back(*out);
      }
    }
  }

  // What quality.toml relates, where a device or a line has one of each.
  void related() {
    auto same_box = [&](const Sensor& a, const Sensor& b) {
      return a.driver == b.driver && a.device == b.device && !a.formula && !b.formula;
    };
    for (const auto& pair : catalogue_.quality.related)
      for (std::size_t i = 0; i < config_.sensors.size(); ++i) {
        Sensor& one = config_.sensors[i];
        if (one.quantity->name != pair.one) continue;
        std::vector<std::size_t> others, same;
        for (std::size_t j = 0; j < config_.sensors.size(); ++j) {
          if (!same_box(one, config_.sensors[j])) continue;
          if (config_.sensors[j].quantity->name == pair.at_most) others.push_back(j);
          if (config_.sensors[j].quantity->name == pair.one) same.push_back(j);
        }
        const Table own = tables_[i].table("quality");
        const auto defaults = own.value("defaults");
        if (others.size() != 1 || same.size() != 1 || own.has("at_most") ||
            (defaults && !defaults->boolean))
          continue;
        quality::Relation out;
        out.kind = quality::Relation::Kind::at_most;
        out.one = static_cast<std::uint32_t>(i);
        out.other = static_cast<std::uint32_t>(others.front());
        out.tolerance = pair.tolerance;
        one.relations.push_back(out);
      }
  }

  void calibration(std::size_t i) {
    if (!tables_[i].has("calibration")) return;
    const Table own = tables_[i].table("calibration");
    Calibrated out;
    auto date = [&](std::string_view key) {
      auto value = own.value(key);
      if (!value) return std::string();
      if (!is_date(value->text))
        error(own, key, in_quotes(value->text) + " is not a date", "write it as \"2026-11-22\"");
      return value->text;
    };
    out.date = date("date");
    out.due = date("due");
    if (!out.date.empty() && !out.due.empty() && out.due <= out.date)
      error(own, "due", "is not after date", "write when it is due again");
    if (auto person = own.value("person")) out.person = person->text;
    if (auto note = own.value("note")) out.note = note->text;
    config_.sensors[i].calibrated = std::move(out);
  }

  void correction(std::size_t i) {
    const Table& table = tables_[i];
    Sensor& sensor = config_.sensors[i];
    const auto name = table.value("correction");
    if (!name) {
      for (const char* key : {"from", "parameters"})
        if (table.has(key))
          error(table, key, "belongs to a correction", "add correction = \"…\", or remove it");
      return;
    }
    for (const char* key : {"driver", "address", "scale", "offset", "span", "wrap", "unit"})
      if (table.has(key))
        error(table, key, "a sensor with a correction is computed and not read", "remove it");
    const auto shape = std::find_if(kShapes.begin(), kShapes.end(),
                                    [&](const Shape& each) { return each.name == name->text; });
    const auto from = table.value("from");
    if (!from) {
      if (!table.has("from"))
        error(table, "from", "is missing", "write from = [\"ec\", \"temperature\"]");
      return;
    }
    quality::Formula formula;
    formula.kind = shape->kind;
    const std::size_t wanted = quality::inputs_of(shape->kind);
    if (from->texts.size() != wanted) {
      error(table, "from", "names " + std::to_string(from->texts.size()) + " sensors",
            in_quotes(name->text) + " is computed from " + std::to_string(wanted));
      return;
    }
    for (std::size_t k = 0; k < wanted; ++k) {
      const auto input = find(table, "from", from->texts[k]);
      if (!input) return;
      // So there are no circles.
      if (*input >= i) {
        error(table, "from", in_quotes(from->texts[k]) + " does not stand before this sensor",
              "write the sensors that a correction is computed from first");
        return;
      }
      const std::string& quantity = config_.sensors[*input].quantity->name;
      if (!shape->inputs[k].empty() && quantity != shape->inputs[k])
        error(table, "from", in_quotes(from->texts[k]) + " measures " + in_quotes(quantity),
              in_quotes(name->text) + " takes a sensor of " + in_quotes(shape->inputs[k]));
      sensor.from.push_back(*input);
    }
    if (!shape->output.empty() && sensor.quantity->name != shape->output)
      error(table, "quantity", in_quotes(sensor.quantity->name) + " is not what it gives",
            "write quantity = " + in_quotes(shape->output));
    const Sensor& first = config_.sensors[sensor.from.front()];
    if (!table.has("interval")) sensor.interval = first.interval;
    parameters(table.table("parameters"), *shape, first, sensor, formula);
    sensor.correction = name->text;
    sensor.formula = std::make_shared<const quality::Formula>(std::move(formula));
  }

  void parameters(const Table& own, const Shape& shape, const Sensor& first, const Sensor& sensor,
                  quality::Formula& out) {
    const auto allowed = std::string(shape.parameters) + "|";
    for (const char* key : {"coefficient", "molar_mass", "fastest", "max_gap", "reverse", "period",
                            "output", "points_from", "points_to"})
      if (own.has(key) && allowed.find(std::string(key) + "|") == std::string::npos)
        error(own, key, "is no parameter of " + in_quotes(shape.name), "remove it");
    if (auto v = own.given("coefficient")) out.coefficient = v->number;
    const std::string& quantity = first.quantity->name;
    switch (out.kind) {
      case quality::Formula::Kind::ppb_to_ug_m3: {
        auto known = catalogue_.quality.molar_masses.find(quantity);
        if (known != catalogue_.quality.molar_masses.end()) out.molar_mass = known->second;
        if (auto v = own.given("molar_mass")) out.molar_mass = v->number;
        if (first.quantity->unit != "ppb" || sensor.quantity->unit != "µg/m³")
          error(tables_[index_.at(sensor.id)], "correction",
                "makes µg/m³ of ppb, not " + in_quotes(sensor.quantity->unit) + " of " +
                    in_quotes(first.quantity->unit),
                "choose quantities in ppb and µg/m³");
        if (out.molar_mass <= 0)
          error(own, "molar_mass", "is not known for " + in_quotes(quantity),
                "write parameters = { molar_mass = 64.066 }");
        break;
      }
      case quality::Formula::Kind::totaliser_volume:
        out.factor = first.calibration.scale * first.calibration.slope;
        out.wrap = first.wrap;
        if (auto v = own.given("fastest")) out.fastest = v->number;
        if (first.quantity->kind != QuantityKind::totaliser ||
            sensor.quantity->unit != first.quantity->unit ||
            sensor.quantity->kind != QuantityKind::totaliser)
          error(tables_[index_.at(sensor.id)], "correction",
                "is from a counter to a counter of one unit",
                "choose two quantities of kind totaliser");
        break;
      case quality::Formula::Kind::flow_integral:
        out.max_gap_ms = 3 * first.interval.count();
        if (auto v = own.given("max_gap")) out.max_gap_ms = v->integer;
        if (out.max_gap_ms == 0)
          error(tables_[index_.at(sensor.id)], "correction",
                "nobody knows what a gap is: how often " + in_quotes(first.id) +
                    " speaks is not said",
                "give that sensor an interval, or write parameters = { max_gap = \"10m\" }");
        if (auto v = own.given("reverse")) out.reverse = v->boolean;
        if (first.quantity->unit != sensor.quantity->unit + "/h" ||
            sensor.quantity->kind != QuantityKind::totaliser)
          error(tables_[index_.at(sensor.id)], "correction",
                "adds " + in_quotes(sensor.quantity->unit + "/h") + " up, not " +
                    in_quotes(first.quantity->unit),
                "choose a flow an hour and a quantity of kind totaliser");
        break;
      case quality::Formula::Kind::wind_vector: {
        if (auto v = own.value("period")) out.period_ms = v->integer;
        const auto output = own.value("output");
        const std::string what = output ? output->text : "direction";
        out.wind = what == "speed" ? quality::Formula::Wind::speed
                   : what == "u"   ? quality::Formula::Wind::u
                   : what == "v"   ? quality::Formula::Wind::v
                                   : quality::Formula::Wind::direction;
        const bool direction = sensor.quantity->kind == QuantityKind::direction;
        if (direction != (out.wind == quality::Formula::Wind::direction))
          error(tables_[index_.at(sensor.id)], "quantity",
                "does not fit the output " + in_quotes(what),
                direction ? "write parameters = { output = \"direction\" }"
                          : "write quantity = \"wind_direction\", or another output");
        break;
      }
      case quality::Formula::Kind::table: {
        const auto from = own.value("points_from"), to = own.value("points_to");
        if (!from || !to || from->numbers.size() != to->numbers.size() ||
            from->numbers.size() < 2) {
          error(own, from ? "points_to" : "points_from",
                "two points or more are needed, as many of each",
                "write parameters = { points_from = [0, 10, 20], points_to = [0, 9.5, 21] }");
          break;
        }
        for (std::size_t k = 0; k < from->numbers.size(); ++k) {
          if (k > 0 && from->numbers[k] <= from->numbers[k - 1]) {
            error(own, "points_from", "does not ascend", "sort the points");
            break;
          }
          out.points.emplace_back(from->numbers[k], to->numbers[k]);
        }
        if (sensor.quantity->unit != first.quantity->unit)
          error(tables_[index_.at(sensor.id)], "quantity",
                "is in another unit than what it is computed from",
                "choose a quantity in " + in_quotes(first.quantity->unit));
        break;
      }
      case quality::Formula::Kind::conductivity_25:
      case quality::Formula::Kind::do_saturation:
        if (config_.sensors[sensor.from[1]].quantity->unit != "°C")
          error(tables_[index_.at(sensor.id)], "from", "the second one is no temperature",
                "write the conductivity or oxygen first, then its temperature");
        break;
    }
  }

  const std::vector<Table>& tables_;
  const Catalogue& catalogue_;
  Report& report_;
  Config& config_;
  Sharing<quality::Rules> sharing_;
  std::map<std::string, std::size_t> index_;
  std::vector<std::string_view> ids_;
};

}  // namespace

std::optional<double> amount_of(const Table& table, std::string_view key, const QuantityRow* row,
                                const Catalogue& catalogue, Report& report) {
  const auto value = table.value(key);
  if (!value) return std::nullopt;
  if (value->is_number) return value->number;
  const auto amount = parse_amount(value->text);
  if (!amount) {
    report.error(table.place(key), table.key(key), in_quotes(value->text) + " is not an amount",
                 "write a number in the quantity's unit, or one with its own: \"0.2 mg/L\"");
    return std::nullopt;
  }
  if (row == nullptr) return std::nullopt;
  const auto line = catalogue.units.convert(amount->second, *row);
  if (!line) {
    const auto [what, remedy] = halves(line.error().what);
    report.error(table.place(key), table.key(key), what, remedy);
    return std::nullopt;
  }
  return amount->first * line->slope + line->intercept;
}

void build_quality(const std::vector<Table>& tables, const Catalogue& catalogue, Report& report,
                   Config& config) {
  Quality(tables, catalogue, report, config).build();
}

}  // namespace gerbang::config
