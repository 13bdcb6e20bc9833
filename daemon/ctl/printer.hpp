// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "ctl/audit.hpp"

namespace gerbang::ctl {

// Messages and audit reports on standard output, for a person or (json) one JSON object a line.
class Printer {
 public:
  Printer(bool json, std::string language) : json_(json), language_(std::move(language)) {}

  void message(const std::string& topic, const std::string& suffix, bool retained,
               const boost::json::object& message);
  void note(const std::string& text);  // to standard error
  void report(const Audit::Report& report, const std::string& filter);

 private:
  bool json_;
  std::string language_;
};

}  // namespace gerbang::ctl
