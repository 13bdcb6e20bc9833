#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""kill -9 at random moments: nothing that was taken is lost, nothing is stored or folded twice, sensing is back within a second.
What "taken" means is written down in counting_rig.py. KILLS (default 10) is the number of kills of each test."""
import os
import random
import signal
import statistics
import time
import unittest

from counting_rig import Rig
from harness import Bench, children, wait_for

KILLS = int(os.environ.get("KILLS", "10"))
BACK = 1.0  # seconds from the restart until every unit was asked again


class Kill(unittest.TestCase):
    def restart(self, rig, returns):
        """As systemd would; a restart beside other work of the machine is judged by an undisturbed start."""
        returns.append(rig.sensing(rig.start()))
        rig.gateway.balance(rig.http_port)

    def undisturbed(self, rig):
        first = rig.sensing(rig.start())
        time.sleep(1)
        self.assertEqual(rig.gateway.process.stop(seconds=30), 0)
        return max(first, rig.sensing(rig.start()))

    def judge(self, returns, calm):
        worst, median = max(returns), statistics.median(returns)
        self.assertLess(median, max(BACK, 1.5 * calm))
        self.assertLess(worst, max(BACK, 3 * calm))
        return f"back after {median:.2f} s (median), {worst:.2f} s (worst), {calm:.2f} s without a kill"

    def test_the_daemon(self):
        chance = random.Random(11)
        with Bench() as bench:
            rig = Rig(bench)
            calm = self.undisturbed(rig)
            returns = []
            for n in range(KILLS):
                time.sleep(chance.uniform(0.1, 2.2))
                rig.kill(held=n % 2 == 0)
                self.restart(rig, returns)
            time.sleep(3)
            figures = rig.finish()
            self.assertIn("taken and not committed are stored now", rig.gateway.process.text())
            print(f"{KILLS} kills of the daemon: {figures}; {self.judge(returns, calm)}")

    def test_everything_together(self):
        chance = random.Random(12)
        with Bench() as bench:
            rig = Rig(bench)
            calm = self.undisturbed(rig)
            returns = []
            for n in range(KILLS):
                time.sleep(chance.uniform(0.1, 2.2))
                hosts = children(rig.gateway.pid, "gerbang-driver-host") + children(rig.gateway.pid, "gerbang-uplink-host")
                others = chance.sample(hosts, chance.randint(0, len(hosts)))
                broker = n % 3 == 0
                if broker:
                    others.append(rig.broker.process.process.pid)
                if n % 4 == 3:  # hosts alone; the daemon lives and must see it through
                    rig.gaps.append([time.monotonic() - 0.25, time.monotonic() + 0.1])
                    for pid in others:
                        os.kill(pid, signal.SIGKILL)
                    since = time.monotonic()
                    rig.sensing(since)
                    self.assertTrue(rig.gateway.process.running())
                else:
                    rig.kill(held=n % 2 == 0, others=others)
                    self.restart(rig, returns)
                if broker:
                    rig.broker.process.process.wait()
                    rig.broker.start()
            wait_for("the connection", lambda: (s := rig.gateway.json(rig.http_port, "/api/v1/status")) and
                     s["uplinks"][0]["connected"], 30)
            time.sleep(3)
            figures = rig.finish()
            print(f"{KILLS} kills of daemon, hosts and broker: {figures}; {self.judge(returns, calm)}")


if __name__ == "__main__":
    unittest.main(verbosity=2)
