// SPDX-License-Identifier: Apache-2.0
#include "port.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace gerbang::serial {
namespace {

struct Rate {
  std::int64_t rate;
  speed_t speed;
};
constexpr std::array kRates{
    Rate{300, B300},         Rate{600, B600},         Rate{1200, B1200},
    Rate{2400, B2400},       Rate{4800, B4800},       Rate{9600, B9600},
    Rate{19200, B19200},     Rate{38400, B38400},     Rate{57600, B57600},
    Rate{115200, B115200},   Rate{230400, B230400},   Rate{460800, B460800},
    Rate{500000, B500000},   Rate{576000, B576000},   Rate{921600, B921600},
    Rate{1000000, B1000000}, Rate{1152000, B1152000}, Rate{1500000, B1500000},
    Rate{2000000, B2000000}, Rate{2500000, B2500000}, Rate{3000000, B3000000},
    Rate{3500000, B3500000}, Rate{4000000, B4000000}};

// A pseudo-terminal has neither data bits nor parity and says so by refusing them.
bool is_pseudo_terminal(int fd) {
  struct stat about {};
  if (::fstat(fd, &about) != 0) return false;
  const unsigned kind = major(about.st_rdev);
  return kind >= 136 && kind <= 143;  // UNIX98_PTY_SLAVE_MAJOR and the seven after it
}

}  // namespace

speed_t speed_of(std::int64_t rate) {
  for (const Rate& known : kRates)
    if (known.rate == rate) return known.speed;
  return B0;
}

std::string configure(int fd, const Settings& settings) {
  termios line{};
  if (::tcgetattr(fd, &line) != 0)
    return errno == ENOTTY ? "this is not a serial port" : std::strerror(errno);
  ::cfmakeraw(&line);
  const bool pseudo = is_pseudo_terminal(fd);
  line.c_cflag &= ~static_cast<tcflag_t>(CSTOPB | CRTSCTS | PARODD);
  line.c_cflag |= CLOCAL | CREAD;
  if (!pseudo) {
    line.c_cflag &= ~static_cast<tcflag_t>(CSIZE | PARENB);
    line.c_cflag |= settings.data_bits == 7 ? CS7 : CS8;
    if (settings.parity != 'N') line.c_cflag |= PARENB;
    if (settings.parity == 'O') line.c_cflag |= PARODD;
    // A character with the wrong parity is read as 0 and not as if it were right.
    if (settings.parity != 'N') line.c_iflag |= INPCK;
  }
  if (settings.stop_bits == 2) line.c_cflag |= CSTOPB;
  line.c_cc[VMIN] = 1;  // so that 0 bytes mean that the port is gone
  line.c_cc[VTIME] = 0;
  const speed_t speed = speed_of(settings.baud);
  if (speed == B0 || ::cfsetispeed(&line, speed) != 0 || ::cfsetospeed(&line, speed) != 0)
    return "no speed of " + std::to_string(settings.baud) + " baud";
  if (::tcsetattr(fd, TCSANOW, &line) != 0)
    return text_of(settings) + " was refused: " + std::strerror(errno);
  // tcsetattr is content when one of many settings was taken.
  termios now{};
  if (::tcgetattr(fd, &now) == 0 && !pseudo) {
    constexpr tcflag_t kFormat = CSIZE | PARENB | PARODD | CSTOPB;
    if ((now.c_cflag & kFormat) != (line.c_cflag & kFormat))
      return "the adapter cannot do " + text_of(settings) + "; take another one";
  }
  ::tcflush(fd, TCIFLUSH);
  return {};
}

Descriptor open_port(const Settings& settings, std::string& why) {
  Descriptor port(::open(settings.device.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
  if (!port) {
    const int error = errno;
    why = std::strerror(error);
    if (error == EACCES) why += "; add the service's user to the group of the port (dialout)";
    if (error == EBUSY) why += ": another program has the port";
    return {};
  }
  // TIOCEXCL keeps others out who are not root, the lock those who ask for it (picocom, tio).
  if (::flock(port.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    why = "another program has the port";
    return {};
  }
  why = configure(port.get(), settings);
  if (!why.empty()) return {};
  ::ioctl(port.get(), TIOCEXCL);
  return port;
}

void close_port(Descriptor& port) {
  if (port) ::ioctl(port.get(), TIOCNXCL);
  port.reset();
}

}  // namespace gerbang::serial
