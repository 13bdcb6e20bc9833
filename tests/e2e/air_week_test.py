#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A week of the air station of config/examples, killed in the middle of every 24-hour mean."""
import math
import unittest

from week import HOUR, Site, WeekTest, limits

BOUNDS = {"pm10": [50, 150, 350, 420, 500], "pm2_5": [15.5, 55.4, 150.4, 250.4, 500], "so2": [52, 180, 400, 800, 1200],
          "co": [4000, 8000, 15000, 30000, 45000], "o3": [120, 235, 400, 800, 1000], "no2": [80, 200, 1130, 2260, 3000]}
STEPS = [50, 100, 200, 300, 500]
NAMES = ["Baik", "Sedang", "Tidak Sehat", "Sangat Tidak Sehat", "Berbahaya"]
ISO = ", ".join(f"ISO 37120:2018 8.{n}" for n in (1, 2, 5, 6, 7))
AMBIENT = ["memenuhi baku mutu", "melampaui baku mutu"]

MORE = """
[[indicator]]
id = "ambient-8h"
standard = "ambient-air-8h"
inputs = { co = "co", o3 = "o3" }

# With thresholds of its own: half of the hours, and hours of which a third has come.
[[indicator]]
id = "ispu-lenient"
standard = "ispu"
capture = 0.5
hour_capture = 0.3
inputs = { pm2_5 = "pm2-5", pm10 = "pm10" }
"""


def say(rng, row):
    if row.number % 97 == 13 or 108 <= row.hour < 116:  # the gateway of that time was off for eight hours
        return None
    if row.hour in (20, 21, 22) and row.number % 6 < 4:  # two readings an hour
        return None
    smoke = 150 if 60 <= row.hour < 100 else 0  # somebody burns the fields
    pm10 = round(70 + smoke + 40 * row.day + rng.uniform(-20, 20), 2)
    values = {"pm10": pm10, "pm2-5": round(pm10 * rng.uniform(0.45, 0.6), 2),
              "so2": round(40 + 12 * row.day + rng.uniform(-9, 9), 2), "co": round(3 + row.day + rng.uniform(-1, 1), 3),
              "o3": round(95 + 60 * row.day + rng.uniform(-20, 20), 2), "no2": round(45 - 25 * row.day + rng.uniform(-12, 12), 2)}
    if 130 <= row.hour < 132:
        values["so2"] = 1999.0  # beyond the analyser's span
    if 140 <= row.hour < 142:
        values["o3"] += 110
    if row.hour == 132:
        values["no2"] = 260.5
    if 30 <= row.hour < 37 or (rng.random() < 0.02):  # a filter change: 17 of 24 hours are left
        values["pm2-5"] = None
    return values


def ispu(values):
    best = {}
    for quantity, mean in values.items():
        bounds = BOUNDS[quantity]
        i = next((i for i, b in enumerate(bounds) if mean <= b), 4)
        low, base = (bounds[i - 1], STEPS[i - 1]) if i else (0, 0)
        best[quantity] = math.floor((STEPS[i] - base) / (bounds[i] - low) * (mean - low) + base + 0.5)
    if not best:
        return None
    value = max(best.values())
    category = NAMES[next((i for i, s in enumerate(STEPS[:4]) if value <= s), 4)]
    return value, category, tuple(q for q in BOUNDS if best.get(q) == value)


class AirWeek(WeekTest, unittest.TestCase):
    cut = 84 * HOUR  # noon of the fourth day

    def make(self):
        return Site("air-station", 10, say, add=MORE)

    def rules(self, oracle):
        up_to = lambda **table: limits({q: (-math.inf, high) for q, high in table.items()}, AMBIENT)  # noqa: E731
        hour, eight = up_to(so2=150, co=10000, no2=200, o3=150), up_to(co=4000, o3=100)
        day = up_to(so2=75, no2=65, pm10=75, pm2_5=55)
        who = limits({"pm2_5": (-math.inf, 15), "pm10": (-math.inf, 45)}, ["memenuhi pedoman", "melampaui pedoman"])
        by = lambda judge: lambda i, s, e: oracle.judged(i, s, e, judge)  # noqa: E731
        return {"ispu": (24, by(ispu)), "ambient-air-1h": (1, by(hour)), "ambient-air-8h": (8, by(eight)),
                "ambient-air-24h": (24, by(day)), "who-air-24h": (24, by(who))}

    def enough(self, said, want):
        super().enough(said, want)
        air = max((m for (name, _), m in self.newest().items() if name == "ispu"), key=lambda m: m.window_end_ms)
        self.assertEqual((air.standard_version, air.iso, air.confidence), ("PermenLHK P.14/2020", ISO, "A"))
        names = {one.category for (name, _), one in said.items() if name == "ispu"}
        self.assertTrue({"Sedang", "Tidak Sehat"} <= names, names)
        dropped = [one for (name, _), one in said.items() if name == "ispu" and one.inputs["pm2-5"][1] < 0.75 <= one.capture]
        self.assertTrue(dropped, "an input that is not valid is never left out")
        lenient = {end: one.provisional for (name, end), one in said.items() if name == "ispu-lenient"}
        strict = {end: one.provisional for (name, end), one in said.items() if name == "ispu"}
        self.assertTrue(any(strict[end] and not lenient[end] for end in strict))


if __name__ == "__main__":
    unittest.main()
