/* SPDX-License-Identifier: Apache-2.0 */
#include "bad.h"
static gerbang_status poll(gerbang_instance* i, uint32_t budget_ms) {
  (void)i;
  (void)budget_ms;
  return GERBANG_RETRY;
}
BAD_DRIVER(.poll = poll)
