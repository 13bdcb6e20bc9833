/* SPDX-License-Identifier: Apache-2.0 */
/* Not UTF-8, and a terminal escape. */
#include "bad.h"
static gerbang_status poll(gerbang_instance* i, uint32_t budget_ms) {
  (void)i;
  (void)budget_ms;
  host->log(host, (gerbang_log_level)99, "caf\xe9 \x1b[2J\n\xc0\xaf end");
  host->exchange(host, "\xff\xfe", (gerbang_reason)77, 10);
  return GERBANG_OK;
}
BAD_DRIVER(.poll = poll, .version = "\xc3\x28")
