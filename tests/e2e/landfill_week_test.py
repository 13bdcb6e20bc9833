#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A week of the landfill of config/examples: tonnes from weighings, methane, gas, leachate and bins."""
import math
import unittest

from week import Said, Site, WeekTest, limits

LEACHATE = {"ph": (6, 9), "cod": (-math.inf, 300), "tss": (-math.inf, 100)}
NAMES = ["memenuhi baku mutu", "melampaui baku mutu"]

MORE = """
[[sensor]]
id = "gas-volume"
quantity = "landfill_gas_volume"
unit = "m³"

[[indicator]]
id = "gas-volume"
standard = "landfill-gas-volume"
inputs = { landfill_gas_volume = "gas-volume" }

# With steps of the site.
[[indicator]]
id = "methane-own"
standard = "landfill-gas"
inputs = { methane_lel = "pump-house-methane" }
levels = { methane_lel = [8, 12.5, 18, 27] }

[[indicator]]
id = "bins-early"
standard = "bins-over-threshold"
inputs = { fill_level = ["bin-1", "bin-2"] }
levels = { fill_level = 40 }
"""


def make_say():
    counter = [12_000]

    def say(rng, row):
        counter[0] += 35 + row.number % 4
        if row.number == 500:
            counter[0] = 17  # a new counter: what it says first is not an amount
        if row.number % 89 == 11 or 52 <= row.hour < 58:
            return None
        open_now = 7 <= row.hour % 24 < 16 and row.hour // 24 not in (3, 4)  # closed on two days
        fire = 14 if 30 <= row.hour < 34 or row.hour == 100 else 9 if 35 <= row.hour < 38 else 0
        values = {"truck-net": 10 * rng.randrange(250, 900) if open_now and rng.random() < (0.1 if row.hour // 24 == 5 else 0.5) else None,
                  # The display: dead for most of the second closed day; a lorry beyond 60 t is doubted, and counts.
                  "platform-weight": None if 98 <= row.hour < 118 else 62_000 if row.number % 5 == 2 else 20 * rng.randrange(0, 4),
                  "pump-house-methane": round(5 + fire + rng.uniform(0, 10), 1),
                  "gas-flow": round((90 if 70 <= row.hour < 75 else 210) + 20 * row.day + rng.uniform(-15, 15), 1),
                  "leachate-ph": round(7.4 + (1.9 if 80 <= row.hour < 84 else 0) + rng.uniform(-0.2, 0.2), 2),
                  "leachate-cod": round(270 + 60 * row.day + (90 if row.hour > 110 else 0) + rng.uniform(-30, 30), 1),
                  "leachate-tss": round(70 + 20 * row.day + rng.uniform(-10, 10), 1),
                  "bin-1": round(row.number * 0.4 % 100, 1), "bin-2": round((row.number + 100) * 0.29 % 97, 1),
                  "gas-volume": counter[0]}
        if row.hour == 60:
            values["leachate-ph"] = 15.0  # impossible: bad
        if row.hour in (61, 62):
            values["leachate-ph"] = 11.5  # beyond what is expected: suspect
        if rng.random() < 0.03 or 90 <= row.hour < 92:
            values["pump-house-methane"] = None
        if 120 <= row.hour < 130:
            values["leachate-cod"] = values["bin-2"] = None
        return values
    return say


def worst(oracle, indicator, start, end, category, statistic):
    """Each sensor by itself, the worst decides: category(value) → (rank, name)."""
    parts = {name: p for (_, name), p in oracle.parts(indicator, start, end, statistic).items()}
    inputs = {name: (p.value, p.capture) for name, p in parts.items()}
    used = {n: p for n, p in parts.items() if p.valid} or {n: p for n, p in parts.items() if p.value is not None}
    if not used:
        return None
    rank, name = max(category(p.value) for p in used.values())
    these = {n: p for n, p in used.items() if category(p.value)[0] == rank}
    return Said(max(p.value for p in these.values()), name, tuple(these) if rank else (), not any(p.valid for p in parts.values()),
                min(p.capture for p in used.values()), inputs)


def methane(indicator):
    names = ["aman", "waspada", "siaga", "bahaya", "dapat meledak"]
    low, middle, high, explosive = indicator.get("levels", {}).get("methane_lel", [10, 20, 25, 100])

    def category(value):
        rank = (value >= low) + (value >= middle) + (value > high) + (value > explosive)
        return rank, names[rank]
    return category


def fill(value):
    rank = (value >= 80) + (value >= 95)
    return rank, ["cukup", "segera diangkut", "penuh"][rank]


class LandfillWeek(WeekTest, unittest.TestCase):
    def make(self):
        return Site("landfill", 10, make_say(), add=MORE,
                    patch={"platform-weight": {"quality": {"expected": {"low": -100, "high": 60000}}}})

    def rules(self, oracle):
        judge = limits(LEACHATE, NAMES)

        def to_collect(indicator, start, end):
            parts = {name: p for (_, name), p in oracle.parts(indicator, start, end, "last").items()}
            used = {n: p for n, p in parts.items() if p.valid} or {n: p for n, p in parts.items() if p.value is not None}
            full = indicator.get("levels", {}).get("fill_level", 80)
            over = tuple(n for n, p in used.items() if p.value >= full)
            return Said(len(over), "", over, not any(p.valid for p in parts.values()),
                        min(p.capture for p in used.values())) if used else None

        def flow(indicator, start, end):
            [part] = oracle.parts(indicator, start, end).values()
            return None if part.value is None else Said(part.value, "", (), not part.valid, part.capture)

        def tonnes(indicator, start, end):
            [lorries], [display] = ([oracle.part(indicator["inputs"][q], start, end, how)]
                                    for q, how in (("net_weight", "delta"), ("weight", "mean")))
            value = lorries.value
            if value is None and display.valid:
                value = 0
            if value is None:
                return None
            inputs = {indicator["inputs"]["net_weight"]: (value, None), indicator["inputs"]["weight"]: (None, display.capture)}
            return Said(value / 1000, "", (), not display.valid, display.capture, inputs)

        return {"waste-per-day": ("day", tonnes),
                "landfill-gas": (1, lambda i, s, e: worst(oracle, i, s, e, methane(i), "maximum")),
                "landfill-gas-flow": ("day", flow), "landfill-gas-volume": ("day", lambda i, s, e: oracle.amount(i, s, e)),
                "leachate": (24, lambda i, s, e: oracle.judged(i, s, e, judge)),
                "leachate-compliance": ("day", lambda i, s, e: oracle.share_complying(i, s, e, judge)),
                "bins": (24, lambda i, s, e: worst(oracle, i, s, e, fill, "last")), "bins-over-threshold": (24, to_collect)}

    def enough(self, said, want):
        super().enough(said, want)
        weighed = sum(v["truck-net"] for _, v in self.site.rows if v["truck-net"] is not None)
        tonnes = [one.value for (name, _), one in said.items() if name == "tonnes"]
        self.assertAlmostEqual(sum(tonnes), weighed / 1000, places=6)
        self.assertEqual(tonnes.count(0), 1, "the closed day on which the bridge was heard, not the other one")
        names = {one.category for (name, _), one in said.items() if name == "methane"}
        self.assertEqual(names, {"aman", "waspada", "siaga", "bahaya"})
        names = {one.category for (name, _), one in said.items() if name == "methane-own"}
        self.assertTrue({"waspada", "siaga", "bahaya", "dapat meledak"} <= names, names)


if __name__ == "__main__":
    unittest.main()
