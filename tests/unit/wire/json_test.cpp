// SPDX-License-Identifier: Apache-2.0
//
// Our JSON against protobuf's own printer: the same document but for 64-bit numbers.
#include "wire/json.hpp"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <limits>
#include <random>

#include "gerbang/v1/telemetry.pb.h"

namespace gerbang::wire {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
namespace json = boost::json;

// Any message of the schema with any of its fields set.
void fill(Message& message, std::mt19937& random) {
  const auto& descriptor = *message.GetDescriptor();
  const auto& reflection = *message.GetReflection();
  auto draw = [&](int n) { return std::uniform_int_distribution<int>(0, n - 1)(random); };
  const std::int64_t integers[] = {0, 1, -1, 1735689600000, (1ll << 53) - 1, -(1ll << 40)};
  const double reals[] = {0, 2.5, 3.21, 1e300, -1e-300, 0.1 + 0.2, 100, 12345678.9};
  const std::string texts[] = {"", "pH", "µg/m³ \"quoted\" \\ / \n\t\x01",
                               "air – \xF0\x9F\x8C\x8A"};
  for (int i = 0; i < descriptor.field_count(); ++i) {
    const auto* f = descriptor.field(i);
    int times = f->is_repeated() ? draw(4) : draw(2);
    for (int n = 0; n < times; ++n) {
      bool many = f->is_repeated();
      switch (f->cpp_type()) {
        case FieldDescriptor::CPPTYPE_INT64:
          reflection.SetInt64(&message, f, integers[draw(6)]);
          break;
        case FieldDescriptor::CPPTYPE_UINT64:
          reflection.SetUInt64(&message, f, static_cast<std::uint64_t>(integers[draw(2)]));
          break;
        case FieldDescriptor::CPPTYPE_UINT32:
          reflection.SetUInt32(&message, f,
                               draw(2) ? 0 : std::numeric_limits<std::uint32_t>::max());
          break;
        case FieldDescriptor::CPPTYPE_DOUBLE:
          reflection.SetDouble(&message, f, reals[draw(8)]);
          break;
        case FieldDescriptor::CPPTYPE_BOOL:
          reflection.SetBool(&message, f, draw(2) == 1);
          break;
        case FieldDescriptor::CPPTYPE_ENUM:
          reflection.SetEnumValue(&message, f, draw(5));  // 4 has no name in some
          break;
        case FieldDescriptor::CPPTYPE_STRING:
          if (many)
            reflection.AddString(&message, f, texts[draw(4)]);
          else
            reflection.SetString(&message, f, texts[draw(4)]);
          break;
        case FieldDescriptor::CPPTYPE_MESSAGE:
          fill(many ? *reflection.AddMessage(&message, f) : *reflection.MutableMessage(&message, f),
               random);
          break;
        default:
          FAIL() << "the schema has a type that the writer was not asked for: " << f->full_name();
      }
    }
  }
}

// Both documents in one shape: 64-bit integers are text in protobuf's, numbers in ours, and a whole
// double may be printed as either kind of number.
json::value canonical(const json::value& value, const google::protobuf::Descriptor& descriptor) {
  json::object out;
  for (const auto& [key, field] : value.as_object()) {
    const FieldDescriptor* f = nullptr;
    for (int i = 0; i < descriptor.field_count(); ++i)
      if (descriptor.field(i)->json_name() == std::string_view(key.data(), key.size()))
        f = descriptor.field(i);
    if (f == nullptr) throw std::runtime_error("no field " + std::string(key));
    if (f->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      if (f->is_repeated()) {
        json::array items;
        for (const auto& item : field.as_array())
          items.push_back(canonical(item, *f->message_type()));
        out[key] = items;
      } else {
        out[key] = canonical(field, *f->message_type());
      }
    } else if (f->cpp_type() == FieldDescriptor::CPPTYPE_INT64 ||
               f->cpp_type() == FieldDescriptor::CPPTYPE_UINT64) {
      out[key] = field.is_string() ? std::stoll(std::string(field.as_string()))
                                   : field.to_number<std::int64_t>();
    } else if (f->cpp_type() == FieldDescriptor::CPPTYPE_DOUBLE) {
      out[key] = field.to_number<double>();
    } else {
      out[key] = field;
    }
  }
  return out;
}

TEST(Json, SaysWhatProtobufsOwnPrinterSays) {
  std::mt19937 random(7);
  for (int i = 0; i < 300; ++i) {
    v1::AggregateBatch aggregates;
    v1::GatewayState state;
    v1::GatewayDescription description;
    v1::Indicator indicator;
    v1::Event event;
    v1::Alarm alarm;
    v1::ReadingBatch readings;
    for (Message* message : std::initializer_list<Message*>{
             &aggregates, &state, &description, &indicator, &event, &alarm, &readings}) {
      fill(*message, random);
      std::string theirs;
      ASSERT_TRUE(google::protobuf::util::MessageToJsonString(*message, &theirs).ok());
      std::string ours = json_of(*message);
      EXPECT_EQ(canonical(json::parse(ours), *message->GetDescriptor()),
                canonical(json::parse(theirs), *message->GetDescriptor()))
          << ours << "\n"
          << theirs;
    }
  }
}

TEST(Json, IsReadBackByProtobufAsTheSameMessage) {
  std::mt19937 random(8);
  for (int i = 0; i < 300; ++i) {
    v1::AggregateBatch message, back;
    fill(message, random);
    auto status = google::protobuf::util::JsonStringToMessage(json_of(message), &back);
    ASSERT_TRUE(status.ok()) << status.ToString();
    EXPECT_EQ(back.SerializeAsString(), message.SerializeAsString());
  }
}

TEST(Json, LeavesOutWhatIsNotANumber) {
  v1::Aggregate message;
  message.set_sensor("ph");
  message.set_mean(std::numeric_limits<double>::quiet_NaN());
  message.set_minimum(-std::numeric_limits<double>::infinity());
  message.set_maximum(std::numeric_limits<double>::infinity());
  message.set_last(0);
  EXPECT_EQ(json_of(message), R"({"sensor":"ph","last":0})");
}

TEST(Json, PrintsNumbersShortAndExact) {
  v1::Aggregate message;
  message.set_mean(0.1 + 0.2);
  message.set_minimum(3.21);
  message.set_maximum(7);
  message.set_first(-0.0);
  message.set_last(6.02e23);
  EXPECT_EQ(json_of(message),
            R"({"mean":0.30000000000000004,"minimum":3.21,"maximum":7,"first":0,"last":6.02e+23})");
}

}  // namespace
}  // namespace gerbang::wire
