/* SPDX-License-Identifier: Apache-2.0 */
#include "bad.h"
static gerbang_status open(const gerbang_host* h, const gerbang_config* c, gerbang_instance** i) {
  (void)h;
  (void)c;
  (void)i;
  return (gerbang_status)17;
}
BAD_DRIVER(.open = open)
