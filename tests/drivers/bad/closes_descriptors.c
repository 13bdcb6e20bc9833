/* SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "bad.h"
static gerbang_status poll(gerbang_instance* i, uint32_t budget_ms) {
  (void)i;
  (void)budget_ms;
  for (int descriptor = 3; descriptor < 256; ++descriptor) close(descriptor);
  emit_number(1);
  return GERBANG_OK;
}
BAD_DRIVER(.poll = poll)
