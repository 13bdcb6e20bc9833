#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The page under clients that no web server wants (hostile_clients.py): each gets a clear error or a closed connection, memory and
descriptors are bounded, sensing does not notice, and the page answers afterwards. HOSTILE_SECONDS (default 3) is the length of
each attack.

What a client gets at the bound: 16 connections in all and 8 from one address; one more takes the place of the oldest that has not
yet sent a complete request, or is closed at once where there is none. 4 event streams and 4 history requests at a time; the next
is answered 503. A request has 5 s from its first byte to its last, 8 KiB of header and 1 KiB of body; each 16 KiB of an answer
have 5 s. A hundred answers, then the connection ends."""
import json
import os
import statistics
import subprocess
import sys
import time
import unittest

from counting_rig import UNITS, Rig
from harness import SANITIZERS, SOURCE, Bench, wait_for
from observe import Footprint, quantile

SECONDS = float(os.environ.get("HOSTILE_SECONDS", "3"))
INTERVAL = 0.05                  # of the rig's sensors
CONNECTIONS = 16 + 4             # TCP and control socket
GROWTH, MEMORY = 24e6, 96e6      # bytes: of the daemon by all attacks together, and of all processes


class HostileHttp(unittest.TestCase):
    def intervals(self, rig, since, until):
        """Seconds between two reads of one unit, sorted; as the plant saw them."""
        last, out = {}, []
        for unit, _, at in rig.served():
            if unit in last and since <= last[unit] and at <= until:
                out.append(at - last[unit])
            last[unit] = at
        return sorted(out)

    def page(self, rig):
        """The seconds until the page answered; None: not this time."""
        began = time.monotonic()
        try:
            status, _ = rig.gateway.get(rig.http_port, "/healthz")
        except OSError:
            return None
        return time.monotonic() - began if status == 200 else None

    def attack(self, rig, name):
        """Runs one attack; what the clients got, the largest footprint, how often the page answered meanwhile."""
        began = time.monotonic()
        clients = subprocess.Popen(["nice", sys.executable, SOURCE / "tests/e2e/hostile_clients.py", name, str(rig.http_port), str(SECONDS)],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        descriptors, answered, asked = 0, 0, 0
        while clients.poll() is None:
            asked += 1
            answered += self.page(rig) is not None
            descriptors = max(descriptors, Footprint.of(rig.gateway.pid).daemon_descriptors)
            time.sleep(0.2)
        out, errors = clients.communicate()
        self.assertEqual(clients.returncode, 0, errors[-2000:])
        intervals = self.intervals(rig, began, time.monotonic())
        wait_for(f"the page after {name}", lambda: self.page(rig), 5)
        return json.loads(out), intervals, descriptors, (answered, asked)

    def test_every_attack(self):
        with Bench() as bench:
            rig = Rig(bench)
            rig.sensing(rig.start())
            time.sleep(2)
            began = time.monotonic()
            time.sleep(SECONDS)
            quiet = self.intervals(rig, began, time.monotonic())
            before = Footprint.of(rig.gateway.pid)
            lines = []
            for name in "slowloris", "garbage", "pipelines", "crowd", "sleepers":
                outcomes, intervals, descriptors, (answered, asked) = self.attack(rig, name)
                figures = (f"{name}: {outcomes}; intervals {statistics.mean(intervals) * 1000:.1f} ms (mean), "
                           f"{quantile(intervals, 0.99) * 1000:.0f} ms (99 %), {intervals[-1] * 1000:.0f} ms (longest); at most "
                           f"{descriptors} descriptors; the page answered {answered} of {asked} times meanwhile")
                lines.append(figures)
                self.assertLess(statistics.mean(intervals), 1.05 * statistics.mean(quiet), figures)
                self.assertGreater(len(intervals), 0.9 * SECONDS / INTERVAL * UNITS, figures)
                self.assertLess(intervals[-1], max(0.5, 3 * quiet[-1]), figures)
                self.assertLessEqual(descriptors, before.daemon_descriptors + CONNECTIONS, figures)
                self.check(name, outcomes)
            after = Footprint.of(rig.gateway.pid)
            wait_for("the connections to end", lambda: Footprint.of(rig.gateway.pid).daemon_descriptors <= before.daemon_descriptors + 2, 30)
            if not SANITIZERS:
                self.assertLess(after.daemon_resident - before.daemon_resident, GROWTH)
                self.assertLess(after.peak, MEMORY)
            _, metrics = rig.gateway.get(rig.http_port, "/metrics")
            counted = [line for line in metrics.splitlines() if line.startswith("gerbang_http_connections_total")]
            self.assertIn("displaced", " ".join(counted))
            figures = rig.finish()
            self.assertEqual(figures["in_flight"], 0)
            print(f"quiet: intervals {statistics.mean(quiet) * 1000:.1f} ms (mean), {quiet[-1] * 1000:.0f} ms (longest); {before}")
            print("\n".join(lines))
            print(f"afterwards {after}; {' '.join(counted)}; {figures}")

    def check(self, name, outcomes):
        """Nobody was served what he should not be: errors are in words, the rest is a closed connection."""
        answers = {k: n for k, n in outcomes.items() if k.isdigit()}
        if name == "slowloris":
            self.assertEqual(answers, {})
        if name == "garbage":
            self.assertGreater(sum(answers.values()), 100, outcomes)
            self.assertTrue(set(answers) <= {"200", "400", "401", "403", "404", "405", "413", "414", "417", "421", "431", "501", "505"}, answers)
        if name == "pipelines":
            self.assertEqual(set(answers), {"200"})
        if name == "crowd":
            self.assertGreater(outcomes["connected"], (5000 if SANITIZERS else 9000) * outcomes["waves"], outcomes)
        if name == "sleepers":
            # A history that fits into the kernel's buffers makes room for the next, however many there are.
            self.assertLessEqual(outcomes.get("stream 200", 0), 4, outcomes)


if __name__ == "__main__":
    unittest.main(verbosity=2)
