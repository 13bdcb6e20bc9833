#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The daemon started on each file of tests/data/db that is not a store it can use."""
import unittest

from counting_rig import Rig
from harness import SOURCE, Bench, wait_for

FILES = SOURCE / "tests/data/db"
SECONDS = 5.0  # from the start until the sensors are read


class DamagedStore(unittest.TestCase):
    def put(self, bench, name):
        state = bench.folder / "state"
        state.mkdir()
        (state / "gerbang.db").write_bytes((FILES / name).read_bytes())
        return state

    def test_the_database_of_another_program_stops_the_start_and_is_not_touched(self):
        with Bench() as bench:
            state = self.put(bench, "foreign.db")
            rig = Rig(bench)
            rig.start()
            self.assertEqual(rig.gateway.process.process.wait(10), 78)
            self.assertIn("gerbang.db", rig.gateway.process.text())
            self.assertEqual((state / "gerbang.db").read_bytes(), (FILES / "foreign.db").read_bytes())
            self.assertEqual([p.name for p in state.iterdir() if p.suffix != ".lock"], ["gerbang.db"])
            rig.room.stop()

    def test_what_cannot_be_used_is_set_aside_and_sensing_goes_on(self):
        for name in "newer.db", "truncated.db", "flipped.db", "empty.db", "noise.db":
            with self.subTest(name), Bench() as bench:
                state = self.put(bench, name)
                rig = Rig(bench)
                took = rig.sensing(rig.start())
                self.assertLess(took, SECONDS)
                status = wait_for("the status", lambda: rig.gateway.json(rig.http_port, "/api/v1/status"))
                self.assertTrue(status["store"]["damaged"])
                aside = [p for p in state.iterdir() if ".damaged-" in p.name and not p.name.endswith("-wal")]
                self.assertEqual(len(aside), 1)
                self.assertIn(aside[0].name, status["store"]["trouble"])
                self.assertEqual(aside[0].read_bytes(), (FILES / name).read_bytes())
                self.assertIn("\ngerbang_store_damaged 1", rig.gateway.get(rig.http_port, "/metrics")[1])
                said = wait_for("the state message", lambda: [m for _, m, _ in rig.room.messages("state", retained=True) if m.online])
                self.assertTrue(said[-1].store.damaged)
                if name == "newer.db":
                    self.assertEqual(said[-1].previous_stream, "0123456789abcdef")
                if name == "empty.db":
                    wait_for("windows", lambda: rig.room.messages("aggregate"), 20)
                    figures = rig.finish()["ledger"]
                else:
                    figures = rig.gateway.balance(rig.http_port)
                    rig.stream.ending = True
                    self.assertEqual(rig.gateway.process.stop(), 0)
                    rig.room.stop()
                print(f"{name}: sensing after {took:.2f} s, {figures}")


if __name__ == "__main__":
    unittest.main(verbosity=2)
