// SPDX-License-Identifier: Apache-2.0
#include "config/refusal.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace gerbang::config {
namespace {

bool in_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// The elements that are good stay; where they were.
template <class Element>
std::vector<std::size_t> keep(std::vector<Element>& all, const std::vector<bool>& good) {
  std::vector<std::size_t> from;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!good[i]) continue;
    if (from.size() != i) all[from.size()] = std::move(all[i]);
    from.push_back(i);
  }
  all.resize(from.size());
  return from;
}

// Where the sensors that are left stood.
std::vector<std::size_t> keep_sound(Config& config, const Sound& sound) {
  std::vector<std::size_t> place(config.drivers.size());
  const auto lines = keep(config.drivers, sound.drivers);
  for (std::size_t i = 0; i < lines.size(); ++i) place[lines[i]] = i;
  auto sensors = keep(config.sensors, sound.sensors);
  for (Sensor& sensor : config.sensors) sensor.driver = place[sensor.driver];
  return sensors;
}

// `key`: of the table, what the driver was told ("address", "options").
void refuse(const Table& table, std::string_view key, const std::string& text,
            const std::string& plugin, Report& report) {
  auto [what, remedy] = halves(text);
  if (remedy.empty()) remedy = "gerbangctl drivers " + plugin + " lists what it understands";
  if (const Member* named = named_key(what, table.node(key)))
    report.error(named->value, table.key(key) + "." + named->key, what, remedy);
  else
    report.error(table.place(key), table.key(key), what, remedy);
}

}  // namespace

const Member* named_key(std::string_view sentence, const Node* table) {
  bool quoted = false;
  for (std::size_t i = 0; table != nullptr && i < sentence.size(); ++i) {
    if (sentence[i] == '"') quoted = !quoted;
    if (quoted || !in_word(sentence[i])) continue;
    const std::size_t begin = i;
    while (i + 1 < sentence.size() && in_word(sentence[i + 1])) ++i;
    if (const Member* key = table->find(sentence.substr(begin, i + 1 - begin))) return key;
  }
  return nullptr;
}

void ask_drivers(const Document& document, const std::vector<Part>& parts, const Sound& sound,
                 const Context& context, Report& report, Config& config) {
  if (!context.ask) return;
  std::vector<std::size_t> sensors(config.sensors.size());
  std::iota(sensors.begin(), sensors.end(), std::size_t{0});
  if (report.errors() > 0) sensors = keep_sound(config, sound);
  const auto refusals = context.ask(config);
  if (refusals.empty()) return;
  const auto sensor_places = sensor_tables(document, parts);
  const auto lines = section_tables(document, "driver");
  for (const Refusal& refusal : refusals) {
    const auto line = std::find_if(lines.begin(), lines.end(), [&](const Table& each) {
      const auto name = each.value("name");
      return name && name->text == refusal.driver;
    });
    if (line == lines.end()) continue;  // nobody was asked under this name
    const auto plugin = line->value("plugin");
    if (refusal.sensor && *refusal.sensor < sensors.size())
      refuse(sensor_places[sensors[*refusal.sensor]], "address", refusal.text, plugin->text,
             report);
    else
      refuse(*line, "options", refusal.text, plugin->text, report);
  }
}

}  // namespace gerbang::config
