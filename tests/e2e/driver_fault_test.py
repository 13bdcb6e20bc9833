#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A driver is killed, hangs, or crashes on load: the other driver's intervals do not move, and the page and the API say what
happened."""
import os
import pathlib
import signal
import time
import unittest

from harness import BUILD, Bench, Gateway, children, free_port, identity, wait_for


def configuration(http_port, plugin, options=""):
    return identity() + f"""
[store]
commit_interval = "200ms"
[http]
listen = "127.0.0.1:{http_port}"
[[driver]]
name = "good"
plugin = "simulator"
interval = "100ms"
[[driver]]
name = "other"
plugin = "{plugin}"
interval = "100ms"
{options}
[[sensor]]
id = "good-turbidity"
driver = "good"
quantity = "turbidity"
unit = "NTU"
address = {{ signal = "raw_turbidity" }}
[[sensor]]
id = "other-turbidity"
driver = "other"
quantity = "turbidity"
unit = "NTU"
address = {{ signal = "raw_turbidity" }}
"""


def driver(status, name):
    return next(d for d in status["drivers"] if d["name"] == name)


class DriverFaults(unittest.TestCase):
    def steady(self, gateway, port, seconds):
        """Distances between the stored times of the good sensor's readings, in ms."""
        time.sleep(seconds)
        page = wait_for("readings", lambda: gateway.json(port, f"/api/v1/readings?sensor=good-turbidity&from=-{int(seconds)}s"))
        times = [r["timeMs"] for r in page["readings"]]
        self.assertGreater(len(times), seconds * 10 * 0.8)
        return [b - a for a, b in zip(times, times[1:])]

    def assert_interval_unmoved(self, distances):
        self.assertLess(abs(sorted(distances)[len(distances) // 2] - 100), 5, distances)
        self.assertLess(max(distances), 200, "a reading came late")

    def test_killed(self):
        with Bench() as bench:
            port = free_port()
            gateway = Gateway(bench, configuration(port, "simulator"))
            wait_for("both drivers", lambda: (s := gateway.json(port, "/api/v1/status")) and
                     all(d["state"] == "running" for d in s["drivers"]), 20)
            hosts = children(gateway.pid, "gerbang-driver-host")
            self.assertEqual(len(hosts), 2)
            victim = next(h for h in hosts if driver(gateway.json(port, "/api/v1/status"), "other")["pid"] == h)
            os.kill(victim, signal.SIGKILL)
            began = time.monotonic()
            wait_for("the restart", lambda: (d := driver(gateway.json(port, "/api/v1/status"), "other")) and
                     d["state"] == "running" and d["restarts"] >= 1, 10)
            took = time.monotonic() - began
            self.assertIn("SIGKILL", driver(gateway.json(port, "/api/v1/status"), "other")["lastError"])
            self.assert_interval_unmoved(self.steady(gateway, port, 3))
            gateway.balance(port)
            print(f"killed: back after {took:.2f} s")

    def test_hangs(self):
        with Bench() as bench:
            port = free_port()
            gateway = Gateway(bench, configuration(port, "simulator", '[driver.options]\nfault = "hang"\nfault_after = "2s"'))
            wait_for("the good driver", lambda: (s := gateway.json(port, "/api/v1/status")) and
                     driver(s, "good")["state"] == "running", 20)
            time.sleep(3)
            self.assert_interval_unmoved(self.steady(gateway, port, 4))
            wait_for("the hang to be found", lambda: driver(gateway.json(port, "/api/v1/status"), "other")["restarts"] >= 1, 40)
            self.assertRegex(driver(gateway.json(port, "/api/v1/status"), "other")["lastError"], "heartbeat|hang")
            self.assert_interval_unmoved(self.steady(gateway, port, 3))
            gateway.balance(port)

    def test_crashes_on_load(self):
        with Bench() as bench:
            port = free_port()
            folder = bench.folder / "drivers"
            folder.mkdir()
            for so in (BUILD / "drivers").glob("*.so"):
                (folder / so.name).symlink_to(so)
            bad = BUILD / "bad_drivers" / "crash_on_load.so"
            self.assertTrue(bad.exists(), "the bad drivers are built with the tests")
            (folder / "crashing.so").symlink_to(bad)
            text = configuration(port, "crashing")
            gateway = Gateway(bench, text, {"GERBANG_DRIVER_PATH": str(folder)})
            wait_for("quarantine", lambda: (s := gateway.json(port, "/api/v1/status")) and
                     driver(s, "other")["state"] == "quarantined", 60)
            self.assert_interval_unmoved(self.steady(gateway, port, 3))
            status = gateway.json(port, "/api/v1/status")
            self.assertRegex(driver(status, "other")["lastError"], "signal")
            self.assertEqual(driver(status, "good")["restarts"], 0)
            ready, _ = gateway.get(port, "/readyz")
            self.assertEqual(ready, 200, "one driver delivers")
            gateway.balance(port)


if __name__ == "__main__":
    unittest.main(verbosity=2)
