#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every device profile fits its driver; every channel of every Modbus profile comes from a device by pymodbus, through the
gateway, to a subscriber with the right value in the right unit: known frames of the manuals where there are some, else
numbers that are encoded here. By TCP all at once, by RTU several on one line whose baud rate comes from the profiles."""
import asyncio
import json
import os
import struct
import subprocess
import sys
import threading
import unittest

from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.server import StartAsyncSerialServer, StartAsyncTcpServer
from pymodbus.transaction import ModbusRtuFramer

from harness import BUILD, SOURCE, Bench, Broker, Gateway, Subscriber, free_port, identity, port_open, wait_for

ENVIRONMENT = {**os.environ, "GERBANG_DRIVER_PATH": str(BUILD / "drivers"), "GERBANG_DATA": str(SOURCE / "config")}
# What the site says where a profile asks.
# Places of the address, by plugin and key; numbers for the rest.
PLACES = {"w1": '"28-0000098e8f2d"', "address": "{ empty = 1800, full = 200 }", "sensor_address": '"0"',
          "dev_eui": '"0101010101010101"'}
ANSWERS = {"address": PLACES["address"], "quantity": '"co2"', "scale": "0.1", "span": "{ raw = [0, 65535], value = [0, 100] }"}
UNITS = {"conductivity": "mS/cm", "flow": "L/s", "volume": "L", "volume_reverse": "L"}
# quantity → its unit on the wire; unit in the file → factor into it. Written here, not read from the gateway.
CANONICAL = {"ph": "pH", "orp": "mV", "water_temperature": "°C", "air_temperature": "°C", "dissolved_oxygen": "mg/L",
             "dissolved_oxygen_saturation": "%", "free_chlorine": "mg/L", "conductivity": "µS/cm", "flow": "m³/h",
             "volume": "m³", "volume_reverse": "m³", "co2": "ppm", "humidity": "%", "frequency": "Hz"}
FACTORS = {("flow", "m3/s"): 3600.0, ("flow", "L/s"): 3.6, ("volume", "mm3"): 1e-9, ("volume", "L"): 1e-3,
           ("volume_reverse", "L"): 1e-3, ("conductivity", "mS/cm"): 1000.0}
# Registers as printed in manuals, and what they mean there: profile → channel → (words, value).
KNOWN = {
    "supmea-sup-ph6": {"ph": ("02AE", 6.86), "temperature": ("00FA", 25.0)},
    "supmea-sup-do7013": {"temperature": ("0113", 27.5), "oxygen": ("026A", 6.18), "saturation": ("0321", 80.1)},
    "hach-ldo-aq": {"oxygen": ("1F92", 8.082), "temperature": ("0A51", 26.41)},
    "sensirion-scd30": {"co2": ("43DB8C2E", 439.095), "temperature": ("41D9E7FF", 27.238), "humidity": ("42433A1B", 48.807)},
    "supmea-sup-ldg": {"flow": ("226E413F", 11.9459), "total": ("006C0000007B0000", 108.123)},
    "oldham-itrans-2": {"gas-1": ("0005", 5.0)},
}
RAW = {"uint16": 137, "int16": 137, "uint32": 70123, "uint64": 123456789012345, "float32": 7.25, "uint32_milli": 108123}


def ctl(*arguments):
    return subprocess.run([BUILD / "bin" / "gerbangctl", *map(str, arguments)], capture_output=True, text=True, env=ENVIRONMENT)


def all_profiles():
    done = ctl("profiles", "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def ordered(data, order):
    """Bytes, most significant first, in the order of the letters: each letter is one byte of a 32-bit value."""
    words = [data[i:i + 2] for i in range(0, len(data), 2)]
    if order in ("cdab", "dcba"):
        words.reverse()
    if order in ("badc", "dcba"):
        words = [w[::-1] for w in words]
    return b"".join(words)


def encoded(kind, order):
    raw = RAW[kind]
    form = {"uint16": ">H", "int16": ">h", "uint32": ">I", "uint64": ">Q", "float32": ">f"}
    if kind == "uint32_milli":
        return b"".join(ordered(struct.pack(">I", half), order) for half in divmod(raw, 1000))
    return ordered(struct.pack(form[kind], raw), order)


class Reading:
    """One channel as it is asked for: its registers, and what has to arrive."""

    def __init__(self, device, unit, profile, channel):
        self.sensor, self.unit = f"{device}-{channel['name']}", unit
        self.override = {key: ANSWERS.get(key) for key in channel["ask"]}
        quantity = channel["quantity"] or "co2"
        if "unit" in self.override:
            self.override["unit"] = f'"{UNITS.get(quantity, "ppm")}"'
        self.quantity = quantity
        address = channel["address"]
        self.table = address["table"]
        self.first = address["register"] if "register" in address else address["manual"] % 100000 % 40000 - 1
        if "manual" in address and address["manual"] > 400000:
            self.first = address["manual"] - 400001
        kind = address.get("type", "uint16")
        written = self.override.get("unit", f'"{channel["unit"]}"')[1:-1]
        known = KNOWN.get(profile, {}).get(channel["name"])
        if known:
            data, self.value = bytes.fromhex(known[0]), known[1]
            self.tolerance = 5e-4 * abs(self.value)
        else:
            data = encoded(kind, address.get("order", "abcd"))
            value = RAW[kind] * channel.get("scale", 1.0) + channel.get("offset", 0.0)
            if "scale" in self.override:
                value = RAW[kind] * 0.1
            if "span" in self.override:
                value = RAW[kind] * 100 / 65535
            self.value = value * FACTORS.get((quantity, written), 1.0)
            self.tolerance = 1e-6 * abs(self.value)
        self.words = list(struct.unpack(f">{len(data) // 2}H", data))


class Site:
    """Devices with their profiles on one line."""

    def __init__(self, profiles, extra=False):
        self.readings, self.text, self.expected = [], "", {}
        for number, profile in enumerate(profiles):
            channels = [c for c in profile["channels"] if c["extra"] == extra]
            if not channels:
                continue
            device, unit = f"d{number}", 20 + number
            self.text += f'[[device]]\nid = "{device}"\ndriver = "line"\nprofile = "{profile["name"]}"\n'
            self.text += f'address = {{ unit = {unit} }}\nonly = {json.dumps([c["name"] for c in channels])}\n'
            for channel in channels:
                reading = Reading(device, unit, profile["name"], channel)
                self.readings.append(reading)
                self.expected[reading.sensor] = (device, profile["name"])
                if reading.override:
                    self.text += f'[device.override.{channel["name"]}]\n'
                    self.text += "".join(f"{k} = {v}\n" for k, v in reading.override.items())

    def context(self):
        slaves = {}
        for reading in self.readings:
            tables = slaves.setdefault(reading.unit, {"holding": {}, "input": {}})
            for i, word in enumerate(reading.words):
                tables[reading.table][reading.first + i] = word

        def block(words):
            values = [0] * (max(words, default=0) + 130)
            for at, word in words.items():
                values[at] = word
            return ModbusSequentialDataBlock(0, values)
        return ModbusServerContext(slaves={unit: ModbusSlaveContext(hr=block(t["holding"]), ir=block(t["input"]), zero_mode=True)
                                           for unit, t in slaves.items()}, single=False)

    def serve(self, start, **arguments):
        def run():
            asyncio.run(start(context=self.context(), **arguments))
        threading.Thread(target=run, daemon=True).start()


def configuration(broker, http_port, transport, devices):
    return identity() + f"""
[store]
commit_interval = "200ms"
[http]
listen = "127.0.0.1:{http_port}"
[windows]
default = ["2s"]
grace = "500ms"
[[uplink]]
name = "room"
url = "mqtt://127.0.0.1:{broker.port}"
[[driver]]
name = "line"
plugin = "modbus"
interval = "500ms"
[driver.options]
{transport}
{devices}"""


class Profiles(unittest.TestCase):
    def test_every_profile_fits_its_driver(self):
        profiles = all_profiles()
        self.assertGreaterEqual(len(profiles), 30)
        with Bench() as bench:
            text, wanted = identity(), 0
            for number, profile in enumerate(profiles):
                self.assertIn(profile["tag"], "ABCM")
                if not profile["channels"]:
                    self.assertTrue(profile["noteEng"], profile["name"])
                    continue
                line = f'device = "/dev/gerbang-test-{number}"'
                if profile["plugin"] == "modbus":
                    line = f'transport = "rtu"\n{line}'
                elif profile["plugin"] in ("iio", "mqtt"):
                    line = ""
                text += f'[[driver]]\nname = "line-{number}"\nplugin = "{profile["plugin"]}"\n[driver.options]\n{line}\n'
                text += f'[[device]]\nid = "d{number}"\ndriver = "line-{number}"\nprofile = "{profile["name"]}"\n'
                asked = ", ".join(f"{key} = {PLACES.get(key, 5)}" for key in profile["ask"])
                text += f"address = {{ {asked} }}\n" if asked else ""
                # ORP and pH of one meter share a register: never both.
                names = [c["name"] for c in profile["channels"] if not (profile["name"] == "supmea-sup-ph8" and c["name"] == "orp")]
                text += f"only = {json.dumps(names)}\n"
                wanted += len(names)
                for channel in profile["channels"]:
                    answers = {k: ANSWERS.get(k) or f'"{UNITS.get(channel["quantity"], "ppm")}"' for k in channel["ask"]}
                    if profile["plugin"] == "mqtt":
                        answers["address"] = f'{{ field = "{channel["name"]}" }}'
                    if answers:
                        text += f'[device.override.{channel["name"]}]\n' + "".join(f"{k} = {v}\n" for k, v in answers.items())
            file = bench.write("gerbang.toml", text)
            done = ctl("check", file)
            self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
            self.assertIn(f"{wanted} sensors", done.stdout)
            print(f"{len(profiles)} profiles, {wanted} channels fit their drivers")

    def test_a_name_that_is_none(self):
        done = ctl("profiles", "supmea-sup-ldq")
        self.assertEqual(done.returncode, 66)
        self.assertIn('did you mean "supmea-sup-ldg"?', done.stderr)
        page = ctl("profiles", "supmea-sup-ldg")
        self.assertEqual(page.returncode, 0)
        for word in ("register = 107", "uint32_milli", "[A]", "baud = 9600", 'profile = "supmea-sup-ldg"'):
            self.assertIn(word, page.stdout)

    def run_site(self, site, transport, bench):
        broker = Broker(bench)
        http_port = free_port()
        room = Subscriber(bench, broker)
        gateway = Gateway(bench, configuration(broker, http_port, transport, site.text))

        def newest():
            rows = {}
            for suffix, batch, _ in room.messages("aggregate"):
                rows.update({row.sensor: row for row in batch.aggregates if row.good > 0})
            return rows if len(rows) == len(site.readings) else None
        try:
            rows = wait_for("a good value of every channel", newest, 30)
        except AssertionError:
            for suffix, batch, _ in room.messages("aggregate"):
                print([(r.sensor, r.reason) for r in batch.aggregates if not r.good][:20], file=sys.stderr)
            raise
        for reading in site.readings:
            row = rows[reading.sensor]
            self.assertAlmostEqual(row.last, reading.value, delta=reading.tolerance, msg=f"{reading.sensor} {site.expected}")
            self.assertEqual((row.quantity, row.unit), (reading.quantity, CANONICAL[reading.quantity]), reading.sensor)

        # A person's tool says the same.
        raw = next(p for t, p, kept, _ in room.arrived if "/aggregate/" in t and not kept)
        text = subprocess.run(["protoc", f"-I{SOURCE / 'proto'}", "--decode=gerbang.v1.AggregateBatch",
                               "gerbang/v1/telemetry.proto"], input=raw, capture_output=True, check=True).stdout.decode()
        self.assertIn('sensor: "d', text)

        # The device and the profile are in what the gateway says of itself.
        described = {s.id: (s.device, s.profile) for s in room.messages("description", retained=True)[-1][1].sensors}
        self.assertEqual(described, site.expected)
        listed = {s["id"]: (s["device"], s["profile"]) for s in gateway.json(http_port, "/api/v1/sensors")["sensors"]}
        self.assertEqual(listed, site.expected)
        self.check_health(gateway, http_port, site)
        gateway.balance(http_port)
        self.assertEqual(gateway.process.stop(), 0)
        room.stop()
        return len(site.readings)

    def check_health(self, gateway, http_port, site):
        units = {f"unit-{r.unit}" for r in site.readings}

        def heard():  # the driver's host tells once a second
            status = gateway.json(http_port, "/api/v1/status")
            devices = {d["name"]: d for d in status["drivers"][0]["devices"]}
            return (status, devices) if set(devices) == units else None
        status, devices = wait_for("the health of every device", heard, 15)
        for reading in site.readings:
            device = devices[f"unit-{reading.unit}"]
            self.assertGreater(device["requests"]["ok"], 0)
            self.assertEqual(device["id"], site.expected[reading.sensor][0])
            self.assertLess(abs(status["nowMs"] - device["lastAnswerMs"]), 10_000)
            took = device["roundTripMs"]
            self.assertTrue(0 < took["p50"] <= took["p95"] <= took["maximum"] < 5000, took)
        _, metrics = gateway.get(http_port, "/metrics")
        unit = site.readings[0].unit
        self.assertIn(f'gerbang_device_last_answer_timestamp_seconds{{driver="line",device="unit-{unit}"}}', metrics)
        self.assertIn(f'gerbang_device_round_trip_seconds{{driver="line",device="unit-{unit}",part="p95"}}', metrics)

    def modbus(self):
        return [p for p in all_profiles() if p["plugin"] == "modbus"]

    def test_every_modbus_profile_over_tcp(self):
        for extra in (False, True):
            with Bench() as bench:
                site = Site(self.modbus(), extra)
                port = free_port()
                site.serve(StartAsyncTcpServer, address=("127.0.0.1", port))
                wait_for("the plant", lambda: port_open(port))
                count = self.run_site(site, f'transport = "tcp"\nhost = "127.0.0.1"\nport = {port}', bench)
                print(f"{count} channels over TCP")

    def test_several_profiles_on_one_serial_line(self):
        names = ("supmea-sup-ph6", "supmea-sup-do7013", "supmea-sup-ldg", "longrun-lrf-3000s")
        with Bench() as bench:
            site = Site([p for p in self.modbus() if p["name"] in names])
            a, b = bench.folder / "tty-plant", bench.folder / "tty-gateway"
            bench.run("socat", ["socat", f"pty,raw,echo=0,link={a}", f"pty,raw,echo=0,link={b}"])
            wait_for("the line", lambda: a.exists() and b.exists())
            site.serve(StartAsyncSerialServer, framer=ModbusRtuFramer, port=str(a), baudrate=9600)
            count = self.run_site(site, f'transport = "rtu"\ndevice = "{b}"\ntimeout = "1s"', bench)
            print(f"{count} channels over RTU")


if __name__ == "__main__":
    unittest.main(verbosity=2)
