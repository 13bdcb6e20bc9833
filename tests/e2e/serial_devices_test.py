#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every kind of serial device at once, each on a line of its own: what it says arrives as it is; when it is silent, talks garbage,
breaks off, has another baud rate, sums wrongly, answers too late, floods, or its adapter is pulled, its sensor is
missing with a reason, no wrong value is ever stored, and it comes back by itself. At the end mosquitto's subscriber has the same
values in the same units. Two devices that are asked tell seconds: their values show that the time of a reading is right."""
import time
import unittest

from harness import Bench, Broker, Gateway, Subscriber, free_port, identity, wait_for
from plant import Plant

PM = "{ pm1 = 8, pm2_5 = 21, pm4 = 26, pm10 = 33 }"
PARTICULATE = {"plugin": "particulate", "quantity": "pm2_5", "unit": "µg/m³", "address": '{ channel = "pm2_5" }', "value": 21}
RANGING = {"plugin": "ranging", "quantity": "distance", "unit": "mm", "address": '{ channel = "distance" }', "value": 1234}
CLOCK = "{ base = 100, per_second = 1 }"
# name → how the plant plays it, and what the gateway shall find; no value: seconds since some moment
DEVICES = {
    "pms5003": {**PARTICULATE, "plant": f'model = "pms5003"\nvalues = {PM}', "options": 'model = "pms5003"'},
    "pms3003": {**PARTICULATE, "plant": f'model = "pms3003"\nvalues = {PM}', "options": 'model = "pms3003"'},
    "recognised": {**PARTICULATE, "plant": f'model = "sds011"\nvalues = {PM}', "options": 'model = "auto"'},
    "sds011": {**PARTICULATE, "plant": f'model = "sds011"\nvalues = {PM}', "options": 'model = "sds011"'},
    "sps30": {**PARTICULATE, "plant": f'model = "sps30"\nvalues = {PM}', "options": 'model = "sps30"\nwarm_up = "0s"'},
    "a02yyuw": {**RANGING, "plant": 'model = "a02yyuw"\nvalues = { distance = 1234 }', "options": 'model = "a02yyuw"'},
    "sps30-clock": {**PARTICULATE, "plant": f'model = "sps30"\nvalues = {{ pm2_5 = {CLOCK} }}', "value": None,
                    "options": 'model = "sps30"\nwarm_up = "0s"'},
    "rtu-clock": {"plugin": "modbus", "quantity": "number", "unit": "", "value": None, "kind": "modbus-rtu",
                  "plant": '[[line.device]]\nunit = 3\n[line.device.points]\n'
                           f'clock = {{ register = 0, type = "float32", value = {CLOCK} }}',
                  "options": 'transport = "rtu"\ntimeout = "300ms"', "address": '{ unit = 3, register = 0, type = "float32" }'},
    "maxbotix": {**RANGING, "plant": 'model = "maxbotix"\nvalues = { distance = 1234 }', "options": 'model = "maxbotix-hrxl"'},
    "sdi12": {"plugin": "sdi12", "quantity": "water_temperature", "unit": "°C", "value": 24.5,
              "plant": 'model = "sdi12"\nvalues = { level = 1.25, temperature = 24.5 }', "options": 'break = "adapter"',
              "address": '{ sensor_address = "0", command = "MC", parameter = 2 }'},
}
for model in "maxbotix-usb", "maxbotix-lv", "maxbotix-xl":
    distance = 1219.2 if model == "maxbotix-lv" else 1230
    DEVICES[model] = {**RANGING, "plant": f'model = "{model}"\nvalues = {{ distance = {distance} }}',
                      "options": f'model = "{model}"', "value": distance}
for name, form in [("toledo", "toledo"), ("st-gs", "st-gs"), ("a9", "yaohua-a9"), ("sics", "mt-sics"), ("and", "and"),
                   ("cas-22", "cas-22"), ("equals", "yaohua-equals"), ("a12e", "a12e"), ("rinstrum", "rinstrum-a")]:
    DEVICES[name] = {"plugin": "weighbridge", "quantity": "weight", "unit": "kg", "address": '{ channel = "weight" }', "value": 0,
                     "plant": f'model = "weighbridge"\nformat = "{form}"\ncycle = "10000s"', "options": f'format = "{form}"'}
CHECKED = {n for n, d in DEVICES.items() if d["plugin"] in ("particulate", "sdi12", "modbus") or n in ("a02yyuw", "toledo", "a9")}


HOLDS = {"late": 7.6}  # seconds that a fault lasts at least; else 3
LATE = {"sps30", "sps30-clock", "rtu-clock", "sdi12"}  # their answers belong to questions


def faults_of(name):
    """[(kind, whether its sensor shall say so)]"""
    plan = [(kind, True) for kind in ("silent", "garbage", "half", "baud", "unplug")]
    if name in CHECKED and name != "sps30-clock":
        plan.append(("crc", True))
    if name in LATE:
        # An SDI-12 probe's slow answer falls into a retry, and is the right one; a late one comes after every retry.
        plan += [("slow", name != "sdi12"), ("late", True)]
    return plan


class SerialDevices(unittest.TestCase):
    def setUp(self):
        self.bench = self.enterContext(Bench())
        scenario = "".join(f'[[line]]\nname = "{name}"\nkind = "{d.get("kind", "serial")}"\n{d["plant"]}\n'
                           for name, d in DEVICES.items())
        self.plant = Plant(self.bench, scenario)
        self.addCleanup(self.plant.close)
        self.broker = Broker(self.bench)
        self.subscriber = Subscriber(self.bench, self.broker)
        self.port = free_port()
        text = identity() + f"""
[http]
listen = "127.0.0.1:{self.port}"
[store]
commit_interval = "200ms"
[windows]
default = ["2s", "1m", "1h", "1d"]
grace = "1s"
[[uplink]]
name = "regional"
url = "mqtt://127.0.0.1:{self.broker.port}"
"""
        for name, d in DEVICES.items():
            text += f"""
[[driver]]
name = "{name}"
plugin = "{d['plugin']}"
interval = "1s"
[driver.options]
device = "{self.plant.at[name]}"
{d['options']}
[[sensor]]
id = "{name}"
driver = "{name}"
quantity = "{d['quantity']}"
unit = "{d['unit']}"
address = {d['address']}
"""
        self.gateway = Gateway(self.bench, text)

    def newest(self):
        document = self.gateway.json(self.port, "/api/v1/sensors") or {"sensors": []}
        return {s["id"]: s["newest"] for s in document["sensors"] if s.get("newest")}

    def good(self):
        return [n for n, r in self.newest().items() if r.get("value") is not None]

    def all_back(self, what):
        wait_for(what, lambda: sorted(self.good()) == sorted(DEVICES) or not self.gateway.process.running(), 60)

    def each_at_its_own_pace(self, plans):
        """Every device has its faults one after the other: each until it is noticed and its time is over, then the device has to come
        back. The devices share nothing, so none waits for another."""
        under, began = {}, {}
        end = time.monotonic() + 180
        while any(plans.values()):
            self.assertLess(time.monotonic(), end, f"still to come: { {n: (p, under.get(n)) for n, p in plans.items() if p} }")
            newest = self.newest()
            for name in [name for name, plan in plans.items() if plan and name in newest]:
                kind, is_seen = plans[name][0]
                good = newest[name].get("value") is not None
                took = time.monotonic() - began.get(name, 0)
                if under.get(name) is None and good:
                    self.plant.say(f"fault {name} {kind}")
                    under[name], began[name] = kind, time.monotonic()
                elif under.get(name) == kind and took > HOLDS.get(kind, 3) and not (is_seen and good):
                    print(f"{name}: {kind} after {took:.1f} s: {newest[name].get('reason')}")
                    self.plant.say(f"clear {name}")
                    under[name], began[name] = "clear", time.monotonic()
                elif under.get(name) == "clear" and good and took > 0.5:
                    print(f"{name}: back from {kind} after {took:.1f} s")
                    del plans[name][0]
                    under[name] = None
            time.sleep(0.1)

    def test_faults_of_every_kind_leave_no_wrong_value(self):
        self.all_back("values of every device")
        since = int(time.time() * 1000) - 10_000
        self.each_at_its_own_pace({name: faults_of(name) for name in DEVICES})
        for name in DEVICES:
            self.plant.say(f"fault {name} flood")
        time.sleep(4)
        self.assertEqual(sorted(self.good()), sorted(DEVICES), "a flood silenced somebody")
        self.plant.say("clear")
        time.sleep(1)

        count = 0
        for name, device in DEVICES.items():
            page = wait_for("readings", lambda: self.gateway.json(
                self.port, f"/api/v1/readings?sensor={name}&from={since}&limit=10000"))  # noqa: B023
            told = [reading for reading in page["readings"] if reading.get("value") is not None]
            self.assertGreater(len(told), 5, name)
            count += len(told)
            # Of a clock: how long after it was told the value is said to be of.
            began = min(r["timeMs"] / 1000 - r["value"] for r in told)
            for reading in told:
                if device["value"] is None:  # to another attempt of a turn at most
                    self.assertLess(reading["timeMs"] / 1000 - reading["value"] - began, 2.5, f"{name}: {reading}")
                else:
                    self.assertAlmostEqual(reading["value"], device["value"], places=3, msg=f"{name}: {reading}")
        rows = {row.sensor: row for _, m, _ in self.subscriber.messages("aggregate/") for row in m.aggregates if row.good}
        for name, device in DEVICES.items():
            self.assertEqual((rows[name].quantity, rows[name].unit), (device["quantity"], device["unit"]))
            if device["value"] is not None:
                self.assertAlmostEqual(rows[name].mean, device["value"], places=3, msg=name)
        status = self.gateway.json(self.port, "/api/v1/status")
        self.assertEqual({d["name"]: d["state"] for d in status["drivers"]}, {n: "running" for n in DEVICES})
        print(f"{count} readings, none with another value than its device sent")
        self.gateway.balance(self.port)


if __name__ == "__main__":
    unittest.main(verbosity=2)
