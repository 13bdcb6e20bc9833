// SPDX-License-Identifier: Apache-2.0
//
// SDI-12 version 1.4 as text: commands that only read, and what devices answer. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace gerbang::sdi12 {

// A value, or the sentence that says why there is none.
template <class T>
using Expected = tl::expected<T, std::string>;

// 0 to 9, a to z, A to Z.
bool is_address(char c);
constexpr std::string_view kAddresses =
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

// A command that makes values. There is none here that changes an address or a setting.
struct Command {
  enum class Kind : std::uint8_t {
    measure,     // M: the line is the device's until it has measured
    concurrent,  // C: other devices may be asked meanwhile
    continuous,  // R: the values come at once
    verify,      // V: like M, with the device's own checks as values
  };
  Kind kind = Kind::measure;
  int number = -1;       // of M1 … M9, C1 … C9, R0 … R9; -1: none
  bool checked = false;  // values come with a CRC

  bool operator==(const Command&) const = default;
};
constexpr const char* kCommandNames =
    "M|M1|M2|M3|M4|M5|M6|M7|M8|M9|MC|MC1|MC2|MC3|MC4|MC5|MC6|MC7|MC8|MC9|"
    "C|C1|C2|C3|C4|C5|C6|C7|C8|C9|CC|CC1|CC2|CC3|CC4|CC5|CC6|CC7|CC8|CC9|"
    "R0|R1|R2|R3|R4|R5|R6|R7|R8|R9|RC0|RC1|RC2|RC3|RC4|RC5|RC6|RC7|RC8|RC9|V";
std::optional<Command> command_of(std::string_view name);  // as in kCommandNames
std::string name_of(const Command& command);
// "0MC1!", "0D3!"
std::string start_text(char address, const Command& command);
std::string data_text(char address, int number);

// The three characters that stand for the checksum of the text before them.
std::string crc_of(std::string_view text);

// What a device says to M, C or V: so many values will be there in so many seconds.
struct Promise {
  int seconds = 0;
  int values = 0;
};
// `line` without CR and LF, from its address on.
Expected<Promise> parse_promise(const Command& command, std::string_view line);

// Values of a data line, `line` from its address on. Empty when the device has none.
Expected<std::vector<double>> parse_values(std::string_view text);  // "+3.14-2"
// With the CRC taken off, or nothing when it is wrong.
std::optional<std::string_view> without_crc(std::string_view line);

// "14CAMPBELL…": what a device says of itself.
struct Identity {
  std::string version;  // of SDI-12: "1.4"
  std::string vendor, model, firmware, extra;
};
std::optional<Identity> parse_identity(std::string_view line);
std::string text_of(const Identity& identity);

// Lines out of what comes over the port, in any pieces: without CR and LF, and without the echo of
// what was sent (bare UARTs hear themselves, and a break as a zero).
class Lines {
 public:
  // What was sent just now and may be heard; drops what is incomplete.
  void sent(std::string command) {
    echo_ = std::move(command);
    clear();
  }
  void clear() { line_.clear(); }
  // A line, when this byte ends one. Valid until the next call.
  std::optional<std::string_view> take(std::uint8_t byte);
  bool empty() const { return line_.empty(); }

 private:
  static constexpr std::size_t kLongest = 128;
  std::string echo_, line_, whole_;
};

// Nothing but printable ASCII; parity errors come as zeros.
bool is_clean(std::string_view line);

}  // namespace gerbang::sdi12
