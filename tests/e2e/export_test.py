#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`gerbangctl export` of a store with hours at rest and hours that are not: through the daemon that runs on it, and from the file
when it does not. Both give the same rows, and Python's csv module reads them."""
import csv
import io
import json
import os
import shutil
import subprocess
import time
import unittest

from harness import BUILD, Bench, Gateway, free_port, identity, wait_for

READINGS = ["time_local", "time_utc", "sensor", "value", "unit", "raw", "quality", "reason", "clock"]


def configuration(port):
    text = identity() + f'[store]\nmin_free = "1MiB"\n[http]\nlisten = "127.0.0.1:{port}"\n'
    text += '[[driver]]\nname = "plant"\nplugin = "simulator"\ninterval = "1s"\n'
    for channel, (name, quantity, unit) in enumerate([("raw-turbidity", "turbidity", "NTU"), ("raw-ph", "ph", "pH"),
                                                      ("total", "volume", "m³")]):
        text += f"""
[[sensor]]
id = "{name}"
driver = "plant"
quantity = "{quantity}"
unit = "{unit}"
address = {{ signal = "raw_turbidity", channel = {channel + 1} }}
"""
    return text


class Export(unittest.TestCase):
    def setUp(self):
        self.bench = self.enterContext(Bench())
        self.state = self.bench.folder / "state"
        self.state.mkdir()
        self.store = self.state / "gerbang.db"
        self.now = int(time.time() * 1000)
        made = subprocess.run([BUILD / "bin" / "make_history", self.store, str(self.now)], capture_output=True, text=True,
                              timeout=60, check=True)
        self.stored, self.at_rest = map(int, made.stdout.split())
        self.assertGreater(self.at_rest, self.stored / 4)
        self.assertLess(self.at_rest, self.stored)

    def ctl(self, *arguments):
        environment = {**os.environ, "TMPDIR": str(self.bench.folder), "RUNTIME_DIRECTORY": str(self.bench.folder / "none")}
        return subprocess.run([str(BUILD / "bin" / "gerbangctl"), "export", *map(str, arguments)], capture_output=True,
                              env=environment, timeout=60)

    def rows(self, *arguments):
        done = self.ctl(*arguments)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        self.assertEqual(done.stderr, b"", "nothing to say to a file")
        return list(csv.reader(io.StringIO(done.stdout.decode("utf-8"), newline="")))

    def test_both_ways_give_the_same_rows(self):
        questions = [[], ["--sensor", "raw-ph"], ["--sensor", "total", "--sensor", "raw-turbidity"],
                     ["--from", str(self.now - 4 * 3_600_000), "--to", str(self.now - 3_600_000)],
                     ["--window", "1m"], ["--window", "1m", "--sensor", "raw-turbidity", "--json"]]
        until = ["--to", str(self.now)]  # the daemon goes on measuring
        port = free_port()
        gateway = Gateway(self.bench, configuration(port))
        wait_for("the page", lambda: gateway.json(port, "/api/v1/status"))
        url = f"http://127.0.0.1:{port}"
        ways = {"tcp": ["--url", url], "socket": ["--url", gateway.runtime / "control.sock"]}
        got = {way: [self.ctl(*q, *([] if "--to" in q else until), *a).stdout for q in questions] for way, a in ways.items()}

        in_use = self.ctl("--store", self.store)
        self.assertEqual(in_use.returncode, 69)
        self.assertIn(b"--url", in_use.stderr)
        self.assertEqual(gateway.process.stop(), 0)
        before = {p.name: (p.stat().st_size, p.stat().st_mtime_ns) for p in self.state.iterdir()}
        ways["file"] = ["--store", self.store]
        got["file"] = [self.ctl(*q, *([] if "--to" in q else until), *ways["file"]).stdout for q in questions]
        self.assertEqual(before, {p.name: (p.stat().st_size, p.stat().st_mtime_ns) for p in self.state.iterdir()},
                         "the file of a dead gateway stays as it is")
        for way in ("socket", "file"):
            for question, want, have in zip(questions, got["tcp"], got[way]):
                with self.subTest(way=way, question=question):
                    self.assertGreater(len(want.splitlines()), 60)
                    self.assertEqual(have, want)
        rows = [json.loads(line) for line in got["file"][5].splitlines()]
        self.assertEqual({r["window"] for r in rows}, {"1m"})

        self.assertEqual(self.ctl("--url", url).returncode, 69, "nobody answers any more")

    def test_the_rows_are_what_was_stored(self):
        names, *rows = self.rows("--store", self.store)
        self.assertEqual(names, READINGS)
        self.assertEqual(len(rows), self.stored)
        rows = [dict(zip(names, row)) for row in rows]
        self.assertEqual([r["time_utc"] for r in rows], sorted(r["time_utc"] for r in rows))
        ph = [r for r in rows if r["sensor"] == "raw-ph"]
        missing = [r for r in ph if r["quality"] == "missing"]
        self.assertEqual(len(missing), 6 * 12)
        self.assertEqual({(r["value"], r["raw"], r["reason"]) for r in missing}, {("", "", "TIMEOUT")})
        for r in ph:
            if r["quality"] == "good":
                self.assertEqual(round(float(r["value"]) * 100), int(r["raw"]))
        turbidity = [r for r in rows if r["sensor"] == "raw-turbidity"]
        early, late = turbidity[:1200], turbidity[1200:]
        self.assertTrue(all(float(r["value"]) == float(r["raw"]) for r in early), "calibration of then")
        self.assertTrue(all(abs(float(r["value"]) - 1.5 * float(r["raw"])) < 1e-9 for r in late))
        self.assertEqual({(r["unit"], r["clock"]) for r in turbidity}, {("NTU", "TRUSTED")})
        self.assertEqual({r["unit"] for r in rows if r["sensor"] == "total"}, {"m³"})

    def test_a_copied_file_without_its_log_or_lock_and_files_that_are_none(self):
        card = self.bench.folder / "card"
        card.mkdir()
        shutil.copy(self.store, card / "gerbang.db")
        (card / "gerbang.db").chmod(0o444)
        card.chmod(0o555)
        self.assertEqual(len(self.rows("--store", card / "gerbang.db")), self.stored + 1)
        card.chmod(0o755)
        self.assertEqual(self.ctl("--store", card / "nothing.db").returncode, 66)
        unconfigured = self.ctl("--config", card / "nothing.toml")
        self.assertEqual(unconfigured.returncode, 66)
        self.assertIn(b"nothing.toml: no such file", unconfigured.stderr)
        self.assertEqual(self.ctl("--config", self.bench.write("wrong.toml", "[gateway]\n")).returncode, 78)
        self.assertEqual(self.ctl("--url", "foo").returncode, 64)
        other = self.bench.write("other.db", "SQLite format 3\0" + "x" * 200)
        self.assertEqual(self.ctl("--store", other).returncode, 65)
        damaged = self.ctl("--store", self.bench.write("text", "not a database, whatever it is" * 10))
        self.assertEqual(damaged.returncode, 65)
        self.assertEqual(self.ctl("--store", self.store, "--sensor", "nobody").returncode, 64)
        self.assertEqual(self.ctl("--store", self.store, "--from", "yesterday-ish").returncode, 64)
        swapped = self.ctl("--store", self.store, "--from", "2026-01-02", "--to", "2025-12-31")
        self.assertEqual(swapped.returncode, 64)
        self.assertIn(b"--from is later than --to", swapped.stderr)
        self.assertEqual(self.ctl("--store", self.store, "--url", "http://127.0.0.1:1").returncode, 64)
        self.assertEqual(list(self.bench.folder.glob("gerbang-export-*")), [], "copies are removed")

    def test_an_output_that_nobody_takes_ends_it(self):
        with open("/dev/full", "wb") as nowhere:
            full = subprocess.run([str(BUILD / "bin" / "gerbangctl"), "export", "--store", str(self.store)],
                                  stdout=nowhere, stderr=subprocess.PIPE, timeout=60)
        self.assertEqual(full.returncode, 74)
        self.assertIn(b"cannot be written", full.stderr)
        self.assertIn(b"gerbangctl export --store", self.ctl("--help").stdout)


if __name__ == "__main__":
    unittest.main()
