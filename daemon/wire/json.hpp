// SPDX-License-Identifier: Apache-2.0
//
// For the sources of wire only.
#pragma once

#include <string>

namespace google::protobuf {
class Message;
}

namespace gerbang::wire {

// The message in protobuf's JSON names. What is set is printed, zero and false too; what is not set
// is not there. Enums by name, 64-bit integers as numbers (all of ours are below 2^53), numbers in
// the shortest form that reads back the same. NaN and infinity have no JSON: the field is left out.
std::string json_of(const google::protobuf::Message& message);

}  // namespace gerbang::wire
