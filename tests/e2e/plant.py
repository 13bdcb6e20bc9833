# SPDX-License-Identifier: Apache-2.0
"""The devices of a site (tests/support/plant) beside a test, and their faults."""
import re
import socket

from harness import SOURCE, wait_for


class Plant:
    """Plays a scenario; `at[NAME]` is where a line is: "127.0.0.1:PORT" or the path of a serial port."""

    def __init__(self, bench, scenario):
        self.folder = bench.folder / "plant"
        self.folder.mkdir()
        file = bench.write("plant.toml", scenario)
        self.process = bench.run("plant", ["/usr/bin/python3", SOURCE / "tests" / "support" / "plant", file, "--folder", self.folder,
                                           "--control", "0"])
        text = wait_for("the plant", lambda: self.process.text() if "\nready" in self.process.text() else None)
        self.at = dict(re.findall(r"^line (\S+) at (\S+)$", text, re.M))
        self.socket = socket.create_connection(("127.0.0.1", int(re.search(r"^control at .*:(\d+)$", text, re.M)[1])), timeout=10)
        self.file = self.socket.makefile("rw", encoding="utf-8")

    def say(self, command):
        """What the control port answers after "ok"."""
        self.file.write(command + "\n")
        self.file.flush()
        answer = self.file.readline().strip()
        assert answer.startswith("ok"), f"{command}: {answer}"
        return answer[3:]

    def close(self):
        self.file.close()
        self.socket.close()
