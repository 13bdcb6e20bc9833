#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a UART reads of a line with another baud rate."""
import random
import unittest

from frames import pms, resample


class Resample(unittest.TestCase):
    def test_the_same_rate_reads_what_was_sent(self):
        every = bytes(range(256))
        for rate in 300, 9600, 115200:
            self.assertEqual(resample(every, rate, rate), every)

    def test_a_rate_that_is_a_little_off_reads_the_same(self):
        # The stop bit is looked at after nine and a half bits: half a bit is 5 % of that.
        every = bytes(random.Random(1).randrange(256) for _ in range(2000))
        for heard in 9200, 9500, 9700, 10000:
            self.assertEqual(resample(every, 9600, heard), every)
        self.assertNotEqual(resample(every, 9600, 10800), every)

    def test_twice_as_fast_sees_each_bit_twice(self):
        # Start 00, then 11 00 11 00 11 00 11 00, stop 11. The first byte is 0 1100110 0 and its stop bit is low; the line is idle again
        # with the fifth one, and the next edge gives 0 011001 11.
        self.assertEqual(resample(b"\x55", 9600, 19200), b"\x66\xe6")

    def test_a_third_as_fast_sees_the_middle_of_every_third_bit(self):
        # Of 0 10101010 1 those 4.5 and 7.5 bits after the edge: 0 and 1, of AA 1 and 0; the rest is idle.
        self.assertEqual(resample(b"\x55", 9600, 3200), bytes([0b11111110]))
        self.assertEqual(resample(b"\xaa", 9600, 3200), bytes([0b11111101]))

    def test_idle_and_breaks(self):
        self.assertEqual(resample(b"", 9600, 19200), b"")
        self.assertEqual(resample(b"\x00", 9600, 115200)[:1], b"\x00", "nine low bits are a break to a fast port: one byte")
        self.assertEqual(len(resample(b"\x00", 9600, 115200)), 1)
        self.assertLess(len(resample(bytes(100), 9600, 1200)), 20)

    def test_frames_do_not_survive(self):
        frame = pms({"pm1": 8, "pm2_5": 21, "pm10": 33})
        for sent, heard in (9600, 19200), (9600, 4800), (9600, 115200), (115200, 9600):
            self.assertNotIn(frame[:4], resample(frame * 3, sent, heard))


if __name__ == "__main__":
    unittest.main(verbosity=2)
