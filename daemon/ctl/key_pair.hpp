// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "config/load.hpp"

namespace gerbang::ctl {

// What the first certificate and the first private key of two PEM texts are to each other. Asks
// nobody for a passphrase. Any thread.
config::KeyPair key_pair(const std::string& certificate, const std::string& key);

}  // namespace gerbang::ctl
