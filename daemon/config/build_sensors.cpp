// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include "config/build.hpp"
#include "config/build_quality.hpp"
#include "config/options.hpp"

namespace gerbang::config {
namespace {

std::string text_of(const Table& table, std::string_view key) {
  auto value = table.value(key);
  return value ? std::move(value->text) : std::string();
}

bool is_table_if_given(const Table& table, std::string_view key) {
  const Node* node = table.node(key);
  return node == nullptr || node->kind == Node::Kind::table;
}

class Builder {
 public:
  Builder(const Table& table, const Catalogue& catalogue, Report& report, const Config& config)
      : table_(table), catalogue_(catalogue), report_(report), config_(config) {}

  // `driver` is known (null: it is not), its schema perhaps not (an empty name).
  Sensor build(const Driver* driver) {
    out_.place = table_.place();
    out_.id = text_of(table_, "id");
    out_.formerly = text_of(table_, "formerly");
    const auto own = table_.given("interval");
    if (own)
      out_.interval = Milliseconds(own->integer);
    else if (driver != nullptr)
      out_.interval = driver->interval;
    interval();
    quantity();
    scale();
    range();
    label();
    if (driver != nullptr && !driver->schema.name.empty()) {
      const Place at = table_.place("address");
      const std::size_t before = report_.errors();
      out_.address = check_options(driver->schema.address, table_.node("address"), at,
                                   table_.key("address"), driver->plugin + " addresses", report_);
      addressed_ = report_.errors() == before && is_table_if_given(table_, "address");
    }
    return std::move(out_);
  }
  bool addressed() const { return addressed_; }  // the schema has nothing against its address

 private:
  void error(std::string_view key, std::string what, std::string remedy) {
    report_.error(table_.place(key), table_.key(key), std::move(what), std::move(remedy));
  }
  void error(std::string_view key, const Error& failure) {
    const auto [what, remedy] = halves(failure.what);
    error(key, what, remedy);
  }

  void interval() {
    const auto& lengths = config_.windows.lengths_ms;
    if (lengths.empty() || out_.interval.count() <= lengths.front()) return;
    const std::string shown = "\"" + format_duration(out_.interval) + "\"";
    if (out_.interval.count() > lengths.back())
      error("interval", "read every " + shown + ", it has a place in no window",
            "choose an interval of at most \"" + format_duration(Milliseconds(lengths.back())) +
                "\"");
    else
      report_.warning(table_.place("interval"), table_.key("interval"),
                      "read every " + shown + ", it takes no part in the shorter windows",
                      "choose at most \"" + format_duration(Milliseconds(lengths.front())) +
                          "\" to have it in all");
  }

  void quantity() {
    const auto name = table_.value("quantity");
    if (!name) return;
    row_ = catalogue_.find(name->text);
    if (row_ == nullptr) {
      if (!catalogue_.quantities.empty())  // else the installation is damaged, which is reported
        error("quantity", "there is no quantity " + in_quotes(name->text),
              catalogue_.suggestion(name->text));
      return;
    }
    out_.quantity = row_->quantity;
    out_.unit = row_->quantity->unit;
    if (auto unit = table_.given("unit")) {
      out_.unit = unit->text;
      if (auto line = catalogue_.units.convert(unit->text, *row_)) {
        out_.calibration.slope = line->slope;
        out_.calibration.intercept = line->intercept;
      } else {
        error("unit", line.error());
      }
    }
    if (auto wrap = table_.given("wrap")) {
      out_.wrap = static_cast<std::uint64_t>(wrap->integer);
      if (row_->quantity->kind != QuantityKind::totaliser)
        error("wrap", in_quotes(name->text) + " is not a counter",
              "remove it, or choose a quantity of kind totaliser");
    }
    if (auto count = table_.given("count_suspect"); count && count->boolean) {
      out_.count_suspect = true;
      const QuantityKind kind = row_->quantity->kind;
      if (kind == QuantityKind::totaliser || kind == QuantityKind::event)
        error("count_suspect", "amounts of " + in_quotes(name->text) + " are of good readings only",
              "remove it");
    }
  }

  void scale() {
    Calibration& out = out_.calibration;
    if (auto value = table_.given("scale")) out.scale = value->number;
    if (auto value = table_.given("offset")) out.offset = value->number;
    if (out.scale == 0) error("scale", "0 makes every value the same", "write another number");
    if (!table_.has("span")) return;
    for (const char* other : {"scale", "offset"})
      if (table_.has(other))
        error(other, "span is given too, and both say the same thing", "keep one of the two");
    const Table span = table_.table("span");
    const auto raw = span.value("raw"), value = span.value("value");
    if (!raw || !value) return;
    out.scale = (value->numbers[1] - value->numbers[0]) / (raw->numbers[1] - raw->numbers[0]);
    out.offset = value->numbers[0] - raw->numbers[0] * out.scale;
  }

  void range() {
    const Node* node = table_.node("range");
    if (node == nullptr || node->kind != Node::Kind::table) return;
    const Table range = table_.table("range");
    Range out;
    out.low = amount_of(range, "low", row_, catalogue_, report_);
    out.high = amount_of(range, "high", row_, catalogue_, report_);
    if (!range.has("low") && !range.has("high"))
      error("range", "neither low nor high", "write range = { low = 0.0, high = 1000.0 }");
    if (out.low && out.high && *out.low >= *out.high)
      error("range", "low is not below high", "exchange them");
    out_.range = out;
  }

  void label() {
    if (row_ != nullptr) out_.label = row_->label;
    const Node* node = table_.node("label");
    if (node == nullptr) return;
    if (node->kind == Node::Kind::string) {
      out_.label = Label{node->text, node->text};
      return;
    }
    if (node->kind != Node::Kind::table) return;
    const Table languages = table_.table("label");
    const auto ind = languages.value("ind"), eng = languages.value("eng");
    if (!languages.has("ind") && !languages.has("eng"))
      error("label", "no language", "write label = { ind = \"…\", eng = \"…\" }, or one text");
    // One language is better than the quantity's general name.
    if (ind || eng) out_.label = Label{(ind ? ind : eng)->text, (eng ? eng : ind)->text};
  }

  const Table& table_;
  const Catalogue& catalogue_;
  Report& report_;
  const Config& config_;
  const QuantityRow* row_ = nullptr;
  bool addressed_ = false;
  Sensor out_;
};

// Where an address was first used.
struct First {
  std::size_t table;
  Place place;
};

void name_after(const Device& device, const Part& part, Sensor& sensor) {
  sensor.device = device.id;
  sensor.profile = device.profile;
  if (part.own_label || device.label.eng.empty()) return;
  sensor.label = Label{device.label.ind + ": " + sensor.label->ind,
                       device.label.eng + ": " + sensor.label->eng};
}

// The driver's process ended or hung, whatever the configuration says.
bool crashed(const Error& error) {
  return error.code == std::errc::connection_reset || error.code == std::errc::timed_out;
}

}  // namespace

std::vector<Table> sensor_tables(const Document& document, const std::vector<Part>& parts) {
  auto tables = section_tables(document, "sensor");
  for (const Part& part : parts) tables.emplace_back(document, "sensor", &part.sensor, part.prefix);
  return tables;
}

void build_drivers(const Document& document, const Context& context, Report& report, Config& config,
                   Sound& sound) {
  Unique names;
  std::map<std::string, Result<DriverSchema>> schemas;
  for (const Table& table : section_tables(document, "driver")) {
    Driver out;
    out.place = table.place();
    out.name = text_of(table, "name");
    bool good = !out.name.empty() &&
                names.add(out.name, table.place("name"), table.key("name"), "driver", report);
    if (auto interval = table.value("interval")) out.interval = Milliseconds(interval->integer);
    out.plugin = text_of(table, "plugin");
    if (!out.plugin.empty()) {
      auto known = schemas.find(out.plugin);
      if (known == schemas.end())
        known = schemas.emplace(out.plugin, context.schema(out.plugin)).first;
      if (known->second) {
        out.schema = *known->second;
        // Nobody asks these devices: how often they speak is known if it is said.
        if (out.schema.pushes && !table.has("interval")) out.interval = Milliseconds(0);
        if (out.schema.name.empty()) out.schema.name = out.plugin;
        const Node* options = table.node("options");
        out.options = check_options(out.schema.options, options,
                                    options != nullptr ? table.place("options") : table.place(),
                                    table.key("options"), out.plugin + " options", report);
        good = good && is_table_if_given(table, "options");
      } else if (context.starts && crashed(known->second.error())) {
        report.warning(table.place("plugin"), table.key("plugin"), known->second.error().what,
                       "its options could not be checked; replace the driver, then reload");
      } else {
        const auto [what, remedy] = halves(known->second.error().what);
        report.error(table.place("plugin"), table.key("plugin"), what,
                     remedy.empty() ? "gerbangctl drivers lists what is installed" : remedy);
      }
    }
    sound.drivers.push_back(good && !out.schema.name.empty());
    config.drivers.push_back(std::move(out));
  }
}

void build_sensors(const Document& document, const std::vector<Part>& parts,
                   const Catalogue& catalogue, Report& report, Config& config, Sound& sound) {
  std::map<std::string_view, std::size_t> drivers;
  for (std::size_t i = 0; i < config.drivers.size(); ++i)
    drivers.emplace(config.drivers[i].name, i);
  std::vector<std::string_view> names;
  for (const auto& [name, index] : drivers)
    if (!name.empty()) names.push_back(name);

  const auto tables = sensor_tables(document, parts);
  const std::size_t by_hand = tables.size() - parts.size();
  if (tables.size() > find_section("sensor")->at_most)
    report.error(tables.back().place(), tables.back().prefix(),
                 "more than " + std::to_string(find_section("sensor")->at_most) + " sensors",
                 "use several gateways");

  Unique ids, former;
  std::map<std::string, First> addresses;  // driver and identity
  std::set<std::pair<std::size_t, std::size_t>> told;
  std::set<std::string> used;
  for (std::size_t i = 0; i < tables.size(); ++i) {
    const Table& table = tables[i];
    const Part* part = i < by_hand ? nullptr : &parts[i - by_hand];
    const Driver* driver = nullptr;
    std::size_t index = 0;
    if (auto name = table.value("driver")) {
      if (auto known = drivers.find(name->text); known != drivers.end()) {
        index = known->second;
        driver = &config.drivers[index];
        used.insert(name->text);
      } else if (document.complete) {
        report.error(table.place("driver"), table.key("driver"),
                     "there is no driver " + in_quotes(name->text),
                     names.empty() ? "add a [[driver]] with name = " + in_quotes(name->text)
                                   : did_you_mean(name->text, names));
      }
    } else if (!table.has("driver") && !table.has("correction")) {
      report.error(table.place(), table.key("driver"), "is missing", "write driver = \"wtp-plc\"");
    }
    const std::size_t errors_before = report.errors();
    Builder builder(table, catalogue, report, config);
    Sensor sensor = builder.build(driver);
    bool good = driver != nullptr && sound.drivers[index] && builder.addressed();
    sensor.driver = table.has("correction") ? kNoDriver : index;
    if (part != nullptr) name_after(config.devices[part->device], *part, sensor);
    const bool named = !sensor.id.empty() &&
                       ids.add(sensor.id, table.place("id"), table.key("id"), "sensor", report);
    if (!sensor.formerly.empty())
      former.add(sensor.formerly, table.place("formerly"), table.key("formerly"),
                 "sensor that was formerly", report);
    if (driver != nullptr && report.errors() == errors_before) {
      const std::string where = identity(driver->schema.address, sensor.address);
      const Place at = table.place("address");
      const auto [known, fresh] = addresses.emplace(driver->name + " " + where, First{i, at});
      const First& first = known->second;
      const bool taken = !where.empty() && !fresh;
      good = good && !taken;
      // Of two boxes with one number it is said once.
      const bool boxes = part != nullptr && first.table >= by_hand;
      if (taken &&
          (!boxes || told.emplace(parts[first.table - by_hand].device, part->device).second))
        report.error(at, table.key("address"),
                     "the same place of the line as the sensor at " + first.place.file + ":" +
                         std::to_string(first.place.line) + ":" +
                         std::to_string(first.place.column) + " (" + where + ")",
                     "correct one of the two addresses, or remove one sensor");
    }
    sound.sensors.push_back(good && named && sensor.driver != kNoDriver);
    config.sensors.push_back(std::move(sensor));
  }

  build_quality(tables, catalogue, report, config);
  for (std::size_t i = 0; i < config.sensors.size(); ++i)
    if (const std::string& old = config.sensors[i].formerly;
        !old.empty() && std::any_of(config.sensors.begin(), config.sensors.end(),
                                    [&](const Sensor& s) { return s.id == old; }))
      report.error(tables[i].place("formerly"), tables[i].key("formerly"),
                   "a sensor " + in_quotes(old) + " is still configured",
                   "name an id that was removed, or remove this key");
  // Of a device that cannot be read from its profile the mistake is told, and it is that one's.
  for (const Table& device : section_tables(document, "device"))
    used.insert(text_of(device, "driver"));
  for (const Driver& driver : config.drivers)
    if (!driver.name.empty() && !used.contains(driver.name))
      report.warning(driver.place, "driver[" + driver.name + "]", "no sensor names this driver",
                     "add a [[device]] or [[sensor]], or remove the driver");
}

}  // namespace gerbang::config
