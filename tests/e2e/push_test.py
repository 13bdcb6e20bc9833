#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A device that speaks when it wants, through a real broker: nothing is expected of it, nothing is made up between two words,
and its value does not grow old. The one beside it, of which somebody said how often it speaks, is missed."""
import json
import subprocess
import unittest

from harness import Bench, Broker, Gateway, Subscriber, free_port, identity, short_windows, wait_for

SENSOR = """
[[sensor]]
id = "{id}"
driver = "lora"
quantity = "fill_level"
address = {{ topic = "bin/{id}", pointer = "/fill" }}
{more}
"""


class Push(unittest.TestCase):
    def test_nothing_is_expected_of_a_device_that_speaks_by_itself(self):
        with Bench() as bench:
            broker = Broker(bench)
            room = Subscriber(bench, broker)
            port = free_port()
            gateway = Gateway(bench, identity() + short_windows(port, broker) + f"""
[[driver]]
name = "lora"
plugin = "mqtt"
options = {{ port = {broker.port} }}
""" + SENSOR.format(id="free", more="") + SENSOR.format(id="regular", more='interval = "1s"'))

            def say(sensor, value):
                subprocess.run(["mosquitto_pub", "-p", str(broker.port), "-t", f"bin/{sensor}", "-m", json.dumps({"fill": value})], check=True)

            def newest(sensor):
                return (gateway.json(port, f"/api/v1/sensors/{sensor}") or {}).get("newest") or {}

            def missing(sensor):
                return gateway.json(port, f"/api/v1/sensors/{sensor}")["counts"]["missing"]

            wait_for("the line, so that the other one is missed", lambda: newest("regular"))
            say("free", 42)
            say("regular", 42)
            wait_for("the word", lambda: newest("free").get("value") == 42)
            wait_for("the other is missed", lambda: newest("regular").get("quality") == "missing", 30)
            wait_for("a while", lambda: newest("free")["ageMs"] > 15_000, 30)
            self.assertEqual((newest("free")["value"], newest("free")["stale"], missing("free")), (42, False, 0))
            self.assertEqual(gateway.json(port, "/api/v1/sensors/free")["intervalMs"], 0)

            def rows(sensor):
                document = gateway.json(port, f"/api/v1/aggregates?sensor={sensor}&window=10s&from=-10m")
                return [r for r in document["aggregates"] if r["received"] > 0]

            row, = wait_for("its window", lambda: rows("free"))
            self.assertEqual((row["received"], row["good"], row["mean"]), (1, 1, 42))
            self.assertFalse({"expected", "missing", "capture"} & set(row), row)
            other = wait_for("that of the other", lambda: rows("regular"))[0]
            self.assertEqual((other["expected"], other["missing"], other["capture"]), (10, 9, 0.1))
            message, = wait_for("the same by MQTT", lambda: [
                r for _, b, _ in room.messages("aggregate/waste/10s") for r in b.aggregates if r.sensor == "free" and r.received > 0])
            for field in ("expected", "missing", "capture"):
                self.assertFalse(message.HasField(field), field)
            # While the broker is away it is missing once, not once a second.
            broker.stop()
            wait_for("no connection", lambda: newest("free").get("reason") == "NO_CONNECTION", 30)
            before = missing("regular")
            wait_for("the other again and again", lambda: missing("regular") >= before + 3, 30)
            self.assertEqual(missing("free"), 1)
            broker.start()
            wait_for("the line", lambda: say("free", 43) or newest("free").get("value") == 43, 60)
            gateway.balance(port)
            room.stop()


if __name__ == "__main__":
    unittest.main()
