/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "bad.h"
static gerbang_status poll(gerbang_instance* i, uint32_t budget_ms) {
  const size_t size = 10u << 20;
  void* volatile lost = malloc(size);
  (void)i;
  (void)budget_ms;
  if (lost == NULL) abort();
  memset(lost, 1, size);
  emit_number(1);
  return GERBANG_OK;
}
BAD_DRIVER(.poll = poll)
