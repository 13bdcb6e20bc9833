// SPDX-License-Identifier: Apache-2.0
#include "config/refusal.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "config/doubts.hpp"

namespace gerbang::config {
namespace {

bool in_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// Whether `takes` is true of a word outside of quotes; no word after that one is looked at.
template <class Takes>
bool any_word(std::string_view sentence, Takes takes) {
  bool quoted = false;
  for (std::size_t i = 0; i < sentence.size(); ++i) {
    if (sentence[i] == '"') quoted = !quoted;
    if (quoted || !in_word(sentence[i])) continue;
    const std::size_t begin = i;
    while (i + 1 < sentence.size() && in_word(sentence[i + 1])) ++i;
    if (takes(sentence.substr(begin, i + 1 - begin))) return true;
  }
  return false;
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

// What is asked: lines and sensors that can be judged, and in which ways.
struct Question {
  std::vector<std::size_t> sensors;  // where those that are left stood
  std::vector<Doubts> doubts;        // of the lines that are left
};

Question keep_sound(const Document& document, Sound sound, Config& config) {
  Question out;
  const auto tables = section_tables(document, "driver");
  std::vector<std::size_t> place(config.drivers.size());
  for (std::size_t i = 0; i < config.drivers.size(); ++i) {
    if (!sound.drivers[i]) continue;
    auto doubts = doubts_of(config.drivers[i], tables[i].node("options"));
    sound.drivers[i] = !doubts.ways.empty();
    if (!sound.drivers[i]) continue;
    place[i] = out.doubts.size();
    out.doubts.push_back(std::move(doubts));
  }
  for (std::size_t i = 0; i < config.sensors.size(); ++i)
    if (sound.sensors[i]) sound.sensors[i] = sound.drivers[config.sensors[i].driver];
  (void)keep(config.drivers, sound.drivers);  // `place` says where they are now
  out.sensors = keep(config.sensors, sound.sensors);
  const auto usual = fallback_value(*find_key("driver", "interval"));
  for (Sensor& sensor : config.sensors) {
    sensor.driver = place[sensor.driver];
    // One that could not be read: no address is judged by it.
    if (sensor.interval.count() == 0 && !config.drivers[sensor.driver].schema.pushes)
      sensor.interval = Milliseconds(usual->integer);
  }
  return out;
}

// Of the refusals of line `index` those stay that this way gives too.
void narrow(const Context& context, const Config& config, std::size_t index,
            const OptionValues& way, std::vector<Refusal>& refusals) {
  Config one;
  one.drivers = {config.drivers[index]};
  one.drivers.front().options = way;
  std::vector<std::size_t> from;
  for (std::size_t i = 0; i < config.sensors.size(); ++i) {
    if (config.sensors[i].driver != index) continue;
    from.push_back(i);
    one.sensors.push_back(config.sensors[i]);
    one.sensors.back().driver = 0;
  }
  auto again = context.ask(one);
  for (Refusal& refusal : again)
    if (refusal.sensor && *refusal.sensor < from.size()) refusal.sensor = from[*refusal.sensor];
  std::erase_if(refusals, [&](const Refusal& refusal) {
    return refusal.driver == one.drivers.front().name &&
           std::find(again.begin(), again.end(), refusal) == again.end();
  });
}

bool names(const std::string& sentence, const std::vector<std::string>& keys) {
  return any_word(sentence, [&](std::string_view word) {
    return std::find(keys.begin(), keys.end(), word) != keys.end();
  });
}

// What is refused whatever the doubtful options will be: the same in every way, and not a word of
// them; of the line itself only what names a key that is right.
std::vector<Refusal> ask(const Context& context, const std::vector<Doubts>& doubts,
                         Config& config) {
  for (std::size_t i = 0; i < doubts.size(); ++i) config.drivers[i].options = doubts[i].ways[0];
  auto refusals = context.ask(config);
  for (std::size_t i = 0; i < doubts.size(); ++i) {
    if (!doubts[i].any) continue;
    const auto of_line = [&](const Refusal& refusal) {
      return refusal.driver == config.drivers[i].name;
    };
    std::erase_if(refusals, [&](const Refusal& refusal) {
      return of_line(refusal) && (names(refusal.text, doubts[i].doubtful) ||
                                  (!refusal.sensor && !names(refusal.text, doubts[i].right)));
    });
    for (std::size_t way = 1;
         way < doubts[i].ways.size() && std::any_of(refusals.begin(), refusals.end(), of_line);
         ++way)
      narrow(context, config, i, doubts[i].ways[way], refusals);
  }
  return refusals;
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
  const Member* key = nullptr;
  if (table != nullptr)
    any_word(sentence, [&](std::string_view word) { return (key = table->find(word)) != nullptr; });
  return key;
}

void ask_drivers(const Document& document, const std::vector<Part>& parts, const Sound& sound,
                 const Context& context, Report& report, Config& config) {
  if (!context.ask) return;
  Question question;
  question.sensors.resize(config.sensors.size());
  std::iota(question.sensors.begin(), question.sensors.end(), std::size_t{0});
  if (report.errors() > 0) question = keep_sound(document, sound, config);
  const auto& sensors = question.sensors;
  const auto refusals = ask(context, question.doubts, config);
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
