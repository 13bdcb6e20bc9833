// SPDX-License-Identifier: Apache-2.0
#include "config/files.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <system_error>

namespace gerbang::config {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxFiles = 256;
constexpr std::string_view kIncludeForm = "write include = [\"conf.d/*.toml\"]";

class Reader {
 public:
  Reader(Document& document, Diagnostics& errors, Diagnostics& warnings)
      : document_(document), errors_(errors), warnings_(warnings) {}

  void main(const fs::path& path) {
    std::string why;
    const std::uint32_t file = name(path.string());
    auto content = read_file(path.string(), kMaxFileBytes, why);
    if (!content) {
      errors_.push_back({path.string(), 1, 1, "file", "cannot be read: " + why,
                         why == std::generic_category().message(EACCES)
                             ? "only root and the group gerbang may read it: use sudo"
                             : "give the path of the configuration with --config FILE"});
      document_.complete = false;
      return;
    }
    auto root = parse_toml(*content, path.string(), file, errors_);
    if (!root) {
      document_.complete = false;
      return;
    }
    document_.root = std::move(*root);
    seen_.insert(canonical(path));
    includes(path);
  }

 private:
  std::uint32_t name(const std::string& path) {
    document_.names.push_back(path);
    return static_cast<std::uint32_t>(document_.names.size() - 1);
  }

  static fs::path canonical(const fs::path& path) {
    std::error_code ignored;
    return fs::weakly_canonical(path, ignored);
  }

  void error(const Place& at, std::string key, std::string what, std::string remedy) {
    errors_.push_back(
        {at.file, at.line, at.column, std::move(key), std::move(what), std::move(remedy)});
    document_.complete = false;
  }

  void includes(const fs::path& main) {
    const auto member = std::find_if(document_.root.members.begin(), document_.root.members.end(),
                                     [](const Member& m) { return m.key == "include"; });
    if (member == document_.root.members.end()) return;
    const Node list = std::move(member->value);
    document_.root.members.erase(member);
    if (list.kind != Node::Kind::array) {
      error(document_.place(list), "include",
            "expected a list of file names, found " + describe(list), std::string(kIncludeForm));
      return;
    }
    for (const Node& item : list.items) {
      if (item.kind != Node::Kind::string || item.text.empty() ||
          item.text.find('\0') != std::string::npos) {
        error(document_.place(item), "include", "expected a file name, found " + describe(item),
              std::string(kIncludeForm));
        continue;
      }
      include(main.parent_path() / item.text, item);
    }
  }

  void include(const fs::path& pattern, const Node& item) {
    const Place at = document_.place(item);
    const std::string file = pattern.filename().string();
    const fs::path folder = pattern.parent_path();
    constexpr const char* kWild = "*?[";
    if (fs::path(item.text).parent_path().string().find_first_of(kWild) != std::string::npos) {
      error(at, "include", "a wildcard in the folder of " + in_quotes(item.text),
            "use * only in the file name: " + std::string(kIncludeForm));
      return;
    }
    if (file.find_first_of(kWild) == std::string::npos) {
      add(pattern.lexically_normal(), item);
      return;
    }
    std::error_code failure;
    std::vector<fs::path> found;
    for (fs::directory_iterator entry(folder.empty() ? fs::path(".") : folder, failure), end;
         !failure && entry != end; entry.increment(failure))
      if (::fnmatch(file.c_str(), entry->path().filename().c_str(), FNM_PERIOD) == 0)
        found.push_back((folder / entry->path().filename()).lexically_normal());
    if (failure == std::errc::no_such_file_or_directory) {
      warnings_.push_back({at.file, at.line, at.column, "include",
                           "the folder " + in_quotes(folder.lexically_normal().string()) +
                               " does not exist, so nothing is included",
                           "make the folder, or correct its name"});
    } else if (failure) {
      error(at, "include",
            "the folder " + in_quotes(folder.lexically_normal().string()) +
                " cannot be read: " + failure.message(),
            "let the service's user read it");
    }
    std::sort(found.begin(), found.end());
    for (const fs::path& path : found) add(path, item);
  }

  void add(const fs::path& path, const Node& item) {
    const Place at = document_.place(item);
    const fs::path identity = canonical(path);
    if (document_.names.size() >= kMaxFiles) {
      error(at, "include", "more than " + std::to_string(kMaxFiles) + " files",
            "join some of them");
      return;
    }
    if (!seen_.empty() && identity == canonical(document_.names.front())) {
      error(at, "include", in_quotes(item.text) + " includes this file itself",
            std::string(kIncludeForm));
      return;
    }
    if (!seen_.insert(identity).second) return;
    std::string why;
    auto content = read_file(path.string(), kMaxFileBytes, why);
    if (!content) {
      error(at, "include", path.string() + " cannot be read: " + why,
            "correct the name, or let the service's user read it");
      return;
    }
    const std::uint32_t file = name(path.string());
    auto root = parse_toml(*content, path.string(), file, errors_);
    if (!root) {
      document_.complete = false;
      return;
    }
    for (Member& member : root->members) {
      if (member.key == "include")
        error(document_.place(member), "include", "an included file includes others",
              "name all files in " + document_.names.front());
      else
        merge(document_.root, std::move(member), "");
    }
  }

  void merge(Node& into, Member&& member, const std::string& above) {
    const std::string key = above.empty() ? member.key : above + "." + member.key;
    const auto there = std::find_if(into.members.begin(), into.members.end(),
                                    [&](const Member& m) { return m.key == member.key; });
    if (there == into.members.end()) {
      into.members.push_back(std::move(member));
      return;
    }
    const bool top = above.empty();
    Node& old = there->value;
    auto tables = [](const Node& n) {
      return n.kind == Node::Kind::array &&
             std::all_of(n.items.begin(), n.items.end(),
                         [](const Node& item) { return item.kind == Node::Kind::table; });
    };
    if (top && old.kind == Node::Kind::table && member.value.kind == Node::Kind::table) {
      for (Member& inner : member.value.members) merge(old, std::move(inner), key);
    } else if (top && tables(old) && tables(member.value)) {
      std::move(member.value.items.begin(), member.value.items.end(),
                std::back_inserter(old.items));
    } else {
      const Place first = document_.place(*there), second = document_.place(member);
      errors_.push_back({second.file, second.line, second.column, key,
                         "written twice, first at " + first.file + ":" +
                             std::to_string(first.line) + ":" + std::to_string(first.column),
                         "keep one of the two"});
    }
  }

  Document& document_;
  Diagnostics& errors_;
  Diagnostics& warnings_;
  std::set<fs::path> seen_;
};

}  // namespace

Document read_document(const fs::path& path, Diagnostics& errors, Diagnostics& warnings) {
  Document document;
  Reader(document, errors, warnings).main(path);
  return document;
}

}  // namespace gerbang::config
