// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

// How the programs of the gateway stay small beside each other on a small board.
namespace gerbang::ipc {

// One heap for all threads of this process, and what a burst needed goes back to the kernel when
// more than `trim_threshold` bytes are free at its end. Call first in main().
void use_one_heap(std::size_t trim_threshold);

// Lets go of what only the start needed: free heap, and the pages of code and constants that this
// process has mapped from files and not changed. What is still needed is mapped again, from the
// page cache, when it is touched; that costs some hundred soft page faults once. Call when work
// has become steady. Any thread, but not while one loads a library.
void forget_startup();

}  // namespace gerbang::ipc
