// SPDX-License-Identifier: Apache-2.0
// A C++ driver without driver.hpp lets an exception cross the C boundary.
#include <gerbang/driver.h>

#include <stdexcept>

namespace {

const gerbang_description* describe() {
  static constexpr gerbang_description description{sizeof description, 0, nullptr, 0, nullptr, 0,
                                                   "For tests.",       0, 0};
  return &description;
}
gerbang_status open(const gerbang_host*, const gerbang_config*, gerbang_instance**) {
  return GERBANG_OK;
}
gerbang_status poll(gerbang_instance*, std::uint32_t) {
  throw std::runtime_error("nobody catches this");
}
void close(gerbang_instance*) {}

}  // namespace

const gerbang_driver_table* gerbang_driver(void) {
  static constexpr gerbang_driver_table table{sizeof table,
                                              GERBANG_ABI_MAJOR,
                                              GERBANG_ABI_MINOR,
                                              0,
                                              "bad",
                                              "0",
                                              describe,
                                              open,
                                              poll,
                                              close,
                                              nullptr,
                                              nullptr};
  return &table;
}
