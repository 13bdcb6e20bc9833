#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A Modbus water plant that is not ours → gerbangd → mosquitto → a subscriber that is not ours. Every aggregate that arrives
equals what the plant served: by TCP and by RTU over a pty, as protobuf and as JSON."""
import json
import math
import subprocess
import sys
import unittest

from harness import (BUILD, SOURCE, Bench, Broker, Gateway, Subscriber, free_port, identity, port_open, wait_for)

SENSORS = {
    "ph": ("ph", "1", 'table = "holding", register = 0, type = "uint16"', "scale = 0.01"),
    "turbidity": ("turbidity", "NTU", 'table = "holding", register = 10, type = "float32", order = "abcd"', ""),
    "chlorine": ("free_chlorine", "mg/L", 'table = "holding", register = 20, type = "float32", order = "cdab"', ""),
    "flow": ("flow", "m3/h", 'table = "holding", register = 30, type = "float32", order = "dcba"', ""),
    "total": ("volume", "m3", 'table = "holding", register = 40, type = "uint32", order = "cdab"', ""),
    "pump": ("pump_state", "1", 'table = "coil", register = 0, type = "bool"', ""),
}


def configuration(broker, http_port, transport):
    text = identity() + f"""
[store]
commit_interval = "200ms"
[http]
listen = "127.0.0.1:{http_port}"
[windows]
default = ["2s", "6s"]
grace = "500ms"
[[uplink]]
name = "protobuf"
url = "mqtt://127.0.0.1:{broker.port}"
root = "gerbang/v1"
[[uplink]]
name = "json"
url = "mqtt://127.0.0.1:{broker.port}"
root = "json/v1"
format = "json"
[[driver]]
name = "wtp-plc"
plugin = "modbus"
interval = "200ms"
[driver.options]
{transport}
timeout = "5s"   # an answer that was given up would be served and not received
"""
    for name, (quantity, unit, address, more) in SENSORS.items():
        text += f"""
[[sensor]]
id = "raw-{name}"
driver = "wtp-plc"
quantity = "{quantity}"
unit = "{unit}"
address = {{ unit = 1, {address} }}
{more}
"""
    return text


def expected_of(values, name):
    mean = sum(values) / len(values)
    out = {"mean": mean, "minimum": min(values), "maximum": max(values), "first": values[0], "last": values[-1],
           "stddev": math.sqrt(sum((v - mean) ** 2 for v in values) / len(values))}
    return out


class WaterPlant(unittest.TestCase):
    def served(self, log):
        out = {name: [] for name in SENSORS}
        for line in log.read_text().splitlines():
            name, value = json.loads(line)
            out[name].append(value)
        return out

    def check(self, messages, log, window="2s"):
        """The windows of each sensor, one after the other, take up exactly the values served, in order."""
        rows = {name: [] for name in SENSORS}
        for suffix, batch, _ in messages:
            if suffix == f"aggregate/water/{window}":
                self.assertEqual(batch.window_end_ms - batch.window_start_ms, 1000 * int(window[:-1]))
                self.assertEqual(batch.window_start_ms % (1000 * int(window[:-1])), 0)
                for row in batch.aggregates:
                    rows[row.sensor.removeprefix("raw-")].append((batch.window_start_ms, row))
        served = self.served(log)
        compared = 0
        for name, windows in rows.items():
            windows.sort(key=lambda w: w[0])
            self.assertGreaterEqual(len(windows), 3, name)
            at = 0
            for _, row in windows:
                self.assertEqual(row.received, row.good + row.suspect + row.bad + row.maintenance)
                self.assertEqual(row.bad, 0)
                values = served[name][at:at + row.received]
                at += row.received
                self.assertEqual(len(values), row.received, f"{name}: more readings than were served")
                if not values:  # a window that a slow line did not reach: said, and nothing invented
                    self.assertEqual((row.missing > 0, row.HasField("mean")), (True, False), name)
                    continue
                for key, value in expected_of(values, name).items():
                    if name == "pump" and key != "mean":
                        continue
                    tolerance = 1e-9 * max(1.0, abs(value)) if key != "stddev" else 1e-6 * max(1.0, abs(values[0]) ** 0.5)
                    self.assertAlmostEqual(getattr(row, key), value, delta=tolerance, msg=f"{name} {key} {values}")
                    compared += 1
        return compared

    def run_plant(self, kind):
        with Bench() as bench:
            broker = Broker(bench)
            log = bench.folder / "served.jsonl"
            log.touch()
            if kind == "tcp":
                port = free_port()
                transport = f'transport = "tcp"\nhost = "127.0.0.1"\nport = {port}'
                bench.run("plant", ["/usr/bin/python3", SOURCE / "tests/e2e/served_plant.py", "tcp", port, log])
                wait_for("the plant", lambda: port_open(port))
            else:
                a, b = bench.folder / "tty-plant", bench.folder / "tty-gateway"
                bench.run("socat", ["socat", f"pty,raw,echo=0,link={a}", f"pty,raw,echo=0,link={b}"])
                wait_for("the line", lambda: a.exists() and b.exists())
                transport = f'transport = "rtu"\ndevice = "{b}"\nbaud = 19200'
                bench.run("plant", ["/usr/bin/python3", SOURCE / "tests/e2e/served_plant.py", "rtu", a, log])
            room = Subscriber(bench, broker)
            other = Subscriber(bench, broker, topic="json/v1/#", name="json-room")
            http_port = free_port()
            gateway = Gateway(bench, configuration(broker, http_port, transport))
            wait_for("windows of 6 s", lambda: len(room.messages("aggregate/water/6s")) >= 4, 60)

            # A person's tools say the same: the raw message through protoc --decode.
            raw = next(p for t, p, kept, _ in room.arrived if t.endswith("aggregate/water/2s") and not kept)
            text = subprocess.run(["protoc", f"-I{SOURCE / 'proto'}", "--decode=gerbang.v1.AggregateBatch",
                                   "gerbang/v1/telemetry.proto"], input=raw, capture_output=True, check=True).stdout.decode()
            self.assertIn('sensor: "raw-turbidity"', text)
            status, metrics = gateway.get(http_port, "/metrics")
            self.assertEqual(status, 200)
            self.assertIn('gerbang_sensor_value{sensor="raw-turbidity"', metrics)

            gateway.balance(http_port)
            self.assertEqual(gateway.process.stop(), 0)
            wait_for("the same messages in both encodings",
                     lambda: len(other.messages("aggregate")) >= len(room.messages("aggregate")) > 0)
            room.stop()
            other.stop()
            compared = self.check(room.messages(), log) + self.check(other.messages(), log)
            compared += self.check(room.messages(), log, "6s")
            self.assertEqual(room.audit()["streams"], 1)
            other.audit()
            print(f"{kind}: {compared} figures equal what the plant served; {room.audit()}")

    def test_tcp(self):
        self.run_plant("tcp")

    def test_rtu(self):
        self.run_plant("rtu")


if __name__ == "__main__":
    unittest.main(verbosity=2)
