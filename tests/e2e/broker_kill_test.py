#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The broker is killed again and again at full publish rate: the daemon never restarts, an uplink host that dies is back within
two seconds, no gap. BROKER_KILLS (default 50)."""
import os
import random
import signal
import time
import unittest

from harness import Bench, Broker, Gateway, Subscriber, children, free_port, identity, wait_for

KILLS = int(os.environ.get("BROKER_KILLS", "50"))


def configuration(broker, http_port, sensors=100):
    text = identity() + f"""
[store]
commit_interval = "100ms"
[http]
listen = "127.0.0.1:{http_port}"
[windows]
default = ["1s"]
grace = "100ms"
[forward]
readings = true
[[uplink]]
name = "regional"
url = "mqtt://127.0.0.1:{broker.port}"
backlog_rate = 0
[[driver]]
name = "plant"
plugin = "simulator"
interval = "100ms"
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


class BrokerKill(unittest.TestCase):
    def test_fifty_kills_leave_no_gap(self):
        chance = random.Random(4)
        with Bench() as bench:
            broker = Broker(bench)
            room = Subscriber(bench, broker)
            http_port = free_port()
            gateway = Gateway(bench, configuration(broker, http_port))
            wait_for("messages", lambda: len(room.messages("reading")) >= 20, 30)
            pid = gateway.pid
            slowest, deaths = 0.0, 0
            for _ in range(KILLS):
                hosts = children(pid, "gerbang-uplink-host")
                broker.stop(signal.SIGKILL)
                broker.start()
                began = time.monotonic()
                wait_for("an uplink host", lambda: children(pid, "gerbang-uplink-host"), 2.0, 0.02)
                if children(pid, "gerbang-uplink-host") != hosts:
                    deaths += 1
                    slowest = max(slowest, time.monotonic() - began)
                wait_for("the connection", lambda: (gateway.json(http_port, "/api/v1/status") or
                                                    {"uplinks": [{"connected": False}]})["uplinks"][0]["connected"], 30)
                time.sleep(chance.uniform(0.05, 0.4))
                self.assertTrue(gateway.process.running())
            self.assertEqual(gateway.pid, pid)

            # The host killed outright is back within two seconds too.
            for host in children(pid, "gerbang-uplink-host"):
                os.kill(host, signal.SIGKILL)
            began = time.monotonic()
            wait_for("a new host", lambda: [h for h in children(pid, "gerbang-uplink-host")], 2.0, 0.02)
            wait_for("the connection", lambda: gateway.json(http_port, "/api/v1/status")["uplinks"][0]["connected"], 30)

            wait_for("the backlog to drain",
                     lambda: gateway.json(http_port, "/api/v1/status")["uplinks"][0]["waiting"] <= 30, 60)
            gateway.balance(http_port)
            self.assertEqual(gateway.process.stop(), 0)
            time.sleep(2)
            room.stop()
            print(f"{KILLS} kills: {room.audit()}, {deaths} uplink hosts died, slowest return {slowest:.2f} s")


if __name__ == "__main__":
    unittest.main(verbosity=2)
