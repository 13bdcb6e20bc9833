#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a technician types: drivers, check, read with and without a running gateway, status. The plant is pymodbus."""
import json
import os
import re
import subprocess
import unittest

from harness import BUILD, SOURCE, Bench, Gateway, free_port, identity, port_open, wait_for


def configuration(plant_port, http_port):
    return identity() + f"""
[store]
commit_interval = "200ms"
[http]
listen = "127.0.0.1:{http_port}"
[[driver]]
name = "wtp-plc"
plugin = "modbus"
interval = "500ms"
[driver.options]
transport = "tcp"
host = "127.0.0.1"
port = {plant_port}
timeout = "300ms"
[[sensor]]
id = "raw-ph"
driver = "wtp-plc"
quantity = "ph"
address = {{ unit = 1, table = "holding", register = 0, type = "uint16" }}
scale = 0.01
[[sensor]]
id = "clear-flow"
driver = "wtp-plc"
quantity = "flow"
unit = "L/s"
address = {{ unit = 1, table = "holding", register = 30, type = "float32", order = "dcba" }}
[[sensor]]
id = "ph-table"
quantity = "ph"
correction = "table"
from = ["raw-ph"]
parameters = {{ points_from = [0, 14], points_to = [0.1, 14.1] }}
[[sensor]]
id = "clear-volume"
quantity = "volume"
correction = "flow-integral"
from = ["clear-flow"]
[[sensor]]
id = "no-such-register"
driver = "wtp-plc"
quantity = "turbidity"
unit = "NTU"
address = {{ unit = 1, table = "holding", register = 60000, type = "uint16" }}
"""


class ByHand(unittest.TestCase):
    def setUp(self):
        self.bench = self.enterContext(Bench())
        self.plant_port, self.http_port = free_port(), free_port()
        self.log = self.bench.folder / "served.jsonl"
        self.log.touch()
        self.bench.run("plant", ["/usr/bin/python3", SOURCE / "tests/e2e/served_plant.py", "tcp", self.plant_port, self.log])
        wait_for("the plant", lambda: port_open(self.plant_port))
        self.file = self.bench.write("gerbang.toml", configuration(self.plant_port, self.http_port))

    def ctl(self, *arguments):
        """(exit code, output, errors) of gerbangctl as the technician calls it."""
        folders = {"STATE_DIRECTORY": self.bench.folder / "state", "RUNTIME_DIRECTORY": self.bench.memory()}
        done = subprocess.run([BUILD / "bin" / "gerbangctl", *arguments], capture_output=True, text=True, timeout=60,
                              env={**os.environ, **{k: str(v) for k, v in folders.items()},
                                   "GERBANG_DRIVER_PATH": str(BUILD / "drivers"), "GERBANG_DATA": str(SOURCE / "config")})
        return done.returncode, done.stdout, done.stderr

    def served(self, point):
        return [value for name, value in map(json.loads, self.log.read_text().splitlines()) if name == point]

    def test_read_without_a_gateway_asks_the_device(self):
        code, out, err = self.ctl("--config", self.file, "--json", "read", "raw-ph", "clear-flow")
        self.assertEqual(code, 0, out + err)
        rows = {row["sensor"]: row for row in map(json.loads, out.splitlines())}
        self.assertEqual(len(out.splitlines()), 2, "one line a sensor")
        self.assertEqual(rows["raw-ph"]["quality"], "not_evaluated", "it has no range to be judged by")
        self.assertAlmostEqual(rows["raw-ph"]["value"], self.served("ph")[0], places=9)
        # L/s at the device, m3/h in the quantity's unit.
        self.assertAlmostEqual(rows["clear-flow"]["value"], self.served("flow")[0] * 3.6, places=6)

        code, out, _ = self.ctl("--config", self.file, "read", "raw-ph")
        self.assertEqual(code, 0)
        self.assertRegex(out, r"raw-ph +raw 7\d\d +=")
        self.assertRegex(out, r"sent +([0-9a-f]{2} )+", "the bytes, for the one with a serial monitor")
        self.assertRegex(out, r"received +([0-9a-f]{2} )+")

    def test_read_computes_what_the_gateway_computes(self):
        code, out, err = self.ctl("--config", self.file, "--json", "read", "ph-table", "clear-volume")
        self.assertEqual(code, 0, out + err)
        rows = {row["sensor"]: row for row in map(json.loads, out.splitlines())}
        self.assertEqual(set(rows), {"raw-ph", "clear-flow", "ph-table", "clear-volume"}, "with what they come from")
        self.assertAlmostEqual(rows["ph-table"]["value"], self.served("ph")[0] + 0.1, places=9)
        self.assertEqual((rows["ph-table"]["computedFrom"], rows["ph-table"]["unit"]), (["raw-ph"], "pH"))
        self.assertNotIn("value", rows["clear-volume"], "one reading is no sum")

        _, out, _ = self.ctl("--config", self.file, "read")
        ph = int(re.search(r"raw-ph +raw (\d+) ", out)[1]) / 100
        flow = float(re.search(r"clear-flow +raw (\S+) ", out)[1])
        self.assertIn(round(ph, 2), [round(v, 2) for v in self.served("ph")])
        self.assertRegex(out, rf"raw-ph +raw \d+  =  {ph:.2f} pH  =  {ph:.2f} pH ")
        self.assertRegex(out, rf"ph-table +{ph + 0.1:.2f} pH   not evaluated   computed from raw-ph")
        self.assertRegex(out, r"clear-volume +is added up by the running gateway, from clear-flow")
        # As many digits as the quantity has: hundredths of m³/h are thousandths of L/s.
        self.assertRegex(out, rf"clear-flow +raw [\d.]{{1,9}}  =  {flow:.3f} L/s  =  {flow * 3.6:.2f} m³/h ")

    def test_read_says_what_is_wrong(self):
        code, out, err = self.ctl("--config", self.file, "read")
        self.assertEqual(code, 1, "one is bad")
        self.assertRegex(out, r"no-such-register +no value: missing \(EXCEPTION\)")
        self.assertRegex(err, r"no-such-register: unit 1 holding 60000.*ILLEGAL DATA ADDRESS")
        code, _, err = self.ctl("--config", self.file, "read", "nobody")
        self.assertEqual(code, 64)
        self.assertIn('no sensor "nobody"', err)
        code, out, _ = self.ctl("--config", "/nowhere/gerbang.toml", "read")
        self.assertEqual(code, 78)
        self.assertIn("/nowhere/gerbang.toml", out)

    def test_read_and_status_beside_a_running_gateway(self):
        code, _, err = self.ctl("--config", self.file, "status")
        self.assertEqual(code, 69, "nothing runs")
        self.assertIn("ipa-uji-1", err)
        code, _, err = self.ctl("status", "--url", "foo")
        self.assertEqual(code, 64)
        self.assertIn("--url foo: not an address; write http://HOST:PORT", err)
        self.assertEqual(self.ctl("status", "--url", "http://127.0.0.1:1", "--token-file", "/nowhere/token")[0], 66)
        gateway = Gateway(self.bench, self.file.read_text())
        wait_for("readings", lambda: (s := gateway.json(self.http_port, "/api/v1/sensors")) and
                 all(x.get("newest") for x in s["sensors"]))
        before = len(self.served("ph"))
        code, out, _ = self.ctl("--config", self.file, "read", "raw-ph")
        self.assertEqual(code, 0)
        self.assertIn("holds the lines", out)
        self.assertRegex(out, r"raw-ph +7\.\d\d pH +good .*ago")
        _, out, _ = self.ctl("--config", self.file, "read", "ph-table", "clear-volume")
        self.assertRegex(out, r"ph-table +7\.\d\d pH +[a-z_]+ .*ago")
        self.assertRegex(out, r"clear-volume +\d+\.\d m³ ")
        self.assertLessEqual(len(self.served("ph")) - before, 4, "only the gateway asked the device")
        code, out, _ = self.ctl("--config", self.file, "status")
        self.assertRegex(out, r"wtp-plc +modbus +running")
        self.assertRegex(out, r"ledger difference 0")
        self.assertEqual(code, 0 if "state: pass" in out else 1, out)
        code, out, _ = self.ctl("--config", self.file, "--json", "status")
        self.assertEqual(json.loads(out)["gateway"], "ipa-uji-1")
        code, out, _ = self.ctl("status", "--url", f"http://127.0.0.1:{self.http_port}")
        self.assertIn("wtp-plc", out)
        gateway.balance(self.http_port)
        self.assertEqual(gateway.process.stop(), 0)

    def test_check_and_drivers(self):
        code, out, _ = self.ctl("check", self.file)
        self.assertEqual(code, 0, out)
        self.assertRegex(self.ctl("--lang", "ind", "check", self.file)[1], r"gerbang\.toml: benar: 1 driver, \d+ sensor, ")
        self.file.write_text(self.file.read_text().replace('"dcba"', '"dcab"'))
        code, out, _ = self.ctl("check", self.file)
        self.assertEqual(code, 78)
        self.assertRegex(out, r"gerbang\.toml:\d+:\d+: .*order.*dcab")
        self.assertRegex(self.ctl("--lang", "ind", "check", self.file)[1], r"gerbang\.toml: \d+ kesalahan\n")
        self.assertIn(", bawaan 502", self.ctl("--lang", "ind", "drivers", "modbus")[1])
        code, out, _ = self.ctl("drivers")
        self.assertEqual(code, 0)
        for name in ("modbus", "simulator"):
            self.assertIn(name, out)
        code, out, _ = self.ctl("--json", "drivers", "modbus")
        self.assertEqual(code, 0)
        self.assertIn("max_gap", json.dumps(json.loads(out)))


if __name__ == "__main__":
    unittest.main(verbosity=2)
