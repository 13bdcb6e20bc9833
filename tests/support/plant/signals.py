# SPDX-License-Identifier: Apache-2.0
"""Values that move: a number, or a table { base, wave, period, noise, per_second, step, every }.

  base        the middle
  wave        amplitude of a sine of `period` ("60s")
  noise       half width of noise, the same in each run for the same seed
  per_second  what is added each second since the start (a totaliser)
  step        amplitude of a square wave with the same period (a pump: base 0.5, step 0.5)"""
import math
import random

UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}


def duration(text):
    """Seconds of "500ms", "10s", "2m"; a number counts seconds."""
    if isinstance(text, (int, float)):
        return float(text)
    number = text.rstrip("mshd")
    unit = text[len(number):]
    if unit not in UNITS:
        raise ValueError(f"{text!r} is no duration: write 500ms, 10s or 2m")
    return float(number) * UNITS[unit]


class Signal:
    KEYS = {"base", "wave", "period", "noise", "per_second", "step"}

    def __init__(self, spec, seed=""):
        if isinstance(spec, (int, float)):
            spec = {"base": spec}
        unknown = set(spec) - self.KEYS
        if unknown:
            raise ValueError(f"unknown key {sorted(unknown)[0]!r} of a signal; known: {', '.join(sorted(self.KEYS))}")
        self.spec, self.seed, self.fixed = spec, seed, None
        self.period = duration(spec.get("period", "60s"))

    def set(self, value):
        """From now on this value; None: the signal again."""
        self.fixed = value

    def at(self, seconds):
        if self.fixed is not None:
            return self.fixed
        spec, phase = self.spec, seconds / self.period
        value = spec.get("base", 0) + spec.get("wave", 0) * math.sin(2 * math.pi * phase)
        value += spec.get("per_second", 0) * seconds
        if spec.get("step"):
            value += spec["step"] if phase % 1 < 0.5 else -spec["step"]
        if spec.get("noise"):
            # One draw for each tenth of a second: whoever asks twice at once hears the same.
            value += spec["noise"] * random.Random(f"{self.seed}/{int(seconds * 10)}").uniform(-1, 1)
        return value
