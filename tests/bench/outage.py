#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tests/bench/outage: what an outage costs. The standard load (10 Modbus units × 100 registers × 1 Hz, every reading forwarded) is
stored while the broker is away, then drained; in the same run a bare Paho loop with the same window publishes the same messages to
the same broker with the same subscriber.

Prints messages a second of both and their ratio (aim ≥ 0.5), the latency of live messages during the drain against the latency
without (aim ≤ 1.5), and the memory of all processes before, during and after. Time is compressed: of the hour, the first
--seconds are real; the rest repeats their messages, as many as an hour makes, in the store's own file.

The latency is that of one more sensor, of another domain and so on a topic of its own, read ten times a second: from its newest
reading to the arrival of the message. The figures of one machine are not claims; ratios are.

Usage: outage.py [--build build/release] [--seconds 60] [--hours 1] [--json]"""
import argparse
import contextlib
import json
import pathlib
import sqlite3
import struct
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))
from harness import Bench, Broker, SOURCE, Subscriber, free_port, port_open, wait_for  # noqa: E402
from observe import Footprint, quantile  # noqa: E402
from steady import gerbang_configuration  # noqa: E402

WINDOW = 20  # the default, and the broker's Receive Maximum
PULSE = """
[[driver]]
name = "pulse"
plugin = "simulator"
interval = "100ms"
[[sensor]]
id = "pulse"
driver = "pulse"
quantity = "air_temperature"
unit = "degC"
address = { signal = "raw_turbidity" }
"""


class Arrivals:
    """mosquitto_sub that prints the arrival time of each message of a topic."""

    def __init__(self, bench, broker, topic, name):
        self.process = bench.run(name, ["mosquitto_sub", "-h", "127.0.0.1", "-p", broker.port, "-q", "1", "-R", "-V", "5", "-t", topic,
                                        "-F", "%U %P"])
        time.sleep(0.5)

    def rate(self, since, only=""):
        """Messages a second, from the first to the last that arrived after `since` (and has the property), and their number."""
        lines = [line.split(" ", 1) for line in self.process.text().splitlines() if " " in line]
        at = [float(t) for t, properties in lines if float(t) >= since and only in properties]
        return (len(at) - 1) / (at[-1] - at[0]), len(at)


def repeat(file, hours, seconds):
    """Makes the messages that wait as many as the hours would have made; how many wait then, and their bytes."""
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as db:
        rows = db.execute("SELECT pending, topic, kind, lane, retain, made_ms, body FROM outbox ORDER BY sequence").fetchall()
        sequence, = db.execute("SELECT last_sequence FROM state").fetchone()
        last = dict(db.execute("SELECT id, last FROM topic"))
        count = max(0, int(len(rows) * (hours * 3600 / seconds - 1)))

        def copies():
            for n in range(count):
                pending, topic, kind, lane, retain, made_ms, body = rows[n % len(rows)]
                yield sequence + 1 + n, pending, last[topic], topic, kind, lane, 0, made_ms, body
                last[topic] = sequence + 1 + n
        db.execute("BEGIN")
        db.executemany("INSERT INTO outbox VALUES (?,?,?,?,?,?,?,?,?)", copies())
        db.execute("UPDATE state SET last_sequence = ?", (sequence + count,))
        db.executemany("UPDATE topic SET last = ?2 WHERE id = ?1", last.items())
        db.execute("UPDATE uplink SET made = made + ?", (count,))
        db.execute("COMMIT")
        return db.execute("SELECT count(*), sum(length(body)) FROM outbox").fetchone()


def bodies(file, to):
    with contextlib.closing(sqlite3.connect(file)) as db, open(to, "wb") as out:
        for body, in db.execute("SELECT body FROM outbox ORDER BY sequence"):
            out.write(struct.pack("=I", len(body)) + body)


def delays(subscriber, since, until):
    """Seconds from the newest reading of a live message to its arrival, sorted."""
    return sorted(at - max(r.time_ms for r in m.readings) / 1000 for _, m, at in subscriber.messages("reading")
                  if since <= at < until and not m.source.historical)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--build", default=str(SOURCE / "build" / "release"))
    options.add_argument("--seconds", type=float, default=60, help="of the outage that are real")
    options.add_argument("--hours", type=float, default=1, help="length of the outage")
    options.add_argument("--json", action="store_true")
    o = options.parse_args()
    build = pathlib.Path(o.build).resolve()
    with Bench() as bench:
        bare = bench.folder / "bare_paho"
        subprocess.run(["cc", "-O2", "-o", bare, HERE / "bare_paho.c", "-lpaho-mqtt3a"], check=True)
        broker, plant, http_port = Broker(bench, "autosave_on_changes false\nautosave_interval 3600"), free_port(), free_port()
        bench.run("plant", ["/usr/bin/python3", HERE / "bench_plant.py", plant])
        wait_for("the plant", lambda: port_open(plant))
        folder = bench.folder / "state"
        folder.mkdir()
        text = gerbang_configuration(broker, plant, http_port, True) + PULSE
        text = text.replace("[[uplink]]", '[store]\nmax_size = "8GiB"\nmin_free = "0B"\n[[uplink]]\nbacklog_rate = 0\n'
                            f"in_flight = {WINDOW}")
        text = text.replace("[[uplink]]", '[time]\ntrust = "rtc"\n[[uplink]]') if "[time]" not in text else text
        file = bench.write("gerbang.toml", text)
        environment = {"STATE_DIRECTORY": str(folder), "RUNTIME_DIRECTORY": str(bench.memory()),
                       "GERBANG_DRIVER_PATH": str(build / "drivers"), "GERBANG_DATA": str(SOURCE / "config")}
        gateway = bench.run("gerbangd", [build / "bin" / "gerbangd", "--config", file], environment)

        def uplink():
            with contextlib.suppress(OSError, ValueError):
                import urllib.request
                with urllib.request.urlopen(f"http://127.0.0.1:{http_port}/api/v1/status", timeout=5) as answer:
                    return json.loads(answer.read())["uplinks"][0]
            return None
        pulse = Subscriber(bench, broker, "gerbang/v1/+/+/+/reading/weather", "pulse")
        wait_for("live messages", lambda: len(pulse.messages("reading")) >= 3, 60)
        wait_for("the link", lambda: (u := uplink()) and u["connected"], 20)
        time.sleep(5)
        began = time.time()
        time.sleep(20)
        quiet = delays(pulse, began, time.time())
        before = Footprint.of(gateway.process.pid)

        broker.stop()
        wait_for("the loss of the link", lambda: (u := uplink()) and not u["connected"], 30)
        time.sleep(o.seconds)
        stored = Footprint.of(gateway.process.pid)
        assert gateway.stop(seconds=60) == 0
        waiting, size = repeat(folder / "gerbang.db", o.hours, o.seconds)
        bodies(folder / "gerbang.db", bench.folder / "bodies")

        broker.start()
        # The first messages warm the broker; the bare loop gets the same chance.
        listener = Arrivals(bench, broker, "bare", "sub-bare")
        bare_rates = []
        for _ in range(3):
            since = time.time()
            subprocess.run([bare, str(broker.port), str(WINDOW), bench.folder / "bodies"], check=True, stdout=subprocess.PIPE)
            time.sleep(0.5)
            bare_rates.append(listener.rate(since)[0])
        listener.process.stop()

        # The daemon comes to rest before the broker is back: what a restart costs is another bench.
        broker.stop()
        gateway.start()
        wait_for("the page", lambda: uplink(), 30)
        time.sleep(15)
        broker.start()
        since = time.time()
        listener = Arrivals(bench, broker, "gerbang/v1/+/+/+/+/#", "sub-gerbang")
        peak = [0]

        def drained():
            footprint = Footprint.of(gateway.process.pid)
            peak[0] = max(peak[0], footprint.resident)
            return (u := uplink()) and u["connected"] and u["waiting"] <= 3
        wait_for("the backlog to drain", drained, 600, 0.2)
        time.sleep(1)
        rate, count = listener.rate(since, "historical")
        first = min(at for _, m, at in pulse.messages("reading") if at > since)
        until = max(at for _, m, at in pulse.messages("reading") if m.source.historical)
        during = delays(pulse, since, until + 1)
        time.sleep(5)
        after = Footprint.of(gateway.process.pid)
        assert gateway.stop(seconds=60) == 0
        pulse.stop()
    floor = sorted(bare_rates)[1]
    result = {"waiting": waiting, "bytes": size, "bare_per_s": floor, "gerbang_per_s": rate, "ratio": rate / floor, "arrived": count,
              "drain_s": until - first, "live_ms": quantile(quiet, 0.5) * 1000, "live_during_ms": quantile(during, 0.5) * 1000 if during else None,
              "live_samples": [len(quiet), len(during)], "live_worst_ms": [quiet[-1] * 1000, during[-1] * 1000 if during else None],
              "resident_mb": {"before": before.resident / 1e6, "broker away": stored.resident / 1e6, "largest of the drain": peak[0] / 1e6,
                              "after": after.resident / 1e6}}
    if o.json:
        print(json.dumps(result, indent=1))
        return
    print(f"{waiting:,} messages of {size / waiting:,.0f} B wait after {o.hours:g} h (first {o.seconds:g} s real)")
    print(f"drain: {rate:,.0f} messages/s, {rate * size / waiting / 1e6:.1f} MB/s; bare loop {floor:,.0f} messages/s (median of 3: "
          f"{', '.join(f'{r:,.0f}' for r in bare_rates)}); ratio {rate / floor:.2f} (aim ≥ 0.5)")
    if during:
        print(f"live latency: {result['live_ms']:.0f} ms without, {result['live_during_ms']:.0f} ms during the drain ({len(during)} messages), "
              f"ratio {result['live_during_ms'] / result['live_ms']:.2f} (aim ≤ 1.5); worst {quiet[-1] * 1000:.0f} and {during[-1] * 1000:.0f} ms")
    print("resident, all processes: " + ", ".join(f"{mb:.1f} MB {when}" for when, mb in result["resident_mb"].items()))


if __name__ == "__main__":
    main()
