# SPDX-License-Identifier: Apache-2.0
"""What carries frames: a TCP server or a pseudo terminal with a symbolic link for a name, as udev would give it. Faults are put on
the wire here, so that every device has all of them."""
import asyncio
import itertools
import os
import random
import tty

from frames import resample

# kind → what it does to an answer or a streamed frame
FAULTS = {
    "silent": "nothing is said",
    "slow": "answers come 2 s late",
    "late": "answers come 6 s late: after every retry",
    "garbage": "random bytes instead of a frame",
    "half": "the first half of each frame",
    "baud": "what a port at another baud rate reads of each frame: twice, half … twelve times the device's, in turns",
    "crc": "the last byte but the frame's end is wrong",
    "exception": "Modbus: server device failure (4)",
    "foreign": "Modbus RTU and SDI-12: the answer carries another address",
    "flood": "each frame a hundred times",
    "unplug": "serial: the adapter is pulled; TCP: the port is closed",
}


# sent, heard
RATES = [(9600, 19200), (9600, 4800), (9600, 38400), (9600, 2400), (9600, 115200), (115200, 9600), (9600, 14400)]


class Faults:
    """Which fault is on, for a line as a whole or one device of it."""

    def __init__(self):
        self.on = {}  # device name, or "" for all → kind
        self.random, self.rates = random.Random(1), itertools.cycle(RATES)

    def kind(self, device):
        return self.on.get(device) or self.on.get("")

    def bend(self, device, frame):
        """The bytes that go out instead of a frame, and how many seconds late."""
        kind = self.kind(device)
        if kind in ("silent", "unplug"):
            return b"", 0
        if kind == "slow":
            return frame, 2
        if kind == "late":
            return frame, 6
        if kind == "garbage":
            return bytes(self.random.randrange(256) for _ in frame), 0
        if kind == "baud":
            return resample(frame, *next(self.rates)), 0
        if kind == "half":
            return frame[:len(frame) // 2], 0
        if kind == "crc" and frame:
            return frame[:-2] + bytes([frame[-2] ^ 0x01]) + frame[-1:], 0
        if kind == "flood":
            return frame * 100, 0
        return frame, 0


class Pty:
    """A serial port. The symbolic link names it; unplug() takes both away, plug() gives new ones."""

    def __init__(self, link, received):
        self.link, self.received, self.master, self.slave = link, received, None, None

    def plug(self):
        if self.master is not None:
            return
        self.master, self.slave = os.openpty()
        tty.setraw(self.slave)
        os.set_blocking(self.master, False)
        temporary = f"{self.link}.new"
        if os.path.lexists(temporary):
            os.remove(temporary)
        os.symlink(os.ttyname(self.slave), temporary)
        os.replace(temporary, self.link)
        asyncio.get_running_loop().add_reader(self.master, self._readable)

    def unplug(self):
        if self.master is None:
            return
        asyncio.get_running_loop().remove_reader(self.master)
        os.close(self.slave)
        os.close(self.master)
        self.master = self.slave = None
        if os.path.lexists(self.link):
            os.remove(self.link)

    def _readable(self):
        try:
            data = os.read(self.master, 4096)
        except (BlockingIOError, OSError):
            return
        self.received(data)

    def write(self, data):
        """What does not fit is lost, as on a wire that nobody reads."""
        if self.master is None or not data:
            return
        try:
            os.write(self.master, data)
        except BlockingIOError:
            pass
