# SPDX-License-Identifier: Apache-2.0
"""A week of a site in virtual time, for the tests *_week_test.py: the example of config/examples with the driver `replay` in the
place of its devices; the rules once more in Python, from the recorded rows; and the comparison of both over MQTT and HTTP.

Not here: an alarm `on = "stale"` looks at the time that passes while the daemon runs, and a recording brings none; and the
gateway's own conditions. Both are in e2e.alarm."""
import collections
import json
import math
import random
import signal
import time
import tomllib

from harness import SOURCE, Bench, Broker, Gateway, Subscriber, free_port, wait_for

HOUR, DAY = 3_600_000, 86_400_000  # ms
ZONE = 8 * HOUR  # Asia/Makassar
DAYS = 7

# What config/quality.toml says: outside of `range` a reading is bad, outside of `expected` suspect.
RANGES = {"ph": (0, 14), "dissolved_oxygen": (0, 20), "water_temperature": (0, 50), "pm2_5": (0, 1000), "pm10": (0, 1000)}
EXPECTED = {"ph": (4, 11), "dissolved_oxygen": (0, 15), "water_temperature": (15, 40), "pm2_5": (0, 600), "pm10": (0, 600)}
# From a sensor's unit to its quantity's, where they differ.
FACTORS = {("co", "mg/m³"): 1000, ("pressure", "kPa"): 0.01}
TOTALISERS, EVENTS = {"volume", "landfill_gas_volume"}, {"net_weight"}

Reading = collections.namedtuple("Reading", "time value flag raw")  # flag: good, suspect, bad, missing
# `inputs`: by sensor (value, capture); None: not compared.
Said = collections.namedtuple("Said", "value category critical provisional capture inputs", defaults=(None, None))
Part = collections.namedtuple("Part", "value valid capture")  # of one sensor in a window
Told = collections.namedtuple("Told", "state occurrence since cleared value threshold")


def seconds(text):
    return int(text[:-1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[text[-1]]


def number(amount):
    """In the quantity's unit; a text carries its unit, which is the quantity's in these tests."""
    return float(amount.split()[0]) if isinstance(amount, str) else amount


def toml(value):
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(k)} = {toml(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(toml(v) for v in value) + "]"
    return json.dumps(value, ensure_ascii=False)


class Site:
    """An example, what the test adds to it (tables as in the file), and what its sensors say: `say(rng, row)` gives values by
    sensor in the sensors' own units, None for an empty cell; or None: there is no such row. `row.hour` counts from the start. `patch`: keys
    of sensors that are others here."""

    def __init__(self, example, minutes, say, windows=("1h", "1d"), add="", patch=None):
        self.tables = tomllib.loads((SOURCE / "config/examples" / f"{example}.toml").read_text())
        for key, value in tomllib.loads(add).items():
            self.tables[key] = self.tables.get(key, []) + value
        self.step, self.windows = minutes * 60_000, list(windows)
        self.sensors = {s["id"]: {**s, **(patch or {}).get(s["id"], {})} for s in self.tables["sensor"]}
        # Seven whole days. What follows the last one has ended, too: no window closes in its own time while the test runs.
        self.end = (int(time.time() * 1000) + ZONE - 25 * HOUR) // DAY * DAY - ZONE
        self.start = self.end - DAYS * DAY
        rng = random.Random(example)
        self.rows = []
        row = collections.namedtuple("Row", "number time hour day")
        for i, t in enumerate(range(self.start, self.end, self.step)):
            hour = (t - self.start) // HOUR
            values = say(rng, row(i, t, hour, math.sin(2 * math.pi * hour / 24)))
            if values is not None:
                self.rows.append((t + 30_000, values))

    def write(self, bench, rows, name="week.csv"):
        lines = ["time," + ",".join(self.sensors)]
        for t, values in rows:
            cells = (values.get(c) for c in self.sensors)
            lines.append(f"{t}," + ",".join("" if c is None else repr(c) for c in cells))
        return bench.write(name, "\n".join(lines) + "\n")

    def configuration(self, bench, broker, port):
        tables = {**self.tables, "store": {"min_free": "1MiB", "commit_interval": "200ms"}, "time": {"trust": "rtc"},
                  "http": {"listen": f"127.0.0.1:{port}"}, "windows": {"default": self.windows}}
        tables["uplink"] = [{**tables["uplink"][0], "url": f"mqtt://127.0.0.1:{broker.port}"}]
        options = {"file": str(bench.folder / "week.csv"), "time_format": "unix_ms", "start": "recorded", "speed": 0}
        tables["driver"] = [{"name": "past", "plugin": "replay", "interval": f"{self.step // 60_000}m", "options": options}]
        tables["sensor"] = []
        for sensor in self.sensors.values():
            column = {"column": sensor["id"]}
            if sensor["quantity"] in TOTALISERS:
                column["integer"] = True
            tables["sensor"].append({**sensor, "driver": "past", "address": column})
        text = ""
        for name, table in tables.items():
            for one in table if isinstance(table, list) else [table]:
                text += f"[[{name}]]\n" if isinstance(table, list) else f"[{name}]\n"
                text += "".join(f"{key} = {toml(value)}\n" for key, value in one.items())
        return text


class Oracle:
    """The rules once more, from the rows."""

    def __init__(self, site, rows):
        self.site, self.by_hour = site, collections.defaultdict(list)
        self.readings = {name: [] for name in site.sensors}
        for t, values in rows:
            for name, raw in values.items():
                reading = self.read(site.sensors[name], t, raw)
                if reading is not None:
                    self.readings[name].append(reading)
        self.deltas = {name: self.increments(name) for name in site.sensors}
        for name, readings in self.readings.items():
            for reading in readings:
                self.by_hour[name, reading.time // HOUR * HOUR].append(reading)

    @staticmethod
    def read(sensor, t, raw):
        if raw is None:
            # Nothing was weighed: an event that does not come is not missing.
            return Reading(t, None, "missing", None)
        quantity = sensor["quantity"]
        value = raw * FACTORS.get((quantity, sensor.get("unit")), 1)
        own, quality = sensor.get("range", {}), sensor.get("quality", {})
        low, high = RANGES.get(quantity, (-math.inf, math.inf)) if quality.get("defaults", True) else (-math.inf, math.inf)
        low, high = own.get("low", low), own.get("high", high)
        if not low <= value <= high:
            return Reading(t, value, "bad", raw)
        low, high = EXPECTED.get(quantity, (-math.inf, math.inf)) if quality.get("defaults", True) else (-math.inf, math.inf)
        own = quality.get("expected", {})
        low, high = own.get("low", low), own.get("high", high)
        return Reading(t, value, "good" if low <= value <= high else "suspect", raw)

    def increments(self, name):
        """Of a counter: time → what it counted since the good reading before. The later reading has it."""
        out, before, wrap = {}, None, self.site.sensors[name].get("wrap")
        for reading in self.readings[name]:
            if reading.flag != "good":
                continue
            if before is not None:
                step = reading.raw - before
                if step < 0:  # turned over, or another counter
                    step = step + wrap if wrap and step + wrap <= wrap / 2 else 0
                out[reading.time] = step
            before = reading.raw
        return out

    def polled(self, name):
        return self.site.sensors[name]["quantity"] not in EVENTS

    def inside(self, name, start, end):
        return [r for h in range(start // HOUR * HOUR, end, HOUR) for r in self.by_hour.get((name, h), []) if start <= r.time < end]

    def good(self, name, start, end):
        """What counts."""
        flags = ("good", "suspect") if self.site.sensors[name].get("count_suspect") else ("good",)
        return [r.value for r in self.inside(name, start, end) if r.flag in flags]

    def mean(self, name, start, end):
        values = self.good(name, start, end)
        return math.fsum(values) / len(values) if values else None

    def delta(self, name, start, end):
        if not self.polled(name):
            return math.fsum(v) if (v := self.good(name, start, end)) else None
        steps = [self.deltas[name][r.time] for r in self.inside(name, start, end) if r.time in self.deltas[name]]
        return math.fsum(steps) if steps else None

    def valid(self, name, hour, share=0.75, length=HOUR):
        if not self.polled(name):
            return any(r.flag != "missing" for r in self.inside(name, hour, hour + length))
        return len(self.good(name, hour, hour + length)) / (length // self.site.step) >= share

    # ---- windows of regulations ----

    def part(self, name, start, end, statistic="mean", window=0.75, hour=0.75):
        """What a sensor says in a window of hours."""
        hours = [h for h in range(start, end, HOUR) if self.inside(name, h, h + HOUR)]
        valid = [h for h in hours if self.valid(name, h, hour)]
        if statistic == "mean":
            values = [m for h in (valid or hours) if (m := self.mean(name, h, h + HOUR)) is not None]
            value = math.fsum(values) / len(values) if values else None
        elif statistic == "delta":
            values = [d for h in hours if (d := self.delta(name, h, h + HOUR)) is not None]
            value = math.fsum(values) if values else None
        else:
            values = self.good(name, start, end)
            value = {"maximum": max, "last": lambda v: v[-1]}[statistic](values) if values else None
        capture = len(valid) / ((end - start) // HOUR) if self.polled(name) else None
        fit = bool(valid) if capture is None else capture >= window
        if not self.good(name, start, end):
            value = None
        return Part(value, fit and value is not None, capture)

    def parts(self, indicator, start, end, statistic="mean"):
        """By (quantity, sensor), in the order of the configuration."""
        out = {}
        for quantity, names in indicator["inputs"].items():
            for name in names if isinstance(names, list) else [names]:
                out[quantity, name] = self.part(name, start, end, statistic, indicator.get("capture", 0.75),
                                                indicator.get("hour_capture", 0.75))
        return out

    def judged(self, indicator, start, end, judge, statistic="mean"):
        """One sensor a quantity: judge({quantity: value}) → (value, category, critical), or None. Valid inputs only while they
        can be judged."""
        parts = self.parts(indicator, start, end, statistic)
        inputs = {name: (p.value, p.capture) for (_, name), p in parts.items()}
        valid = {key: p for key, p in parts.items() if p.valid}
        some = {key: p for key, p in parts.items() if p.value is not None}
        result = judge({q: p.value for (q, _), p in valid.items()})
        # The capture is that of the best there are, also where they were only helpers.
        best = valid or some
        provisional = result is None
        if result is None:
            result = judge({q: p.value for (q, _), p in some.items()})
        capture = min((p.capture for p in best.values() if p.capture is not None), default=None)
        if result is None:
            return None
        return Said(*result, provisional, capture, inputs)

    def amount(self, indicator, start, end, factor=1):
        """What counters or events of a day add up to."""
        parts = self.parts(indicator, start, end, "delta")
        inputs = {name: (p.value, p.capture) for (_, name), p in parts.items()}
        known = [p for p in parts.values() if p.value is not None]
        if not known:
            return None
        captures = [p.capture for p in known if p.capture is not None]
        return Said(math.fsum(p.value for p in known) * factor, "", (), not all(p.valid for p in parts.values()),
                    min(captures, default=None), inputs)

    def share_complying(self, indicator, start, end, judge):
        judged = complying = 0
        critical = []
        for h in range(start, end, HOUR):
            values = {q: self.mean(n, h, h + HOUR) for q, n in indicator["inputs"].items() if self.valid(n, h)}
            result = judge(values)
            if result is None:
                continue
            judged += 1
            complying += not result[2]
            critical += [q for q in result[2] if q not in critical]
        if judged == 0:
            return None
        share = judged / ((end - start) // HOUR)
        return Said(100 * complying / judged, "", tuple(critical), share < 0.75, share)

    # ---- of the station, for a local day ----

    def share_of_readings(self, start, end, good_only):
        expected = came = 0
        for name in self.site.sensors:
            if self.polled(name) and self.inside(name, start, end):
                expected += (end - start) // self.site.step
                came += (len(self.good(name, start, end)) if good_only else
                         sum(r.flag != "missing" for r in self.inside(name, start, end)))
        return Said(100 * came / expected, "", (), False) if expected else None

    def inventory(self, start, end):
        silent = [name for name in self.site.sensors if not self.good(name, start, end)]
        if not any(self.inside(name, start, end) for name in self.site.sensors):
            return None
        return Said(len(self.site.sensors) - len(silent), "", tuple(silent), False)

    def due(self, start, end):
        date = time.strftime("%Y-%m-%d", time.gmtime((start + ZONE) / 1000))
        due = {n: s["calibration"]["due"] for n, s in self.site.sensors.items() if "due" in s.get("calibration", {})}
        critical = tuple(name for name, day in due.items() if day <= date)
        return Said(len(critical), "", critical, False)

    def station(self):
        """The four that every site has, by the name of their standard."""
        return {"data-capture": lambda i, s, e: self.share_of_readings(s, e, True),
                "availability": lambda i, s, e: self.share_of_readings(s, e, False),
                "station-inventory": lambda i, s, e: self.inventory(s, e), "calibration-due": lambda i, s, e: self.due(s, e)}

    # ---- all indicators and alarms ----

    def indicators(self, rules):
        """`rules`: standard → (hours or "day", compute(indicator, start, end)). Gives {(id, end): Said}."""
        rules = {**{name: ("day", rule) for name, rule in self.station().items()}, **rules}
        first = min(r[0].time for r in self.readings.values() if r)
        last = max(r[-1].time for r in self.readings.values() if r)
        out = {}
        for indicator in self.site.tables["indicator"]:
            length, compute = rules[indicator["standard"]]
            step, hours = (DAY, 24) if length == "day" else (HOUR, length)
            begin = (first + ZONE) // step * step - ZONE
            for end in range(begin + step, last + hours * HOUR + 1, step):
                said = compute(indicator, end - hours * HOUR, end)
                if said is not None:
                    out[indicator["id"], end] = said
        return out


def limits(table, categories):
    """A judge: `table` is quantity → (low, high) or a function that says whether a value (and all values) complies."""
    def judge(values):
        bad, judged = [], 0
        for quantity, limit in table.items():
            if quantity not in values:
                continue
            good = limit(values) if callable(limit) else limit[0] <= values[quantity] <= limit[1]
            if good is None:  # judged against another, which there is not
                continue
            judged += 1
            if not good:
                bad.append(quantity)
        return (len(bad), categories[bool(bad)], tuple(bad)) if judged else None
    return judge


def near_air(values):
    """Within 3 °C of the air."""
    if "air_temperature" not in values:
        return None
    return abs(values["water_temperature"] - values["air_temperature"]) <= 3


# ---- alarms ---------------------------------------------------------------------------------------


class Life:
    """From sightings to what is said of an alarm."""

    def __init__(self, alarm):
        self.alarm, self.told = alarm, []
        self.active = self.raised = False
        self.changed = self.since = 0
        self.threshold = None
        self.occurrence = 0

    def judge(self, value):
        back = number(self.alarm.get("hysteresis", 0)) if self.active else 0
        inclusive = self.alarm.get("inclusive", False)
        for key, sign in ("above", 1), ("below", -1):
            if key in self.alarm:
                beyond = (value - number(self.alarm[key])) * sign
                if beyond > -back or (inclusive and beyond >= -back):
                    return True, number(self.alarm[key])
        return False, None

    def see(self, at, value):
        self.sighting(at, *self.judge(value), value)

    def sighting(self, at, active, threshold, value):
        if active != self.active:
            self.active, self.changed = active, at
        lasted = seconds(self.alarm.get("hold" if active else "release", "0s")) * 1000
        if self.active == self.raised or at - self.changed < lasted:
            return
        self.raised = self.active
        if threshold is not None:
            self.threshold = threshold
        if self.raised:
            self.occurrence, self.since = self.occurrence + 1, self.changed
        self.told.append(Told("RAISED" if self.raised else "CLEARED", self.occurrence, self.since,
                              None if self.raised else at, value, self.threshold))


def usable(reading):
    return reading.flag in ("good", "suspect")


def on_readings(life, readings):
    for r in readings:
        if usable(r):
            life.see(r.time, r.value)


def on_rate(life, readings):
    """Since the reading that is nearest to a span before, of those since the last gap that is longer than a span."""
    span, earlier = seconds(life.alarm.get("span", "1m")) * 1000, []
    for r in filter(usable, readings):
        if earlier and r.time - earlier[-1].time > span * 1.1:
            earlier = []
        if earlier and r.time - earlier[0].time >= span * 0.9:
            since = min(earlier, key=lambda one: (abs(r.time - one.time - span), one.time))
            life.see(r.time, (r.value - since.value) / (r.time - since.time) * span)
        earlier.append(r)


def on_quality(life, readings):
    active = ("bad",) if life.alarm.get("flag", "bad") == "bad" else ("bad", "suspect")
    for r in readings:
        if r.flag != "missing":
            life.sighting(r.time, r.flag in active, None, r.value)


def windows_of(alarm, oracle):
    """(end, value) of the closed windows that say something."""
    length, name = seconds(alarm["on"]) * 1000, alarm["sensor"]
    statistic = alarm.get("statistic", "mean")
    for start in range(oracle.site.start, oracle.site.end, length):
        end = start + length
        values = oracle.good(name, start, end)
        if statistic == "delta":
            value = oracle.delta(name, start, end)
        else:
            value = {"mean": lambda v: math.fsum(v) / len(v), "minimum": min, "maximum": max}[statistic](values) if values else None
        if value is not None:
            yield end, value


def alarms(oracles, said):
    """What is said of each alarm. `oracles` and `said`: what was known when windows were made, one after the other."""
    site = oracles[0].site
    out = {}
    for alarm in site.tables.get("alarm", []):
        life = Life(alarm)
        on = alarm.get("on", "reading")
        watch = {"reading": on_readings, "rate": on_rate, "quality": on_quality}.get(on)
        if "sensor" in alarm and watch:
            watch(life, oracles[-1].readings[alarm["sensor"]])
        else:
            newest, known = 0, {}
            for oracle, indicators in zip(oracles, said):
                if "indicator" in alarm:
                    windows = sorted((end, one) for (name, end), one in indicators.items() if name == alarm["indicator"])
                else:
                    windows = list(windows_of(alarm, oracle))
                for end, one in windows:
                    # Nothing older than what was looked at, and nothing twice.
                    if end < newest or known.get(end) == one:
                        continue
                    newest, known[end] = end, one
                    if "categories" in alarm:
                        life.sighting(end, one.category in alarm["categories"], None, one.value)
                    else:
                        life.see(end, one.value if "indicator" in alarm else one)
        out[alarm["id"]] = life.told
    return out


# ---- the test -------------------------------------------------------------------------------------


def close(a, b):
    return a == b if a is None or b is None else math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9)


class WeekTest:
    """A unittest.TestCase, too. It says what the site is and its rules; with `cut` (ms from the start) the daemon is killed there."""
    cut = None

    def make(self):
        """The Site."""
        raise NotImplementedError

    def rules(self, oracle):
        """Standard → (hours or "day", compute(indicator, start, end)); those of the station are there."""
        raise NotImplementedError

    # What came over MQTT.

    def newest(self):
        """The last revision of each window, by id and end."""
        out = {}
        for _, message, _ in self.room.messages("indicator/"):
            key = message.id, message.window_end_ms
            if key not in out or out[key].revision <= message.revision:
                out[key] = message
        return out

    def told(self):
        """By alarm, in the order of its sequence."""
        names, out = self.room.schema, {}
        messages = {m.source.sequence: m for _, m, _ in self.room.messages("alarm/")}
        for _, m in sorted(messages.items()):
            told = Told(names.AlarmState.Name(m.state), m.occurrence, m.since_ms, m.cleared_ms if m.HasField("cleared_ms") else None,
                        m.value if m.HasField("value") else None, m.threshold if m.HasField("threshold") else None)
            out.setdefault(m.id, []).append(told)
        return out

    def difference(self, want, got):
        """The first difference of the indicators, as text; None: they are equal."""
        for key, message in got.items():
            if key not in want and message.HasField("value") and message.window_end_ms <= self.last_end:
                return f"{key} was not to be said: {message}"
        for key, said in want.items():
            if key not in got:
                return f"{key} is missing: {said}"
            m = got[key]
            inputs = {i.sensor: (i.value if i.HasField("value") else None, i.capture if i.HasField("capture") else None)
                      for i in m.inputs}
            same = (m.HasField("value") and close(m.value, said.value) and m.category == said.category and
                    tuple(m.critical) == said.critical and m.provisional == said.provisional and
                    (said.capture is None or close(m.capture, said.capture)))
            if same and said.inputs is not None:
                same = inputs.keys() == said.inputs.keys() and all(
                    close(inputs[s][0], said.inputs[s][0]) and close(inputs[s][1], said.inputs[s][1]) for s in inputs)
            if not same:
                return f"{key}: {said}, and not {m}"
        return None

    def alarm_difference(self, want, got):
        for name, expected in want.items():
            came = got.get(name, [])
            same = len(came) == len(expected) and all(
                a[:4] == b[:4] and close(a.value, b.value) and close(a.threshold, b.threshold) for a, b in zip(came, expected))
            if not same:
                return f"alarm {name}:\nwanted {expected}\ncame   {came}"
        return None

    def stored(self, cells):
        of = (self.gateway.json(self.port, "/api/v1/ledger") or {}).get("readings", {})
        return of.get("waitingForCommit") == 0 and of.get("taken", 0) >= cells

    def play(self, want, seconds):
        """Until what is said is what is wanted."""
        end = time.monotonic() + seconds
        while (what := self.difference(want, self.newest())) and time.monotonic() < end:
            time.sleep(0.3)
        self.assertIsNone(what)

    def test_the_week(self):
        began = time.monotonic()
        self.site = site = self.make()
        with Bench() as bench:
            broker = Broker(bench)
            self.room = Subscriber(bench, broker)
            self.port = free_port()
            text = site.configuration(bench, broker, self.port)
            pieces = [site.rows]
            if self.cut:
                pieces = [[r for r in site.rows if r[0] < site.start + self.cut], [r for r in site.rows if r[0] >= site.start + self.cut]]
            oracles, said = [], []
            for i, rows in enumerate(pieces):
                oracles.append(Oracle(site, [r for piece in pieces[:i + 1] for r in piece]))
                said.append(oracles[i].indicators(self.rules(oracles[i])))
                self.last_end = max(end for _, end in said[i])
                site.write(bench, rows)
                self.gateway = Gateway(bench, text, name=f"gerbangd-{i}")
                self.play(said[i], 60)
                if i + 1 < len(pieces):
                    self.gateway.process.stop(signal.SIGKILL)
            want = alarms(oracles, said)
            wait_for("the alarms", lambda: self.alarm_difference(want, self.told()) is None or not time.sleep(3), 10)
            self.assertIsNone(self.alarm_difference(want, self.told()))
            self.enough(said[-1], want)
            self.over_http(bench, broker)
            self.room.audit()
            self.gateway.balance(self.port)
            cells = sum(len(v) for _, v in site.rows)
            counts = collections.Counter(name for name, _ in said[-1])
            print(f"{len(site.rows)} rows, {cells} cells, {time.monotonic() - began:.1f} s; windows compared: {dict(counts)}; "
                  f"alarms: { {name: len(told) for name, told in want.items()} }", flush=True)
            self.room.stop()

    def enough(self, said, want):
        """The recording has what the test is for."""
        for indicator in self.site.tables["indicator"]:
            mine = [one for (name, _), one in said.items() if name == indicator["id"]]
            self.assertGreaterEqual(len(mine), 6, indicator["id"])
        self.assertTrue({True, False} <= {one.provisional for one in said.values()})
        for name, told in want.items():
            self.assertGreaterEqual(len(told), 2, f"{name} is never raised and cleared")

    def over_http(self, bench, broker):
        """HTTP shows the newest of what MQTT brought, and the broker keeps it."""
        newest = {}
        for (name, at), message in self.newest().items():
            if name not in newest or at > newest[name].window_end_ms:
                newest[name] = message
        shown = wait_for("the indicators", lambda: self.gateway.json(self.port, "/api/v1/indicators"))["indicators"]
        self.assertEqual({one["id"] for one in shown}, set(newest))
        for one in shown:
            m = newest[one["id"]]
            self.assertEqual((one["windowEndMs"], one.get("value"), one.get("category", ""), one.get("critical", []), one["provisional"],
                              one.get("capture"), one["revision"], one.get("labelInd", "")),
                             (m.window_end_ms, m.value if m.HasField("value") else None, m.category, list(m.critical), m.provisional,
                              m.capture if m.HasField("capture") else None, m.revision, m.label_ind), one["id"])
            self.assertTrue(m.smart_dimension, one["id"])
            self.assertEqual(m.timezone, "Asia/Makassar")
        description = self.room.messages("description", retained=True)[-1][1]
        self.assertEqual([(i.id, i.standard) for i in description.indicators],
                         [(i["id"], i["standard"]) for i in self.site.tables["indicator"]])
        self.assertTrue({a["id"] for a in self.site.tables["alarm"]} <= {a.id for a in description.alarms})
        told = self.told()
        shown = {one["id"]: one for one in self.gateway.json(self.port, "/api/v1/alarms")["alarms"]}
        for alarm in self.site.tables["alarm"]:
            last, one = told[alarm["id"]][-1], shown[alarm["id"]]
            self.assertEqual((one["state"], one["occurrence"], one["sinceMs"], one.get("clearedMs"), one.get("value"), one.get("threshold")),
                             tuple(last), alarm["id"])
            self.assertEqual(one["severity"], alarm.get("severity", "warning").upper())
        sent = {m.id: (m.kind, m.time_ms) for _, m, _ in self.room.messages("event/")}
        events = self.gateway.json(self.port, "/api/v1/events")["events"]
        self.assertEqual({e["id"]: (e["kind"], e["timeMs"]) for e in events}, sent)
        late = Subscriber(bench, broker, name="late")
        wait_for("what the broker keeps", lambda: len(late.messages("indicator/", retained=True)) >= len(newest))
        for _, m, _ in late.messages("indicator/", retained=True):
            self.assertEqual((m.window_end_ms, m.revision), (newest[m.id].window_end_ms, newest[m.id].revision), m.id)
        wait_for("the alarms that it keeps", lambda: len(late.messages("alarm/", retained=True)) >= len(told))
        for _, m, _ in late.messages("alarm/", retained=True):
            self.assertEqual(late.schema.AlarmState.Name(m.state), told[m.id][-1].state, m.id)
        late.stop()
