/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "bad.h"
static gerbang_status poll(gerbang_instance* i, uint32_t budget_ms) {
  (void)i;
  (void)budget_ms;
  emit_number((double)NAN);
  emit_number((double)INFINITY);
  emit_number(-(double)INFINITY);
  return GERBANG_OK;
}
BAD_DRIVER(.poll = poll)
