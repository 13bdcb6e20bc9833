/* SPDX-License-Identifier: Apache-2.0
 *
 * A driver that is right in everything; each file here replaces the one thing that it does wrong:
 *
 *   BAD_DRIVER(.poll = hang)
 */
#ifndef GERBANG_TESTS_BAD_H
#define GERBANG_TESTS_BAD_H

#include <gerbang/driver.h>

#pragma GCC diagnostic ignored "-Woverride-init"    /* that is the point of BAD_DRIVER */
#pragma GCC diagnostic ignored "-Wnull-dereference" /* where open is replaced, host stays null */

static const gerbang_host* host;
static const gerbang_config* config;

static const gerbang_description* bad_describe(void) {
  static const gerbang_description description = {
      .size = sizeof description, .max_block_ms = 100, .summary = "For tests."};
  return &description;
}

static gerbang_status bad_open(const gerbang_host* h, const gerbang_config* c,
                               gerbang_instance** instance) {
  host = h;
  config = c;
  *instance = (gerbang_instance*)&host;
  return GERBANG_OK;
}

static inline gerbang_reading a_reading(double number) {
  gerbang_reading reading = {.size = sizeof reading,
                             .sensor = config->sensors[0].index,
                             .quality = GERBANG_NOT_EVALUATED,
                             .number = number};
  return reading;
}

static inline void emit_number(double number) {
  gerbang_reading reading = a_reading(number);
  host->emit(host, &reading, 1);
}

/* A good reading of the first sensor, about ten times a second. */
static gerbang_status bad_poll(gerbang_instance* instance, uint32_t budget_ms) {
  static int64_t last;
  (void)instance;
  (void)budget_ms;
  int64_t now = host->boottime_ns(host);
  if (now - last < 100000000) return GERBANG_OK;
  last = now;
  emit_number(1);
  return GERBANG_OK;
}

static void bad_close(gerbang_instance* instance) {
  (void)instance;
}

#define BAD_DRIVER(...)                                                                     \
  const gerbang_driver_table* gerbang_driver(void) {                                        \
    static const gerbang_driver_table table = {                                             \
        sizeof table, GERBANG_ABI_MAJOR, GERBANG_ABI_MINOR, 0, "bad", "0", bad_describe,    \
        bad_open,     bad_poll,          bad_close,         0, 0,     __VA_ARGS__};         \
    return &table;                                                                          \
  }

#endif
