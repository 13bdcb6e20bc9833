# SPDX-License-Identifier: Apache-2.0
"""Devices on lines. Each line has a name, devices with names, and faults."""
import asyncio
import base64
import json
import pathlib
import shutil
import struct
import time
import tomllib

import frames
from signals import Signal, duration
from wires import Faults, Pty

PROFILES = pathlib.Path(__file__).resolve().parents[3] / "config" / "profiles"
STREAMED = {"pms5003": frames.pms, "pms7003": frames.pms, "pms3003": lambda values: frames.pms(values, 20),
            "sds011": frames.sds011, "a02yyuw": frames.a02yyuw, "maxbotix": frames.maxbotix, "maxbotix-usb": frames.maxbotix_usb,
            "maxbotix-lv": frames.maxbotix_lv, "maxbotix-xl": frames.maxbotix_xl}
EVERY = {"pms5003": 1, "pms7003": 1, "pms3003": 1, "sds011": 1, "a02yyuw": 0.2, "maxbotix": 0.15, "maxbotix-usb": 0.15,
         "maxbotix-lv": 0.05, "maxbotix-xl": 0.1, "weighbridge": 0.2}


class Wrong(Exception):
    """A scenario that cannot be played; the text says where and why."""


def take(table, key, where, fallback=None):
    if key in table:
        return table.pop(key)
    if fallback is not None:
        return fallback
    raise Wrong(f"{where}: {key} is missing")


def nothing_left(table, where):
    if table:
        raise Wrong(f"{where}: unknown key {sorted(table)[0]!r}")


class Line:
    """One of [[line]]. Subclasses say how they start and what they serve."""

    def __init__(self, name, plant):
        self.name, self.plant, self.faults, self.devices = name, plant, Faults(), {}
        self.counts = {"requests": 0, "answers": 0}

    def can(self, kind):
        """A frame without a checksum would be wrong and believed."""
        return kind != "crc" or self.checked_frames()

    def checked_frames(self):
        return False

    def signals(self, table, where):
        return {name: Signal(spec, f"{self.name}/{where}/{name}") for name, spec in table.items()}

    def values(self, signals):
        return {name: signal.at(self.plant.seconds()) for name, signal in signals.items()}

    async def plug(self):
        raise NotImplementedError

    async def unplug(self):
        raise NotImplementedError


# ---- Modbus -------------------------------------------------------------------------------------
def register_of(address):
    """On the wire; manuals count holding registers from 40001 or 400001, input registers from 30001 or 300001."""
    if "register" in address:
        return address["register"]
    manual = address["manual"]
    return manual % 100000 - 1 if manual > 99999 else manual % 10000 - 1


class Unit:
    """The tables of one Modbus unit: address → (point, offset within it)."""

    def __init__(self, name):
        self.name, self.signals, self.points, self.where = name, {}, {}, {}

    def add(self, name, signal, table, register, kind="uint16", order="abcd", scale=1.0, offset=0.0, bit=None):
        self.signals[name] = signal
        self.points[name] = (kind, order, scale, offset, bit)
        words = 1 if kind == "bool" else frames.WORDS[kind]
        for i in range(words):
            self.where.setdefault((table, register + i), []).append((name, i))

    def read(self, table, address, count, seconds):
        """Numbers of count registers or bits; None where an address does not exist."""
        out = []
        for at in range(address, address + count):
            held = self.where.get((table, at))
            out.append(None if held is None else 0)
            for name, i in held or ():
                kind, order, scale, offset, bit = self.points[name]
                raw = (self.signals[name].at(seconds) - offset) / scale
                if kind == "bool":
                    out[-1] |= int(raw >= 0.5) << (bit or 0)
                else:
                    out[-1] = frames.registers(kind, order, raw)[i]
        return out


class Modbus(Line):
    TABLES = {1: "coil", 2: "discrete", 3: "holding", 4: "input"}

    def __init__(self, name, plant, table, rtu):
        super().__init__(name, plant)
        self.rtu, self.units, self.buffer = rtu, {}, b""
        self.server = self.pty = None
        self.open = set()
        if rtu:
            self.pty = Pty(str(plant.folder / take(table, "link", f"line {name}", name)), self.received)
        else:
            host, _, port = take(table, "listen", f"line {name}").rpartition(":")
            self.host, self.port = host or "127.0.0.1", int(port)
        for device in take(table, "device", f"line {name}"):
            self.add(dict(device))

    def add(self, table):
        number = take(table, "unit", f"line {self.name}")
        where = f"line {self.name}, unit {number}"
        unit = Unit(take(table, "name", where, f"unit-{number}"))
        if "profile" in table:
            self.add_profile(unit, take(table, "profile", where), table.pop("values", {}), table.pop("scales", {}), where)
        for name, point in table.pop("points", {}).items():
            point = dict(point)
            signal = Signal(point.pop("value"), f"{self.name}/{number}/{name}")
            try:
                unit.add(name, signal, point.pop("table", "holding"), point.pop("register"), point.pop("type", "uint16"),
                         point.pop("order", "abcd"), point.pop("scale", 1.0), point.pop("offset", 0.0), point.pop("bit", None))
            except KeyError as key:
                raise Wrong(f"{where}, point {name}: {key} is missing or not known") from None
            nothing_left(point, f"{where}, point {name}")
        nothing_left(table, where)
        self.units[number] = unit
        self.devices[unit.name] = unit.signals

    @staticmethod
    def add_profile(unit, name, values, scales, where):
        """The registers that a profile names hold the given values, in the channel's own unit. scales: of channels whose profile
        leaves the scale to the technician."""
        file = PROFILES / f"{name}.toml"
        if not file.exists():
            raise Wrong(f"{where}: no profile {name} in {PROFILES}")
        profile = tomllib.loads(file.read_text(encoding="utf-8"))
        for channel, value in values.items():
            if channel not in profile["channel"]:
                raise Wrong(f"{where}: profile {name} has no channel {channel}; it has {', '.join(profile['channel'])}")
            spec = profile["channel"][channel]
            address = {**profile.get("address", {}), **spec.get("address", {})}
            unit.add(channel, Signal(value, f"{where}/{channel}"), address.get("table", "holding"), register_of(address),
                     address.get("type", "uint16"), address.get("order", "abcd"), scales.get(channel, spec.get("scale", 1.0)),
                     spec.get("offset", 0.0), address.get("bit"))

    def answer(self, number, pdu):
        """The answer's PDU, or None: nobody has that number."""
        unit = self.units.get(number)
        if unit is None:
            return None, ""
        self.counts["requests"] += 1
        if self.faults.kind(unit.name) == "exception":
            return bytes([pdu[0] | 0x80, 4]), unit.name
        if pdu[0] not in self.TABLES:
            return bytes([pdu[0] | 0x80, 1]), unit.name
        address, count = struct.unpack(">HH", pdu[1:5])
        values = unit.read(self.TABLES[pdu[0]], address, count, self.plant.seconds())
        if not 1 <= count <= (2000 if pdu[0] < 3 else 125):
            return bytes([pdu[0] | 0x80, 3]), unit.name
        if None in (values[0], values[-1]):
            return bytes([pdu[0] | 0x80, 2]), unit.name
        values = [value or 0 for value in values]
        if pdu[0] < 3:
            data = bytearray((count + 7) // 8)
            for i, value in enumerate(values):
                data[i // 8] |= (value & 1) << i % 8
        else:
            data = struct.pack(f">{count}H", *(value & 0xFFFF for value in values))
        self.counts["answers"] += 1
        return bytes([pdu[0], len(data)]) + bytes(data), unit.name

    def checked_frames(self):
        return self.rtu

    # RTU
    def received(self, data):
        self.buffer = (self.buffer + data)[-256:]
        while len(self.buffer) >= 8:  # every request that is read here has 8 bytes
            request = self.buffer[:8]
            if frames.crc16(request[:6]).to_bytes(2, "little") != request[6:]:
                self.buffer = self.buffer[1:]
                continue
            self.buffer = self.buffer[8:]
            pdu, name = self.answer(request[0], request[1:6])
            if pdu is None:
                continue
            number = request[0] ^ 0x40 if self.faults.kind(name) == "foreign" else request[0]
            frame = bytes([number]) + pdu
            frame, late = self.faults.bend(name, frame + frames.crc16(frame).to_bytes(2, "little"))
            asyncio.get_running_loop().call_later(late + 0.004, self.pty.write, frame)

    # TCP
    async def client(self, reader, writer):
        self.open.add(writer)
        try:
            while True:
                head = await reader.readexactly(7)
                pdu = await reader.readexactly(int.from_bytes(head[4:6], "big") - 1)
                answer, name = self.answer(head[6], pdu)
                if answer is None:
                    continue
                out, late = self.faults.bend(name, head[:4] + (len(answer) + 1).to_bytes(2, "big") + head[6:7] + answer)
                await asyncio.sleep(late)
                writer.write(out)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.open.discard(writer)
            writer.close()

    async def plug(self):
        if self.rtu:
            self.pty.plug()
        elif self.server is None:
            self.server = await asyncio.start_server(self.client, self.host, self.port)
            self.port = self.server.sockets[0].getsockname()[1]

    async def unplug(self):
        if self.rtu:
            self.pty.unplug()
        elif self.server is not None:
            self.server.close()
            for writer in list(self.open):
                writer.transport.abort()
            self.server = None

    def where(self):
        return self.pty.link if self.rtu else f"{self.host}:{self.port}"


# ---- other serial devices -----------------------------------------------------------------------
class Serial(Line):
    """A device that speaks by itself, or answers in its own way: `model` says which."""

    def __init__(self, name, plant, table):
        super().__init__(name, plant)
        where = f"line {name}"
        self.model = take(table, "model", where)
        self.format = table.pop("format", "toledo")
        self.every = duration(table.pop("every", EVERY.get(self.model, 1)))
        self.cycle = duration(table.pop("cycle", "60s"))
        self.address = str(table.pop("address", "0"))
        known = {*STREAMED, "weighbridge", "sps30", "sdi12"}
        if self.model not in known:
            raise Wrong(f"{where}: model {self.model!r} is not known; known: {', '.join(sorted(known))}")
        if self.format not in frames.WEIGHTS:
            raise Wrong(f"{where}: format {self.format!r} is not known; known: {', '.join(sorted(frames.WEIGHTS))}")
        self.pty = Pty(str(plant.folder / table.pop("link", name)), self.received)
        self.signals_of = self.devices[self.model] = self.signals(table.pop("values", {}), self.model)
        self.buffer, self.started, self.task = b"", False, None

    def checked_frames(self):
        if self.model == "weighbridge":
            return self.format in ("toledo", "yaohua-a9")
        return not self.model.startswith("maxbotix")

    def frame(self):
        values = self.values(self.signals_of)
        if self.model == "weighbridge":
            return frames.WEIGHTS[self.format](*self.truck(values))
        return STREAMED[self.model](values)

    def truck(self, values):
        """Weight and whether it stands still: each cycle a truck comes, stands for a third of it, and leaves."""
        gross, phase = values.get("gross", 12340), self.plant.seconds() / self.cycle % 1
        if phase < 0.2 or phase >= 0.75:
            return 0, True
        if phase < 0.3:
            return round(gross * (phase - 0.2) * 10 / 10) * 10, False
        if phase < 0.65:
            return gross, True
        return max(0, round(gross * (0.75 - phase) * 10 / 10) * 10), False

    async def stream(self):
        while True:
            frame, late = self.faults.bend(self.model, self.frame())
            await asyncio.sleep(self.every + late)
            self.counts["answers"] += bool(frame)
            self.pty.write(frame)

    def received(self, data):
        self.buffer = (self.buffer + data)[-256:]
        if self.model == "sps30":
            while self.buffer.count(b"\x7e") >= 2:
                begin = self.buffer.index(b"\x7e")
                end = self.buffer.index(b"\x7e", begin + 1)
                if end > begin + 1:
                    self.say(self.sps30(frames.unstuff(self.buffer[begin:end + 1])))
                    self.buffer = self.buffer[end + 1:]
                else:
                    self.buffer = self.buffer[end:]
        elif self.model == "sdi12":
            while b"!" in self.buffer:
                command, _, self.buffer = self.buffer.partition(b"!")
                self.sdi12(command.strip(b"\x00").decode("ascii", "replace"))
        elif self.model.startswith("pms") and b"\x42\x4d\xe2\x00\x00\x01\x71" in self.buffer:
            self.buffer = b""
            self.say(self.frame())

    def say(self, frame, after=0.01):
        if not frame:
            return
        self.counts["requests"] += 1
        frame, late = self.faults.bend(self.model, frame)
        self.counts["answers"] += bool(frame)
        asyncio.get_running_loop().call_later(after + late, self.pty.write, frame)

    def sps30(self, request):
        command = request[1] if len(request) >= 4 else None
        if command == 0x00:
            self.started = True
        if command == 0x03 and self.started:
            return frames.shdlc(0, 3, 0, frames.sps30_data(self.values(self.signals_of)))
        return frames.shdlc(0, command, 0, b"") if command is not None else b""

    def sdi12(self, command):
        address = "1" if self.faults.kind(self.model) == "foreign" and self.address == "0" else self.address
        values = list(self.values(self.signals_of).values())
        if command == "?":
            self.say(f"{address}\r\n".encode())
        if not command.startswith(self.address):
            return
        rest = command[1:]
        if rest == "":
            self.say(f"{address}\r\n".encode())
        elif rest == "I":
            self.say(f"{address}14PLANT   PROBE 100\r\n".encode())
        elif rest.startswith(("M", "C")):
            self.checked = "C" in rest[1:]
            seconds = "001" if rest[0] == "M" else "000"
            width = 1 if rest[0] == "M" else 2
            self.say(f"{address}{seconds}{len(values):0{width}d}\r\n".encode())
            if rest[0] == "M":
                self.say(f"{address}\r\n".encode(), 0.6)  # service request
        elif rest.startswith(("D", "R")):
            n = int(rest[-1]) if rest[-1].isdigit() else 0
            checked = "C" in rest if rest[0] == "R" else getattr(self, "checked", False)
            self.say(frames.sdi12_values(address, values[n * 4:n * 4 + 4], checked))

    async def plug(self):
        self.pty.plug()
        if self.task is None and (self.model in STREAMED or self.model == "weighbridge"):
            self.task = asyncio.create_task(self.stream())

    async def unplug(self):
        self.pty.unplug()

    def where(self):
        return self.pty.link


# ---- LoRaWAN behind ChirpStack ------------------------------------------------------------------
class ChirpStack(Line):
    """Bins and meters whose uplinks come as ChirpStack v4 JSON, by mosquitto_pub."""

    def __init__(self, name, plant, table):
        super().__init__(name, plant)
        where = f"line {name}"
        self.host, _, self.port = take(table, "broker", where, "127.0.0.1:1883").rpartition(":")
        self.every, self.raw = duration(table.pop("every", "10s")), table.pop("raw", False)
        self.nodes = {}
        for device in take(table, "device", where):
            device = dict(device)
            eui = take(device, "dev_eui", where)
            self.nodes[eui] = self.signals(device.pop("values", {}), eui)
            self.devices[eui] = self.nodes[eui]
            nothing_left(device, f"{where}, device {eui}")
        self.count, self.task = 0, None
        if shutil.which("mosquitto_pub") is None:
            raise Wrong(f"{where}: mosquitto_pub is not installed (Debian: mosquitto-clients)")

    def uplink(self, eui, values):
        message = {"deduplicationId": f"{self.count:08x}-{eui}", "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                   "deviceInfo": {"applicationName": "plant", "deviceName": eui, "devEui": eui}, "devAddr": "00189440",
                   "fCnt": self.count, "fPort": 2, "rxInfo": [{"gatewayId": "0016c001f153a14c", "rssi": -98, "snr": 6.5}]}
        if self.raw:
            message["data"] = base64.b64encode(b"".join(struct.pack(">H", round(v)) for v in values.values())).decode()
        else:
            message["object"] = values
        return json.dumps(message)

    async def stream(self):
        while True:
            for eui, signals in self.nodes.items():
                text = self.uplink(eui, self.values(signals))
                if self.faults.kind(eui) == "garbage":
                    text = text[:40]
                if self.faults.kind(eui) in ("silent", "unplug"):
                    continue
                for _ in range(100 if self.faults.kind(eui) == "flood" else 1):
                    process = await asyncio.create_subprocess_exec(
                        "mosquitto_pub", "-h", self.host, "-p", self.port, "-q", "1", "-t", f"application/1/device/{eui}/event/up",
                        "-m", text)
                    await process.wait()
                self.counts["answers"] += 1
            self.count += 1
            await asyncio.sleep(self.every)

    async def plug(self):
        if self.task is None:
            self.task = asyncio.create_task(self.stream())

    async def unplug(self):
        if self.task is not None:
            self.task.cancel()
            self.task = None

    def where(self):
        return f"{self.host}:{self.port}"


def line_of(table, plant):
    table = dict(table)
    name = take(table, "name", "a [[line]]")
    kind = take(table, "kind", f"line {name}")
    makers = {"modbus-tcp": lambda: Modbus(name, plant, table, False), "modbus-rtu": lambda: Modbus(name, plant, table, True),
              "serial": lambda: Serial(name, plant, table), "chirpstack": lambda: ChirpStack(name, plant, table)}
    if kind not in makers:
        raise Wrong(f"line {name}: kind {kind!r} is not known; known: {', '.join(makers)}")
    line = makers[kind]()
    nothing_left(table, f"line {name}")
    return line
