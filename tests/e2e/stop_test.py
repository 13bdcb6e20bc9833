#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""SIGTERM at any moment: exit 0 within the unit's budget, nothing lost. STOPS (default 6) is the number of stops of each test."""
import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import time
import unittest

from counting_rig import Rig
from harness import SANITIZERS, SOURCE, Bench, Gateway, free_port, identity, wait_for

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

    def test_signals_to_the_very_end_change_nothing(self):
        """From the last line of a stop until the process is gone, which takes half a second here."""
        with Bench() as bench:
            shim = bench.folder / "slow_end_shim.so"
            subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", shim, SOURCE / "tests" / "support" / "slow_end_shim.c"], check=True)
            text = identity() + f'[http]\nlisten = "127.0.0.1:{free_port()}"\n'
            gateway = Gateway(bench, text, {"LD_PRELOAD": " ".join([*SANITIZERS, str(shim)])})
            for number in signal.SIGTERM, signal.SIGINT, signal.SIGHUP:
                wait_for("the start", lambda: "started:" in gateway.process.text())
                gateway.process.process.send_signal(signal.SIGTERM)
                wait_for("the last line", lambda: gateway.process.text().endswith(" stopped\n"))
                sent = 0
                while gateway.process.running():
                    gateway.process.process.send_signal(number)
                    sent += 1
                    time.sleep(0.02)
                self.assertEqual(gateway.process.process.returncode, 0, gateway.process.text())
                self.assertGreater(sent, 1)
                gateway.process.log.unlink()
                gateway.process.start()
            wait_for("the start", lambda: "started:" in gateway.process.text())
            self.assertEqual(gateway.process.stop(seconds=BUDGET), 0)

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

    def test_during_a_reload(self):
        chance = random.Random(24)
        with Bench() as bench:
            rig, slowest = Rig(bench), 0.0
            for n in range(STOPS):
                rig.sensing(rig.start())
                text = rig.gateway.file.read_text()
                rig.gateway.file.write_text(text.replace('quantity = "turbidity"', f'scale = {n + 2}.0\nquantity = "turbidity"'))
                rig.gateway.process.process.send_signal(signal.SIGHUP)
                time.sleep(chance.uniform(0, 0.3))
                began = time.monotonic()
                self.assertEqual(rig.gateway.process.stop(seconds=BUDGET), 0)
                slowest = max(slowest, time.monotonic() - began)
                rig.gaps.append([began - 0.6, time.monotonic()])  # drivers were being exchanged, their answers under way
                rig.gateway.file.write_text(text)
            rig.start()
            wait_for("messages", lambda: rig.room.messages("aggregate"), 30)
            rig.gateway.balance(rig.http_port)
            self.assertEqual(rig.gateway.process.stop(seconds=BUDGET), 0)
            rig.stream.ending = True
            rig.room.stop()
            print(f"{STOPS} stops during a reload: {rig.room.audit()}; slowest {slowest:.2f} s of {BUDGET:g}")

    @unittest.skipIf(os.getuid() != 0, "NOT RUN 1: needs root, for a disk of its own")
    def test_on_a_full_disk(self):
        """Nothing can be committed: what was taken stays in the journal, and the next start stores it. To make room the store
        may give up its oldest readings, and counts them."""
        with Bench() as bench:
            state = bench.folder / "state"
            state.mkdir()
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", state], check=True)
            try:
                rig, slowest = Rig(bench), 0.0
                for _ in range(2):
                    rig.sensing(rig.start())
                    time.sleep(1)
                    with contextlib.suppress(OSError), open(state / "filler", "wb", buffering=0) as filler:
                        for size in 1 << 16, 1 << 10, 1:
                            with contextlib.suppress(OSError):
                                while filler.write(b"x" * size):
                                    pass
                    time.sleep(4)
                    began = time.monotonic()
                    self.assertEqual(rig.gateway.process.stop(seconds=BUDGET), 0)
                    slowest = max(slowest, time.monotonic() - began)
                    (state / "filler").unlink()
                rig.sensing(rig.start())
                time.sleep(2)
                rig.hold()
                time.sleep(2)
                given_up = 0
                for sensor, rows in rig.stored().items():
                    counts = sorted(count for count, _, _ in rows if count is not None)
                    self.assertEqual(counts, list(range(counts[0], counts[-1] + 1)), f"{sensor} has a hole or something twice")
                    given_up += counts[0] - 1
                ledger = rig.gateway.balance(rig.http_port)
                self.assertEqual(rig.gateway.process.stop(seconds=BUDGET), 0)
                with contextlib.closing(sqlite3.connect(state / "gerbang.db")) as db:
                    counted, = db.execute("SELECT coalesce(sum(value), 0) FROM counter WHERE name GLOB 'expired/*readings*'").fetchone()
                self.assertEqual(given_up, counted)
                time.sleep(1)
                rig.stream.ending = True
                rig.room.stop()
                print(f"2 stops on a full disk: {rig.room.audit()}, {ledger}, {given_up} old readings given up; slowest {slowest:.2f} s "
                      f"of {BUDGET:g}")
            finally:
                if rig.gateway:
                    rig.gateway.process.stop(signal.SIGKILL)
                subprocess.run(["umount", "-l", state], check=False)


if __name__ == "__main__":
    unittest.main(verbosity=2)
