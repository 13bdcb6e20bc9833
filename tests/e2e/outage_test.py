#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The broker goes away and comes back: nothing missing, nothing twice with another content, live data before the backlog.

OUTAGE_SECONDS (default 20) is the length of the outage; the acceptance run uses 120."""
import json
import os
import subprocess
import time
import unittest

from harness import BUILD, Bench, Broker, Gateway, Subscriber, free_port, identity, wait_for

OUTAGE = float(os.environ.get("OUTAGE_SECONDS", "20"))


def configuration(broker, http_port, sensors=20):
    text = identity() + f"""
[store]
commit_interval = "200ms"
[http]
listen = "127.0.0.1:{http_port}"
[windows]
default = ["1s", "5s"]
grace = "200ms"
[[uplink]]
name = "regional"
url = "mqtt://127.0.0.1:{broker.port}"
backlog_rate = 5
[[driver]]
name = "plant"
plugin = "simulator"
interval = "250ms"
"""
    for n in range(sensors):
        text += f"""
[[sensor]]
id = "turbidity-{n}"
driver = "plant"
quantity = "turbidity"
unit = "NTU"
address = {{ signal = "raw_turbidity", channel = {n + 1} }}
"""
    return text


class Outage(unittest.TestCase):
    def test_nothing_is_missing_and_live_data_comes_first(self):
        with Bench() as bench:
            broker = Broker(bench)
            room = Subscriber(bench, broker)
            auditor = subprocess.Popen([BUILD / "bin" / "gerbangctl", "--json", "subscribe", "--audit", "--quiet",
                                        "--url", f"mqtt://127.0.0.1:{broker.port}"], stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE, text=True)
            http_port = free_port()
            gateway = Gateway(bench, configuration(broker, http_port))
            wait_for("messages", lambda: len(room.messages("aggregate")) >= 5, 30)
            pid = gateway.pid

            broker.stop()
            time.sleep(OUTAGE)
            status = gateway.json(http_port, "/api/v1/status")
            uplink = status["uplinks"][0]
            self.assertFalse(uplink["connected"])
            self.assertGreaterEqual(uplink["waiting"], OUTAGE * 0.8)
            back = time.time()
            broker.start()

            def drained():
                state = gateway.json(http_port, "/api/v1/status")
                return state and state["uplinks"][0]["connected"] and state["uplinks"][0]["waiting"] <= 2
            wait_for("the backlog to drain", drained, 60 + OUTAGE)
            time.sleep(2)
            self.assertEqual(gateway.pid, pid)
            gateway.balance(http_port)
            self.assertEqual(gateway.process.stop(), 0)
            time.sleep(1)
            auditor.terminate()
            out, notes = auditor.communicate(timeout=20)
            report = json.loads(out.splitlines()[-1])
            room.stop()

            figures = room.audit()
            self.assertTrue(report["complete"], (report, notes))
            self.assertIn("connected again", notes)
            self.assertNotIn("forgotten", notes, "the broker kept the auditor's session")
            self.assertEqual(report["missing"], 0)

            # Live data is not made to wait for the backlog: it arrives within seconds of its window's end from the moment
            # the link is back, while old windows are still arriving.
            after = [(m, at) for s, m, at in room.messages("aggregate/water/1s") if at > back]
            historical = [at for m, at in after if m.source.historical]
            live = [(at - m.window_end_ms / 1000) for m, at in after if not m.source.historical]
            self.assertGreaterEqual(len(historical), OUTAGE * 0.8)
            during = [(at - m.window_end_ms / 1000) for m, at in after
                      if not m.source.historical and at < max(historical)]
            self.assertTrue(during, "no live message came while the backlog was sent")
            self.assertLess(sorted(during)[len(during) // 2], 3.0)
            order = [m.source.sequence for m, _ in after if m.source.historical]
            self.assertEqual(order, sorted(order), "the backlog comes oldest first")
            print(f"outage {OUTAGE:g} s: {figures}, {len(historical)} historical, live latency median "
                  f"{sorted(live)[len(live) // 2]:.2f} s, during the drain {sorted(during)[len(during) // 2]:.2f} s")


if __name__ == "__main__":
    unittest.main(verbosity=2)
