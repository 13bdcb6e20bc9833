/* SPDX-License-Identifier: Apache-2.0 */
/* Ends before the optional functions, and its description before the flags, as a driver may that
 * was built before they existed. What stands behind must not be read. */
#include "bad.h"

static const gerbang_description* old_describe(void) {
  static const gerbang_description description = {
      .size = offsetof(gerbang_description, flags), .summary = "Of ABI 1.0.", .flags = ~0u};
  return &description;
}

BAD_DRIVER(.size = offsetof(gerbang_driver_table, decode), .abi_minor = 0, .describe = old_describe,
           .decode = (gerbang_status(*)(const gerbang_host*, const gerbang_config*, const void*,
                                        size_t))1)
