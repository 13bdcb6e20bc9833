#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""From an unknown line to its values, as a technician types it: decode, scan, paste, check, read. The devices are pymodbus, over
TCP and over a pair of pseudo terminals, the kernel's devices as files, and LoRaWAN devices as ChirpStack publishes them."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
import tomllib
import tty
import unittest

import paho.mqtt.client as mqtt
from harness import BUILD, SOURCE, Bench, Broker, Gateway, free_port, identity, port_open, wait_for
from profile_devices_test import kernel_tree

PLANT = SOURCE / "tests/support/modbus_plant.py"


def refuse_all(server):
    """A device on TCP that looks at no unit number and has no register 0."""
    while True:
        connection, _ = server.accept()
        with connection:
            while len(question := connection.recv(12)) == 12:
                connection.sendall(question[:4] + b"\0\3" + question[6:7] + bytes([question[7] | 0x80, 2]))


def babble(line):
    """A device at another rate: whatever is asked, bytes come that are no frame."""
    while os.read(line, 256):
        os.write(line, b"\x01\x03\x02\x00\x05\x00\x00")


def modbus_crc(data):
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return data + crc.to_bytes(2, "little")


def answer_as(line, unit, delay):
    """One RTU device: every register of this unit holds 500; other units are silent."""
    held = b""
    while more := os.read(line, 256):
        held += more
        while len(held) >= 8:
            question, held = held[:8], held[8:]
            if question[0] == unit:
                count = question[5]
                time.sleep(delay)
                os.write(line, modbus_crc(question[:2] + bytes([2 * count]) + b"\x01\xf4" * count))


class Commission(unittest.TestCase):
    def setUp(self):
        self.bench = self.enterContext(Bench())
        folders = {"STATE_DIRECTORY": self.bench.folder / "state", "RUNTIME_DIRECTORY": self.bench.memory()}
        self.environment = {**os.environ, **{k: str(v) for k, v in folders.items()},
                            "GERBANG_DRIVER_PATH": str(BUILD / "drivers"), "GERBANG_DATA": str(SOURCE / "config")}

    def ctl(self, *arguments):
        """(exit code, output, errors) of gerbangctl."""
        done = subprocess.run([BUILD / "bin" / "gerbangctl", *map(str, arguments)], capture_output=True, text=True,
                              timeout=60, env=self.environment)
        return done.returncode, done.stdout, done.stderr

    def tcp_plant(self, units=4, silent="3"):
        port = free_port()
        self.bench.run("tcp-plant", ["/usr/bin/python3", PLANT, "--port", port, "--units", units, "--silent", silent])
        wait_for("the plant", lambda: port_open(port))
        return port

    def configuration(self, *parts):
        self.http_port = free_port()
        return self.bench.write("gerbang.toml", identity() + f'[http]\nlisten = "127.0.0.1:{self.http_port}"\n' + "\n".join(parts))

    def test_captured_bytes_are_decoded_or_refused_with_the_reason(self):
        code, out, _ = self.ctl("decode", "modbus", "--hex", "01 03 04 02 BC 01 16 BA 31")
        self.assertEqual(code, 0)
        self.assertEqual([line.split()[1] for line in out.splitlines()], ["700", "278"])
        code, out, _ = self.ctl("decode", "modbus", "--hex", "08040422 6E413F79 61", "--option", "type=float32",
                                "--option", "order=cdab", "--json")
        self.assertEqual(code, 0)
        self.assertAlmostEqual(json.loads(out)["readings"][0]["value"], 11.9459, places=4)
        code, out, err = self.ctl("decode", "modbus", "--hex", "01 03 08 00 BC 61 4E 00 00 03 E7 C8 D9", "--option",
                                  "type=uint32_milli", "--option", "scale=0.001")
        self.assertEqual(code, 0, err)
        self.assertRegex(out, r" 12345678\.999 .*raw 12345678999\n")
        for arguments, expected, words in [
                (["modbus", "--hex", "01 83 02 C0 F1"], 65, "ILLEGAL DATA ADDRESS"),
                (["modbus", "--hex", "01 03 04 02 BC 01 17 BA 31"], 65, "CRC"),
                (["modbus", "--hex", "01 03 00 00 00 02 C4 0B"], 65, "question"),
                (["modbus", "--hex", "01 0x"], 64, "character"),
                (["modbus", "--hex", "01 03", "--option", "typ=int16"], 64, 'did you mean "type"'),
                (["modbsu", "--hex", "01"], 66, "modbus"),
                (["simulator", "--hex", "01"], 69, "no codec")]:
            code, out, err = self.ctl("decode", *arguments)
            self.assertEqual((code, out), (expected, ""), err)
            self.assertIn(words, err)

    def test_what_a_scan_prints_can_be_pasted_checked_and_read(self):
        port = self.tcp_plant()
        code, out, err = self.ctl("scan", "modbus", "--host", "127.0.0.1", "--port", port, "--units", "1-6", "--timeout", "200ms")
        self.assertEqual(code, 0, err)
        pasted = tomllib.loads(out)
        self.assertEqual([d["options"]["port"] for d in pasted["driver"]], [port], "one line, one driver")
        self.assertEqual(sorted({s["address"]["unit"] for s in pasted["sensor"]}), [1, 2, 4])
        # What each register held, for somebody who has no manual.
        self.assertIn("# unit 1 answers: holding 0-31; the same in input\n", out)
        self.assertRegex(out, r"\n# holding +0 +0x02BC +700\n# holding +1-9 +0x0000 +0\n"
                              r"# holding +10 +0x404D +16461  float32 with 11: abcd 3.21\n")
        file = self.configuration(out)
        self.assertEqual(self.ctl("check", file)[0], 0, self.ctl("check", file)[1])
        code, out, err = self.ctl("--config", file, "read")
        self.assertEqual(code, 0, out + err)
        self.assertEqual(len(re.findall(r"raw 700 ", out)), 3, out)

        # A device whose maker is known: nothing is left to write.
        arguments = ["scan", "modbus", "--host", "127.0.0.1", "--port", port, "--units", "1-3", "--timeout", "200ms", "--profile"]
        code, out, err = self.ctl(*arguments, "supmea-sup-ph8")
        self.assertEqual(code, 0, err)
        self.assertEqual([(d["profile"], d["address"]["unit"]) for d in tomllib.loads(out)["device"]],
                         [("supmea-sup-ph8", 1), ("supmea-sup-ph8", 2)])
        self.assertRegex(out, r"\n# unit-2-ph +0\.00 pH\n# unit-2-temperature +0\.0+ °C\n")
        self.assertNotIn("probably not its profile", err)
        self.assertIn("sudo gerbangctl check && sudo gerbangctl read --watch\n", err)
        file = self.configuration(out)
        self.assertEqual(self.ctl("check", file)[0], 0, self.ctl("check", file)[1])
        code, out, _ = self.ctl("--config", file, "read", "unit-1-temperature")
        self.assertRegex(out, r"unit-1-temperature +raw 0 ")
        # A profile of another device: its registers are not there.
        code, out, err = self.ctl(*arguments, "yosemitech-y532")
        self.assertEqual(code, 0, err)
        self.assertRegex(out, r"\n# unit-1-ph +refused: exception 2, ILLEGAL DATA ADDRESS\n")
        self.assertIn("yosemitech-y532 is probably not its profile", err)
        for name, words in [("supmea-sup-ph9", 'did you mean "supmea-sup-ph'), ("plantower-pms5003", "gerbangctl scan particulate"),
                            ("msa-5100", "search without it")]:
            code, _, err = self.ctl(*arguments, name)
            self.assertEqual(code, 64)
            self.assertIn(words, err)

        code, out, _ = self.ctl("scan", "modbus", "--host", "127.0.0.1", "--port", port, "--units", "30-31", "--timeout", "100ms",
                                "--json")
        self.assertEqual((code, json.loads(out)["found"]), (1, []))
        code, _, err = self.ctl("scan", "modbus", "--host", "127.0.0.1", "--port", free_port())
        self.assertEqual(code, 69)
        self.assertIn("refused", err)
        for target in "modbus", "serial", "sdi12":
            for device, words in ("/dev/no-such-port", "is not there; "), ("/dev/null", "is no serial port; "):
                code, out, err = self.ctl("scan", target, "--device", device)
                self.assertEqual((code, out), (66, ""))
                self.assertRegex(err, f"^gerbangctl: --device: {device} {words}.*\n$")

    def test_a_device_that_answers_to_every_number_is_shown_once(self):
        server = self.enterContext(socket.create_server(("127.0.0.1", 0)))
        threading.Thread(target=refuse_all, args=[server], daemon=True).start()
        code, out, err = self.ctl("scan", "modbus", "--host", "127.0.0.1", "--port", server.getsockname()[1])
        self.assertEqual(code, 0, err)
        self.assertIn("every unit number", err)
        self.assertRegex(out, r"# unit 1 answers: refuses holding 0-31 \(ILLEGAL DATA ADDRESS\)")
        self.assertEqual(list(tomllib.loads(out)), ["driver"], "its registers are not known: a comment")

    def test_bytes_that_are_no_frames_are_told(self):
        ours, theirs = os.openpty()
        tty.setraw(theirs)
        threading.Thread(target=babble, args=[ours], daemon=True).start()
        code, out, err = self.ctl("scan", "modbus", "--device", os.ttyname(theirs), "--bauds", "9600", "--parities", "none",
                                  "--units", "2", "--timeout", "50ms")
        self.assertEqual((code, out), (1, ""))
        self.assertIn("something talks at 9600 none", err)

    def device(self, unit, delay=0.0):
        """The port behind which one RTU device answers at any rate, after so many seconds."""
        ours, theirs = os.openpty()
        tty.setraw(theirs)
        threading.Thread(target=answer_as, args=[ours, unit, delay], daemon=True).start()
        return os.ttyname(theirs)

    def test_a_device_that_answers_late_is_found_as_well(self):
        code, out, err = self.ctl("scan", "modbus", "--device", self.device(3, 0.2), "--bauds", "9600", "--parities", "none",
                                  "--units", "1-9")
        self.assertEqual(code, 0, err)
        self.assertEqual([s["address"]["unit"] for s in tomllib.loads(out)["sensor"]], [3])
        self.assertRegex(out, r"\n# holding +0-31 +0x01F4 +500\n")

    def test_the_unit_that_a_device_leaves_its_factory_with_is_asked_first(self):
        code, out, err = self.ctl("scan", "modbus", "--device", self.device(247), "--profile", "hach-ldo-aq", "--bauds", "19200",
                                  "--parities", "none", "--timeout", "50ms")
        self.assertEqual(code, 0, err)
        self.assertEqual([d["address"] for d in tomllib.loads(out)["device"]], [{"unit": 247}])

    def test_what_only_the_site_knows_is_left_to_write_and_is_said(self):
        code, out, err = self.ctl("scan", "modbus", "--device", self.device(17), "--profile", "dragino-dr-ec", "--bauds", "9600",
                                  "--parities", "none", "--timeout", "50ms")
        self.assertEqual(code, 0, err)
        self.assertIn("Before check: write the keys", err)
        self.assertRegex(out, r"\n# unit-17-conductivity +raw 500\n# unit-17-temperature +50\.0+ °C\n")
        self.assertEqual(tomllib.loads(out)["device"][0]["override"], {"conductivity": {}})
        self.assertEqual(self.ctl("check", self.configuration(out))[0], 78, "nobody has written it yet")
        written = out.replace('# unit = "…"', 'unit = "µS/cm"').replace("# scale = …", "scale = 10.0")
        code, said, err = self.ctl("check", self.configuration(written))
        self.assertEqual(code, 0, said + err)

    def test_ctrl_c_keeps_what_was_found(self):
        port = self.tcp_plant(units=2, silent="")
        scan = subprocess.Popen([BUILD / "bin" / "gerbangctl", "scan", "modbus", "--host", "127.0.0.1", "--port", str(port),
                                 "--timeout", "500ms"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                env=self.environment)
        time.sleep(3)
        scan.send_signal(signal.SIGINT)
        out, err = scan.communicate(timeout=10)
        self.assertEqual(scan.returncode, 0, err)
        self.assertEqual(len(tomllib.loads(out)["driver"]), 1)
        self.assertIn("Stopped", err)

    def test_a_wrong_unit_is_named_among_those_that_answer(self):
        port = self.tcp_plant()
        sensors = [f'[[sensor]]\nid = "unit-{n}"\ndriver = "plc"\nquantity = "number"\naddress = {{ unit = {n}, register = 0 }}\n'
                   for n in (1, 2, 3, 4)]
        driver = (f'[[driver]]\nname = "plc"\nplugin = "modbus"\ninterval = "500ms"\n'
                  f'options = {{ host = "127.0.0.1", port = {port}, timeout = "150ms" }}\n')
        file = self.configuration(driver, *sensors)
        code, out, _ = self.ctl("--config", file, "read")
        self.assertEqual(code, 1)
        self.assertIn("check plc: no answer from unit 3 while units 1, 2, 4 answer: its address, supply or wiring?", out)
        code, out, _ = self.ctl("--config", file, "--lang", "ind", "read")
        self.assertIn("unit 3 tidak menjawab, sedangkan unit 1, 2, 4 menjawab", out)

        watch = subprocess.Popen([BUILD / "bin" / "gerbangctl", "--config", str(file), "--json", "read", "--watch"],
                                 stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=self.environment)
        time.sleep(4.5)
        watch.send_signal(signal.SIGINT)
        out, _ = watch.communicate(timeout=10)
        self.assertEqual(watch.returncode, 1)
        rows = [json.loads(line) for line in out.splitlines()]
        lines = [row for row in rows if "driver" in row]
        self.assertEqual([c["code"] for c in lines[-1]["check"]], ["silent_some"])
        counts = {d["device"]: d for d in lines[-1]["devices"]}
        self.assertGreater(counts["unit-1"]["results"]["ok"], 3, "one connection, asked on and on")
        self.assertIn("TIMEOUT", counts["unit-3"]["results"])
        self.assertTrue(all(row["received"] for row in rows if row.get("sensor") == "unit-1"), "raw bytes")

    def test_a_refused_connection_is_explained(self):
        driver = f'[[driver]]\nname = "plc"\nplugin = "modbus"\noptions = {{ host = "127.0.0.1", port = {free_port()} }}\n'
        sensor = '[[sensor]]\nid = "a"\ndriver = "plc"\nquantity = "number"\naddress = { register = 0 }\n'
        code, out, _ = self.ctl("--config", self.configuration(driver, sensor), "read")
        self.assertEqual(code, 1)
        self.assertIn("check plc: the connection is refused: check address and port", out)

    def test_a_serial_line_is_found_unless_somebody_has_it(self):
        ends = [self.bench.folder / "office", self.bench.folder / "field"]
        self.bench.run("wire", [shutil.which("socat"), *(f"pty,rawer,link={end}" for end in ends)])
        wait_for("the wire", lambda: all(end.exists() for end in ends))
        self.bench.run("rtu-plant", ["/usr/bin/python3", PLANT, "--serial", ends[1], "--baud", "9600", "--units", "3",
                                     "--silent", "2"])
        time.sleep(2)
        arguments = ["scan", "modbus", "--device", ends[0], "--bauds", "9600", "--parities", "none", "--units", "1-4"]
        code, out, err = self.ctl(*arguments)
        self.assertEqual(code, 0, err)
        pasted = tomllib.loads(out)
        self.assertEqual(pasted["driver"][0]["options"],
                         {"transport": "rtu", "device": str(ends[0]), "baud": 9600, "parity": "none"})
        self.assertEqual(sorted({s["address"]["unit"] for s in pasted["sensor"]}), [1, 3])

        gateway = Gateway(self.bench, self.configuration(out).read_text())
        wait_for("readings", lambda: (s := gateway.json(self.http_port, "/api/v1/sensors")) and
                 all(x.get("newest", {}).get("value") is not None for x in s["sensors"]))
        code, out, err = self.ctl(*arguments)
        self.assertEqual((code, out), (69, ""))
        self.assertRegex(err, r"is held by process \d+ \(gerbang-driver")
        code, out, err = self.ctl("--config", gateway.file, *arguments)
        self.assertEqual((code, out), (69, ""))
        self.assertIn(f'the running gateway holds this line (driver "{pasted["driver"][0]["name"]}"); stop it (sudo systemctl', err)
        self.assertEqual(gateway.process.stop(), 0)

    def test_a_device_on_the_network_that_the_gateway_reads_is_searched_with_a_warning(self):
        port = self.tcp_plant()
        arguments = ["scan", "modbus", "--host", "127.0.0.1", "--port", port, "--units", "1-2"]
        found = self.ctl(*arguments)[1]
        gateway = Gateway(self.bench, self.configuration(found).read_text())
        wait_for("the gateway", lambda: gateway.json(self.http_port, "/api/v1/status"))
        code, out, err = self.ctl("--config", gateway.file, *arguments)
        self.assertEqual(code, 0, err)
        self.assertEqual(tomllib.loads(out), tomllib.loads(found))
        self.assertRegex(err, r"note: the running gateway reads 127\.0\.0\.1 as well .*sudo systemctl stop gerbang")
        self.assertEqual(gateway.process.stop(), 0)

    def paste(self, found):
        """The output of a scan in a configuration that is right, and what its sensors read: id → (raw value, unit)."""
        file = self.configuration(found)
        code, out, err = self.ctl("check", file)
        self.assertEqual(code, 0, out + err)
        code, out, err = self.ctl("--config", file, "read", "--json")
        rows = [json.loads(line) for line in out.splitlines()]
        return {row["sensor"]: row for row in rows if "sensor" in row}, out + err

    def test_what_the_kernel_knows_is_found_pasted_and_read(self):
        root = kernel_tree(self.bench.folder / "sys", {"bme280": {"in_temp_input": "30000", "in_pressure_input": "99.5"}})
        board = root / "class/hwmon/hwmon0"
        board.mkdir(parents=True)
        for file, text in {"name": "cpu_thermal", "temp1_input": "48312", "in0_input": "3301"}.items():
            (board / file).write_text(text + "\n")
        code, out, err = self.ctl("scan", "iio", "--option", f"root={root}")
        self.assertEqual(code, 0, err)
        self.assertEqual(len(tomllib.loads(out)["driver"]), 1)
        read, said = self.paste(out)
        # Two chips of one name are told apart by where they hang.
        right = {"1-0000-bme280-pressure": 1006.5325, "1-0005-bme280-pressure": 995, "1-0005-bme280-temp": 30,
                 "bmp280-temp": -3.5, "scd30-concentration-co2": 439.1, "sps30-massconcentration-pm2p5": 20.25,
                 "28-0000098e8f2d": 23.125, "cpu-thermal-temp1": 48.312, "cpu-thermal-in0": 3.301}
        for sensor, value in right.items():
            self.assertIn(sensor, read, said)
            self.assertAlmostEqual(read[sensor]["value"], value, places=6, msg=sensor)
        (self.bench.folder / "empty").mkdir()
        code, out, err = self.ctl("scan", "iio", "--option", f"root={self.bench.folder / 'empty'}")
        self.assertEqual((code, out), (1, ""), err)

    def publish(self, broker, stop):
        client = mqtt.Client()
        client.connect("127.0.0.1", broker.port)
        client.loop_start()
        count = 0
        while not stop.wait(0.2):
            count += 1
            for eui, name, content in [("0101010101010101", "TPS-012", {"object": {"distance_mm": 3000, "battery_mv": 2000}}),
                                       ("0202020202020202", "TPS-012", {"object": {"distance_mm": 1500}}),
                                       ("0303030303030303", "液位", {"object": {"temp": -2.5, "text": "ok", "none": None}}),
                                       ("0404040404040404", "TPS-012", {"data": "C7gH0A=="})]:
                uplink = {"deduplicationId": f"{eui}-{count}", "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                          "deviceInfo": {"deviceName": name, "devEui": eui}, "devAddr": "00189440", "fCnt": count, "fPort": 2, **content}
                topic = f"application/1/device/{eui}/event/"
                client.publish(topic + "up", json.dumps(uplink), qos=1)
                client.publish(topic + "status", json.dumps({"deviceInfo": {"devEui": eui}, "batteryLevel": 75.5}))
            client.publish("weather/yard", json.dumps({"sensors": [{"value": 27.5}], "station": "A"}))
            client.publish("tele/level", "1.25")
            client.publish("tele/text", "hello")
        client.loop_stop()
        client.disconnect()

    def test_what_a_broker_hears_is_found_pasted_and_read(self):
        broker = Broker(self.bench)
        stop = threading.Event()
        publisher = threading.Thread(target=self.publish, args=[broker, stop], daemon=True)
        publisher.start()
        self.addCleanup(publisher.join)
        self.addCleanup(stop.set)
        log = self.bench.folder / "scan.toml"
        with open(log, "w", encoding="utf-8") as out:
            scan = subprocess.Popen([BUILD / "bin" / "gerbangctl", "scan", "mqtt", "--host", "127.0.0.1", "--port", str(broker.port)],
                                    stdout=out, stderr=subprocess.PIPE, text=True, env=self.environment)
        wait_for("all that is published", lambda: log.read_text(encoding="utf-8").count("\n# ") >= 5)
        scan.send_signal(signal.SIGINT)
        err = scan.communicate(timeout=20)[1]
        self.assertEqual(scan.returncode, 0, err)
        found = log.read_text(encoding="utf-8")
        self.assertIn("sends 0B B8 07 D0 and has no codec", found)
        read, said = self.paste(found)
        # No id twice, though three devices have one name, and one has none in our letters.
        values = {sensor: row["value"] for sensor, row in read.items()}
        if values.get("tps-012-distance-mm") == 1500:  # the second of that name was heard first
            values |= {"tps-012-distance-mm": values["tps-012-distance-mm-2"], "tps-012-distance-mm-2": 1500}
        self.assertEqual(values,
                         {"tps-012-distance-mm": 3000, "tps-012-battery-mv": 2000, "tps-012-distance-mm-2": 1500, "tps-012": 3000,
                          "0303030303030303-temp": -2.5, "weather-yard-sensors-0-value": 27.5, "tele-level": 1.25}, said)
        code, out, err = self.ctl("scan", "mqtt", "--host", "127.0.0.1", "--port", free_port())
        self.assertEqual((code, out), (69, ""))
        self.assertIn("is the broker running", err)


if __name__ == "__main__":
    unittest.main()
