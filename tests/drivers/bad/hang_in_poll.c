/* SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "bad.h"
static gerbang_status poll(gerbang_instance* i, uint32_t budget_ms) {
  (void)i;
  (void)budget_ms;
  emit_number(1);
  for (;;) pause();
}
BAD_DRIVER(.poll = poll)
