#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The line to the broker goes bad in every way (mqtt_proxy.py), and the broker says no: sensing does not notice, memory stays flat,
the status says why, and everything that was not refused arrives. FLAP_SECONDS (default 20; the soak has 3,600) is the length of
the flapping."""
import os
import random
import subprocess
import time
import unittest

from harness import Bench, Broker, Gateway, Subscriber, free_port, identity, wait_for
from mqtt_proxy import Proxy
from observe import Footprint

FLAP = float(os.environ.get("FLAP_SECONDS", "20"))
NOT_AUTHORISED, QUOTA = 0x87, 0x97


def configuration(url, http_port, sensors=5, more=""):
    text = identity() + f"""
[store]
commit_interval = "200ms"
[http]
listen = "127.0.0.1:{http_port}"
[windows]
default = ["1s", "5s"]
grace = "200ms"
[forward]
readings = true
[[uplink]]
name = "regional"
url = "{url}"
backlog_rate = 0
{more}
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


class UplinkFaults(unittest.TestCase):
    def setUp(self):
        self.bench = self.enterContext(Bench())
        self.port = free_port()

    def start(self, broker_extra="", url=None, **how):
        self.broker = Broker(self.bench, broker_extra)
        self.room = Subscriber(self.bench, self.broker)
        self.line = Proxy(self.broker.port)
        self.gateway = Gateway(self.bench, configuration(url or f"mqtt://127.0.0.1:{self.line.port}", self.port, **how))
        self.began = time.time()
        wait_for("the page", lambda: self.uplink(), 30)

    def uplink(self):
        status = self.gateway.json(self.port, "/api/v1/status")
        return status and status["uplinks"][0]

    def connected(self, seconds=60):
        wait_for("the link", lambda: (u := self.uplink()) and u["connected"], seconds)

    def waiting(self):
        return self.uplink()["waiting"]

    def drained(self, seconds=60):
        wait_for("an empty outbox", lambda: (u := self.uplink()) and u["connected"] and u["waiting"] <= 6, seconds)

    def longest_interval(self):
        """ms between two stored readings of one sensor, since the start."""
        times, after = [], ""
        while True:
            page = wait_for("readings", lambda: self.gateway.json(
                self.port, f"/api/v1/readings?sensor=turbidity-0&from=-24h&limit=10000{after}"))
            times += [r["timeMs"] for r in page["readings"] if "value" in r]
            if not page.get("next"):
                return max(b - a for a, b in zip(times, times[1:]))
            after = "&next=" + page["next"]

    def finish(self, complete=True):
        self.assertLess(self.longest_interval(), 250)
        ledger = self.gateway.json(self.port, "/api/v1/ledger")["messages"]["regional"]
        balance = self.gateway.balance(self.port)
        self.assertEqual(self.gateway.process.stop(seconds=30), 0)
        time.sleep(1)
        self.room.stop()
        figures = self.room.audit() if complete else {}
        if complete:
            self.assertEqual(ledger["refused"] + ledger["dropped"], 0)
            self.assertEqual(min(m.source.sequence for _, m, _ in self.room.messages() if m.source.sequence), 1)
        return {**figures, "acknowledged": ledger["acknowledged"], "refused": ledger["refused"], **balance}

    def test_a_black_hole(self):
        self.start()
        self.connected()
        wait_for("messages", lambda: len(self.room.messages("reading")) >= 20)
        before = Footprint.of(self.gateway.pid)
        self.line.mode = Proxy.STALL
        began = time.monotonic()
        wait_for("that it is noticed", lambda: not self.uplink()["connected"], 40)
        noticed = time.monotonic() - began
        self.assertEqual(self.uplink()["reason"], "the broker acknowledges nothing any more")
        time.sleep(3)
        waiting, during = self.waiting(), Footprint.of(self.gateway.pid)
        self.assertGreater(waiting, 3 * noticed)
        self.assertLess(during.daemon_resident - before.daemon_resident, 8e6)
        self.line.mode = Proxy.PASS
        self.line.cut()
        self.drained(90)
        print(f"a line without a word: noticed after {noticed:.1f} s, {waiting} messages waited; before {before}; during {during}. {self.finish()}")

    def test_a_line_that_flaps(self):
        chance = random.Random(41)
        self.start()
        self.connected()
        pid, early, cuts = self.gateway.pid, None, 0
        end = time.monotonic() + FLAP
        while time.monotonic() < end:
            time.sleep(chance.uniform(0.1, 2.5))
            kind = chance.choice(["cut", "swallow", "stall", "refuse"])
            if kind == "swallow":
                self.line.mode = Proxy.SWALLOW
                time.sleep(chance.uniform(0.05, 0.7))
                self.line.cut()
                time.sleep(0.05)
            elif kind == "stall":
                self.line.mode = Proxy.STALL
                time.sleep(chance.uniform(0.1, 3))
            elif kind == "refuse":
                self.line.answer = lambda topic: QUOTA if chance.random() < 0.3 else None
                time.sleep(chance.uniform(0.2, 1))
                self.line.answer = None
            self.line.mode = Proxy.PASS
            if kind != "stall":
                cuts += kind != "refuse"
                self.line.cut()
            early = early or Footprint.of(pid)
        self.assertEqual(self.gateway.pid, pid)
        self.connected(330)
        self.drained(120)
        late = Footprint.of(pid)
        waits = [b - a for a, b in zip(self.line.accepted, self.line.accepted[1:])]
        self.assertGreater(min(waits), 0.9, "it never knocks more often than each second")
        self.assertGreater(max(waits) - min(waits), 0.05, "waits are jittered")
        self.assertLess(late.daemon_resident - early.daemon_resident, 8e6 + 1e3 * FLAP)
        self.assertLessEqual(late.descriptors, early.descriptors + 4)
        print(f"{FLAP:g} s of flapping, {cuts} cuts, {len(self.line.accepted)} connections {min(waits):.2f} to {max(waits):.2f} s apart, "
              f"{self.line.answered} answers of no; {early} → {late}. {self.finish()}")

    def test_a_topic_that_is_refused(self):
        """Not authorised: tried three times, set aside, counted; what is behind it flows."""
        tries = []

        def answer(topic):
            if topic.endswith("aggregate/water/5s"):
                tries.append(topic)
                return NOT_AUTHORISED
            return None
        self.start()
        self.line.answer = answer
        self.connected()
        wait_for("something set aside", lambda: self.uplink()["refused"] >= 1, 60)
        at = len(self.room.messages("aggregate/water/1s"))
        wait_for("what is behind it", lambda: len(self.room.messages("aggregate/water/1s")) >= at + 3, 20)
        uplink = self.uplink()
        self.assertTrue(uplink["connected"])
        ledger = self.gateway.json(self.port, "/api/v1/ledger")["messages"]["regional"]
        self.assertGreaterEqual(len(tries), 3 * ledger["refused"])
        self.assertEqual(sum(ledger["refusedFor"].values()), ledger["refused"])

        def told():
            return {n for _, gap, _ in self.room.messages("gap") if gap.reason == "refused" for n in range(gap.first, gap.last + 1)}
        wait_for("what was refused is told", lambda: len(told()) >= ledger["refused"], 20)
        figures = self.finish(complete=False)
        arrived = [m.source.sequence for _, m, _ in self.room.messages() if m.source.sequence]
        holes = set(range(1, max(arrived) + 1)) - set(arrived)
        self.assertTrue(holes)
        self.assertLessEqual(told(), holes)
        self.assertFalse(self.room.messages("aggregate/water/5s"))
        print(f"a refused topic: {len(tries)} tries, {ledger['refusedFor']}; {len(holes)} holes, all of that topic. {figures}")

    def test_a_message_that_is_too_large(self):
        self.start("max_packet_size 6000", sensors=100)
        self.connected()
        wait_for("something set aside", lambda: self.uplink()["refused"] >= 2, 60)
        uplink, ledger = self.uplink(), self.gateway.json(self.port, "/api/v1/ledger")["messages"]["regional"]
        self.assertTrue(uplink["connected"])
        self.assertEqual(set(ledger["refusedFor"]), {"too large: the broker takes 6000 bytes"}, "one reason, whatever their sizes")
        wait_for("what is small", lambda: self.room.messages("state"), 20)
        self.drained(30)
        print(f"too large: {ledger['refusedFor']}. {self.finish(complete=False)}")

    def test_an_expired_certificate(self):
        folder = self.bench.folder

        def openssl(*arguments):
            subprocess.run(["openssl", *map(str, arguments)], cwd=folder, check=True, capture_output=True)
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.crt", "-days", 2, "-subj", "/CN=authority")
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost")
        self.bench.write("extension", "subjectAltName=IP:127.0.0.1")

        def sign(days):
            openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", days, "-extfile",
                    "extension", "-out", "server.crt")
            for name in "server.crt", "server.key", "ca.crt":
                (folder / name).chmod(0o644)
        sign(-1)
        tls = free_port()
        self.start(f"listener {tls} 127.0.0.1\ncertfile {folder}/server.crt\nkeyfile {folder}/server.key",
                   url=f"mqtts://127.0.0.1:{tls}", more=f'ca_file = "{folder}/ca.crt"')
        reason = wait_for("the reason", lambda: "expired" in (u := self.uplink())["reason"] and u["reason"], 30)
        wait_for("messages that wait", lambda: self.waiting() >= 20, 30)
        sign(2)
        self.broker.stop()
        self.broker.start()
        self.connected(60)
        self.drained(60)
        print(f"an expired certificate: \"{reason}\"; connected when it was renewed. {self.finish()}")


if __name__ == "__main__":
    unittest.main(verbosity=2)
