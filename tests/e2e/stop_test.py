#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""SIGTERM at any moment: exit 0 within the unit's budget, nothing lost. STOPS (default 6) is the number of stops of each test."""
import os
import random
import signal
import time
import unittest

from counting_rig import Rig
from harness import SOURCE, Bench

STOPS = int(os.environ.get("STOPS", "6"))
BUDGET = next(float(line.split("=")[1]) for line in (SOURCE / "systemd/gerbang.service").read_text().splitlines()
              if line.startswith("TimeoutStopSec="))


class Stop(unittest.TestCase):
    def test_under_load(self):
        chance = random.Random(21)
        with Bench() as bench:
            rig, slowest = Rig(bench), 0.0
            for _ in range(STOPS):
                rig.sensing(rig.start())
                time.sleep(chance.uniform(0.1, 2.2))
                began = time.monotonic()
                self.assertEqual(rig.gateway.process.stop(seconds=BUDGET), 0)
                slowest = max(slowest, time.monotonic() - began)
            rig.sensing(rig.start())
            time.sleep(2)
            figures = rig.finish()
            self.assertEqual(figures["in_flight"], 0)
            print(f"{STOPS} stops: {figures}; slowest {slowest:.2f} s of {BUDGET:g}")

    def test_a_second_signal_ends_it_at_once(self):
        chance = random.Random(22)
        with Bench() as bench:
            rig, slowest = Rig(bench), 0.0
            for _ in range(STOPS):
                rig.sensing(rig.start())
                time.sleep(chance.uniform(0.1, 1.5))
                rig.gateway.process.process.send_signal(signal.SIGTERM)
                time.sleep(chance.uniform(0, 0.3))
                began = time.monotonic()
                rig.gaps.append([began - 0.35 - 0.25, began + 0.2])  # drivers are being stopped meanwhile
                self.assertEqual(rig.gateway.process.stop(seconds=2), 0)
                slowest = max(slowest, time.monotonic() - began)
            rig.sensing(rig.start())
            time.sleep(2)
            print(f"{STOPS} second signals: {rig.finish()}; slowest {slowest:.2f} s")

    def test_during_the_start(self):
        chance = random.Random(23)
        with Bench() as bench:
            rig, slowest, before_main = Rig(bench), 0.0, 0
            rig.sensing(rig.start())
            time.sleep(1)
            rig.kill(held=True)
            for n in range(4 * STOPS):
                log = len(rig.gateway.process.text())
                rig.start()
                time.sleep(chance.uniform(0, 0.6))
                began = time.monotonic()
                code = rig.gateway.process.stop(seconds=BUDGET)
                slowest = max(slowest, time.monotonic() - began)
                # Before main() is reached there is nothing that could catch a signal, and nothing that was begun.
                if code == -signal.SIGTERM and rig.gateway.process.text()[log:] == "":
                    before_main += 1
                else:
                    self.assertEqual(code, 0, rig.gateway.process.text()[log:])
            self.assertLess(before_main, 2 * STOPS)
            rig.sensing(rig.start())
            time.sleep(2)
            figures = rig.finish()
            print(f"{4 * STOPS} stops during the start ({before_main} before main): {figures}; slowest {slowest:.2f} s of {BUDGET:g}")


if __name__ == "__main__":
    unittest.main(verbosity=2)
