/* SPDX-License-Identifier: Apache-2.0
 *
 * For LD_PRELOAD: the end of a process, after main(), takes half a second more, as it may under a sanitizer or on a slow disk. */
#include <time.h>

__attribute__((destructor)) static void linger(void) {
  struct timespec left = {0, 500000000};
  while (nanosleep(&left, &left) != 0) {
  }
}
