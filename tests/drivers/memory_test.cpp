// SPDX-License-Identifier: Apache-2.0
#include "ipc/memory.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>

namespace gerbang::ipc {
namespace {

constexpr std::size_t kSize = 64 << 10;

// A file of 64 KiB of 'x' that is mapped for reading, with every page touched.
class Mapped {
 public:
  explicit Mapped(bool change) : file_(std::tmpfile()) {
    const std::string text(kSize, 'x');
    EXPECT_EQ(std::fwrite(text.data(), 1, text.size(), file_), kSize);
    EXPECT_EQ(std::fflush(file_), 0);
    void* at = mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE, fileno(file_), 0);
    EXPECT_NE(at, MAP_FAILED);
    begin_ = static_cast<char*>(at);
    if (change) begin_[5000] = 'y';
    EXPECT_EQ(mprotect(begin_, kSize, PROT_READ), 0);
    for (std::size_t i = 0; i < kSize; i += 4096) sum_ += begin_[i];
  }
  ~Mapped() {
    munmap(begin_, kSize);
    std::fclose(file_);
  }
  Mapped(const Mapped&) = delete;
  Mapped& operator=(const Mapped&) = delete;

  char at(std::size_t i) const { return static_cast<const volatile char*>(begin_)[i]; }

  // Kilobytes of it that this process has mapped.
  int resident() const {
    std::ostringstream head;
    head << std::hex << reinterpret_cast<std::uintptr_t>(begin_) << '-';
    std::ifstream in("/proc/self/smaps");
    for (std::string line; std::getline(in, line);) {
      if (!line.starts_with(head.str())) continue;
      while (std::getline(in, line))
        if (int kilobytes = 0; std::sscanf(line.c_str(), "Rss: %d kB", &kilobytes) == 1)
          return kilobytes;
    }
    return -1;
  }

 private:
  std::FILE* file_;
  char* begin_ = nullptr;
  int sum_ = 0;
};

TEST(Memory, PagesOfAFileThatNobodyChangedAreForgottenAndComeBack) {
  Mapped mapped(false);
  ASSERT_EQ(mapped.resident(), 64);

  forget_startup();

  EXPECT_EQ(mapped.resident(), 0);
  EXPECT_EQ(mapped.at(5000), 'x');
}

TEST(Memory, AMappingWithAChangedPageStaysAsItIs) {
  Mapped mapped(true);

  forget_startup();

  EXPECT_EQ(mapped.at(5000), 'y');
  EXPECT_EQ(mapped.at(5001), 'x');
}

}  // namespace
}  // namespace gerbang::ipc
