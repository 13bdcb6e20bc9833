// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "async/spawn.hpp"

namespace gerbang {

// Runs work that blocks on a thread of its own while the loop turns; what it throws is thrown here.
// Whoever destroys the waiting task waits for the work to end.
asio::awaitable<void> elsewhere(asio::any_io_executor loop, std::function<void()> work);

}  // namespace gerbang
