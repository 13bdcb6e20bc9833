# SPDX-License-Identifier: Apache-2.0
"""What the kill and the stop test share: a plant that counts its reads, the real daemon above it, and the judgement of what the
store holds.

What "taken" means. A reading goes device → driver → its host's socket → gerbangd. It is taken when gerbangd has written it to its
journal, which it does before it shows it to anybody. What was read from the device and is still on its way when gerbangd is
killed was not taken: its driver dies with it. So two things are asserted:

  1. Whatever anybody could see (the event stream, the API) before a kill is in the store, once. No exception.
  2. A count that the plant served and the store does not hold is allowed only if the plant served it later than `in_flight`
     before a kill. In every other cycle the plant pauses before the kill, until all that it served has arrived: there no
     hole is allowed at all, however the kill falls into the daemon's own work."""
import collections
import contextlib
import http.client
import json
import os
import signal
import threading
import time

from harness import SOURCE, Broker, Gateway, Subscriber, free_port, identity, port_open, wait_for

UNITS = 4
IN_FLIGHT = 0.25   # seconds: a busy machine; a frame takes a millisecond on an idle one
HELD = 1.0         # how long the plant stands still before a kill, for what is under way to arrive


def configuration(broker_port, http_port, plant_port, store):
    text = identity() + f"""
[store]
{store}
[http]
listen = "127.0.0.1:{http_port}"
[windows]
default = ["2s", "10s"]
grace = "2500ms"
[[uplink]]
name = "regional"
url = "mqtt://127.0.0.1:{broker_port}"
backlog_rate = 0
"""
    for line in range(2):
        text += f"""
[[driver]]
name = "line-{line}"
plugin = "modbus"
interval = "50ms"
[driver.options]
transport = "tcp"
host = "127.0.0.1"
port = {plant_port}
timeout = "500ms"
"""
    for n in range(UNITS):
        text += f"""
[[sensor]]
id = "count-{n + 1}"
driver = "line-{n % 2}"
quantity = "turbidity"
unit = "NTU"
address = {{ unit = {n + 1}, table = "holding", register = 0, type = "uint32" }}
"""
    return text


class EventStream(threading.Thread):
    """Every value that the gateway's event stream has shown, over its restarts."""

    def __init__(self, http_port):
        super().__init__(daemon=True)
        self.http_port, self.seen, self.ending = http_port, collections.defaultdict(set), False
        self.start()

    def run(self):
        while not self.ending:
            with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
                connection = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=1)
                connection.request("GET", "/api/v1/stream")
                answer = connection.getresponse()
                kind = b""
                for line in answer:
                    if line.startswith(b"event:"):
                        kind = line[6:].strip()
                    elif line.startswith(b"data:") and kind == b"reading":
                        reading = json.loads(line[5:])
                        if "value" in reading:
                            self.seen[reading["sensor"]].add(int(reading["value"]))
            time.sleep(0.02)


class Rig:
    def __init__(self, bench, store='commit_interval = "1s"'):
        """store: the lines of that table."""
        self.bench, self.store = bench, store
        self.shown_is_kept = True  # a power cut takes what was not committed, though it was shown
        self.broker = Broker(bench)
        self.room = Subscriber(bench, self.broker)
        self.http_port, self.plant_port = free_port(), free_port()
        self.log = bench.folder / "served.log"
        self.plant = bench.run("plant", ["/usr/bin/python3", SOURCE / "tests/e2e/counted_plant.py", self.plant_port, UNITS, self.log])
        wait_for("the plant", lambda: port_open(self.plant_port))
        self.gateway = None
        self.stream = EventStream(self.http_port)
        self.gaps = []   # (from, to): what was served in between may be missing
        self.kills = []  # when
        self.lost = []   # when what the store lacks was served
        self.starts = []

    # ---- running

    def start(self):
        """Starts the daemon as systemd would, in the same folders; the seconds until the plant was asked again."""
        began = time.monotonic()
        if self.gateway is None:
            self.gateway = Gateway(self.bench, configuration(self.broker.port, self.http_port, self.plant_port, self.store))
        else:
            self.gateway.process.start()
        return began

    def sensing(self, since, seconds=20):
        """Waits until each unit was asked again; the seconds from `since` to then."""
        return max(wait_for("sensing", lambda: (f := self.first_after(since)) and len(f) == UNITS and f, seconds, 0.01).values()) - since

    def first_after(self, since):
        out = {}
        for unit, _, at in self.served(tail=20_000):
            if at > since:
                out.setdefault(unit, at)
        return out

    def served(self, tail=None):
        return [line for line in self.lines(tail) if line[0] != 0]

    def lines(self, tail=None):
        """(unit, count, time) of each read, in order; (0, 0, time) for a pause."""
        with open(self.log, encoding="utf-8") as log:
            if tail is not None:
                log.seek(0, os.SEEK_END)
                log.seek(max(0, log.tell() - tail))
                if log.tell():
                    log.readline()
            lines = log.read().splitlines()
        return [(int(u), int(n), float(t)) for u, n, t in map(str.split, lines) if t]

    def kill(self, held, others=()):
        """kill -9 of the daemon, and of `others`, at once. `held`: nothing is under way between plant and daemon."""
        if held:
            stopped = self.hold()
            time.sleep(HELD)
        now = time.monotonic()
        self.kills.append(now)
        for pid in [self.gateway.pid, *others]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.gateway.process.process.wait()
        self.gaps.append([stopped if held else now - IN_FLIGHT, time.monotonic() + 0.05])
        if held:
            self.plant.process.send_signal(signal.SIGUSR2)
            # Requests that waited in the kernel are served to a line that is dead.
            self.gaps[-1][1] = time.monotonic() + 0.2

    def hold(self):
        """The plant pauses; when."""
        self.plant.process.send_signal(signal.SIGUSR1)
        return wait_for("the plant to pause", lambda: [at for unit, _, at in self.lines()[-1:] if unit == 0])[0]

    # ---- judging

    def stored(self):
        """sensor → [(count, time ms, flag)], from the API's own history."""
        out = {}
        for n in range(1, UNITS + 1):
            rows, path = [], f"/api/v1/readings?sensor=count-{n}&from=-24h&limit=10000"
            after = ""
            while True:
                page = wait_for("history", lambda: self.gateway.json(self.http_port, path + after))
                rows += [(int(r["value"]) if "value" in r else None, r["timeMs"], r["quality"]) for r in page["readings"]]
                if not page.get("next"):
                    break
                after = "&next=" + page["next"]
            out[f"count-{n}"] = rows
        return out

    def check_store(self):
        """No hole that is not allowed, nothing twice, all that was seen is there, the ledger counts what the store holds."""
        stored = self.stored()
        self.lost.clear()
        ledger = wait_for("the ledger", lambda: self.gateway.json(self.http_port, "/api/v1/ledger"))
        served, in_flight = collections.defaultdict(dict), 0
        for unit, count, at in self.served():
            served[f"count-{unit}"][count] = at
        for sensor, rows in stored.items():
            counts = [count for count, _, _ in rows if count is not None]
            twice = [c for c, n in collections.Counter(counts).items() if n > 1]
            assert not twice, f"{sensor}: stored twice: {twice}"
            have = set(counts)
            unseen = self.stream.seen[sensor] - have
            assert not (unseen and self.shown_is_kept), f"{sensor}: shown and not stored: {sorted(unseen)}"
            assert have <= set(served[sensor]), f"{sensor}: stored and never served: {sorted(have - set(served[sensor]))[:10]}"
            newest = max(have)
            for count, at in served[sensor].items():
                if count in have or count > newest:
                    continue
                allowed = any(begin <= at <= end for begin, end in self.gaps)
                assert allowed, f"{sensor}: count {count}, served at {at:.3f}, is lost; kills at {self.gaps}"
                self.lost.append(at)
                # The rest was served to a line that was dead already.
                in_flight += any(begin <= at < kill <= end for begin, end in self.gaps for kill in self.kills)
        for sensor in ledger["sensors"]:
            if sensor["sensor"] in stored:
                rows = len(stored[sensor["sensor"]])
                assert 0 <= sensor["stored"] - rows < 400, f"{sensor['sensor']}: {rows} in the history, {sensor['stored']} in the ledger"
        return {"counts": sum(len(s) for s in served.values()), "in_flight": in_flight, "seen": sum(map(len, self.stream.seen.values()))}

    def check_windows(self):
        """Folded once: what the operations room received of each closed window is what the store holds of it. A reading that was
        late on a slow machine comes with a revision, at most a minute later."""
        with contextlib.suppress(AssertionError):
            wait_for("the windows", lambda: not self.wrong_windows(), 70, 2)
        wrong = self.wrong_windows()
        assert not wrong, "\n".join(wrong[:10])
        checked, revised = len(self.windows()), sum(row.revision > 0 for row in self.windows().values())
        assert checked > 0
        return {"checked": checked, "revised": revised}

    def windows(self):
        newest = {}
        for suffix, message, _ in self.room.messages("aggregate"):
            if message.source.sequence == 0:  # from memory: the same window comes again with a number
                continue
            for row in message.aggregates:
                key = (row.sensor, message.window, message.window_start_ms, message.window_end_ms)
                if key not in newest or newest[key].revision < row.revision:
                    newest[key] = row
        return newest

    def wrong_windows(self):
        stored, out = self.stored(), []
        for (sensor, window, start, end), row in self.windows().items():
            received = sum(1 for _, at, quality in stored[sensor] if start <= at < end and quality != "missing")
            if row.received != received:
                out.append(f"{sensor} {window} {start}: received {row.received}, the store has {received}")
        return out

    def finish(self):
        """Ends everything: the ledger balances, the store and the room have all, the daemon stops with 0."""
        self.gateway.balance(self.http_port)
        # The plant falls silent, and what it said comes to rest.
        self.hold()
        time.sleep(HELD)
        taken = self.gateway.json(self.http_port, "/api/v1/ledger")["readings"]["taken"]
        wait_for("the last commit", lambda: (o := self.gateway.json(self.http_port, "/api/v1/ledger")) and
                 o["readings"]["stored"] + sum(o["readings"]["rejected"].values()) >= taken)
        figures = self.check_store()
        figures["windows"] = self.check_windows()
        wait_for("an empty outbox", lambda: (s := self.gateway.json(self.http_port, "/api/v1/status")) and
                 s["uplinks"][0]["waiting"] <= 2, 60)
        self.stream.ending = True
        last = self.gateway.json(self.http_port, "/api/v1/status")["lastSequence"]
        figures["ledger"] = self.gateway.balance(self.http_port)
        assert self.gateway.process.stop(seconds=30) == 0
        wait_for("the last messages", lambda: max((m.source.sequence for _, m, _ in self.room.messages()), default=0) >= last, 30)
        self.room.stop()
        figures.update(self.room.audit())
        first = min(m.source.sequence for _, m, _ in self.room.messages() if m.source.sequence)
        assert first == 1, f"the first message that arrived is #{first}"
        return figures
