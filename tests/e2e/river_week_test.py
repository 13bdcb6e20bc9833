#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A week of the river station of config/examples: class II and class I, pH with two sides, oxygen as a minimum, Indeks
Pencemaran."""
import math
import unittest

from week import Site, WeekTest, limits, near_air

NAMES = ["memenuhi baku mutu", "tidak memenuhi baku mutu"]
UP_TO = {"1": {"tss": 40, "nitrate": 10, "ammonia": 0.1}, "2": {"tss": 50, "nitrate": 10, "ammonia": 0.2}}
OXYGEN = {"1": 6, "2": 4}

MORE = """
[[indicator]]
id = "raw-water"
standard = "river-class-1"
inputs = { ph = "ph", dissolved_oxygen = "oxygen", ammonia = "ammonia" }
"""


def say(rng, row):
    if row.number % 71 == 5 or 45 <= row.hour < 55:
        return None
    spill = 60 <= row.hour < 90
    values = {"ph": round((5.7 if 64 <= row.hour < 70 else 7.3) + 0.3 * row.day + rng.uniform(-0.3, 0.3), 2),
              "oxygen": round((3.6 if spill else 6.2) + 0.9 * row.day + rng.uniform(-0.5, 0.5), 2),
              "temperature": round(26.5 + row.day + rng.uniform(-0.4, 0.4), 2),
              "air-temperature": round(27 + 4 * row.day + rng.uniform(-0.5, 0.5), 2),
              "tss": round((80 if spill else 28) + 15 * row.day + rng.uniform(-8, 8), 1),
              "ammonia": round((0.35 if spill else 0.08) + rng.uniform(-0.06, 0.06), 3),
              "nitrate": round(4 + rng.uniform(-1, 1), 2), "turbidity": round((250 if spill else 20) + rng.uniform(0, 10), 1)}
    if 100 <= row.hour < 103:
        values["oxygen"] = 0.4  # unlikely here: suspect
    if row.hour == 103:
        values["oxygen"] = 21.5  # impossible: bad
    if rng.random() < 0.03 or 110 <= row.hour < 112:
        values["air-temperature"] = None
    if 120 <= row.hour < 128 and row.number % 2:
        values["ph"] = values["ammonia"] = None
    return values


def saturation(celsius):
    """Of fresh water at 1 atm, mg/L."""
    t = celsius + 273.15
    return math.exp(-139.34411 + 1.575701e5 / t - 6.642308e7 / t**2 + 1.243800e10 / t**3 - 8.621949e11 / t**4)


def pollution(values):
    """Indeks Pencemaran of class II."""
    ratios = {}
    if "water_temperature" in values and "air_temperature" in values:
        ratios["water_temperature"] = abs(values["water_temperature"] - values["air_temperature"]) / 3
    if "ph" in values:
        ratios["ph"] = abs(values["ph"] - 7.5) / 1.5
    if "dissolved_oxygen" in values and "water_temperature" in values:
        full = saturation(values["water_temperature"])
        ratios["dissolved_oxygen"] = max(0, (full - values["dissolved_oxygen"]) / (full - 4))
    for quantity in ("tss", "nitrate", "ammonia"):
        if quantity in values:
            ratios[quantity] = values[quantity] / UP_TO["2"][quantity]
    if not ratios:
        return None
    ratios = {q: r if r <= 1 else 1 + 5 * math.log10(r) for q, r in ratios.items()}
    greatest, mean = max(ratios.values()), math.fsum(ratios.values()) / len(ratios)
    value = math.sqrt((greatest**2 + mean**2) / 2)
    name = next((n for n, upto in (("memenuhi baku mutu", 1), ("cemar ringan", 5), ("cemar sedang", 10)) if value <= upto), "cemar berat")
    return value, name, tuple(q for q, r in ratios.items() if r == greatest)


class RiverWeek(WeekTest, unittest.TestCase):
    def make(self):
        return Site("river-station", 15, say, add=MORE)

    def rules(self, oracle):
        def judge(river_class):
            oxygen = OXYGEN[river_class]
            table = {"water_temperature": near_air, "ph": (6, 9), "dissolved_oxygen": (oxygen, math.inf)}
            return limits({**table, **{q: (-math.inf, high) for q, high in UP_TO[river_class].items()}}, NAMES)

        first, second = judge("1"), judge("2")
        return {"river-class-2": (1, lambda i, s, e: oracle.judged(i, s, e, second)),
                "river-class-1": (1, lambda i, s, e: oracle.judged(i, s, e, first)),
                "ip-class-2": (24, lambda i, s, e: oracle.judged(i, s, e, pollution)),
                "river-compliance-class-2": ("day", lambda i, s, e: oracle.share_complying(i, s, e, second))}

    def enough(self, said, want):
        super().enough(said, want)
        critical = {q for (name, _), one in said.items() if name == "river" for q in one.critical}
        self.assertEqual(critical, {"water_temperature", "ph", "dissolved_oxygen", "tss", "ammonia"})
        names = {one.category for (name, _), one in said.items() if name == "pollution-index"}
        self.assertTrue({"memenuhi baku mutu", "cemar ringan"} <= names, names)


if __name__ == "__main__":
    unittest.main()
