/* SPDX-License-Identifier: Apache-2.0 */
/* Built for a later minor version: a longer table, longer readings. A host must take it. */
#include "bad.h"

typedef struct {
  gerbang_reading known;
  double of_the_future[4];
} long_reading;

static gerbang_status poll(gerbang_instance* instance, uint32_t budget_ms) {
  static int64_t last;
  (void)instance;
  (void)budget_ms;
  int64_t now = host->boottime_ns(host);
  if (now - last < 100000000) return GERBANG_OK;
  last = now;
  long_reading readings[2] = {{a_reading(1), {9, 9, 9, 9}}, {a_reading(2), {9, 9, 9, 9}}};
  readings[0].known.size = readings[1].known.size = sizeof(long_reading);
  host->emit(host, &readings[0].known, 2);
  return GERBANG_OK;
}

typedef struct {
  gerbang_driver_table known;
  void (*of_the_future)(void);
} long_table;

const gerbang_driver_table* gerbang_driver(void) {
  static const long_table table = {
      {sizeof table, GERBANG_ABI_MAJOR, GERBANG_ABI_MINOR + 7, 0, "bad", "0", bad_describe,
       bad_open, poll, bad_close, 0, 0},
      0};
  (void)bad_poll;
  return &table.known;
}
