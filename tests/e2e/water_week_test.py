#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A week of the drinking water plant of config/examples: limits and compliance, volume over a wrap of the register, hours of
interruption by the pressure that the site set."""
import math
import unittest

from week import DAY, HOUR, Said, Site, WeekTest, limits, near_air

NAMES = ["memenuhi syarat", "tidak memenuhi syarat"]
TABLE = {"free_chlorine": (0.2, 0.5), "turbidity": lambda v: v["turbidity"] < 3, "ph": (6.5, 8.5), "water_temperature": near_air}
HALF = HOUR // 2


def make_say():
    counter = [4_294_967_296 - 120_000]  # it turns over in the week

    def say(rng, row):
        night = 90 <= row.hour < 96  # the pumps stand
        step = 40 if night else 220 + row.number % 7
        counter[0] = (counter[0] + step) % 4_294_967_296
        if row.number % 101 == 7 or 40 <= row.hour < 47:  # the gateway of that time was off
            return None
        dosing = 0.12 if 60 <= row.hour < 64 or 100 <= row.hour < 108 else 0.34
        values = {"outlet-turbidity": round((4.2 if 70 <= row.hour < 80 else 2.1) + rng.uniform(-1, 1.1), 2),
                  "outlet-chlorine": round(dosing + rng.uniform(-0.08, 0.08), 3),
                  "outlet-ph": round(7.2 + 0.3 * row.day + rng.uniform(-0.2, 0.2), 2),
                  "outlet-temperature": round(27 + row.day + rng.uniform(-0.5, 0.5), 2),
                  "air-temperature": round(27.5 + 3 * row.day + rng.uniform(-0.5, 0.5), 2),
                  "outlet-pressure": round((22 if night else 250) + rng.uniform(-10, 10), 1), "outlet-volume": counter[0],
                  # What is counted in 10 minutes, an hour. The flow meter is 8 % off for two days, then dead for most of one.
                  "outlet-flow": round(6 * step * (1.08 if 72 <= row.hour < 120 else 1) + rng.uniform(-30, 30), 2)}
        if 121 <= row.hour < 144:
            values["outlet-flow"] = None
        if row.hour == 120:
            values["outlet-ph"] = 9.4  # unlikely here: suspect
        if row.hour == 121 and row.number % 6 < 3:
            values["outlet-ph"] = 14.5  # impossible: bad
        if rng.random() < 0.03 or row.hour in (130, 131):
            values["outlet-chlorine"] = None
        if 132 <= row.hour < 135 and row.number % 2:
            values["outlet-turbidity"] = None
        return values
    return say


class WaterWeek(WeekTest, unittest.TestCase):
    def make(self):
        return Site("water-plant", 10, make_say(), windows=("30m", "1h", "1d"),
                    patch={"outlet-chlorine": {"calibration": {"date": "2026-10-01", "due": "2099-01-01"}}})

    def rules(self, oracle):
        judge = limits(TABLE, NAMES)

        def interruption(indicator, start, end):
            name, low = indicator["inputs"]["pressure"], indicator["low"]["pressure"]
            means = [m for w in range(start, end, HALF) if (m := oracle.mean(name, w, w + HALF)) is not None]
            out = sum(m < low for m in means)
            share = len(means) / ((end - start) // HALF)
            return Said(out / 2, "", (name,) if out else (), share < 0.75, share) if means else None

        def meter_check(indicator, start, end):
            """Hours in which both are valid, and no reading of the counter is missing before them."""
            count, flow = indicator["inputs"]["volume"], indicator["inputs"]["flow"]
            hold, hours, counted, flowed = 3 * oracle.site.step, 0, [], []
            before = max((r.time for r in oracle.inside(count, start - DAY, start) if r.flag == "good"), default=None)
            for h in range(start, end, HOUR):
                times = [r.time for r in oracle.inside(count, h, h + HOUR) if r.flag == "good"]
                last, before = before, times[-1] if times else before
                delta, mean = oracle.delta(count, h, h + HOUR), oracle.mean(flow, h, h + HOUR)
                joined = times and last is not None and times[0] - last <= hold
                if delta is None or mean is None or not joined or not oracle.valid(count, h) or not oracle.valid(flow, h):
                    continue
                hours, counted, flowed = hours + 1, counted + [delta], flowed + [mean]
            if not hours:
                return None
            counted, flowed = math.fsum(counted), math.fsum(flowed)
            share = 100 * abs(counted - flowed) / counted
            differs = share > 5
            return Said(share, "perlu perawatan" if differs else "sesuai", (count, flow) if differs else (),
                        hours / 24 < 0.75, hours / 24)

        return {"flow-check": ("day", meter_check), "drinking-water": (1, lambda i, s, e: oracle.judged(i, s, e, judge)),
                "drinking-water-compliance": ("day", lambda i, s, e: oracle.share_complying(i, s, e, judge)),
                "water-produced": ("day", lambda i, s, e: oracle.amount(i, s, e)), "water-interruption": ("day", interruption)}

    def enough(self, said, want):
        super().enough(said, want)
        # The whole counter, over its wrap and over the hours without data.
        total = sum(one.value for (name, _), one in said.items() if name == "produced")
        raw = [values["outlet-volume"] for _, values in self.site.rows]
        self.assertEqual(total, (raw[-1] - raw[0]) % 4_294_967_296)
        self.assertLess(raw[-1], raw[0], "it never turned over")
        checks = [one for (name, _), one in said.items() if name == "meter-check"]
        self.assertEqual([one.category for one in checks].count("perlu perawatan"), 2)
        self.assertTrue(any(one.provisional for one in checks), "of the day on which the flow meter was dead")
        hours = [one.value for (name, _), one in said.items() if name == "interruption"]
        self.assertIn(6, hours)
        self.assertTrue(any(one.provisional for (name, _), one in said.items() if name == "interruption"))


if __name__ == "__main__":
    unittest.main()
