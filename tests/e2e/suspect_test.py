#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Suspect readings through the real daemon: in no mean by default, in all of it where a sensor says so; over a kill, in short
windows and in those merged from them, and the same over MQTT."""
import signal
import unittest

from harness import Bench, Broker, Gateway, Subscriber, free_port, identity, short_windows, wait_for

SENSOR = """
[[sensor]]
id = "{id}"
driver = "sim"
quantity = "ph"
address = {{ signal = "constant", base = 7.0, channel = {channel} }}
quality = {{ expected = {{ low = 8.0 }} }}
{more}
"""


class Suspect(unittest.TestCase):
    def test_counts_where_the_sensor_says_so(self):
        with Bench() as bench:
            broker = Broker(bench)
            room = Subscriber(bench, broker)
            port = free_port()
            gateway = Gateway(bench, identity() + short_windows(port, broker) + """
[[driver]]
name = "sim"
plugin = "simulator"
interval = "250ms"
""" + SENSOR.format(id="strict", channel=1, more="") + SENSOR.format(id="tolerant", channel=2, more="count_suspect = true"))
            wait_for("a reading", lambda: (gateway.json(port, "/api/v1/sensors/tolerant") or {}).get("newest"))
            gateway.process.stop(signal.SIGKILL)
            gateway.process.start()

            def rows(sensor, window):
                document = gateway.json(port, f"/api/v1/aggregates?sensor={sensor}&window={window}&from=-10m")
                return [r for r in (document or {}).get("aggregates", []) if r["received"] > 0]

            for window in ("2s", "10s"):
                for sensor in ("strict", "tolerant"):
                    wait_for(f"two {window} of {sensor}", lambda: len(rows(sensor, window)) >= 2, 60)
                for row in rows("strict", window):
                    self.assertEqual((row["good"], row["suspect"]), (0, row["received"]))
                    self.assertEqual((row["capture"], row["verdict"]), (0, "NONE"))
                    self.assertNotIn("mean", row)
                for row in rows("tolerant", window):
                    self.assertEqual((row["good"], row["suspect"]), (0, row["received"]), "counts stay what they are")
                    self.assertEqual((row["mean"], row["minimum"], row["maximum"], row["stddev"], row["first"], row["last"]),
                                     (7, 7, 7, 0, 7, 7))
                    self.assertAlmostEqual(row["capture"], min(1, row["suspect"] / row["expected"]))
                    self.assertEqual(row["verdict"], "VALID" if row["capture"] >= 0.75 else "PROVISIONAL")
            shown = {(r["sensor"], r["windowStartMs"]): r for s in ("strict", "tolerant") for r in rows(s, "2s")}
            sent = wait_for("the same by MQTT", lambda: [
                (r, shown[r.sensor, b.window_start_ms]) for _, b, _ in room.messages("aggregate/water/2s") for r in b.aggregates
                if (r.sensor, b.window_start_ms) in shown])
            for message, row in sent:
                self.assertEqual(message.HasField("mean"), "mean" in row)
                self.assertEqual((message.capture, message.suspect), (row["capture"], row["suspect"]))
            gateway.balance(port)
            room.stop()


if __name__ == "__main__":
    unittest.main()
