#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""SIGHUP: all or nothing. A bad file changes nothing; a good one touches only the drivers that it changes, and nothing of
what waits for a broker is lost."""
import signal
import time
import unittest

from harness import Bench, Broker, Gateway, Subscriber, free_port, identity, wait_for


def simulator(name, interval="100ms"):
    return f'[[driver]]\nname = "{name}"\nplugin = "simulator"\ninterval = "{interval}"\n'


def sensor(driver, channel, sensor_id=None):
    return f"""[[sensor]]
id = "{sensor_id or f'{driver}-{channel}'}"
driver = "{driver}"
quantity = "turbidity"
unit = "NTU"
address = {{ signal = "raw_turbidity", channel = {channel} }}
"""


class Reload(unittest.TestCase):
    def setUp(self):
        self.bench = self.enterContext(Bench())
        self.broker = Broker(self.bench)
        self.room = Subscriber(self.bench, self.broker)
        self.port = free_port()
        self.head = identity() + f"""
[store]
commit_interval = "200ms"
[http]
listen = "127.0.0.1:{self.port}"
[windows]
default = ["1s", "5s"]
grace = "200ms"
[[uplink]]
name = "regional"
url = "mqtt://127.0.0.1:{self.broker.port}"
backlog_rate = 0
"""
        self.first = self.head + simulator("kept") + sensor("kept", 1) + simulator("changed") + sensor("changed", 1)
        self.gateway = Gateway(self.bench, self.first)
        self.wait_running(2)

    def status(self):
        return wait_for("the status", lambda: self.gateway.json(self.port, "/api/v1/status"))

    def drivers(self):
        return {d["name"]: d for d in self.status()["drivers"]}

    def sensors(self):
        return {s["id"] for s in self.gateway.json(self.port, "/api/v1/sensors")["sensors"]}

    def wait_running(self, count):
        wait_for(f"{count} drivers", lambda: (d := self.drivers()) and len(d) == count and
                 all(x["state"] == "running" for x in d.values()))

    def reload(self, text, expected):
        """Writes the file, signals, and waits for the note that begins with `expected`."""
        seen = len(self.gateway.process.text())
        self.gateway.file.write_text(text)
        self.gateway.process.process.send_signal(signal.SIGHUP)
        wait_for(expected, lambda: expected in self.gateway.process.text()[seen:])
        return self.gateway.process.text()[seen:]

    def assert_steady(self, seconds):
        page = self.gateway.json(self.port, f"/api/v1/readings?sensor=kept-1&from=-{seconds}s")
        times = [r["timeMs"] for r in page["readings"]]
        self.assertGreater(len(times), seconds * 8)
        distances = [b - a for a, b in zip(times, times[1:])]
        self.assertLess(max(distances), 250, distances)

    def finish(self):
        """Nothing is missing and nothing came twice with another content."""
        self.gateway.balance(self.port)
        wait_for("an empty outbox", lambda: self.status()["uplinks"][0]["waiting"] <= 2, 30)
        self.assertEqual(self.gateway.process.stop(), 0)
        time.sleep(0.5)
        self.room.stop()
        return self.room.audit()

    def test_a_bad_file_changes_nothing(self):
        before = {name: d["pid"] for name, d in self.drivers().items()}
        hash_before = self.status()["configHash"]
        self.assertEqual(self.status()["configRevision"], 1)
        log = self.reload(self.first.replace('"NTU"', '"mg/L"').replace("interval", "intervall", 1),
                          "nothing was changed")
        self.assertIn("intervall", log)
        self.assertIn("mg/L", log)
        self.assertRegex(log, r"gerbang\.toml:\d+:\d+: ")
        self.assertEqual({name: d["pid"] for name, d in self.drivers().items()}, before)
        self.assertEqual(self.status()["configHash"], hash_before)
        self.assertEqual(self.status()["configRevision"], 1)
        self.assertTrue(any("nothing was changed" in n["text"] for n in self.status()["notes"]), "field staff can see it")
        log = self.reload(self.first.replace('grace = "200ms"', 'grace = "300ms"'), "need a restart")
        self.assertIn("windows.grace", log)
        self.reload(self.first, "nothing has changed")
        time.sleep(2)
        self.assert_steady(2)
        self.finish()

    def test_what_a_driver_refuses_changes_nothing_and_is_told_beside_other_mistakes(self):
        before = {name: d["pid"] for name, d in self.drivers().items()}
        log = self.reload(self.first + """[[driver]]
name = "plc"
plugin = "modbus"
interval = "1s"
options = { host = "127.0.0.1" }
[[sensor]]
id = "wrong"
driver = "plc"
quantity = "turbidity"
unit = "mg/L"
address = { manual = 40002, register = 0 }
""" + sensor("changed", 2), "nothing was changed")
        self.assertRegex(log, r"gerbang\.toml:\d+:\d+: sensor\[wrong\]\.address\.manual: manual = 40002 is register 1")
        self.assertIn("sensor[wrong].unit: ", log)
        self.assertEqual({name: d["pid"] for name, d in self.drivers().items()}, before)
        self.assertEqual(self.sensors(), {"kept-1", "changed-1"})
        time.sleep(2)
        self.assert_steady(2)
        self.finish()

    def test_only_what_changed_is_touched(self):
        before = self.drivers()
        self.reload(self.first + sensor("changed", 2), "changed-2")
        wait_for("the new sensor", lambda: "changed-2" in self.sensors())
        self.wait_running(2)
        wait_for("its first value", lambda: any(s["id"] == "changed-2" and s.get("newest") for s in
                 self.gateway.json(self.port, "/api/v1/sensors")["sensors"]))
        after = self.drivers()
        self.assertEqual(after["kept"]["pid"], before["kept"]["pid"])
        self.assertEqual(after["kept"]["restarts"], 0)

        # A driver and its sensor go, another comes.
        self.reload(self.head + simulator("kept") + sensor("kept", 1) + simulator("late") + sensor("late", 7), "late")
        wait_for("the exchange", lambda: set(self.drivers()) == {"kept", "late"})
        self.assertEqual(self.status()["configRevision"], 3, "two reloads")
        self.wait_running(2)
        self.assertEqual(self.sensors(), {"kept-1", "late-7"})
        self.assertEqual(self.drivers()["kept"]["pid"], before["kept"]["pid"])
        time.sleep(3)
        self.assert_steady(3)
        wait_for("its aggregates", lambda: any(row.sensor == "late-7" for s, m, _ in self.room.messages("aggregate/water/5s")
                                               for row in m.aggregates), 20)
        self.finish()

    def test_the_backlog_and_the_open_windows_survive_it(self):
        wait_for("messages", lambda: len(self.room.messages("aggregate")) >= 2)
        self.broker.stop()
        wait_for("the loss of the link", lambda: not self.status()["uplinks"][0]["connected"])
        for n in range(8):  # a new scale restarts that driver; the windows of both go on
            text = self.first.replace('address = { signal = "raw_turbidity", channel = 1 }',
                                      f'scale = {n + 2}.0\naddress = {{ signal = "raw_turbidity", channel = 1 }}', 2)
            self.reload(text, "scale")
            time.sleep(0.7)
        waiting = self.status()["uplinks"][0]["waiting"]
        self.assertGreaterEqual(waiting, 5)
        self.broker.start()
        wait_for("the link", lambda: self.status()["uplinks"][0]["connected"], 60)
        print(f"{waiting} messages waited through 8 reloads: {self.finish()}")


if __name__ == "__main__":
    unittest.main(verbosity=2)
