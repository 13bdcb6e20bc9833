/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "bad.h"
static gerbang_status poll(gerbang_instance* i, uint32_t budget_ms) {
  static char line[1 << 20];
  (void)i;
  (void)budget_ms;
  memset(line, 'x', sizeof line - 1);
  for (int n = 0; n < 1000; ++n) host->log(host, GERBANG_LOG_INFO, line);
  return GERBANG_OK;
}
BAD_DRIVER(.poll = poll)
