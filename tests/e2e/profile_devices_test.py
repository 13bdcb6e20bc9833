#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every profile that is not Modbus, all at once in one gateway: serial devices on pseudo terminals, an SDI-12 probe, LoRaWAN devices
as ChirpStack publishes them (all played by tests/support/plant), and the kernel's devices as files. Each channel arrives at a
subscriber with the quantity, the value and the unit that stand here, written from the makers' documents and not taken from the
profiles. A channel of a profile that nobody reads, here or in profiles_test.py, fails."""
import json
import os
import tomllib
import unittest

import profiles_test
from harness import SOURCE, Bench, Broker, Gateway, Subscriber, free_port, identity, wait_for
from plant import Plant

# Nothing can be read of these: their notes say what is known.
WITHOUT_CHANNELS = {"abb-aquamaster-3", "electronet-elmag-200", "in-situ-aqua-troll-400", "msa-5100", "new-cosmos-ps-7-m", "supmea-sup-1158-j",
                    "xylem-cl500"}

UGM3, PER_CM3 = "µg/m³", "1/cm³"
MASS = {"pm1": (8, "pm1", UGM3), "pm2-5": (21, "pm2_5", UGM3), "pm10": (33, "pm10", UGM3)}
FACTORY = {"pm1-cf1": (9, "pm1", UGM3), "pm2-5-cf1": (24, "pm2_5", UGM3), "pm10-cf1": (38, "pm10", UGM3)}
COUNTS = {"0-3": 11259, "0-5": 1214, "1": 107, "2-5": 16, "5": 4, "10": 2}  # in 0.1 L, which is 100 cm³
PMS = "pm1 = 8, pm2_5 = 21, pm10 = 33, pm1_cf1 = 9, pm2_5_cf1 = 24, pm10_cf1 = 38"
PMS_COUNTS = ", ".join(f"count_{size.replace('-', '_')} = {n}" for size, n in COUNTS.items())
PMS_WHOLE = {**MASS, **FACTORY, **{f"count-{size}": (n / 100, "particle_count", PER_CM3) for size, n in COUNTS.items()}}
SPS_COUNTS = {"0-5": 85, "1": 98.5, "2-5": 101, "4": 101.5, "10": 101.625}
SPS_MASS = {"pm1": (12.5, "pm1", UGM3), "pm2-5": (20.25, "pm2_5", UGM3), "pm4": (24, "pm4", UGM3), "pm10": (26.75, "pm10", UGM3)}
SPS_VALUES = "pm1 = 12.5, pm2_5 = 20.25, pm4 = 24, pm10 = 26.75, " + ", ".join(
    f"number_{size.replace('-', '_')} = {n}" for size, n in SPS_COUNTS.items())
FILL = '[device.override.fill]\naddress = { empty = 2200, full = 200 }\n'


class Device:
    """One profile: what it hangs on, what the site says where the profile asks, and what has to arrive of each channel."""

    def __init__(self, plugin, expected, plant="", options="", address="", override="", interval="1s"):
        self.plugin, self.expected, self.plant, self.options = plugin, expected, plant, options
        self.address, self.override, self.interval = address, override, interval


def particulate(model, values, expected, options=""):
    return Device("particulate", expected, f'kind = "serial"\nmodel = "{model}"\nvalues = {{ {values} }}\n', options)


def ranging(model, millimetres):
    fill = (2200 - millimetres) / (2200 - 200) * 100
    return Device("ranging", {"distance": (millimetres, "distance", "mm"), "fill": (fill, "fill_level", "%")},
                  f'kind = "serial"\nmodel = "{model}"\nvalues = {{ distance = {millimetres} }}\n', override=FILL)


def weighbridge(form, gross):
    """A lorry every six seconds; what it weighs when it is empty is known."""
    tare = "".join(f"[device.override.{channel}]\naddress = {{ tare = 4000 }}\n" for channel in ("net", "tare"))
    return Device("weighbridge", {"weight": (gross, "weight", "kg"), "gross": (gross, "gross_weight", "kg"),
                                  "tare": (4000, "tare_weight", "kg"), "net": (gross - 4000, "net_weight", "kg")},
                  f'kind = "serial"\nmodel = "weighbridge"\nformat = "{form}"\ncycle = "6s"\nevery = "100ms"\n'
                  f"values = {{ gross = {gross} }}\n", override=tare, interval="500ms")


def generic(number, quantity, unit, address=""):
    return f'[device.override.value-{number}]\nquantity = "{quantity}"\nunit = "{unit}"\n' + (
        f"address = {{ {address} }}\n" if address else "")


def probe(values):
    """An SDI-12 probe that gives nine values, each of another kind."""
    kinds = [("level", "m"), ("water_temperature", "°C"), ("ph", "pH"), ("turbidity", "NTU"), ("dissolved_oxygen", "mg/L"),
             ("conductivity", "µS/cm"), ("orp", "mV"), ("humidity", "%"), ("air_temperature", "°C")]
    return Device("sdi12", {f"value-{i}": (value, *kind) for i, (value, kind) in enumerate(zip(values, kinds, strict=True), 1)},
                  'kind = "serial"\nmodel = "sdi12"\nvalues = { ' + ", ".join(f"v{i} = {v}" for i, v in enumerate(values)) + " }\n",
                  'break = "adapter"\n', 'sensor_address = "0", command = "MC"',
                  "".join(generic(i, *kind) for i, kind in enumerate(kinds, 1)))


DEVICES = {
    "plantower-pms3003": particulate("pms3003", PMS, {**MASS, **FACTORY}),
    "plantower-pms5003": particulate("pms5003", f"{PMS}, {PMS_COUNTS}", PMS_WHOLE),
    "plantower-pms7003": particulate("pms7003", f"{PMS}, {PMS_COUNTS}", PMS_WHOLE),
    "nova-sds011": particulate("sds011", "pm2_5 = 123.6, pm10 = 261.8", {"pm2-5": (123.6, "pm2_5", UGM3),
                                                                           "pm10": (261.8, "pm10", UGM3)}),
    "sensirion-sps30": particulate(
        "sps30", SPS_VALUES, {**SPS_MASS, **{f"number-{s}": (n, "particle_count", PER_CM3) for s, n in SPS_COUNTS.items()}},
        'warm_up = "0s"\n'),
    "dfrobot-a02yyuw": ranging("a02yyuw", 1953),
    "maxbotix-hrxl": ranging("maxbotix", 1234),
    "maxbotix-usb": ranging("maxbotix-usb", 480),
    "maxbotix-lv": ranging("maxbotix-lv", 1219.2),
    "maxbotix-xl": ranging("maxbotix-xl", 1230),
    "toledo-continuous": weighbridge("toledo", 12340),
    "and-indicator": weighbridge("and", 12350),
    "st-gs-indicator": weighbridge("st-gs", 12360),
    "cas-22-byte": weighbridge("cas-22", 12370),
    "yaohua-a9": weighbridge("yaohua-a9", 12380),
    "yaohua-equals": weighbridge("yaohua-equals", 12390),
    "a12e-indicator": weighbridge("a12e", 12400),
    "mt-sics": weighbridge("mt-sics", 12410),
    "rinstrum-auto-a": weighbridge("rinstrum-a", 12420),
    "generic-sdi12-probe": probe([1.25, 24.5, 7.12, 3.75, 8.08, 412.5, -120.0, 55.5, -3.25]),
    # As the kernel writes them: thousandths of degrees and of percent, kPa, µg/m³; CO2 as a raw number and its scale into percent.
    "bosch-bme280": Device("iio", {"temperature": (25.08, "air_temperature", "°C"), "humidity": (43.21, "humidity", "%"),
                                   "pressure": (1006.5325, "air_pressure", "hPa")}),
    "bosch-bmp280": Device("iio", {"temperature": (-3.5, "air_temperature", "°C"), "pressure": (987.65, "air_pressure", "hPa")}),
    "sensirion-scd30-iio": Device("iio", {"co2": (439.1, "co2", "ppm"), "temperature": (27.238, "air_temperature", "°C"),
                                          "humidity": (48.807, "humidity", "%")}),
    "sensirion-sps30-iio": Device("iio", SPS_MASS),
    "plantower-pms7003-iio": Device("iio", MASS),
    "maxim-ds18b20": Device("iio", {"temperature": (23.125, "water_temperature", "°C")}, address='w1 = "28-0000098e8f2d"'),
    "generic-chirpstack-device": Device(
        "mqtt", {"value-1": (3000, "distance", "mm"), "value-2": (2, "voltage", "V"), "value-3": (-12.5, "air_temperature", "°C"),
                 "value-4": (75, "fill_level", "%")},
        address='dev_eui = "0101010101010101"',
        override=generic(1, "distance", "mm", 'field = "distance_mm"') + generic(2, "voltage", "mV", 'field = "battery_mv"')
        + generic(3, "air_temperature", "°C", 'field = "temperature"')
        # Of another device, which has no codec.
        + generic(4, "fill_level", "%", 'dev_eui = "0202020202020202", bytes = "u16be@2"')),
}
LORA = """[[line]]
name = "lora-decoded"
kind = "chirpstack"
broker = "127.0.0.1:{port}"
every = "1s"
[[line.device]]
dev_eui = "0101010101010101"
values = {{ distance_mm = 3000, battery_mv = 2000, temperature = -12.5 }}
[[line]]
name = "lora-raw"
kind = "chirpstack"
broker = "127.0.0.1:{port}"
every = "1s"
raw = true
[[line.device]]
dev_eui = "0202020202020202"
values = {{ other = 3000, fill = 75 }}
"""
KERNEL = {
    "bme280": {"in_temp_input": "25080", "in_humidityrelative_input": "43210", "in_pressure_input": "100.653250000"},
    "bmp280": {"in_temp_input": "-3500", "in_pressure_input": "98.765000000"},
    "scd30": {"in_concentration_co2_raw": "4391", "in_concentration_co2_scale": "0.000010", "in_temp_input": "27238",
              "in_humidityrelative_input": "48807"},
    "sps30": {"in_massconcentration_pm1_input": "12.500000", "in_massconcentration_pm2p5_input": "20.250000",
              "in_massconcentration_pm4_input": "24.000000", "in_massconcentration_pm10_input": "26.750000"},
    "pms7003": {"in_massconcentration_pm1_input": "8", "in_massconcentration_pm2p5_input": "21",
                "in_massconcentration_pm10_input": "33"},
}


def kernel_tree(root, more=None):
    """The kernel's devices as it shows them: folders where they hang, and links to them with numbers."""
    (root / "bus/iio/devices").mkdir(parents=True)
    for number, (name, files) in enumerate([*KERNEL.items(), *(more or {}).items()]):
        place = root / f"devices/platform/soc/i2c-1/1-00{number:02x}/iio:device{number}"
        place.mkdir(parents=True)
        for file, text in {"name": name, **files}.items():
            (place / file).write_text(text + "\n")
        (root / f"bus/iio/devices/iio:device{number}").symlink_to(place)
    place = root / "devices/w1_bus_master1/28-0000098e8f2d"
    place.mkdir(parents=True)
    (place / "name").write_text("28-0000098e8f2d\n")
    (place / "w1_slave").write_text("72 01 4b 46 7f ff 0e 10 57 : crc=57 YES\n72 01 4b 46 7f ff 0e 10 57 t=23125\n")
    (root / "bus/w1/devices").mkdir(parents=True)
    (root / "bus/w1/devices/28-0000098e8f2d").symlink_to(place)
    return root


def put(file, text):
    """As the kernel does: never half a number."""
    new = file.with_name(file.name + ".new")
    new.write_text(text + "\n")
    os.replace(new, file)


def on_disk():
    """(profile, channel) of every file in config/profiles; (profile, "") where there is none."""
    out = set()
    for file in (SOURCE / "config" / "profiles").glob("*.toml"):
        channels = tomllib.loads(file.read_text(encoding="utf-8")).get("channel", {})
        out |= {(file.stem, channel) for channel in channels} or {(file.stem, "")}
    return out


class ProfileDevices(unittest.TestCase):
    def test_no_channel_of_any_profile_is_left_out(self):
        here = {(name, channel) for name, device in DEVICES.items() for channel in device.expected}
        modbus = [p for p in profiles_test.all_profiles() if p["plugin"] == "modbus"]
        there = {(profile, sensor.removeprefix(device + "-")) for extra in (False, True)
                 for sensor, (device, profile) in profiles_test.Site(modbus, extra).expected.items()}
        nothing = {(name, "") for name in WITHOUT_CHANNELS}
        self.assertEqual(on_disk() - here - there - nothing, set(), "no test reads these: add them to DEVICES")
        self.assertEqual(here | nothing, (here | nothing) & on_disk(), "these are in no profile")

    def start(self):
        self.bench = self.enterContext(Bench())
        self.broker = Broker(self.bench)
        lines = "".join(f'[[line]]\nname = "{name}"\n{d.plant}' for name, d in DEVICES.items() if d.plant)
        self.plant = Plant(self.bench, lines + LORA.format(port=self.broker.port))
        self.addCleanup(self.plant.close)
        self.kernel = kernel_tree(self.bench.folder / "sys")
        self.port = free_port()
        text = identity() + f"""
[http]
listen = "127.0.0.1:{self.port}"
[store]
commit_interval = "200ms"
[windows]
default = ["2s"]
grace = "6s"  # a weighing has the time at which the lorry stood still, and is known when it has left
[[uplink]]
name = "room"
url = "mqtt://127.0.0.1:{self.broker.port}"
[[driver]]
name = "iio"
plugin = "iio"
interval = "1s"
options = {{ root = "{self.kernel}" }}
[[driver]]
name = "mqtt"
plugin = "mqtt"
interval = "1s"
options = {{ port = {self.broker.port} }}
"""
        for name, d in DEVICES.items():
            if d.plant:
                text += f'[[driver]]\nname = "{name}"\nplugin = "{d.plugin}"\ninterval = "{d.interval}"\n'
                text += f'[driver.options]\ndevice = "{self.plant.at[name]}"\n{d.options}'
            text += f'[[device]]\nid = "{name}"\ndriver = "{name if d.plant else d.plugin}"\nprofile = "{name}"\n'
            text += f"address = {{ {d.address} }}\n" if d.address else ""
            text += f"only = {json.dumps(list(d.expected))}\n{d.override}"
        self.room = Subscriber(self.bench, self.broker)
        self.gateway = Gateway(self.bench, text)

    def rows(self):
        """Every row with good values that has arrived, by sensor."""
        rows = {}
        for _, batch, _ in self.room.messages("aggregate"):
            for row in batch.aggregates:
                if row.good > 0:
                    rows.setdefault(row.sensor, []).append(row)
        return rows

    def test_every_channel_arrives_with_its_quantity_value_and_unit(self):
        self.start()
        expected = {f"{name}-{channel}": e for name, d in DEVICES.items() for channel, e in d.expected.items()}
        bridges = {f"{name}-{c}" for name, d in DEVICES.items() if d.plugin == "weighbridge" for c in d.expected}

        def complete():
            rows = self.rows()
            loaded = all(any(r.maximum > 0 for r in rows.get(sensor, ())) for sensor in bridges)
            return rows if loaded and set(rows) == set(expected) else None
        try:
            rows = wait_for("a good value of every channel", complete, 90)
        except AssertionError:
            self.fail(f"nothing good of {sorted(set(expected) - set(self.rows()))}; a lorry is missing of "
                      f"{sorted(s for s in bridges if not any(r.maximum > 0 for r in self.rows().get(s, ())))}")
        for sensor, (value, quantity, unit) in expected.items():
            for row in rows[sensor]:
                self.assertEqual((row.quantity, row.unit), (quantity, unit), sensor)
                seen = (row.first, row.last, row.minimum, row.maximum)
                for each in seen:
                    # The platform is empty before and after the lorry.
                    right = 0 if sensor.endswith("-weight") and each == 0 else value
                    self.assertAlmostEqual(each, right, delta=1e-9 * abs(value), msg=f"{sensor}: {seen}")
        self.check_weighings()
        self.check_pressure()
        described = {s.id: s.profile for s in self.room.messages("description", retained=True)[-1][1].sensors}
        self.assertEqual(described, {f"{name}-{c}": name for name, d in DEVICES.items() for c in d.expected})
        self.gateway.balance(self.port)
        self.assertEqual(self.gateway.process.stop(), 0)
        self.room.stop()
        print(f"{len(expected)} channels of {len(DEVICES)} profiles, {sum(map(len, rows.values()))} rows")

    def check_weighings(self):
        """The tonnage, and each weighing as an event."""
        told = {}
        for _, event, _ in self.room.messages("event"):
            if event.kind == "weighing":
                told.setdefault(event.sensor, []).append({v.name: (v.value, v.unit) for v in event.values})
        for name, d in DEVICES.items():
            if d.plugin != "weighbridge":
                continue
            net = d.expected["net"][0]
            for row in self.rows()[f"{name}-net"]:
                self.assertAlmostEqual(row.delta, net * row.good, msg=name)
            events = told.get(f"{name}-net", [])
            self.assertTrue(events, f"no event of {name}: {sorted(told)}")
            for event in events:
                self.assertEqual({k: event[k] for k in ("gross", "tare", "net")},
                                 {"gross": (net + 4000, "kg"), "tare": (4000, "kg"), "net": (net, "kg")}, name)

    def check_pressure(self):
        """The kernel writes kPa, the profile's limits of what the chip can say are in hPa."""
        file = next(self.kernel.glob("devices/**/iio:device0/in_pressure_input"))
        for kilopascal, plausible in (("29.0", False), ("31.0", True), ("109.0", True), ("111.0", False)):
            put(file, kilopascal)

            def said():
                for sensor in (self.gateway.json(self.port, "/api/v1/sensors") or {"sensors": []})["sensors"]:
                    newest = sensor.get("newest", {})
                    if sensor["id"] == "bosch-bme280-pressure" and abs(newest.get("value") or 0) == 10 * float(kilopascal):  # noqa: B023
                        return sensor
                return None
            sensor = wait_for(f"{kilopascal} kPa", said)
            self.assertEqual((sensor["unit"], sensor["newest"]["quality"] != "bad"), ("hPa", plausible), sensor)


if __name__ == "__main__":
    unittest.main(verbosity=2)
