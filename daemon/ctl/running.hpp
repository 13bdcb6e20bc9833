// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json/value.hpp>
#include <optional>
#include <string>

#include "config/config.hpp"
#include "config/load.hpp"
#include "ctl/commands.hpp"
#include "ctl/http_client.hpp"

namespace gerbang::ctl {

// Loads the configuration with what the installed drivers say of themselves. `ask`: they are asked
// too whether they take their parts.
config::LoadResult load_configuration(const Common& common, bool ask = false);
void print_mistakes(const config::LoadResult& loaded, const Common& common);

// Where the daemon of this configuration answers, if it runs: its control socket, else its HTTP
// address.
std::optional<Endpoint> running_gateway(const config::Config& config);

// The gateway at `url` (empty: the one that the configuration describes), with a token from a file
// (empty: none). `on_socket`: at a control socket only, if the configuration is to tell; what was
// looked for is then said.
Result<Endpoint> find_gateway(const Common& common, const std::string& url,
                              const std::string& token_file, bool on_socket = false);
// The exit code of its failure.
int exit_of(const Error& error);

// GET, parsed; the failure is a sentence for a person.
Result<boost::json::value> get_json(const Endpoint& endpoint, const std::string& target);

}  // namespace gerbang::ctl
