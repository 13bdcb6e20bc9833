// SPDX-License-Identifier: Apache-2.0
#include "driver_host/table.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <optional>
#include <set>
#include <string_view>

#include "core/text.hpp"
#include "driver_host/text.hpp"

namespace gerbang::driver_host {
namespace {

// Any host must be able to read the version of any driver, so these never move.
static_assert(offsetof(gerbang_driver_table, size) == 0);
static_assert(offsetof(gerbang_driver_table, abi_major) == 4);
static_assert(offsetof(gerbang_driver_table, abi_minor) == 8);

constexpr std::size_t kVersionBytes = offsetof(gerbang_driver_table, reserved);
constexpr std::size_t kNeededBytes = offsetof(gerbang_driver_table, decode);
constexpr std::size_t kNeededDescription = offsetof(gerbang_description, flags);
constexpr std::size_t kMaxKeys = 256;
constexpr std::size_t kMaxText = 1024;

constexpr std::array<std::string_view, 7> kTypes = {"",        "string",   "integer", "number",
                                                    "boolean", "duration", "choice"};

Result<void> refuse(std::string what) {
  return fail(std::errc::invalid_argument, std::move(what));
}

bool plain_name(std::string_view name) {
  auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), fits);
}

std::optional<double> as_number(std::string_view text) {
  double value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// The number that a default means; nullopt if it is none of its type.
std::optional<double> fallback_number(const host::v1::OptionSpec& spec) {
  if (spec.type() == GERBANG_DURATION) {
    auto duration = parse_duration(spec.fallback());
    if (!duration) return std::nullopt;
    return static_cast<double>(duration->count());
  }
  auto value = as_number(spec.fallback());
  bool whole = spec.fallback().find_first_of(".eE") == std::string::npos;
  if (spec.type() == GERBANG_INTEGER && !whole) return std::nullopt;
  return value;
}

Result<void> check_fallback(const host::v1::OptionSpec& spec) {
  const std::string given = "default \"" + spec.fallback() + "\"";
  switch (spec.type()) {
    case GERBANG_STRING:
      return {};
    case GERBANG_BOOLEAN:
      if (spec.fallback() != "true" && spec.fallback() != "false")
        return refuse(given + " is neither true nor false");
      return {};
    case GERBANG_CHOICE:
      if (std::find(spec.choices().begin(), spec.choices().end(), spec.fallback()) ==
          spec.choices().end())
        return refuse(given + " is not among its choices");
      return {};
    default:
      break;
  }
  auto value = fallback_number(spec);
  if (!value) return refuse(given + " is no " + std::string(kTypes.at(spec.type())));
  bool bounded = spec.minimum() < spec.maximum();
  if (bounded && (*value < spec.minimum() || *value > spec.maximum()))
    return refuse(given + " is out of its bounds");
  return {};
}

Result<void> read_spec(const gerbang_option_spec& in, host::v1::OptionSpec& out) {
  if (in.name == nullptr) return refuse("it has no name");
  out.set_name(clean_text(in.name, kMaxText));
  if (!plain_name(out.name()))
    return refuse("its name \"" + out.name() + "\" is not of lower case letters, digits, _ and -");
  if (in.type < GERBANG_STRING || in.type > GERBANG_CHOICE)
    return refuse("type " + std::to_string(in.type) + " is unknown");
  out.set_type(in.type);
  out.set_flags(in.flags);
  out.set_help(clean_text(in.help, kMaxText));
  if (!(in.minimum <= in.maximum)) return refuse("its minimum is above its maximum");
  out.set_minimum(in.minimum);
  out.set_maximum(in.maximum);
  if (in.type == GERBANG_CHOICE) {
    const std::string choices = clean_text(in.choices, kMaxText);
    for (std::size_t begin = 0; begin <= choices.size();) {
      std::size_t end = std::min(choices.find('|', begin), choices.size());
      if (end == begin) return refuse("its choices \"" + choices + "\" have an empty one");
      out.add_choices(choices.substr(begin, end - begin));
      begin = end + 1;
    }
  }
  if (in.fallback == nullptr) return {};
  if ((in.flags & GERBANG_REQUIRED) != 0) return refuse("it is required and has a default");
  out.set_has_fallback(true);
  out.set_fallback(clean_text(in.fallback, kMaxText));
  return check_fallback(out);
}

using Specs = google::protobuf::RepeatedPtrField<host::v1::OptionSpec>;

Result<void> read_specs(const gerbang_option_spec* first, std::size_t count, Specs& out) {
  if (count == 0) return {};
  if (first == nullptr) return refuse("counts " + std::to_string(count) + " keys but has none");
  if (count > kMaxKeys)
    return refuse("has " + std::to_string(count) + " keys, at most " + std::to_string(kMaxKeys));
  if (first->size < sizeof(gerbang_option_spec))
    return refuse("has entries of " + std::to_string(first->size) + " bytes, at least " +
                  std::to_string(sizeof(gerbang_option_spec)));
  std::set<std::string> names;
  for (std::size_t i = 0; i < count; ++i) {
    gerbang_option_spec spec;
    std::memcpy(&spec, reinterpret_cast<const std::byte*>(first) + i * first->size, sizeof spec);
    host::v1::OptionSpec& copy = *out.Add();
    auto read = read_spec(spec, copy);
    std::string which = "key " + std::to_string(i + 1);
    if (!copy.name().empty()) which += " (" + copy.name() + ")";
    if (!read) return fail(std::move(read.error()).within(which));
    if (!names.insert(copy.name()).second) return refuse(which + " stands twice");
  }
  return {};
}

void print_specs(std::string& out, const char* title, const Specs& specs) {
  if (specs.empty()) return;
  out += "\n" + std::string(title) + "\n";
  for (const host::v1::OptionSpec& spec : specs) {
    std::string type(kTypes.at(spec.type()));
    if (spec.type() == GERBANG_CHOICE) {
      type.clear();
      for (const std::string& choice : spec.choices()) type += (type.empty() ? "" : " | ") + choice;
    }
    auto bound = [&](double value) {
      if (spec.type() == GERBANG_DURATION)
        return format_duration(std::chrono::milliseconds(static_cast<std::int64_t>(value)));
      std::array<char, 400> digits{};
      auto end = std::to_chars(digits.begin(), digits.end(), value, std::chars_format::fixed).ptr;
      return std::string(digits.begin(), end);
    };
    if (spec.minimum() < spec.maximum())
      type += ", " + bound(spec.minimum()) + " to " + bound(spec.maximum());
    if ((spec.flags() & GERBANG_REQUIRED) != 0) type += ", required";
    if (spec.has_fallback()) type += ", default \"" + spec.fallback() + "\"";
    out += "  " + spec.name() + " (" + type + ")\n      " + spec.help() + "\n";
  }
}

}  // namespace

Result<gerbang_driver_table> read_table(const gerbang_driver_table* table) {
  auto bad = [](std::string what) { return fail(std::errc::invalid_argument, std::move(what)); };
  if (table == nullptr) return bad("gerbang_driver() returned no table");
  if (table->size < kVersionBytes)
    return bad("its table has " + std::to_string(table->size) +
               " bytes and does not even hold a version");
  if (table->abi_major != GERBANG_ABI_MAJOR)
    return bad("it is built for driver ABI " + std::to_string(table->abi_major) + "." +
               std::to_string(table->abi_minor) + ", this host speaks " +
               std::to_string(GERBANG_ABI_MAJOR) + "." + std::to_string(GERBANG_ABI_MINOR) +
               "; build it against the installed gerbang/driver.h");
  if (table->size < kNeededBytes)
    return bad("its table has " + std::to_string(table->size) + " bytes, at least " +
               std::to_string(kNeededBytes));
  gerbang_driver_table copy{};
  std::memcpy(&copy, table, std::min<std::size_t>(table->size, sizeof copy));
  const std::array<std::pair<const char*, bool>, 6> needed = {
      {{"name", copy.name != nullptr},
       {"version", copy.version != nullptr},
       {"describe", copy.describe != nullptr},
       {"open", copy.open != nullptr},
       {"poll", copy.poll != nullptr},
       {"close", copy.close != nullptr}}};
  for (const auto& [field, given] : needed)
    if (!given) return bad("its table has no " + std::string(field));
  return copy;
}

Result<host::v1::Description> read_description(const gerbang_description* description) {
  auto bad = [](std::string what) { return fail(std::errc::invalid_argument, std::move(what)); };
  if (description == nullptr) return bad("describe() returned nothing");
  if (description->size < kNeededDescription)
    return bad("its description has " + std::to_string(description->size) + " bytes, at least " +
               std::to_string(kNeededDescription));
  gerbang_description copy{};
  std::memcpy(&copy, description, std::min<std::size_t>(description->size, sizeof copy));
  host::v1::Description out;
  out.set_max_block_ms(copy.max_block_ms);
  out.set_summary(clean_text(copy.summary, kMaxText));
  out.set_pushes((copy.flags & GERBANG_PUSHES) != 0);
  auto options = read_specs(copy.options, copy.option_count, *out.mutable_options());
  if (!options) return fail(std::move(options.error()).within("its list of options"));
  auto address = read_specs(copy.address, copy.address_count, *out.mutable_address());
  if (!address) return fail(std::move(address.error()).within("its list of address keys"));
  return out;
}

std::string describe(const gerbang_driver_table& table, const host::v1::Description& description) {
  std::string out = clean_text(table.name, kMaxText) + " " + clean_text(table.version, kMaxText) +
                    " (driver ABI " + std::to_string(table.abi_major) + "." +
                    std::to_string(table.abi_minor) + ")\n" + description.summary() + "\n";
  if (description.max_block_ms() > 0)
    out += "A poll may take " + std::to_string(description.max_block_ms()) +
           " ms longer than it is given.\n";
  print_specs(out, "[driver.options]", description.options());
  print_specs(out, "address of a sensor", description.address());
  return out;
}

}  // namespace gerbang::driver_host
