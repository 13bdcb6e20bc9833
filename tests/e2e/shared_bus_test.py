#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Ten units on one RS-485 line (a pseudo terminal). One of them goes silent, answers too late, or in the name of another unit; the
adapter is pulled and put back. The nine others keep their interval within 5 %, no value is ever another unit's, and everything
comes back by itself. Prints the intervals."""
import os
import statistics
import time
import unittest

from harness import Bench, Gateway, free_port, identity, wait_for
from plant import Plant

UNITS = range(1, 11)
DEAD = 5
SECONDS = float(os.environ.get("BUS_SECONDS", "8"))


def scenario():
    return """
[[line]]
name = "bus"
kind = "modbus-rtu"
link = "rs485-a"
""" + "".join(f"""
[[line.device]]
unit = {unit}
points.level = {{ register = 0, type = "uint32", value = {unit * 1000003} }}
""" for unit in UNITS)


def configuration(http_port, device):
    return identity() + f"""
[store]
commit_interval = "200ms"
[http]
listen = "127.0.0.1:{http_port}"
[[driver]]
name = "bus"
plugin = "modbus"
interval = "1s"
[driver.options]
transport = "rtu"
device = "{device}"
baud = 9600
timeout = "200ms"
""" + "".join(f"""
[[sensor]]
id = "unit-{unit}"
driver = "bus"
quantity = "turbidity"
address = {{ unit = {unit}, table = "holding", register = 0, type = "uint32" }}
""" for unit in UNITS)


class SharedBus(unittest.TestCase):
    def setUp(self):
        self.bench = self.enterContext(Bench())
        self.plant = Plant(self.bench, scenario())
        self.addCleanup(self.plant.close)
        self.port = free_port()
        self.gateway = Gateway(self.bench, configuration(self.port, self.plant.at["bus"]))
        wait_for("readings of all units", lambda: all(r["value"] is not None for r in self.newest().values()) and len(self.newest()) == 10)

    def newest(self):
        document = self.gateway.json(self.port, "/api/v1/sensors") or {"sensors": []}
        return {s["id"]: s["newest"] for s in document["sensors"] if s.get("newest")}

    def readings(self, unit, since_ms):
        page = wait_for("readings", lambda: self.gateway.json(
            self.port, f"/api/v1/readings?sensor=unit-{unit}&from={since_ms}&limit=10000"))
        for reading in page["readings"]:
            if reading.get("value") is not None:
                self.assertEqual(reading["value"], unit * 1000003, f"unit {unit} has another unit's value: {reading}")
        return page["readings"]

    def intervals(self, units, seconds):
        """Milliseconds between successive good readings of each unit during the next seconds."""
        since = int(time.time() * 1000)
        time.sleep(seconds)
        out = []
        for unit in units:
            times = [r["timeMs"] for r in self.readings(unit, since) if r.get("value") is not None]
            out += [b - a for a, b in zip(times, times[1:])]
        return out

    def test_a_dead_unit_moves_the_others_by_less_than_five_percent(self):
        live = [unit for unit in UNITS if unit != DEAD]
        before = self.intervals(live, SECONDS)

        self.plant.say(f"fault bus/unit-{DEAD} silent")
        wait_for("the dead unit to be noticed", lambda: self.newest()[f"unit-{DEAD}"].get("value") is None)
        after = self.intervals(live, SECONDS)

        for name, distances in ("all live", before), ("one dead", after):
            print(f"{name}: mean {statistics.mean(distances):.1f} ms, median {statistics.median(distances):.0f}, "
                  f"worst {max(distances)}, of {len(distances)}")
        self.assertGreater(len(after), len(live) * (SECONDS - 3))
        self.assertLess(abs(statistics.mean(after) / statistics.mean(before) - 1), 0.05)
        self.plant.say("clear")
        began = time.monotonic()
        wait_for("the unit that is back", lambda: self.newest()[f"unit-{DEAD}"].get("value") == DEAD * 1000003, 60)
        print(f"back after {time.monotonic() - began:.1f} s")
        self.gateway.balance(self.port)

    def test_late_and_foreign_answers_are_nobodys_value(self):
        for kind in os.environ.get("BUS_FAULTS", "slow foreign half garbage crc exception").split():
            since = int(time.time() * 1000)
            self.plant.say(f"fault bus/unit-{DEAD} {kind}")
            reason = wait_for(f"a missing reading ({kind})", lambda: [
                newest["reason"] for newest in [self.newest()[f"unit-{DEAD}"]] if newest.get("value") is None])[0]
            print(f"{kind}: {reason}")
            time.sleep(2)
            for unit in UNITS:
                self.readings(unit, since)  # compares every value
            self.plant.say("clear")
            wait_for("the unit that is back", lambda: self.newest()[f"unit-{DEAD}"].get("value") == DEAD * 1000003, 60)
        self.gateway.balance(self.port)

    def test_an_adapter_that_is_pulled_and_put_back(self):
        since = int(time.time() * 1000)
        self.plant.say("fault bus unplug")
        wait_for("missing readings of all", lambda: all(r.get("value") is None for r in self.newest().values()), 30)
        reasons = wait_for("why, stored", lambda: {
            r["reason"] for unit in UNITS for r in self.readings(unit, since) if r.get("value") is None})
        self.plant.say("clear")
        began = time.monotonic()
        wait_for("all units again", lambda: all(r.get("value") is not None for r in self.newest().values()), 60)
        print(f"pulled: {sorted(reasons)}; all back after {time.monotonic() - began:.1f} s")
        self.assertTrue(reasons <= {"NO_CONNECTION", "TIMEOUT", "BACK_OFF"}, reasons)
        status = self.gateway.json(self.port, "/api/v1/status")
        self.assertEqual([d["state"] for d in status["drivers"]], ["running"])
        self.gateway.balance(self.port)


if __name__ == "__main__":
    unittest.main(verbosity=2)
