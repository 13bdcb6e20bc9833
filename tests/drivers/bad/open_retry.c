/* SPDX-License-Identifier: Apache-2.0 */
#include "bad.h"
static gerbang_status open(const gerbang_host* h, const gerbang_config* c, gerbang_instance** i) {
  (void)c;
  (void)i;
  h->log(h, GERBANG_LOG_ERROR, "open ends with RETRY");
  return GERBANG_RETRY;
}
BAD_DRIVER(.open = open)
