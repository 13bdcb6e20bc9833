#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Ten broken configurations, each with more than one mistake: `gerbangd --check-config` and `gerbangctl check` print all of them
with line and column and exit with 78; a gateway started with one ends with 78 and starts nothing."""
import json
import os
import re
import subprocess
import unittest

from harness import BUILD, SOURCE, Bench, free_port, identity

DRIVER = f"""
[[driver]]
name = "plc"
plugin = "modbus"
interval = "1s"
[driver.options]
transport = "tcp"
host = "127.0.0.1"
port = {free_port()}
"""


def sensor(name="a", **changes):
    keys = {"driver": '"plc"', "quantity": '"turbidity"', "unit": '"NTU"',
            "address": '{ unit = 1, table = "holding", register = 0, type = "uint16" }', **changes}
    return f'[[sensor]]\nid = "{name}"\n' + "".join(f"{k} = {v}\n" for k, v in keys.items())


ADDRESS = '{ unit = 1, table = "holding", register = %d, type = "uint16" }'
OTHER = {"address": ADDRESS % 7}

# name → (text after [gateway], the keys that must be named, in order of lines)
BROKEN = {
    "wrong-type": ("[http]\nlisten = 8080\n[store]\ncommit_interval = 5\n", ["http.listen", "store.commit_interval"]),
    "unknown-key": ("[store]\npaht = \"x.db\"\n[wimdows]\ngrace = \"1s\"\n", ["store.paht", "wimdows"]),
    "duplicate-id": (DRIVER + sensor("a") + sensor("a", **OTHER) + DRIVER, ["id", "name"]),
    "missing-driver": ('[[driver]]\nname = "x"\nplugin = "modbuss"\ninterval = "1s"\n' + sensor("a", driver='"y"'),
                       ["plugin", "driver"]),
    "unknown-quantity": (DRIVER + sensor("a", quantity='"turbidty"') + sensor("b", quantity='"nonsense"', **OTHER),
                         ["quantity", "quantity"]),
    "impossible-unit": (DRIVER + sensor("a", unit='"m3/h"') + sensor("b", unit='"blorb"', **OTHER), ["unit", "unit"]),
    "bad-duration": ("[store]\ncommit_interval = \"5 seconds\"\n[windows]\ngrace = \"-1s\"\n",
                     ["store.commit_interval", "windows.grace"]),
    "bad-include": ('[store]\ncommit_interval = "x"\n', ["include", "store.commit_interval"]),
    "unreadable-secret": ('[[uplink]]\nname = "r"\nurl = "mqtt://127.0.0.1:1883"\nusername = "u"\n'
                          'password_file = "no-such-file"\nca_file = "neither"\n', ["password_file", "ca_file"]),
    "same-address": (DRIVER + sensor("a") + sensor("b") + sensor("c", scale='"two"', **OTHER), ["address", "scale"]),
}


class CheckConfig(unittest.TestCase):
    def run_on(self, bench, arguments):
        environment = {**os.environ, "GERBANG_DRIVER_PATH": str(BUILD / "drivers"), "GERBANG_DATA": str(SOURCE / "config"),
                       "STATE_DIRECTORY": str(bench.folder)}
        return subprocess.run([str(a) for a in arguments], capture_output=True, text=True, env=environment, timeout=30)

    def test_ten_broken_files(self):
        with Bench() as bench:
            for name, (text, keys) in BROKEN.items():
                with self.subTest(name):
                    whole = identity() + text
                    if name == "bad-include":
                        whole = 'include = ["conf.d/nothing-here.toml"]\n' + whole
                    file = bench.write(f"{name}.toml", whole)
                    for command in ([BUILD / "bin/gerbangd", "--check-config", file],
                                    [BUILD / "bin/gerbangctl", "check", file]):
                        done = self.run_on(bench, command)
                        self.assertEqual(done.returncode, 78, done.stdout + done.stderr)
                        found = re.findall(rf"^{re.escape(str(file))}:(\d+):(\d+): ([^:]+): (.+); (.+)$", done.stdout, re.M)
                        self.assertGreaterEqual(len(found), len(keys), done.stdout)
                        named = [f[2] for f in found]
                        for key in keys:
                            self.assertTrue(any(key in n for n in named), f"{name}: {key} not in {named}")
                        lines = [int(f[0]) for f in found]
                        self.assertEqual(lines, sorted(lines))
                        for line in lines:
                            self.assertLessEqual(line, whole.count("\n") + 1)
                    started = self.run_on(bench, [BUILD / "bin/gerbangd", "--config", file])
                    self.assertEqual(started.returncode, 78, started.stderr)
                    self.assertEqual([p.name for p in bench.folder.glob("*.db*")], [], "nothing was started")

    def assert_mistakes(self, bench, text, mistakes):
        """These and no others, in this order: (name or line of the table, lines below that, column or None, key, words)."""
        lines = text.splitlines()
        file = bench.write("mistakes.toml", text)
        for command in ([BUILD / "bin/gerbangd", "--check-config", file], [BUILD / "bin/gerbangctl", "check", file]):
            done = self.run_on(bench, command)
            self.assertEqual(done.returncode, 78, done.stdout + done.stderr)
            self.assertRegex(done.stdout, rf": {len(mistakes)} mistakes?\n")
            found = re.findall(rf"^{re.escape(str(file))}:(\d+):(\d+): ([^:]+): (.+); (.+)$", done.stdout, re.M)
            self.assertEqual(len(found), len(mistakes), done.stdout)
            for (line, column, key, what, _), (table, below, at, named, words) in zip(found, mistakes):
                start = next(i for i, each in enumerate(lines) if each in (table, f'id = "{table}"', f'name = "{table}"'))
                start += lines[start] == table  # else the line before it, from 1
                self.assertEqual((int(line), key), (start + below, named), done.stdout)
                self.assertIn(int(column), (at or int(column),), done.stdout)
                self.assertIn(words, what)

    def test_what_only_a_driver_knows_is_a_mistake_too(self):
        with Bench() as bench:
            text = identity() + DRIVER + sensor("good")
            text += sensor("b", address='{ manual = 40002, register = 0 }') + sensor("c", address='{ register = 1, bit = 3, type = "int16" }')
            text += '[[driver]]\nname = "rs485"\nplugin = "modbus"\ninterval = "1s"\noptions = { transport = "rtu" }\n'
            text += sensor("d", driver='"rs485"')
            mistakes = [("b", 5, 22, "sensor[b].address.manual", "manual = 40002 is register 1"),
                        ("c", 5, 33, "sensor[c].address.bit", "bit picks one bit"),
                        ("rs485", 4, 11, "driver[rs485].options", "device is not given")]
            self.assert_mistakes(bench, text, mistakes)
            # Beside others they are told too, but for a sensor whose address is wrong already.
            more = text + sensor("e", unit='"m3/h"', address='{ register = 2, manual = 40002 }')
            more += sensor("f", address='{ register = "2", manual = 40002 }') + "[http]\nlisten = 8080\n"
            self.assert_mistakes(bench, more, [
                *mistakes, ("e", 4, 8, "sensor[e].unit", ""), ("e", 5, 36, "sensor[e].address.manual", "is register 1"),
                ("f", 5, 24, "sensor[f].address.register", "expected an integer"), ("[http]", 1, 10, "http.listen", "")])
            self.assert_mistakes(bench, more + "[[store]\n", [("[[store]", 0, None, "toml", "")])
            file = bench.write("drivers.toml", text)
            read = self.run_on(bench, [BUILD / "bin/gerbangctl", "read", "--config", file])
            self.assertEqual(read.returncode, 1, read.stderr)
            self.assertEqual(read.stderr.count("manual = 40002 is register 1"), 1, read.stderr)
            read = self.run_on(bench, [BUILD / "bin/gerbangctl", "read", "--json", "--config", file])
            rows = {row["sensor"]: row for row in map(json.loads, read.stdout.splitlines()) if "sensor" in row}
            self.assertEqual({name: (row["quality"], row["reason"]) for name, row in rows.items()},
                             dict.fromkeys(["good", "b", "c", "d"], ("missing", "DRIVER")), "none without a word")
            started = self.run_on(bench, [BUILD / "bin/gerbangd", "--config", file])
            self.assertEqual(started.returncode, 78, started.stderr)
            self.assertIn("sensor[b].address.manual", started.stderr)
            self.assertEqual([p.name for p in bench.folder.glob("*.db*")], [], "nothing was started")

    def test_a_driver_that_refuses_more_than_is_told_is_not_silent_about_it(self):
        with Bench() as bench:
            wrong = "".join(sensor(f"s{n}", address=f"{{ unit = {n}, register = 0, bit = 16 }}") for n in range(1, 3))
            wrong += "".join(sensor(f"s{n}", address=f"{{ unit = {n}, manual = 40002, register = 0 }}") for n in range(3, 25))
            self.assert_mistakes(bench, identity() + DRIVER + wrong, [
                ("plc", 4, None, "driver[plc].options", "more is refused than the 20 mistakes that are told"),
                *((f"s{n}", 5, None, f"sensor[s{n}].address.bit", "outside of 0 to 15") for n in (1, 2)),
                *((f"s{n}", 5, None, f"sensor[s{n}].address.manual", "is register 1") for n in range(3, 23))])

    def test_a_key_of_another_certificate_is_a_mistake(self):
        with Bench() as bench:
            for name in ("ours", "theirs"):
                subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                                f"/CN={name}", "-keyout", bench.folder / f"{name}.key", "-out", bench.folder / f"{name}.crt"],
                               check=True, capture_output=True)
                (bench.folder / f"{name}.key").chmod(0o600)
            for key, code in (("ours", 0), ("theirs", 78)):
                file = bench.write(f"{key}.toml", identity() + '[[uplink]]\nname = "r"\nurl = "mqtts://127.0.0.1"\n'
                                   f'certificate_file = "ours.crt"\nkey_file = "{key}.key"\n')
                done = self.run_on(bench, [BUILD / "bin/gerbangctl", "check", file])
                self.assertEqual(done.returncode, code, done.stdout + done.stderr)
                self.assertEqual(f"uplink[r].key_file: {bench.folder}/theirs.key is not the key of {bench.folder}/ours.crt"
                                 in done.stdout, code == 78, done.stdout)

    def test_a_good_file_is_valid(self):
        with Bench() as bench:
            register = '{ register = 7, bit = 0%s }'  # two bits of one register: the other order begins in the other byte
            file = bench.write("good.toml", identity() + DRIVER + sensor("a") + sensor("b", address=register % "")
                               + sensor("c", address=register % ', order = "ba"'))
            done = self.run_on(bench, [BUILD / "bin/gerbangd", "--check-config", file])
            self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
            self.assertIn("valid: 1 driver, 3 sensors, 0 uplinks", done.stdout)

    def test_a_reload_is_judged_as_the_gateway_will_and_reading_needs_no_store(self):
        with Bench() as bench:
            away = bench.folder / "disk"
            file = bench.write("away.toml", identity() + f'[store]\npath = "{away}/gerbang.db"\n' + DRIVER + sensor("a"))
            for option, code, word in (("--check-config", 78, ""), ("--check-reload", 0, "warning: ")):
                done = self.run_on(bench, [BUILD / "bin/gerbangd", option, file])
                self.assertEqual(done.returncode, code, done.stdout)
                self.assertIn(f"{word}{file}:", done.stdout)
                self.assertIn(f"the folder {away} does not exist", done.stdout)
                self.assertIn(f"ReadWritePaths={away}", done.stdout)
            done = self.run_on(bench, [BUILD / "bin/gerbangctl", "read", "--config", file])
            self.assertNotEqual(done.returncode, 78, done.stdout + done.stderr)

    def test_a_file_that_is_not_there_is_a_wrong_configuration(self):
        with Bench() as bench:
            for command in (["gerbangd", "--check-config"], ["gerbangd", "--config"], ["gerbangctl", "check"],
                            ["gerbangctl", "read", "--config"]):
                done = self.run_on(bench, [BUILD / "bin" / command[0], *command[1:], bench.folder / "none.toml"])
                self.assertEqual(done.returncode, 78, f"{command}: {done.stdout}{done.stderr}")
                self.assertIn("none.toml:1:1: file: cannot be read: No such file", done.stdout + done.stderr)
                if "check" in command[1]:
                    self.assertIn(": 1 mistake\n", done.stdout)

    def test_a_command_that_is_none_names_the_nearest(self):
        with Bench() as bench:
            for arguments in (["chekc"], ["--json", "chekc", "x.toml"], ["--config", "x.toml", "chekc"]):
                done = self.run_on(bench, [BUILD / "bin/gerbangctl", *arguments])
                self.assertEqual((done.returncode, done.stdout), (64, ""))
                self.assertIn('gerbangctl: there is no command "chekc"; did you mean "check"?', done.stderr)

    def test_every_example_is_valid(self):
        with Bench() as bench:
            for file in sorted((SOURCE / "config/examples").glob("*.toml")):
                with self.subTest(file.name):
                    done = self.run_on(bench, [BUILD / "bin/gerbangd", "--check-config", file])
                    self.assertEqual(done.returncode, 0, done.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
