/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>

#include "bad.h"
static gerbang_status poll(gerbang_instance* i, uint32_t budget_ms) {
  (void)i;
  (void)budget_ms;
  signal(SIGSEGV, SIG_DFL); /* a sanitizer would turn it into an exit */
  raise(SIGSEGV);
  return GERBANG_OK;
}
BAD_DRIVER(.poll = poll)
