// SPDX-License-Identifier: Apache-2.0
#include "config/devices.hpp"

#include <algorithm>
#include <map>

#include "config/build.hpp"
#include "config/lines.hpp"
#include "config/profiles.hpp"

namespace gerbang::config {
namespace {

std::string text_of(const Table& table, std::string_view key) {
  auto value = table.value(key);
  return value ? std::move(value->text) : std::string();
}

void set(Node& table, const Member& member) {
  for (Member& old : table.members)
    if (old.key == member.key) {
      old = member;
      return;
    }
  table.members.push_back(member);
}

void remove(Node& table, std::string_view key) {
  std::erase_if(table.members, [&](const Member& m) { return m.key == key; });
}

// Key by key.
void lay_over(Node& table, const Node* above) {
  if (above != nullptr && above->kind == Node::Kind::table)
    for (const Member& member : above->members) set(table, member);
}

Member member_at(const Node& place, std::string key, std::string text) {
  Member out;
  out.key = std::move(key);
  out.file = place.file;
  out.line = place.line;
  out.column = place.column;
  out.value.kind = Node::Kind::string;
  out.value.file = place.file;
  out.value.line = place.line;
  out.value.column = place.column;
  out.value.text = std::move(text);
  return out;
}

std::string listed(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

class Expander {
 public:
  Expander(Document& document, const std::filesystem::path& profiles, Report& report,
           Diagnostics& errors, Config& config)
      : document_(document),
        folder_(profiles),
        report_(report),
        errors_(errors),
        config_(config),
        drivers_(section_tables(document, "driver")) {}

  std::vector<Part> run() {
    // The tables hold on to the document's nodes; the options of the drivers change only at the
    // end.
    for (const Table& table : section_tables(document_, "device")) one(table);
    for (Line& line : lines_) fill_in(line, document_, report_);
    return std::move(parts_);
  }

 private:
  void one(const Table& table) {
    Device device;
    device.place = table.place();
    device.id = text_of(table, "id");
    device.profile = text_of(table, "profile");
    if (device.id.empty()) return;  // reported
    if (!ids_.add(device.id, table.place("id"), table.key("id"), "device", report_)) return;
    const Table* driver = driver_of(table);
    const Profile* profile = device.profile.empty() ? nullptr : profile_of(table, device.profile);
    if (profile == nullptr || driver == nullptr) return;
    if (!fits(table, *driver, *profile)) return;
    label(table, device);
    config_.devices.push_back(std::move(device));
    channels(table, *profile);
    line(table, *driver, *profile);
  }

  const Table* driver_of(const Table& table) {
    const std::string name = text_of(table, "driver");
    if (name.empty()) return nullptr;
    for (const Table& driver : drivers_)
      if (text_of(driver, "name") == name) return &driver;
    if (!document_.complete) return nullptr;
    std::vector<std::string> names;
    for (const Table& driver : drivers_)
      if (auto each = text_of(driver, "name"); !each.empty()) names.push_back(std::move(each));
    const std::vector<std::string_view> known(names.begin(), names.end());
    report_.error(table.place("driver"), table.key("driver"),
                  "there is no driver " + in_quotes(name),
                  known.empty() ? "add a [[driver]] with name = " + in_quotes(name)
                                : did_you_mean(name, known));
    return nullptr;
  }

  const Profile* profile_of(const Table& table, const std::string& name) {
    auto found = profiles_.find(name);
    if (found == profiles_.end()) {
      const auto known = profile_names(folder_);
      if (!std::binary_search(known.begin(), known.end(), name)) {
        report_.error(table.place("profile"), table.key("profile"),
                      "there is no profile " + in_quotes(name), no_such_profile(name, known));
        return nullptr;
      }
      found = profiles_.emplace(name, read_profile(folder_, name, document_, errors_)).first;
    }
    return found->second ? &*found->second : nullptr;
  }

  bool fits(const Table& table, const Table& driver, const Profile& profile) {
    const std::string plugin = text_of(driver, "plugin");
    if (plugin != profile.plugin && !plugin.empty()) {
      std::vector<std::string> right;
      for (const Table& each : drivers_)
        if (text_of(each, "plugin") == profile.plugin) right.push_back(text_of(each, "name"));
      report_.error(table.place("driver"), table.key("driver"),
                    in_quotes(text_of(driver, "name")) + " is a line of the driver " +
                        in_quotes(plugin) + ", and the profile " + in_quotes(profile.name) +
                        " is for " + in_quotes(profile.plugin),
                    right.empty() ? "add a [[driver]] with plugin = " + in_quotes(profile.plugin)
                                  : "name one of its lines: " + listed(right));
      return false;
    }
    if (profile.channels.empty()) {
      report_.error(table.place("profile"), table.key("profile"),
                    "the profile has no channels: " + profile.note.eng,
                    "write its values as [[sensor]] from the maker's manual");
      return false;
    }
    return true;
  }

  void label(const Table& table, Device& device) {
    const Node* node = table.node("label");
    if (node == nullptr) return;
    if (node->kind == Node::Kind::string) {
      device.label = Label{node->text, node->text};
      return;
    }
    if (node->kind != Node::Kind::table) return;
    const Table languages = table.table("label");
    const auto ind = languages.value("ind"), eng = languages.value("eng");
    if (!languages.has("ind") && !languages.has("eng"))
      report_.error(table.place("label"), table.key("label"), "no language",
                    "write label = { ind = \"…\", eng = \"…\" }, or one text");
    if (ind || eng) device.label = Label{(ind ? ind : eng)->text, (eng ? eng : ind)->text};
  }

  // Names of channels that somebody wrote; what is none is reported.
  bool known(const Profile& profile, const std::string& name, const Place& at,
             const std::string& key) {
    if (profile.find(name) != nullptr) return true;
    std::vector<std::string_view> names;
    for (const Channel& channel : profile.channels) names.push_back(channel.name);
    report_.error(at, key, "the profile has no channel " + in_quotes(name),
                  did_you_mean(name, names));
    return false;
  }

  void channels(const Table& table, const Profile& profile) {
    std::vector<std::string> only;
    if (const Node* list = table.node("only"))
      for (const Node& item : list->items)
        if (item.kind == Node::Kind::string && !item.text.empty() &&
            known(profile, item.text, document_.place(item), table.key("only")))
          only.push_back(item.text);
    const Node* overrides = table.node("override");
    auto wanted = [&](const Channel& channel) {
      return table.has("only") ? std::find(only.begin(), only.end(), channel.name) != only.end()
                               : !channel.extra;
    };
    if (overrides != nullptr)
      for (const Member& member : overrides->members) {
        const std::string key = table.key("override") + "." + in_key(member.key);
        if (!known(profile, member.key, document_.place(member), key)) continue;
        if (!wanted(*profile.find(member.key)))
          report_.warning(document_.place(member), key, "this channel is not read",
                          table.has("only") ? "add it to only, or remove this"
                                            : "the profile calls it extra: name it in only");
      }
    if (!asked(table, profile)) return;
    for (const Channel& channel : profile.channels) {
      const Node* over = overrides == nullptr ? nullptr : overrides->get(channel.name);
      if (wanted(channel) && answered(table, channel, over)) part(table, profile, channel, over);
    }
  }

  static std::string in_key(const std::string& name) {
    return valid_id(name) ? name : in_quotes(name);
  }

  // What of the address only the site can know.
  bool asked(const Table& table, const Profile& profile) {
    bool complete = true;
    const Node* address = table.node("address");
    for (const std::string& key : profile.ask)
      if (address == nullptr || address->get(key) == nullptr) {
        report_.error(table.place("address"), table.key("address") + "." + key,
                      "is missing, and the profile " + in_quotes(profile.name) + " knows none",
                      "write address = { " + key + " = … } as it is set at the device");
        complete = false;
      }
    return complete;
  }

  bool answered(const Table& table, const Channel& channel, const Node* over) {
    bool complete = true;
    for (const std::string& key : channel.ask) {
      const bool scaled = (key == "scale" || key == "span") && over != nullptr &&
                          (over->get("scale") != nullptr || over->get("span") != nullptr);
      if (scaled || (over != nullptr && over->get(key) != nullptr)) continue;
      report_.error(table.place("profile"), table.key("override") + "." + channel.name + "." + key,
                    "is missing, and only the site can know it" +
                        (channel.note.eng.empty() ? "" : " (" + channel.note.eng + ")"),
                    "write [device.override." + channel.name + "] and " + key +
                        " = … below, or leave the channel out with only = […]");
      complete = false;
    }
    return complete;
  }

  void part(const Table& table, const Profile& profile, const Channel& channel, const Node* over) {
    const Node& here = *table.node();
    Part out;
    out.device = config_.devices.size() - 1;
    out.prefix = table.prefix() + "." + channel.name;
    const std::string id = config_.devices.back().id + "-" + channel.name;
    if (!valid_id(id)) {
      report_.error(table.place("id"), table.key("id"),
                    "the id of its sensor " + in_quotes(id) + " has more than 63 characters",
                    "choose a shorter id");
      return;
    }
    out.sensor = channel.sensor;
    out.sensor.file = here.file;
    out.sensor.line = here.line;
    out.sensor.column = here.column;

    // From the general to the special: profile, channel, device, override.
    const Node* own = table.node("address");
    Node address = profile.address;
    const Node& place = own != nullptr ? *own : here;
    address.kind = Node::Kind::table;
    address.file = place.file;
    address.line = place.line;
    address.column = place.column;
    lay_over(address, channel.sensor.get("address"));
    lay_over(address, own);
    if (over != nullptr) lay_over(address, over->get("address"));

    if (const Node* interval = table.node("interval"))
      set(out.sensor,
          Member{"interval", interval->file, interval->line, interval->column, *interval});
    if (over != nullptr) {
      // Two ways to say the same thing: the one that is said here counts.
      for (const char* key : {"scale", "offset", "span"})
        if (over->get("span") != nullptr || (over->get("scale") != nullptr && key[1] == 'p'))
          remove(out.sensor, key);
      lay_over(out.sensor, over);
      out.own_label = over->get("label") != nullptr;
    }
    set(out.sensor, Member{"address", place.file, place.line, place.column, std::move(address)});
    const Node* name = table.node("id");
    set(out.sensor, member_at(name != nullptr ? *name : here, "id", id));
    const Node* driver = table.node("driver");
    set(out.sensor, member_at(*driver, "driver", driver->text));
    parts_.push_back(std::move(out));
  }

  void line(const Table& table, const Table& driver, const Profile& profile) {
    const std::string name = text_of(driver, "name");
    auto line = std::find_if(lines_.begin(), lines_.end(),
                             [&](const Line& each) { return each.driver == name; });
    if (line == lines_.end()) line = lines_.insert(lines_.end(), Line{name, {}});
    line->devices.push_back({table.prefix(), table.place("profile"), profile.line});
  }

  Document& document_;
  const std::filesystem::path& folder_;
  Report& report_;
  Diagnostics& errors_;
  Config& config_;
  std::vector<Table> drivers_;
  std::map<std::string, std::optional<Profile>> profiles_;
  std::vector<Line> lines_;
  std::vector<Part> parts_;
  Unique ids_;
};

}  // namespace

std::vector<Part> expand_devices(Document& document, const std::filesystem::path& profiles,
                                 Report& report, Diagnostics& errors, Config& config) {
  return Expander(document, profiles, report, errors, config).run();
}

}  // namespace gerbang::config
