/* SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "bad.h"
static void close_(gerbang_instance* i) {
  (void)i;
  for (;;) pause();
}
BAD_DRIVER(.close = close_)
