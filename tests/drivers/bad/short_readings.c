/* SPDX-License-Identifier: Apache-2.0 */
#include "bad.h"
static gerbang_status poll(gerbang_instance* i, uint32_t budget_ms) {
  (void)i;
  (void)budget_ms;
  gerbang_reading reading = a_reading(1);
  reading.size = 16;
  host->emit(host, &reading, 1);
  host->emit(host, NULL, 3);
  return GERBANG_OK;
}
BAD_DRIVER(.poll = poll)
