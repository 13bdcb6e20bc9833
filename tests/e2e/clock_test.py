#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The real daemon on a board whose clock is wrong at boot, is set, and later steps back an hour (libfaketime): sensing does not
notice, what was taken before gets its time, each reading stands in one place, and what was said with a wrong time is taken back."""
import pathlib
import time
import unittest
import subprocess

from harness import SANITIZERS, SOURCE, Bench, Broker, Gateway, Subscriber, free_port, wait_for
from plant import Plant

YEARS = 2 * 365 * 86400
HOUR = 3600


def configuration(http_port, broker, plant):
    host, port = plant.split(":")
    return f"""
[gateway]
id = "ipa-jam-1"
region = "maros"
site = "ipa-jam"
site_kind = "water-treatment-plant"
timezone = "Asia/Makassar"
[time]
hold = "4s"
[store]
commit_interval = "200ms"
[windows]
default = ["2s", "1m", "1h", "1d"]
grace = "1s"
[http]
listen = "127.0.0.1:{http_port}"
[[uplink]]
name = "regional"
url = "mqtt://127.0.0.1:{broker.port}"
[[driver]]
name = "plc"
plugin = "modbus"
interval = "200ms"
options = {{ transport = "tcp", host = "{host}", port = {port} }}
[[sensor]]
id = "turbidity"
driver = "plc"
quantity = "turbidity"
address = {{ unit = 1, table = "holding", register = 0, type = "uint32" }}
"""


SCENARIO = """
[[line]]
name = "plc"
kind = "modbus-tcp"
listen = "127.0.0.1:0"
[[line.device]]
unit = 1
points.seconds = { register = 0, type = "uint32", value = { per_second = 1000 } }
"""


class Clock(unittest.TestCase):
    def setUp(self):
        self.bench = self.enterContext(Bench())
        shim = self.bench.folder / "clock_shim.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", shim, SOURCE / "tests" / "support" / "clock_shim.c"], check=True)
        faketime = next(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
        self.offset, self.sync = self.bench.folder / "offset", self.bench.folder / "sync"
        # The runtime of a sanitizer has to stand before what stands in between.
        self.environment = {"LD_PRELOAD": " ".join([*SANITIZERS, str(shim), str(faketime)]), "FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_NO_CACHE": "1",
                            "FAKETIME_TIMESTAMP_FILE": str(self.offset), "CLOCK_SHIM": str(self.sync), "DONT_FAKE_MONOTONIC": "1"}
        self.set_clock(-YEARS, False)
        self.broker = Broker(self.bench)
        self.subscriber = Subscriber(self.bench, self.broker)
        self.plant = Plant(self.bench, SCENARIO)
        self.addCleanup(self.plant.close)
        self.port = free_port()
        self.gateway = Gateway(self.bench, configuration(self.port, self.broker, self.plant.at["plc"]), self.environment)

    def set_clock(self, seconds, synchronised):
        fresh = self.offset.with_suffix(".new")
        fresh.write_text(f"{seconds:+d}s\n", encoding="utf-8")
        fresh.replace(self.offset)
        # After the time, as time services do: a wrong time that is called synchronised for a moment is believed.
        self.sync.write_text("1" if synchronised else "0", encoding="utf-8")

    def readings(self, since, until):
        """(time, value, clock) of what is stored; times in seconds of this machine's clock."""
        page = wait_for("readings", lambda: self.gateway.json(
            self.port, f"/api/v1/readings?sensor=turbidity&from={int(since * 1000)}&to={int(until * 1000)}&limit=10000"))
        return [(r["timeMs"] / 1000, r["value"] / 1000, r["clock"]) for r in page["readings"] if r.get("value") is not None]

    def rows(self, since, until):
        page = wait_for("aggregates", lambda: self.gateway.json(
            self.port, f"/api/v1/aggregates?sensor=turbidity&window=2s&from={int(since * 1000)}&to={int(until * 1000)}&limit=10000"))
        return page["aggregates"]

    def last_value(self):
        document = self.gateway.json(self.port, "/api/v1/sensors") or {"sensors": []}
        return next((s["newest"]["value"] for s in document["sensors"] if s.get("newest") and s["newest"].get("value") is not None), None)

    def test_wrong_at_boot_then_set_then_an_hour_back(self):
        began = time.time()
        wait_for("readings", self.last_value)
        time.sleep(9)  # longer than the hold: windows go out with the wrong time, and say so
        wrong = [m for _, m, _ in self.subscriber.messages("aggregate") if m.window_start_ms / 1000 < began - YEARS / 2]
        self.assertTrue(wrong, "nothing was said of the time before the clock was set")
        self.assertEqual({a.clock for m in wrong for a in m.aggregates}, {3})  # UNTRUSTED
        self.assertEqual(self.gateway.json(self.port, "/api/v1/status")["clock"], "UNTRUSTED")

        self.set_clock(0, True)
        wait_for("the clock to be believed", lambda: self.gateway.json(self.port, "/api/v1/status")["clock"] == "TRUSTED")
        now = time.time()
        wait_for("readings of before to have their time", lambda: any(
            at < now - 5 and clock == "ESTIMATED" for at, _, clock in self.readings(began - 5, now)))
        time.sleep(6)
        self.assertEqual(self.readings(began - YEARS - HOUR, began - YEARS + HOUR), [], "readings stand in the wrong year")

        # Each reading in one place, in order, and its value (seconds of the plant's clock) runs as its time does.
        stored = self.readings(began - 5, time.time() + 5)
        drift = [value - at for at, value, _ in stored]
        self.assertLess(max(drift) - min(drift), 0.35, "a reading has another's time")
        self.assertEqual(len({value for _, value, _ in stored}), len(stored), "a reading stands twice")
        gaps = [b[0] - a[0] for a, b in zip(stored, stored[1:])]
        print(f"{len(stored)} readings, intervals {min(gaps) * 1000:.0f} to {max(gaps) * 1000:.0f} ms over the step of two years")
        self.assertLess(max(gaps), 0.6, "sensing paused when the clock was set")

        # What was said of the wrong year is taken back; the right windows come as rows and as messages.
        wait_for("windows of the wrong year to be taken back", lambda: all(
            row["received"] == 0 for row in self.rows(began - YEARS - HOUR, began - YEARS + HOUR)), 90)
        estimated = wait_for("windows with their right time", lambda: [
            row for row in self.rows(began - 5, now) if row["clock"] == "ESTIMATED" and row["received"] > 0], 90)
        print(f"{len(wrong)} messages of the wrong year were taken back; {len(estimated)} windows have their right time")

        before = self.last_value()
        self.set_clock(-HOUR, True)
        stepped = time.time()
        time.sleep(5)
        self.assertGreater(self.last_value(), before, "sensing stopped when the clock went back")
        back = self.readings(stepped - HOUR - 1, stepped - HOUR + 10)
        gaps = [b[0] - a[0] for a, b in zip(back, back[1:])]
        self.assertGreater(len(back), 15)
        self.assertLess(max(gaps), 0.6, "sensing paused when the clock went back")
        self.events()
        figures = self.gateway.balance(self.port)
        print(f"ledger: {figures}")

    def events(self):
        def steps():
            return [m for _, m, _ in self.subscriber.messages("event") if m.kind == "clock-step"]

        wait_for("events of both steps", lambda: len(steps()) >= 2)
        sizes = [value.value for step in steps() for value in step.values if value.unit == "s"]
        print(f"clock-step: {[round(s, 1) for s in sizes]} s")
        self.assertTrue(any(abs(s - YEARS) < 5 for s in sizes), sizes)
        self.assertTrue(any(abs(s + HOUR) < 5 for s in sizes), sizes)


if __name__ == "__main__":
    unittest.main(verbosity=2)
