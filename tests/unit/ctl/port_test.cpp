// SPDX-License-Identifier: Apache-2.0
#include "ctl/port.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "support/temp_dir.hpp"

namespace gerbang::ctl {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct Port : testing::Test {
  test::TempDir dev;

  std::string add(const std::string& name) {
    const auto path = dev.path() / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream{path};
    return path.string();
  }
};

TEST_F(Port, NamesThatStayComeBeforeThoseThatAreCountedThrough) {
  EXPECT_TRUE(serial_ports(dev.path()).empty());
  add("null");
  const std::string second = add("ttyUSB1"), first = add("ttyUSB0"), board = add("ttyAMA0");
  EXPECT_THAT(serial_ports(dev.path()), ElementsAre(board, first, second));
  const std::string stays = add("serial/by-id/usb-FTDI_FT232R-if00-port0");
  EXPECT_THAT(serial_ports(dev.path()), ElementsAre(stays));
}

TEST_F(Port, OneThatIsNotThereSaysWhichAre) {
  const std::string device = (dev.path() / "ttyUSB9").string();
  EXPECT_THAT(port_fault(device, dev.path()).what, HasSubstr("is it plugged in?"));
  const std::string other = add("ttyUSB0");
  const PortFault fault = port_fault(device, dev.path());
  EXPECT_EQ(fault.what, device + " is not there; seen here: " + other);
  EXPECT_FALSE(fault.is_there);
}

TEST_F(Port, AFileAFolderAndAnotherDeviceAreNoSerialPorts) {
  EXPECT_THAT(port_fault(add("notes.txt"), dev.path()).what, HasSubstr("is no serial port"));
  EXPECT_THAT(port_fault(dev.path().string(), dev.path()).what, HasSubstr("is no serial port"));
  EXPECT_THAT(port_fault("/dev/null", dev.path()).what, HasSubstr("is no serial port"));
}

TEST_F(Port, ATerminalIsOne) {
  EXPECT_EQ(port_fault("/dev/ptmx").what, "");
}

}  // namespace
}  // namespace gerbang::ctl
