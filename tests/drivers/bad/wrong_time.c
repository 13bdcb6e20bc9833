/* SPDX-License-Identifier: Apache-2.0 */
#include "bad.h"
static gerbang_status poll(gerbang_instance* i, uint32_t budget_ms) {
  (void)i;
  (void)budget_ms;
  gerbang_reading reading = a_reading(1);
  reading.boottime_ns = INT64_MAX;
  host->emit(host, &reading, 1);
  return GERBANG_OK;
}
BAD_DRIVER(.poll = poll)
