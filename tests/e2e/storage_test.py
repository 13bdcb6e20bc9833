#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Real file systems under the real daemon: power cuts, a disk that is full to the last byte, a card that goes and comes back. Needs
root and loop mounts; where there are none it says NOT RUN and is skipped. CUTS (default 25) is the number of power cuts."""
import os
import pathlib
import random
import signal
import statistics
import tempfile
import time
import unittest

from counting_rig import IN_FLIGHT, UNITS, Rig
from disk import Disk, need_root
from harness import Bench, wait_for

CUTS = int(os.environ.get("CUTS", "25"))
COMMIT_INTERVAL = 0.2
UNDER_WAY = 0.7  # a commit on a busy machine; what was really lost is printed


class Storage(unittest.TestCase):
    def rig(self, bench, disk, store):
        self.addCleanup(disk.close)
        return Rig(bench, store)

    def status(self, rig):
        return wait_for("the status", lambda: rig.gateway.json(rig.http_port, "/api/v1/status"))

    def volatile(self, rig):
        return {(row.sensor, m.window, m.window_start_ms): row.SerializeToString(deterministic=True)
                for _, m, _ in rig.room.messages("aggregate") if m.source.sequence == 0 for row in m.aggregates}

    def check_alive(self, rig):
        """Sensing goes on, and the page answers."""
        rig.sensing(time.monotonic(), seconds=5)
        for path in "/", "/healthz", "/metrics", "/api/v1/status":
            code, _ = rig.gateway.get(rig.http_port, path)
            self.assertEqual(code, 200, path)
        self.assertTrue(rig.gateway.process.running())

    def test_power_cuts(self):
        chance = random.Random(31)
        with Bench() as bench:
            disk = Disk(bench.memory() / "card.img", bench.folder / "state", 48)
            rig = self.rig(bench, disk, f'commit_interval = "{COMMIT_INTERVAL * 1000:.0f}ms"\nmin_free = "1MiB"')
            rig.shown_is_kept = False
            rig.sensing(rig.start())
            cuts, back, durable = [], [], set()
            for _ in range(CUTS):
                time.sleep(chance.uniform(0.1, 1.5))
                # What the store answers a query with is committed.
                newest = wait_for("history", lambda: rig.gateway.json(rig.http_port, "/api/v1/readings?sensor=count-1&from=-2s&limit=1000"))
                durable |= {int(r["value"]) for r in newest["readings"] if "value" in r}
                cuts.append(time.monotonic())
                disk.cut()
                time.sleep(chance.uniform(0, 0.1))  # the processor lives a little longer than the card
                os.kill(rig.gateway.pid, signal.SIGKILL)
                rig.gateway.process.process.wait()
                rig.gaps.append([cuts[-1] - COMMIT_INTERVAL - UNDER_WAY - IN_FLIGHT, time.monotonic() + 0.05])
                for left in rig.gateway.runtime.iterdir():  # memory forgets
                    if left != disk.image:
                        left.unlink()
                disk.unmount()
                disk.mount()
                back.append(rig.sensing(rig.start()))
                rig.gateway.balance(rig.http_port)
                self.assertFalse(self.status(rig)["store"]["damaged"])
            time.sleep(3)
            have = {c for c, _, _ in rig.stored()["count-1"]}
            self.assertEqual(durable - have, set(), "durable before a cut, and gone after it")
            figures = rig.finish()
            self.assertEqual(figures["streams"], 1)
            starts = [0] + [end for _, end in rig.gaps]
            worst = [max((cut - at for at in rig.lost if start < at <= cut), default=0) for cut, start in zip(cuts, starts)]
            usual = statistics.median(worst)
            self.assertLess(usual, COMMIT_INTERVAL + IN_FLIGHT + 0.1)
            print(f"{CUTS} power cuts on ext4: {figures}; {len(durable)} readings of one sensor seen durable before a cut, all kept; the oldest "
                  f"reading that a cut took was {usual:.2f} s old (median), {max(worst):.2f} s (worst), with commit_interval {COMMIT_INTERVAL:g} s; "
                  f"back after {max(back):.2f} s at most")

    def test_a_card_that_goes_and_comes_back(self):
        with Bench() as bench:
            disk = Disk(bench.folder / "card.img", bench.folder / "state", 48)
            rig = self.rig(bench, disk, 'commit_interval = "1s"\nmin_free = "1MiB"')
            rig.sensing(rig.start())
            time.sleep(3)
            disk.cut()
            began = time.monotonic()
            wait_for("the store to be degraded", lambda: self.status(rig)["store"]["degraded"], 10)
            noticed = time.monotonic() - began
            self.assertEqual(rig.gateway.get(rig.http_port, "/readyz")[0], 503)
            self.assertIn("error", self.status(rig)["store"]["trouble"])
            wait_for("windows from memory", lambda: len({w for _, _, w in self.volatile(rig)}) >= 3, 20)
            self.check_alive(rig)
            rig.gateway.balance(rig.http_port)
            disk.unmount()  # nobody holds it
            time.sleep(2)
            self.check_alive(rig)
            disk.mount()
            began = time.monotonic()
            wait_for("the store to recover", lambda: not self.status(rig)["store"]["degraded"], 30)
            recovered = time.monotonic() - began
            self.assertEqual(rig.gateway.get(rig.http_port, "/readyz")[0], 200)
            sent = self.status(rig)["uplinks"][0]["volatileSent"]
            volatile = self.volatile(rig)
            def without_number():
                numbered = {(s, w, start) for s, w, start, _ in rig.windows()}
                return [key for key in volatile if key not in numbered]

            # What was said from memory comes with a number, as what came late does: within a minute.
            wait_for("windows with numbers", lambda: not without_number(), 90)
            figures = rig.finish()  # not one reading is missing
            self.assertEqual(figures["streams"], 1)
            marks = {m.source.volatile for _, m, _ in rig.room.messages("aggregate") if m.source.sequence == 0}
            self.assertEqual(marks, {True})
            self.assertFalse([m for _, m, _ in rig.room.messages("aggregate", retained=True) if m.source.volatile and m.source.sequence])
            print(f"a card away: noticed after {noticed:.1f} s, {sent} messages of {len(volatile)} windows from memory, "
                  f"recovered {recovered:.1f} s after it was back; {figures}")

    def test_a_full_disk(self):
        with Bench() as bench:
            disk = Disk(bench.folder / "card.img", bench.folder / "state", 8, block=1024)
            rig = self.rig(bench, disk, 'commit_interval = "1s"\nmin_free = "0MiB"')
            rig.sensing(rig.start())
            time.sleep(4)
            filled, said, end = 0, set(), time.monotonic() + 6
            while time.monotonic() < end:
                filled += disk.fill()  # also what the gateway gives back
                store = self.status(rig)["store"]
                said.add("degraded" if store["degraded"] else "going on")
                time.sleep(0.2)
            self.assertLess(disk.available(), 1024)
            self.check_alive(rig)
            rig.gateway.balance(rig.http_port)
            log = rig.gateway.process.text()
            self.assertIn("the disk is full", log)
            full = self.status(rig)["store"]
            disk.free()
            wait_for("the store to recover", lambda: not self.status(rig)["store"]["degraded"], 30)
            time.sleep(3)
            self.check_alive(rig)
            ledger = rig.gateway.balance(rig.http_port)
            # History may have made room: the oldest of it, and every reading of that is counted.
            stored = {sensor: [c for c, _, _ in rows if c is not None] for sensor, rows in rig.stored().items()}
            for sensor, counts in stored.items():
                self.assertEqual(counts, list(range(counts[0], counts[-1] + 1)), f"{sensor}: a hole")
            rejected = wait_for("the ledger", lambda: rig.gateway.json(rig.http_port, "/api/v1/ledger"))["readings"]["rejected"]
            self.assertEqual(rejected, {}, "memory was enough for so short a time")
            gone = sum(counts[0] - 1 for counts in stored.values())
            expired = self.status(rig)["store"]["expired"].get("readings_for_room", 0)
            self.assertEqual(gone, expired)
            self.assertEqual(rig.gateway.process.stop(seconds=30), 0)
            rig.stream.ending = True
            rig.room.stop()
            print(f"8 MB of 1 KiB blocks full to the last byte for 6 s: {'/'.join(sorted(said))}, {full['trouble'] or 'no trouble'}; "
                  f"{gone} old readings made room, all counted; {ledger}, {rig.room.audit()}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        need_root(sum(name.startswith("test_") for name in dir(Storage)), pathlib.Path(folder))
    unittest.main(verbosity=2)
