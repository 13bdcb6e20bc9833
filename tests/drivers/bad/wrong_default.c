/* SPDX-License-Identifier: Apache-2.0 */
#include "bad.h"
static const gerbang_option_spec options[] = {{.size = sizeof(gerbang_option_spec),
                                               .type = GERBANG_INTEGER,
                                               .name = "port",
                                               .fallback = "70000",
                                               .help = "TCP port",
                                               .minimum = 1,
                                               .maximum = 65535}};
static const gerbang_description* describe(void) {
  static const gerbang_description description = {.size = sizeof description,
                                                  .options = options,
                                                  .option_count = 1,
                                                  .summary = "For tests."};
  return &description;
}
BAD_DRIVER(.describe = describe)
