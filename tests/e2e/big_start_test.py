#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A gateway that starts with a large backlog is ready in seconds, stays small, and its live data does not wait for the backlog;
also when it is killed in the middle of it. BACKLOG (default 50,000; the soak has 1,000,000) is the number of messages."""
import contextlib
import os
import signal
import sqlite3
import time
import unittest

from harness import SANITIZERS, Bench, Broker, Gateway, Subscriber, free_port, identity, wait_for
from observe import Footprint, ServiceManager, latencies, quantile

BACKLOG = int(os.environ.get("BACKLOG", "50000"))
READY, MEMORY = 5.0, 64e6 if not SANITIZERS else 1e12  # seconds; bytes of all processes
RATE = BACKLOG // 15  # messages a second: a fast machine must not be through before anything is seen
SENSORS = 3


def configuration(broker, http_port):
    text = identity() + f"""
[store]
commit_interval = "200ms"
max_size = "8GiB"
min_free = "0B"
[http]
listen = "127.0.0.1:{http_port}"
[windows]
default = ["1s", "5s"]
grace = "200ms"
[[uplink]]
name = "regional"
url = "mqtt://127.0.0.1:{broker.port}"
backlog_rate = {RATE}
[[driver]]
name = "plant"
plugin = "simulator"
interval = "250ms"
"""
    for n in range(SENSORS):
        text += f"""
[[sensor]]
id = "turbidity-{n}"
driver = "plant"
quantity = "turbidity"
unit = "NTU"
address = {{ signal = "raw_turbidity", channel = {n + 1} }}
"""
    return text


def without_checksums(file):
    """Writes the store anew without the checksums of its pages, as older ones are: this library does not know how to keep them."""
    new = file.with_suffix(".new")
    with contextlib.closing(sqlite3.connect(new, isolation_level=None)) as db:
        db.execute("ATTACH ? AS old", (str(file),))
        for pragma in ("page_size", "auto_vacuum", "application_id", "user_version"):
            db.execute(f"PRAGMA main.{pragma} = {db.execute(f'PRAGMA old.{pragma}').fetchone()[0]}")
        made = db.execute("SELECT type, name, sql FROM old.sqlite_master WHERE sql NOT NULL ORDER BY type = 'index'").fetchall()
        for kind, name, sql in made:
            db.execute(sql)
            if kind == "table":
                db.execute(f"INSERT INTO main.{name} SELECT * FROM old.{name}")
    for old in file.parent.glob(file.name + "*"):
        if not old.name.endswith(".lock"):
            old.unlink()
    new.rename(file)


def add_backlog(file, schema, count):
    """Puts `count` older windows of 5 s behind the messages that wait in the store, each like one that the gateway made itself."""
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as db:
        topic, kind, lane, retain, made_ms, body = db.execute(
            "SELECT topic, kind, lane, retain, made_ms, body FROM outbox WHERE topic = (SELECT id FROM topic WHERE name ="
            " 'aggregate/water/5s') ORDER BY sequence DESC LIMIT 1").fetchone()
        sequence, = db.execute("SELECT last_sequence FROM state").fetchone()
        previous, = db.execute("SELECT last FROM topic WHERE id = ?", (topic,)).fetchone()
        batch = schema.AggregateBatch.FromString(body)
        last_start = batch.window_start_ms - 86_400_000

        def rows():
            before = previous
            for n in range(count):
                batch.window_start_ms = last_start - 5000 * (count - n)
                batch.window_end_ms = batch.window_start_ms + 5000
                number = sequence + 1 + n
                yield number, 1, before, topic, kind, lane, retain, made_ms, batch.SerializeToString()
                before = number
        db.execute("BEGIN")
        db.executemany("INSERT INTO outbox VALUES (?,?,?,?,?,?,?,?,?)", rows())
        db.execute("UPDATE state SET last_sequence = ?", (sequence + count,))
        db.execute("UPDATE topic SET last = ?1, last_retainable = CASE WHEN ?2 THEN ?1 ELSE last_retainable END WHERE id = ?3",
                   (sequence + count, retain, topic))
        db.execute("UPDATE uplink SET made = made + ?", (count,))
        db.execute("COMMIT")


class BigStart(unittest.TestCase):
    def setUp(self):
        self.bench = self.enterContext(Bench())
        self.broker = Broker(self.bench, "autosave_on_changes false")
        self.room = Subscriber(self.bench, self.broker)
        # What a dashboard sees: not behind the backlog on its own line.
        self.dashboard = Subscriber(self.bench, self.broker, "gerbang/v1/+/+/+/aggregate/water/1s", "dashboard")
        self.port = free_port()
        self.systemd = ServiceManager(self.bench.folder)
        self.gateway = None

    def uplink(self):
        status = self.gateway.json(self.port, "/api/v1/status")
        return status and status["uplinks"][0]

    def start(self):
        """Starts the daemon; seconds to readiness, to the page, to the first reading and to the first live message."""
        wall, began = time.time(), time.monotonic()
        if self.gateway is None:
            self.gateway = Gateway(self.bench, configuration(self.broker, self.port), {"NOTIFY_SOCKET": self.systemd.path})
        else:
            self.gateway.process.start()
        wait_for("the page", lambda: self.gateway.json(self.port, "/api/v1/status"), 60, 0.01)
        page = time.monotonic() - began
        ready = wait_for("readiness", lambda: self.systemd.ready_after(began), 60, 0.01) - began
        sensed = wait_for("a reading", lambda: (page := self.gateway.json(self.port, "/api/v1/sensors")) and any(
            "value" in (newest := s.get("newest", {})) and newest["timeMs"] > wall * 1000 for s in page["sensors"]), 60, 0.01) and time.monotonic() - began
        live = wait_for("a live message", lambda: [at for _, m, at in self.dashboard.messages("aggregate")
                                                   if at > wall and not m.source.historical and m.window_start_ms / 1000 > wall],
                        60, 0.02)[0] - wall
        return {"page": page, "ready": ready, "sensed": sensed, "live": live}

    def told(self, times):
        return ", ".join(f"{name} after {seconds:.2f} s" for name, seconds in times.items())

    def test_a_large_backlog(self):
        # Undisturbed: what a start takes, and a live message.
        small = self.start()
        wait_for("messages", lambda: len(self.dashboard.messages("aggregate")) >= 8, 40)
        quiet = latencies(self.dashboard, "aggregate")
        self.broker.stop()
        wait_for("something that waits", lambda: (u := self.uplink()) and not u["connected"] and u["waiting"] >= 8, 30)
        self.assertEqual(self.gateway.process.stop(), 0)
        file = self.gateway.state / "gerbang.db"
        without_checksums(file)
        add_backlog(file, self.room.schema, BACKLOG)

        self.broker.start()
        times = self.start()
        waiting = self.uplink()["waiting"]
        self.assertGreater(waiting, BACKLOG * 0.2, "the backlog was gone before anything could be seen")
        began = time.time()
        at_start = Footprint.of(self.gateway.pid)
        self.assertLess(max(times["ready"], times["page"], times["sensed"]), max(READY, 3 * small["ready"]))
        self.assertLess(at_start.peak, MEMORY, at_start)
        time.sleep(2)

        # Killed in the middle: the next start is as good, and nothing is missing in the end.
        self.gateway.process.stop(signal.SIGKILL)
        again = self.start()
        self.assertLess(max(again["ready"], again["page"], again["sensed"]), max(READY, 3 * small["ready"]))
        restarted = time.time()
        wait_for("the backlog to drain", lambda: (u := self.uplink()) and u["waiting"] <= 2, 60 + BACKLOG / 500, 0.2)
        drained = time.time()
        at_end = Footprint.of(self.gateway.pid)
        self.assertLess(at_end.peak, MEMORY, at_end)
        during = latencies(self.dashboard, "aggregate", since=restarted, until=drained)
        if during:
            self.assertLess(quantile(during, 0.5), max(1.5 * quantile(quiet, 0.5), quantile(quiet, 0.5) + 0.25))
        ledger = self.gateway.balance(self.port)
        last = self.gateway.json(self.port, "/api/v1/status")["lastSequence"]
        self.assertEqual(self.gateway.process.stop(), 0)

        def arrived():
            with self.room.lock:
                return len(self.room.arrived)
        count = arrived()
        while (time.sleep(1), arrived())[1] != count:  # the subscriber is slower than the gateway
            count = arrived()
        self.room.stop()
        self.dashboard.stop()
        figures = self.room.audit()
        numbers = {m.source.sequence for _, m, _ in self.room.messages() if m.source.sequence}
        self.assertEqual(min(numbers), 1)
        self.assertGreaterEqual(max(numbers), last)
        print(f"{BACKLOG:,} messages in the outbox: {self.told(times)}; {self.told(again)} (after a kill -9); without a backlog "
              f"{self.told(small)}. {at_start}; after the drain {at_end}. Drained {waiting:,} in {drained - began:.1f} s, live "
              f"latency {quantile(quiet, 0.5):.2f} s (median) without and {quantile(during or [0], 0.5):.2f} s with the backlog, "
              f"worst {max(quiet):.2f} and {max(during or [0]):.2f} s. {figures}, {ledger}")


if __name__ == "__main__":
    unittest.main(verbosity=2)
