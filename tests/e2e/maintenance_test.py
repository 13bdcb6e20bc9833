#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Maintenance by hand, through the real daemon: marked, in no mean, over a restart, ended, and never over TCP."""
import json
import os
import subprocess
import unittest
import urllib.error
import urllib.request

from harness import BUILD, Bench, Gateway, free_port, identity, wait_for


def configuration(http_port):
    return identity() + f"""
[store]
commit_interval = "200ms"
[http]
listen = "127.0.0.1:{http_port}"
[windows]
default = ["5s", "1m"]
grace = "1s"
[[driver]]
name = "sim"
plugin = "simulator"
interval = "500ms"
[[sensor]]
id = "raw-ph"
driver = "sim"
quantity = "ph"
address = {{ signal = "constant", base = 7.0 }}
calibration = {{ date = "2026-05-01", due = "2026-11-01", person = "Sari" }}
[[sensor]]
id = "ph-table"
quantity = "ph"
correction = "table"
from = ["raw-ph"]
parameters = {{ points_from = [0, 14], points_to = [0.1, 14.1] }}
"""


class Maintenance(unittest.TestCase):
    def setUp(self):
        self.bench = self.enterContext(Bench())
        self.port = free_port()
        self.gateway = Gateway(self.bench, configuration(self.port))
        self.wait_for_a_reading()

    def wait_for_a_reading(self):
        wait_for("a reading", lambda: (self.sensor() or {}).get("newest"))

    def ctl(self, *arguments, **more):
        environment = {**os.environ, **self.gateway.environment, **more}
        done = subprocess.run([BUILD / "bin/gerbangctl", "--config", self.gateway.file, *arguments], env=environment,
                              capture_output=True, text=True, timeout=20)
        return done.returncode, done.stdout, done.stderr

    def sensor(self, name="raw-ph"):
        return self.gateway.json(self.port, f"/api/v1/sensors/{name}")

    def test_marked_over_a_restart_and_ended(self):
        self.assertEqual(self.sensor()["calibrationDue"], "2026-11-01")
        self.assertAlmostEqual(self.sensor("ph-table")["newest"]["value"], 7.1)

        code, out, _ = self.ctl("maintenance", "raw-ph", "--for", "2h", "--person", "Budi", "--note", "buffer 7")
        self.assertEqual(code, 0, out)
        wait_for("the mark", lambda: self.sensor()["newest"].get("reason") == "MAINTENANCE")
        wait_for("the mark of what is computed",
                 lambda: self.sensor("ph-table")["newest"].get("reason") == "MAINTENANCE")
        self.assertEqual(self.sensor()["maintenance"]["person"], "Budi")

        self.gateway.process.stop()
        self.gateway.process.start()
        self.wait_for_a_reading()
        self.assertEqual(self.sensor()["maintenance"]["note"], "buffer 7")
        self.assertEqual(self.sensor()["newest"]["reason"], "MAINTENANCE")

        code, out, _ = self.ctl("--json", "maintenance", "raw-ph", "--for", "0")
        self.assertEqual(code, 0, out)
        self.assertNotIn("maintenance", json.loads(out))
        wait_for("good readings", lambda: self.sensor()["newest"]["quality"] == "good")

        def rows():
            document = self.gateway.json(self.port, "/api/v1/aggregates?sensor=raw-ph&window=5s&from=-5m")
            return [row for row in document["aggregates"] if row.get("maintenance")]
        wait_for("windows with maintenance", rows)
        events = self.gateway.json(self.port, "/api/v1/events?kind=maintenance")["events"]
        self.assertEqual([event["person"] for event in events], ["Budi", "Budi"])
        # One text, in the gateway's language; the page tells it in the reader's.
        texts = sorted(event["text"] for event in events)
        self.assertEqual(texts[0], "dimulai, selama 2h: buffer 7")
        self.assertRegex(texts[1], r"^selesai, setelah \d+s: buffer 7$")
        note = next(n for n in self.gateway.json(self.port, "/api/v1/status")["notes"] if n["kind"] == "maintenance_ended")
        self.assertEqual((note["subject"], note["detail"]), ("raw-ph", "Budi: buffer 7"))
        self.assertRegex(note["state"], r"^\d+s$")
        self.gateway.balance(self.port)

    def test_without_the_runtime_directory_it_says_where_it_looked(self):
        work = ("maintenance", "raw-ph", "--for", "2h")
        code, _, errors = self.ctl(*work, RUNTIME_DIRECTORY=str(self.bench.folder / "elsewhere"))
        self.assertEqual(code, 69, errors)
        for words in (f"{self.bench.folder}/elsewhere/control.sock: No such file", "RUNTIME_DIRECTORY=", "--url FOLDER/control.sock"):
            self.assertIn(words, errors)
        self.assertNotIn("network", errors, "nobody asked for that")
        socket = f"{self.gateway.environment['RUNTIME_DIRECTORY']}/control.sock"
        code, out, errors = self.ctl(*work, "--url", socket, RUNTIME_DIRECTORY=str(self.bench.folder / "elsewhere"))
        self.assertEqual(code, 0, out + errors)
        self.assertEqual(self.ctl(*work, "--url", "control.sock")[0], 64)

    def test_mistakes_are_answered(self):
        code, _, errors = self.ctl("maintenance", "raw-hp", "--for", "2h")
        self.assertEqual(code, 65)
        self.assertIn('did you mean "raw-ph"?', errors)
        self.assertEqual(self.ctl("maintenance", "raw-ph", "--for", "soon")[0], 64)
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/api/v1/sensors/raw-ph/maintenance",
                                         data=b'{"minutes": 5}', method="POST")
        with self.assertRaises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=5)
        self.assertEqual(refused.exception.code, 403)
        self.assertIn("gerbangctl maintenance", refused.exception.read().decode())
        self.assertNotIn("maintenance", self.sensor())


if __name__ == "__main__":
    unittest.main(verbosity=2)
