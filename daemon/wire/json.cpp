// SPDX-License-Identifier: Apache-2.0
#include "wire/json.hpp"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <array>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <cmath>
#include <vector>

namespace gerbang::wire {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

template <class Number>
void append_number(std::string& out, Number number) {
  std::array<char, 32> text;
  auto end = std::to_chars(text.data(), text.data() + text.size(), number);
  out.append(text.data(), end.ptr);
}

void append_message(std::string& out, const Message& message);

// Element `index` of a repeated field, or the field itself where index is -1.
class Field {
  template <class One, class Many>
  auto get(One one, Many many) const {
    return index_ < 0 ? (reflection_.*one)(message_, &field_)
                      : (reflection_.*many)(message_, &field_, index_);
  }

 public:
  Field(const Message& message, const FieldDescriptor& field, int index)
      : message_(message), reflection_(*message.GetReflection()), field_(field), index_(index) {}

  // False: the value has no JSON and nothing was written.
  bool append(std::string& out) const {
    switch (field_.cpp_type()) {
      case FieldDescriptor::CPPTYPE_INT32:
        append_number(out, get(&Reflection::GetInt32, &Reflection::GetRepeatedInt32));
        return true;
      case FieldDescriptor::CPPTYPE_INT64:
        append_number(out, get(&Reflection::GetInt64, &Reflection::GetRepeatedInt64));
        return true;
      case FieldDescriptor::CPPTYPE_UINT32:
        append_number(out, get(&Reflection::GetUInt32, &Reflection::GetRepeatedUInt32));
        return true;
      case FieldDescriptor::CPPTYPE_UINT64:
        append_number(out, get(&Reflection::GetUInt64, &Reflection::GetRepeatedUInt64));
        return true;
      case FieldDescriptor::CPPTYPE_DOUBLE:
        return append_real(out, get(&Reflection::GetDouble, &Reflection::GetRepeatedDouble));
      case FieldDescriptor::CPPTYPE_FLOAT:
        return append_real(out, get(&Reflection::GetFloat, &Reflection::GetRepeatedFloat));
      case FieldDescriptor::CPPTYPE_BOOL:
        out += get(&Reflection::GetBool, &Reflection::GetRepeatedBool) ? "true" : "false";
        return true;
      case FieldDescriptor::CPPTYPE_ENUM:
        append_enum(out, get(&Reflection::GetEnumValue, &Reflection::GetRepeatedEnumValue));
        return true;
      case FieldDescriptor::CPPTYPE_STRING:
        out += boost::json::serialize(
            boost::json::string_view(get(&Reflection::GetString, &Reflection::GetRepeatedString)));
        return true;
      case FieldDescriptor::CPPTYPE_MESSAGE:
        append_message(out, index_ < 0 ? reflection_.GetMessage(message_, &field_)
                                       : reflection_.GetRepeatedMessage(message_, &field_, index_));
        return true;
    }
    return false;
  }

 private:
  template <class Real>
  static bool append_real(std::string& out, Real value) {
    if (!std::isfinite(value)) return false;
    append_number(out, value == 0 ? 0 : value);  // "-0" is an integer to some readers
    return true;
  }

  // A value of a newer schema has no name here; its number still says more than nothing.
  void append_enum(std::string& out, int number) const {
    const auto* value = field_.enum_type()->FindValueByNumber(number);
    if (value == nullptr) {
      append_number(out, number);
    } else {
      out += '"';
      out += value->name();
      out += '"';
    }
  }

  const Message& message_;
  const Reflection& reflection_;
  const FieldDescriptor& field_;
  int index_;
};

void append_array(std::string& out, const Message& message, const FieldDescriptor& field) {
  out += '[';
  int size = message.GetReflection()->FieldSize(message, &field);
  bool first = true;
  for (int i = 0; i < size; ++i) {
    std::size_t before = out.size();
    if (!first) out += ',';
    if (Field(message, field, i).append(out))
      first = false;
    else
      out.resize(before);
  }
  out += ']';
}

void append_message(std::string& out, const Message& message) {
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  out += '{';
  bool first = true;
  for (const auto* field : fields) {
    std::size_t before = out.size();
    if (!first) out += ',';
    out += '"';
    out += field->json_name();
    out += "\":";
    bool written = true;
    if (field->is_repeated())
      append_array(out, message, *field);
    else
      written = Field(message, *field, -1).append(out);
    if (written)
      first = false;
    else
      out.resize(before);
  }
  out += '}';
}

}  // namespace

std::string json_of(const Message& message) {
  std::string out;
  out.reserve(message.ByteSizeLong() * 4);
  append_message(out, message);
  return out;
}

}  // namespace gerbang::wire
