/* SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "bad.h"
__attribute__((constructor)) static void hang(void) {
  for (;;) pause();
}
BAD_DRIVER(.reserved = 0)
