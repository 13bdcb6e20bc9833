// SPDX-License-Identifier: Apache-2.0
#include "formats.hpp"

#include <utility>

namespace gerbang::weighbridge {

std::string_view name_of(Format format) {
  std::string_view names = kFormatChoices;
  for (auto i = static_cast<int>(format); i >= 0; --i) names.remove_prefix(names.find('|') + 1);
  return names.substr(0, names.find('|'));
}

std::optional<Format> format_of(std::string_view name) {
  for (const Format format : kFormats)
    if (name_of(format) == name) return format;
  return std::nullopt;
}

Parsed noise() {
  return {};
}
Parsed incomplete() {
  Parsed out;
  out.kind = Parsed::Kind::incomplete;
  return out;
}
Parsed broken(gerbang_reason reason, std::string why) {
  return {Parsed::Kind::broken, 1, {}, reason, std::move(why), Refusal::none};
}
Parsed refused(std::size_t size, gerbang_reason reason, std::string why) {
  return {Parsed::Kind::refused, size, {}, reason, std::move(why), Refusal::other};
}
Parsed above_range(std::size_t size) {
  Parsed out = refused(size, GERBANG_REASON_RANGE, "the indicator says: overload");
  out.refusal = Refusal::above_range;
  return out;
}
Parsed below_range(std::size_t size) {
  Parsed out = refused(size, GERBANG_REASON_RANGE, "the indicator says: below its range");
  out.refusal = Refusal::below_range;
  return out;
}
Parsed taken(std::size_t size, const Weight& weight) {
  return {Parsed::Kind::weight, size, weight, GERBANG_REASON_NONE, {}, Refusal::none};
}

std::string_view text_of(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Parsed parse(Format format, const Dialect& dialect, Bytes bytes, bool end) {
  if (bytes.empty()) return incomplete();
  switch (format) {
    case Format::toledo:
      return parse_toledo(dialect, bytes, end);
    case Format::aandd:
      return parse_aandd(bytes);
    case Format::st_gs:
      return parse_st_gs(bytes);
    case Format::cas_22:
      return parse_cas_22(bytes);
    case Format::yaohua_a9:
      return parse_yaohua_a9(dialect, bytes);
    case Format::yaohua_equals:
      return parse_yaohua_equals(dialect, bytes, end);
    case Format::a12e:
      return parse_a12e(bytes);
    case Format::mt_sics:
      return parse_mt_sics(bytes);
    case Format::rinstrum_a:
      return parse_rinstrum_a(dialect, bytes);
  }
  return noise();
}

}  // namespace gerbang::weighbridge
