// SPDX-License-Identifier: Apache-2.0
#include "tree.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

namespace gerbang::iio {
namespace {

namespace fs = std::filesystem;

tl::unexpected<Refusal> refused(gerbang_reason reason, std::string why) {
  return tl::unexpected(Refusal{reason, std::move(why)});
}

// A sysfs file is made while it is read: one read, and its errors are the device's.
tl::expected<std::string, int> contents(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return tl::unexpected(errno);
  char buffer[4096];
  ssize_t got;
  do {
    got = ::read(fd, buffer, sizeof buffer);
  } while (got < 0 && errno == EINTR);
  const int error = errno;
  ::close(fd);
  if (got < 0) return tl::unexpected(error);
  return std::string(buffer, static_cast<std::size_t>(got));
}

std::string first_line(const std::string& path) {
  auto text = contents(path);
  return text ? text->substr(0, text->find('\n')) : std::string();
}

tl::unexpected<Refusal> failed(const std::string& path, int error) {
  return refused(reason_of(error), path + ": " + std::generic_category().message(error));
}

bool is_there(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

const char* folder_of(Bus bus) {
  if (bus == Bus::iio) return "/bus/iio/devices";
  return bus == Bus::hwmon ? "/class/hwmon" : "/bus/w1/devices";
}

bool is_called(const std::string& folder, const Target& target) {
  if (target.bus == Bus::w1) return fs::path(folder).filename() == target.name;
  return first_line(folder + "/name") == target.name ||
         first_line(folder + "/label") == target.name;
}

// What /sys/…/iio:device3 hangs on.
std::string place_of(const std::string& folder) {
  std::error_code error;
  const fs::path place = fs::canonical(folder, error);
  return error ? folder : place.string();
}

// The first of "in_OWNER_WHAT" that is there; a file that is not there is no fault, all else is.
tl::expected<std::optional<Number>, Refusal> shared(const std::string& folder,
                                                    const std::string& channel, const char* what) {
  for (const std::string& owner : owners_of(channel)) {
    const std::string path = folder + "/in_" + owner + "_" + what;
    const auto text = contents(path);
    if (!text && text.error() == ENOENT) continue;
    if (!text) return failed(path, text.error());
    auto number = number_of(*text);
    if (!number) return tl::unexpected(number.error());
    return std::optional<Number>(*number);
  }
  return std::optional<Number>();
}

}  // namespace

tl::expected<std::string, Refusal> Tree::find(const Target& target) const {
  const std::string bus = root_ + folder_of(target.bus);
  std::vector<std::string> found, names;
  std::error_code error;
  for (fs::directory_iterator it(bus, error), end; !error && it != end; it.increment(error)) {
    const std::string folder = it->path().string();
    if (!is_called(folder, target)) {
      if (target.bus != Bus::w1)
        names.push_back(first_line(folder + "/name"));
      else
        names.push_back(it->path().filename().string());
    } else if (place_of(folder).find(target.path) != std::string::npos) {
      found.push_back(folder);
    } else {
      names.push_back(target.name + " at " + place_of(folder));
    }
  }
  if (found.size() == 1) return found.front();
  std::sort(names.begin(), names.end());
  if (found.size() > 1) {
    std::sort(found.begin(), found.end());
    for (std::string& folder : found) folder = place_of(folder);
    return refused(GERBANG_REASON_NO_CONNECTION,
                   std::to_string(found.size()) + " devices are called " + target.name + ": " +
                       joined(found) + "; name a part of its place with path");
  }
  return refused(GERBANG_REASON_NO_CONNECTION,
                 "there is no " + target.name + (target.path.empty() ? "" : " at " + target.path) +
                     " in " + bus +
                     (names.empty() ? " (it is empty)" : "; there are: " + joined(names)));
}

Value Tree::read(const std::string& folder, const Target& target, std::string& text) const {
  const bool is_iio = target.bus == Bus::iio;
  if (target.bus == Bus::w1) {
    const std::string path = folder + "/w1_slave";
    auto read = contents(path);
    if (read) {
      text = *read;
      return w1_of(text);
    }
    if (read.error() != ENOENT) return failed(path, read.error());
  }
  const std::string name =
      target.bus == Bus::w1 ? "temperature" : (is_iio ? "in_" : "") + target.channel + "_input";
  std::string path = folder + "/" + name;
  auto read = contents(path);
  const bool is_raw = !read && read.error() == ENOENT && is_iio;
  if (is_raw) {
    path = folder + "/in_" + target.channel + "_raw";
    read = contents(path);
  }
  if (!read && read.error() == ENOENT && is_there(folder)) {
    const auto known = channels(folder, target.bus);
    return refused(GERBANG_REASON_PROTOCOL,
                   target.name + " has no channel " + target.channel +
                       (known.empty() ? "" : "; it has: " + joined(known)));
  }
  if (!read) return failed(path, read.error());
  text = *read;
  auto number = number_of(text);
  if (!number || !is_raw) return number;
  const auto offset = shared(folder, target.channel, "offset");
  if (!offset) return tl::unexpected(offset.error());
  const auto scale = shared(folder, target.channel, "scale");
  if (!scale) return tl::unexpected(scale.error());
  return processed(*number, *offset, *scale);
}

std::vector<Device> Tree::devices(Bus bus) const {
  std::vector<Device> out;
  std::error_code error;
  for (fs::directory_iterator it(root_ + folder_of(bus), error), end; !error && it != end;
       it.increment(error)) {
    Device device;
    device.folder = it->path().string();
    device.place = place_of(device.folder);
    if (bus != Bus::w1)
      device.name = first_line(device.folder + "/name");
    else if (is_there(device.folder + "/w1_slave") || is_there(device.folder + "/temperature"))
      device.name = it->path().filename().string();
    if (!device.name.empty()) out.push_back(std::move(device));
  }
  std::sort(out.begin(), out.end(),
            [](const Device& a, const Device& b) { return a.place < b.place; });
  return out;
}

std::vector<std::string> Tree::channels(const std::string& folder, Bus bus) {
  std::vector<std::string> out;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    const bool input = name.ends_with("_input");
    const bool raw = bus == Bus::iio && name.ends_with("_raw");
    if (!input && !raw) continue;
    if (bus == Bus::iio && !name.starts_with("in_")) continue;
    const std::string channel = channel_of(name);
    if (std::find(out.begin(), out.end(), channel) == out.end()) out.push_back(channel);
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace gerbang::iio
