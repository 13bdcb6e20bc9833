/* SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "bad.h"
static gerbang_status poll(gerbang_instance* i, uint32_t budget_ms) {
  (void)i;
  (void)budget_ms;
  emit_number(1);
  while (pause() != 0) {
  }
  return GERBANG_OK;
}
BAD_DRIVER(.poll = poll)
