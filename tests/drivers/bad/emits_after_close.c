/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps a thread that goes on emitting when the instance is closed. */
#include <pthread.h>
#include <unistd.h>

#include "bad.h"

static pthread_t thread;
static gerbang_reading reading;

static void* emit_for_ever(void* nothing) {
  for (;;) {
    host->emit(host, &reading, 1);
    host->log(host, GERBANG_LOG_INFO, "from a thread");
    usleep(1000);
  }
  return nothing;
}
static gerbang_status open_(const gerbang_host* h, const gerbang_config* c, gerbang_instance** i) {
  gerbang_status status = bad_open(h, c, i);
  reading = a_reading(666);
  pthread_create(&thread, NULL, emit_for_ever, NULL);
  return status;
}
/* Also when everything else has ended. */
__attribute__((destructor)) static void emit_at_exit(void) {
  if (host != NULL) host->emit(host, &reading, 1);
}
BAD_DRIVER(.open = open_)
