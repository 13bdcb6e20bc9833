#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Alarms and events from the real daemon to a real broker: raised and cleared within a second or so of the commit, the same
over HTTP, never raised twice by a kill -9, emptied when the configuration loses them."""
import os
import signal
import time
import unittest

from harness import ROOT, Bench, Broker, Gateway, Subscriber, free_port, identity, wait_for



class Alarms(unittest.TestCase):
    def setUp(self):
        self.bench = self.enterContext(Bench())
        self.broker = Broker(self.bench)
        self.room = Subscriber(self.bench, self.broker)
        self.port = free_port()

    def configuration(self, threshold, more=""):
        return identity() + f"""
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
[[driver]]
name = "sim"
plugin = "simulator"
interval = "100ms"
[[sensor]]
id = "turbidity"
driver = "sim"
quantity = "turbidity"
unit = "NTU"
address = {{ signal = "raw_turbidity", channel = 1 }}
""" + more.replace("{threshold}", str(threshold))

    ALARM = """
[[alarm]]
id = "turbid"
sensor = "turbidity"
above = {threshold}
severity = "high"
text = { ind = "Keruh", eng = "Turbid" }
"""

    def api(self, path):
        return self.gateway.json(self.port, path)

    def alarm(self, alarm_id="turbid"):
        answer = self.api("/api/v1/alarms")
        return next((a for a in answer["alarms"] if a["id"] == alarm_id), None) if answer else None

    def said(self, alarm_id="turbid"):
        return [m for suffix, m, _ in self.room.messages("alarm/") if suffix == f"alarm/{alarm_id}"]

    def names(self, alarm_id="turbid"):
        schema = self.room.schema
        return [schema.AlarmState.Name(m.state) for m in self.said(alarm_id)]

    def reload(self, threshold, more=ALARM):
        """Only the threshold changes: the simulator's values stay what they are."""
        self.gateway.file.write_text(self.configuration(threshold, more))
        os.kill(self.gateway.pid, signal.SIGHUP)

    def test_raised_and_cleared_once_over_a_kill(self):
        self.gateway = Gateway(self.bench, self.configuration(1e6, self.ALARM))
        wait_for("readings", lambda: (s := self.api("/api/v1/sensors")) and "newest" in s["sensors"][0])
        self.assertEqual(self.alarm()["state"], "CLEARED")
        self.assertEqual(self.alarm()["occurrence"], 0)
        # Every reading is beyond this one.
        asked = time.monotonic()
        self.reload(-1e6)
        wait_for("the alarm at the broker", lambda: self.names() == ["RAISED"], 5)
        took = time.monotonic() - asked
        print(f"reload to RAISED at the broker: {took:.2f} s")
        message = self.said()[0]
        self.assertEqual((message.occurrence, message.sensor, message.unit), (1, "turbidity", "NTU"))
        self.assertEqual((message.text_ind, message.text_eng), ("Keruh", "Turbid"))
        self.assertGreater(message.source.sequence, 0)
        latency = message.source.published_at_ms - message.since_ms
        print(f"reading to message: {latency} ms")
        self.assertLess(latency, 1700, "commit interval, and a second")
        shown = self.alarm()
        self.assertEqual((shown["state"], shown["occurrence"], shown["severity"], shown["textInd"], shown["sinceMs"]),
                         ("RAISED", 1, "HIGH", "Keruh", message.since_ms))
        metrics = self.gateway.get(self.port, "/metrics")[1]
        self.assertIn('gerbang_alarm_active{id="turbid",severity="HIGH"} 1', metrics)

        for _ in range(2):
            self.gateway.process.stop(signal.SIGKILL)
            self.gateway.process.start()
            wait_for("the daemon", lambda: self.alarm() and self.alarm()["state"] == "RAISED")
            sent = self.api("/api/v1/sensors")["sensors"][0]
            wait_for("new readings", lambda: self.api("/api/v1/sensors")["sensors"][0]["counts"] != sent["counts"])
        time.sleep(1)
        self.assertEqual({m.occurrence for m in self.said()}, {1})
        self.assertEqual(len({m.source.sequence for m in self.said()}), 1, "raised once, whatever was sent again")

        self.reload(1e6)
        wait_for("the alarm cleared", lambda: self.names()[-1:] == ["CLEARED"], 5)
        self.assertEqual(self.said()[-1].occurrence, 1)
        latency = self.said()[-1].source.published_at_ms - self.said()[-1].cleared_ms
        print(f"reading to message, cleared: {latency} ms")
        self.assertLess(latency, 1700, "commit interval, and a second")
        late = Subscriber(self.bench, self.broker, f"{ROOT}/+/+/+/alarm/turbid", "late")
        wait_for("the retained alarm", lambda: late.messages("alarm/", retained=True))
        self.assertEqual(late.messages("alarm/", retained=True)[0][1].state, self.room.schema.CLEARED)
        late.stop()

        # Gone from the configuration: its topic is emptied, and the reloads are events.
        self.reload(0, more="")
        wait_for("an empty topic", lambda: any(t.endswith("/alarm/turbid") and not p for t, p, *_ in self.room.arrived))
        self.assertIsNone(self.alarm())
        events = wait_for("the events", lambda: (e := self.api("/api/v1/events?kind=config")) and len(e["events"]) >= 3
                          and e["events"])
        times = [e["timeMs"] for e in events]
        self.assertEqual(times, sorted(times, reverse=True), "newest first")
        sent = {m.id for _, m, _ in self.room.messages("event/config")}
        self.assertEqual({e["id"] for e in events}, sent)
        self.room.audit()
        self.gateway.process.stop()

    def uplink(self, name, broker):
        return f'[[uplink]]\nname = "{name}"\nurl = "mqtt://127.0.0.1:{broker.port}"\n'

    def test_an_uplink_that_is_new_is_told_of_alarms_that_are_raised(self):
        other = Broker(self.enterContext(Bench()))
        room = Subscriber(self.bench, other, name="other-room")

        def there():
            """The newest: state, and whether it is a message of the stream or a document."""
            said = [m for suffix, m, _ in room.messages("alarm/") if suffix == "alarm/turbid"]
            return said and (room.schema.AlarmState.Name(said[-1].state), said[-1].source.sequence > 0)
        self.gateway = Gateway(self.bench, self.configuration(-1e6, self.ALARM))
        wait_for("the alarm at the broker", lambda: self.names() == ["RAISED"])

        # A reload brings another broker, which was told nothing yet.
        self.reload(-1e6, self.ALARM + self.uplink("ministry", other))
        wait_for("the alarm at the new broker", lambda: there() == ("RAISED", False))
        late = Subscriber(self.bench, other, f"{ROOT}/+/+/+/alarm/turbid", "late-there")
        kept = wait_for("the retained alarm", lambda: late.messages("alarm/", retained=True))[0][1]
        self.assertEqual((kept.state, kept.occurrence, kept.text_eng), (room.schema.RAISED, 1, "Turbid"))
        self.assertEqual(kept.since_ms, self.said()[0].since_ms)
        late.stop()
        # What changes is said to both, once.
        self.reload(1e6, self.ALARM + self.uplink("ministry", other))
        wait_for("the alarm cleared there", lambda: there() == ("CLEARED", True))
        wait_for("the alarm cleared", lambda: self.names() == ["RAISED", "CLEARED"])

        # It is away while the alarm is raised again, and comes back; a kill before it connects changes nothing.
        self.reload(1e6)
        wait_for("one uplink", lambda: len(self.api("/api/v1/status")["uplinks"]) == 1)
        self.reload(-1e6)
        wait_for("the alarm", lambda: self.names()[-1:] == ["RAISED"])
        other.stop()
        self.reload(-1e6, self.ALARM + self.uplink("ministry", other))
        wait_for("two uplinks", lambda: len((self.api("/api/v1/status") or {"uplinks": []})["uplinks"]) == 2)
        time.sleep(0.5)  # a commit
        self.gateway.process.stop(signal.SIGKILL)
        self.gateway.process.start()
        wait_for("the daemon", lambda: self.alarm() and self.alarm()["state"] == "RAISED")
        other.start()
        wait_for("the alarm at the broker that came back", lambda: there() == ("RAISED", False), 40)
        self.assertEqual(self.names(), ["RAISED", "CLEARED", "RAISED"], "the other one was told once")
        room.stop()
        self.room.audit()

    def past(self):
        """A sensor whose five hours of yesterday make an indicator."""
        hour = 3_600_000
        begin = (int(time.time() * 1000) // hour - 24) * hour
        rows = "".join(f"{begin + n * 900_000},{7 + n / 100}\n" for n in range(20))
        file = self.bench.write("past.csv", "time,ph\n" + rows)
        return f"""
[[driver]]
name = "past"
plugin = "replay"
interval = "15m"
options = {{ file = "{file}", time_format = "unix_ms", start = "recorded", speed = 0 }}
[[sensor]]
id = "ph"
driver = "past"
quantity = "ph"
address = {{ column = "ph" }}
[[indicator]]
id = "river"
standard = "river-class-2"
inputs = {{ ph = "ph" }}
"""

    def test_an_uplink_that_is_new_is_told_once_what_indicators_say(self):
        other = Broker(self.enterContext(Bench()))
        room = Subscriber(self.bench, other, name="other-room")
        alone = self.configuration(0, self.past()).replace('["1s", "5s"]', '["1h"]')
        both = alone + self.uplink("ministry", other)

        def reload(text):
            self.gateway.file.write_text(text)
            os.kill(self.gateway.pid, signal.SIGHUP)

        def there():
            return [m for _, m, _ in room.messages("indicator/")]

        def newest():
            return max((m.window_end_ms, m.revision) for _, m, _ in self.room.messages("indicator/"))
        self.gateway = Gateway(self.bench, alone)
        wait_for("five windows", lambda: len({m.window_end_ms for _, m, _ in self.room.messages("indicator/") if m.HasField("value")}) == 5, 90)
        reload(both)
        told = wait_for("the indicator at the new broker", there)[0]
        self.assertEqual((told.window_end_ms, told.revision), newest())
        self.assertEqual(told.source.sequence, 0, "a document, outside of the proof")
        late = Subscriber(self.bench, other, f"{ROOT}/+/+/+/indicator/river", "late-there")
        kept = wait_for("the retained indicator", lambda: late.messages("indicator/", retained=True))[0][1]
        self.assertEqual((kept.window_end_ms, kept.value), (told.window_end_ms, told.value))
        late.stop()
        # Other documents go again and again.
        states = len(room.messages("state"))
        os.kill(self.api("/api/v1/status")["drivers"][0]["pid"], signal.SIGKILL)
        wait_for("the state again", lambda: len(room.messages("state")) > states)
        self.assertEqual(len(there()), 1)

        # It leaves and comes back while its broker is away; a kill before it connects changes nothing.
        reload(alone)
        wait_for("one uplink", lambda: len(self.api("/api/v1/status")["uplinks"]) == 1)
        other.stop()
        reload(both)
        wait_for("two uplinks", lambda: len((self.api("/api/v1/status") or {"uplinks": []})["uplinks"]) == 2)
        time.sleep(0.5)  # a commit
        self.gateway.process.stop(signal.SIGKILL)
        self.gateway.process.start()
        other.start()
        wait_for("the indicator at the broker that came back", lambda: len(there()) == 2, 40)
        self.assertEqual((there()[-1].window_end_ms, there()[-1].revision), newest())
        room.stop()
        self.room.audit()
        self.gateway.balance(self.port)

    def test_who_comes_after_an_outage_sees_what_holds_now(self):
        self.gateway = Gateway(self.bench, self.configuration(1e6, self.ALARM))
        wait_for("readings", lambda: (s := self.api("/api/v1/sensors")) and "newest" in s["sensors"][0])
        wait_for("the connection", lambda: self.api("/api/v1/status")["uplinks"][0]["connected"])
        for threshold, state in ((-1e6, "RAISED"), (1e6, "CLEARED")):
            self.broker.stop()
            wait_for("the outage", lambda: not self.api("/api/v1/status")["uplinks"][0]["connected"])
            self.reload(threshold)
            wait_for("the alarm " + state, lambda: self.alarm()["state"] == state)
            self.broker.start()
            wait_for("the message", lambda: (u := self.api("/api/v1/status")["uplinks"][0])["connected"] and u["waiting"] == 0, 30)
            late = Subscriber(self.bench, self.broker, f"{ROOT}/+/+/+/alarm/turbid", "late-" + state)
            seen = wait_for("the retained alarm", lambda: late.messages("alarm/", retained=True), 5)
            self.assertEqual(self.room.schema.AlarmState.Name(seen[0][1].state), state)
            late.stop()
        self.gateway.process.stop()

    def test_the_gateway_watches_itself(self):
        self.gateway = Gateway(self.bench, self.configuration(1e6, """
[[alarm]]
id = "driver-sim-down"
condition = "driver-sim-down"
hold = "1s"
"""))
        driver = wait_for("the driver", lambda: (s := self.api("/api/v1/status")) and s["drivers"][0]["state"] == "running"
                          and s["drivers"][0])
        ids = {a["id"] for a in self.api("/api/v1/alarms")["alarms"]}
        self.assertEqual(ids, {"driver-sim-down", "uplink-regional-down", "store-degraded", "store-damaged",
                               "clock-untrusted", "no-readings"})
        for _ in range(200):  # until it is quarantined, or the alarm is there
            driver = self.api("/api/v1/status")["drivers"][0]
            if driver["pid"]:
                os.kill(driver["pid"], signal.SIGKILL)
            if "RAISED" in self.names("driver-sim-down"):
                break
            time.sleep(0.1)
        self.assertEqual(self.names("driver-sim-down")[:1], ["RAISED"])


if __name__ == "__main__":
    unittest.main()
