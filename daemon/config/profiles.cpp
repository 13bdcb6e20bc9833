// SPDX-License-Identifier: Apache-2.0
#include "config/profiles.hpp"

#include <algorithm>
#include <array>

#include "config/check.hpp"

namespace gerbang::config {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kTags = "ABCM";  // best first
constexpr std::array<std::string_view, 12> kKeys = {"title",  "maker",      "plugin",  "version",
                                                    "source", "valid_from", "tag",     "note",
                                                    "line",   "ask",        "address", "channel"};
// What a channel says besides the keys of a [[sensor]].
constexpr std::array<std::string_view, 4> kChannelKeys = {"tag", "note", "ask", "extra"};
constexpr std::string_view kNotOfAChannel = "id|driver|formerly";

fs::path file_of(const fs::path& folder, std::string_view name) {
  return folder / (std::string(name) + ".toml");
}

class Reader {
 public:
  Reader(const Node& root, Report& report) : root_(root), report_(report) {}

  Profile read(const std::string& name) {
    Profile out;
    out.name = name;
    for (const Member& member : root_.members)
      if (std::find(kKeys.begin(), kKeys.end(), member.key) == kKeys.end())
        wrong(member.value, member.key, "unknown key",
              did_you_mean(member.key, {kKeys.begin(), kKeys.end()}));
    out.title = text("title");
    out.maker = text("maker");
    out.plugin = text("plugin");
    out.version = text("version");
    out.source = text("source");
    const Node* from = root_.get("valid_from");
    if (from == nullptr || from->kind != Node::Kind::datetime || from->text.empty())
      wrong(from, "valid_from", "expected a date", "write valid_from = 2026-01-31");
    else
      out.valid_from = from->text;
    out.tag = tag(root_, "", std::nullopt);
    out.note = note(root_, "");
    out.line = table("line");
    out.address = table("address");
    out.ask = words(root_, "");
    const Node channels = table("channel");
    for (const Member& member : channels.members) {
      const std::string at = "channel." + member.key;
      if (!valid_id(member.key))
        wrong(member.value, at, in_quotes(member.key) + " is not an id",
              "use a-z, 0-9 and hyphen, beginning with a letter or digit");
      else if (member.value.kind != Node::Kind::table)
        wrong(member.value, at, "expected a table, found " + describe(member.value),
              "write [channel." + member.key + "] and its keys below");
      else
        out.channels.push_back(channel(member, at, out.tag));
    }
    if (out.channels.empty() && out.note.eng.empty())
      wrong(nullptr, "channel", "is missing",
            "write a [channel.NAME], or a note that says why there is none");
    return out;
  }

 private:
  Channel channel(const Member& member, const std::string& at, Tag usual) {
    const Node& node = member.value;
    Channel out;
    out.name = member.key;
    out.sensor = node;
    std::erase_if(out.sensor.members, [](const Member& m) {
      return std::find(kChannelKeys.begin(), kChannelKeys.end(), m.key) != kChannelKeys.end();
    });
    check_parts(report_, "sensor", kNotOfAChannel, out.sensor, at);
    out.tag = tag(node, at + ".", usual);
    out.note = note(node, at + ".");
    out.ask = words(node, at + ".");
    for (const std::string& key : out.ask)
      if (find_key("sensor", key) == nullptr)
        wrong(*node.get("ask"), at + ".ask", in_quotes(key) + " is no key of a [[sensor]]",
              "name one that is");
    const bool asked = std::find(out.ask.begin(), out.ask.end(), "quantity") != out.ask.end();
    if (node.get("quantity") == nullptr && !asked)
      wrong(node, at + ".quantity", "is missing", "add it, or ask = [\"quantity\"]");
    if (const Node* extra = node.get("extra")) {
      out.extra = extra->boolean;
      if (extra->kind != Node::Kind::boolean)
        wrong(*extra, at + ".extra", "expected true or false, found " + describe(*extra),
              "write extra = true");
    }
    return out;
  }

  // Absent keys stand at the beginning of the file.
  void wrong(const Node* node, std::string key, std::string what, std::string remedy) {
    wrong(node != nullptr ? *node : root_, std::move(key), std::move(what), std::move(remedy));
  }
  void wrong(const Node& node, std::string key, std::string what, std::string remedy) {
    report_.error(node, std::move(key), std::move(what), std::move(remedy));
  }

  std::string text(std::string_view key) {
    const Node* node = root_.get(key);
    if (node != nullptr && node->kind == Node::Kind::string && !node->text.empty())
      return node->text;
    wrong(node, std::string(key), "expected a text", "write " + std::string(key) + " = \"…\"");
    return {};
  }

  Tag tag(const Node& node, const std::string& above, std::optional<Tag> usual) {
    const Node* given = node.get("tag");
    if (given == nullptr && usual) return *usual;
    if (given == nullptr || given->kind != Node::Kind::string || given->text.size() != 1 ||
        kTags.find(given->text[0]) == std::string_view::npos) {
      wrong(given != nullptr ? *given : node, above + "tag",
            "expected \"A\", \"B\", \"C\" or \"M\"", "say how well it is known");
      return 'M';
    }
    return given->text[0];
  }

  Label note(const Node& node, const std::string& above) {
    const Node* given = node.get("note");
    if (given == nullptr) return {};
    if (given->kind == Node::Kind::string) return {given->text, given->text};
    for (const Member& member : given->members)
      if (member.key != "ind" && member.key != "eng")
        wrong(member.value, above + "note." + member.key, "unknown key",
              did_you_mean(member.key, {"ind", "eng"}));
    const Node *ind = given->get("ind"), *eng = given->get("eng");
    if (ind == nullptr || eng == nullptr || ind->text.empty() || eng->text.empty()) {
      wrong(*given, above + "note", "expected a text, or one for each language",
            "write note = { ind = \"…\", eng = \"…\" }");
      return {};
    }
    return {ind->text, eng->text};
  }

  std::vector<std::string> words(const Node& node, const std::string& above) {
    std::vector<std::string> out;
    const Node* given = node.get("ask");
    if (given == nullptr) return out;
    for (const Node& item : given->items)
      if (item.kind == Node::Kind::string) out.push_back(item.text);
    if (out.empty() || out.size() != given->items.size())
      wrong(*given, above + "ask", "expected a list of keys", "write ask = [\"unit\"]");
    return out;
  }

  Node table(std::string_view key) {
    const Node* node = root_.get(key);
    if (node == nullptr) return {};
    if (node->kind != Node::Kind::table)
      wrong(*node, std::string(key), "expected a table, found " + describe(*node),
            "write [" + std::string(key) + "] and its keys below");
    return *node;
  }

  const Node& root_;
  Report& report_;
};

}  // namespace

const Channel* Profile::find(std::string_view channel) const {
  for (const Channel& each : channels)
    if (each.name == channel) return &each;
  return nullptr;
}

std::vector<std::string> profile_names(const fs::path& folder) {
  std::vector<std::string> out;
  std::error_code failure;
  for (fs::directory_iterator entry(folder, failure), end; !failure && entry != end;
       entry.increment(failure))
    if (entry->path().extension() == ".toml" && valid_id(entry->path().stem().string()))
      out.push_back(entry->path().stem().string());
  std::sort(out.begin(), out.end());
  return out;
}

std::string no_such_profile(std::string_view name, const std::vector<std::string>& known) {
  if (known.empty())
    return "no profile is installed: install the package again, or set GERBANG_DATA";
  std::vector<std::string_view> names, containing;
  for (const std::string& each : known) {
    names.push_back(each);
    // "ph8" is not near to "supmea-sup-ph8" by letters, and clear to a person.
    if (name.size() >= 3 && each.find(name) != std::string::npos) containing.push_back(each);
  }
  std::string out;
  for (std::string_view each : containing) out += (out.empty() ? "" : ", ") + std::string(each);
  if (!out.empty()) return "choose one of: " + out;
  const std::string near = did_you_mean(name, names);
  return near.starts_with("did you mean") ? near : "gerbangctl profiles lists those that are known";
}

std::optional<Profile> read_profile(const fs::path& folder, const std::string& name,
                                    Document& document, Diagnostics& errors) {
  const std::string path = file_of(folder, name).string();
  std::string why;
  const auto content = read_file(path, kMaxFileBytes, why);
  if (!content) {
    errors.push_back({path, 1, 1, "file", "cannot be read: " + why, "install the package again"});
    return std::nullopt;
  }
  document.names.push_back(path);
  const auto root =
      parse_toml(*content, path, static_cast<std::uint32_t>(document.names.size() - 1), errors);
  if (!root) return std::nullopt;
  Diagnostics found, ignored;
  Report report(document, found, ignored);
  Profile out = Reader(*root, report).read(name);
  if (found.empty()) return out;
  errors.insert(errors.end(), found.begin(), found.end());
  return std::nullopt;
}

}  // namespace gerbang::config
