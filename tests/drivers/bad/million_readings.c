/* SPDX-License-Identifier: Apache-2.0 */
#include "bad.h"
static gerbang_status poll(gerbang_instance* i, uint32_t budget_ms) {
  static gerbang_reading readings[1000000];
  (void)i;
  (void)budget_ms;
  for (int n = 0; n < 1000000; ++n) readings[n] = a_reading(n);
  host->emit(host, readings, 1000000);
  return GERBANG_OK;
}
BAD_DRIVER(.poll = poll)
