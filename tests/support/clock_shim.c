/* SPDX-License-Identifier: Apache-2.0
 *
 * For LD_PRELOAD beside libfaketime: adjtimex() says what the file CLOCK_SHIM holds, '1' that the clock is synchronised, anything
 * else that it is not. The kernel's own answer belongs to the machine of the test.
 *
 * Before libfaketime also: the timers of a loop stay the kernel's. libfaketime moves an absolute time by its offset, whatever the
 * clock, so that a timer which is due at once (Asio arms those with an absolute 1 ns) would never end. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
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

int timerfd_settime(int fd, int flags, const struct itimerspec* when, struct itimerspec* before) {
  return (int)syscall(SYS_timerfd_settime, fd, flags, when, before);
}
