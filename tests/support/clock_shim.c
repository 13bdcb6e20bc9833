/* SPDX-License-Identifier: Apache-2.0
 *
 * For LD_PRELOAD beside libfaketime: adjtimex() says what the file CLOCK_SHIM holds, '1' that the clock is synchronised, anything
 * else that it is not. The kernel's own answer belongs to the machine of the test. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>
#include <unistd.h>

int adjtimex(struct timex* state) {
  char said = '0';
  const char* file = getenv("CLOCK_SHIM");
  int fd = file ? open(file, O_RDONLY | O_CLOEXEC) : -1;
  if (fd >= 0) {
    if (read(fd, &said, 1) != 1) said = '0';
    close(fd);
  }
  memset(state, 0, sizeof *state);
  state->status = said == '1' ? 0 : STA_UNSYNC;
  return said == '1' ? TIME_OK : TIME_ERROR;
}
