#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`gerbangctl evaluate` and `gerbangctl standards` as people and programs call them."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from harness import BUILD, SOURCE


def ctl(*arguments, data=SOURCE / "config"):
    environment = {**os.environ, "GERBANG_DATA": str(data)}
    return subprocess.run([str(BUILD / "bin" / "gerbangctl"), *arguments], capture_output=True, text=True,
                          env=environment, timeout=30)


class Evaluate(unittest.TestCase):
    def test_value_category_and_critical_inputs(self):
        done = ctl("evaluate", "ispu", "pm2_5=77.44", "o3=166.08")
        self.assertEqual(done.returncode, 0, done.stderr)
        for word in ("123", "Tidak Sehat", "Unhealthy", "pm2_5"):
            self.assertIn(word, done.stdout)
        self.assertIn("Tidak sehat", ctl("--lang", "ind", "evaluate", "ispu", "pm2_5=77.44").stdout)

    def test_json_says_the_same(self):
        done = json.loads(ctl("evaluate", "ispu", "o3=166.08", "pm2_5=31.48", "hc=null", "--json").stdout)
        self.assertEqual((done["value"], done["category"], done["critical"]), (70, "Sedang", ["pm2_5", "o3"]))
        self.assertEqual([one["quantity"] for one in done["left_out"]], ["hc"])
        self.assertEqual(done["version"], "PermenLHK P.14/2020")

    def test_units_and_classes(self):
        self.assertEqual(json.loads(ctl("evaluate", "drinking-water", "free_chlorine=190 ug/L", "--json").stdout)
                         ["critical"], ["free_chlorine"])
        for call in (["river-class-1"], ["river", "--class", "1"]):
            done = json.loads(ctl("evaluate", *call, "dissolved_oxygen=5", "--json").stdout)
            self.assertEqual((done["standard"], done["value"]), ("river-class-1", 1))

    def test_refusals_say_why(self):
        for arguments, why in ((["ispu", "pm25=3"], "did you mean pm2_5?"), (["ispu", "pm2_5=3,5"], "not a number"),
                               (["ispu", "pm2_5"], "QUANTITY=VALUE"), (["ispu", "pm2_5=nan"], "not a finite number"),
                               (["ispu", "o3=50 ppb"], "ppb"), (["ispo", "o3=50"], 'did you mean "ispu"?'),
                               (["river", "--class", "9", "ph=7"], 'river has no variant "9"; there are: 1, 2, 3, 4'),
                               (["ispu", "--class", "1", "o3=50"], "leave out --class"), (["ispu", "wind=3"], "does not judge wind. It judges: pm10,"),
                               (["no-such-thing", "o3=50"], "there are: "), (["ispu", "pm10=null"], "nothing")):
            with self.subTest(arguments):
                done = ctl("evaluate", *arguments)
                self.assertEqual(done.returncode, 65)
                self.assertIn(why, done.stderr)
                self.assertEqual(done.stdout, "")
                self.assertLessEqual(max(map(len, done.stderr.splitlines())), 80, done.stderr)
        self.assertEqual(ctl("evaluate", "ispu").returncode, 64)

    def test_standards_explain_themselves(self):
        ids = [one["id"] for one in json.loads(ctl("standards", "--json").stdout)]
        for name in ("ispu", "drinking-water", "river-class-2", "ip-class-2", "ambient-air-24h", "leachate", "landfill-gas"):
            self.assertIn(name, ids)
        shown = ctl("standards", "drinking-water").stdout
        for word in ("Permenkes 2/2023", "< 3", "0.2 to 0.5", "[B]", "within 3 of air_temperature"):
            self.assertIn(word, shown)
        self.assertEqual(ctl("standards", "nonsense").returncode, 66)

    def test_nothing_is_told_from_a_table_with_a_mistake(self):
        with tempfile.TemporaryDirectory() as folder:
            data = pathlib.Path(folder) / "data"
            shutil.copytree(SOURCE / "config", data)
            table = data / "standards/drinking-water.toml"
            table.write_text(table.read_text().replace("low = 0.2\n", "lwo = 0.2\n", 1))
            for call in (["evaluate", "drinking-water", "free_chlorine=0.05"], ["standards", "drinking-water"],
                         ["standards", "drinking-water-compliance"]):
                with self.subTest(call):
                    done = ctl(*call, data=data)
                    self.assertEqual((done.returncode, done.stdout), (78, ""))
                    self.assertIn('drinking-water.toml:24:1: limit.lwo: unknown key; did you mean "low"?', done.stderr)
            listed = ctl("standards", "--json", data=data)
            self.assertEqual(listed.returncode, 78)
            ids = [one["id"] for one in json.loads(listed.stdout)]
            self.assertIn("ispu", ids)
            self.assertNotIn("drinking-water", ids)
            other = ctl("evaluate", "ispu", "pm2_5=77.44", data=data)
            self.assertEqual(other.returncode, 0, other.stderr)
            self.assertIn("warning: ", other.stderr)
            quantities = data / "quantities.toml"
            quantities.write_text(quantities.read_text().replace("decimals =", "decimls =", 1))
            self.assertEqual(ctl("evaluate", "ispu", "pm2_5=77.44", data=data).returncode, 78)

    def test_examples_of_sites_are_valid(self):
        environment = {**os.environ, "GERBANG_DATA": str(SOURCE / "config"), "GERBANG_DRIVER_PATH": str(BUILD / "drivers")}
        for site in ("air-station", "water-plant", "river-station", "landfill"):
            with self.subTest(site):
                done = subprocess.run([str(BUILD / "bin" / "gerbangctl"), "check", str(SOURCE / f"config/examples/{site}.toml")],
                                      capture_output=True, text=True, env=environment, timeout=30)
                self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
                self.assertIn("valid", done.stdout)


unittest.main()
