#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A bench for hands: plays the devices of a site from a scenario file, with faults on demand.

  python3 tests/support/plant SCENARIO.toml [--folder DIR] [--control PORT]

Serial devices are pseudo terminals; each has a symbolic link in --folder (default: the current one). Prints a line for each line
that is ready ("line NAME at WHERE"), then "ready", and plays until it is killed.

SCENARIO.toml has one [[line]] a wire:
  kind = "modbus-tcp"  name, listen = "127.0.0.1:5020" (port 0: a free one), [[line.device]] unit, name,
                       points.NAME = { register, table, type, order, scale, offset, bit, value = SIGNAL }
                       or profile = "supmea-sup-ph8" and values.CHANNEL = SIGNAL
  kind = "modbus-rtu"  the same with link = "rs485-a" instead of listen
  kind = "serial"      name, link, model = pms5003 | pms7003 | pms3003 | sds011 | sps30 | a02yyuw | maxbotix | maxbotix-usb | maxbotix-lv |
                       maxbotix-xl | weighbridge | sdi12,
                       values.CHANNEL = SIGNAL; weighbridge: format, cycle = "60s", values.gross; sdi12: address
  kind = "chirpstack"  name, broker = "127.0.0.1:1883", every = "10s", raw = false, [[line.device]] dev_eui, values.FIELD = SIGNAL
SIGNAL is a number or { base, wave, period, noise, per_second, step }.
[[fault]] line, device, kind, at = "30s", for = "10s" plays a fault by itself.

--control PORT takes lines of text on 127.0.0.1 (nc, telnet); each is answered by a line that begins with "ok" or "error":
  list | counts | fault LINE[/DEVICE] KIND [SECONDS] | clear [LINE[/DEVICE]] | set LINE/DEVICE POINT VALUE | free LINE/DEVICE POINT
Kinds of fault: silent slow late garbage half baud crc exception foreign flood unplug"""
import argparse
import asyncio
import json
import pathlib
import sys
import time
import tomllib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from devices import Wrong, line_of  # noqa: E402
from signals import duration  # noqa: E402
from wires import FAULTS  # noqa: E402


class Plant:
    def __init__(self, scenario, folder):
        self.folder, self.started = folder, time.monotonic()
        self.lines = {}
        for table in scenario.get("line", []):
            line = line_of(table, self)
            if line.name in self.lines:
                raise Wrong(f"line {line.name}: the name is taken")
            self.lines[line.name] = line
        if not self.lines:
            raise Wrong("no [[line]]")
        self.faults = [dict(fault) for fault in scenario.get("fault", [])]

    def seconds(self):
        return time.monotonic() - self.started

    def find(self, place):
        name, _, device = place.partition("/")
        line = self.lines.get(name)
        if line is None:
            raise Wrong(f"no line {name}; there are {', '.join(self.lines)}")
        if device and device not in line.devices:
            raise Wrong(f"line {name} has no device {device}; it has {', '.join(line.devices)}")
        return line, device

    async def fault(self, place, kind, seconds=None):
        line, device = self.find(place)
        if kind not in FAULTS:
            raise Wrong(f"no fault {kind}; there are {', '.join(FAULTS)}")
        if not line.can(kind):
            raise Wrong(f"line {line.name}: its frames have no checksum that could be wrong")
        line.faults.on[device] = kind
        if kind == "unplug":
            await line.unplug()
        if seconds:
            asyncio.get_running_loop().call_later(seconds, lambda: asyncio.ensure_future(self.clear(place)))

    async def clear(self, place=""):
        for name in [place] if place else list(self.lines):
            line, device = self.find(name)
            line.faults.on.pop(device, None)
            if not device:
                line.faults.on.clear()
            await line.plug()

    async def obey(self, words):
        match words:
            case ["list"]:
                return json.dumps({name: list(line.devices) for name, line in self.lines.items()})
            case ["counts"]:
                return json.dumps({name: line.counts for name, line in self.lines.items()})
            case ["fault", place, kind]:
                await self.fault(place, kind)
            case ["fault", place, kind, seconds]:
                await self.fault(place, kind, float(seconds))
            case ["clear"]:
                await self.clear()
            case ["clear", place]:
                await self.clear(place)
            case ["set", place, point, value]:
                self.signal(place, point).set(float(value))
            case ["free", place, point]:
                self.signal(place, point).set(None)
            case _:
                raise Wrong("list | counts | fault LINE[/DEVICE] KIND [SECONDS] | clear [LINE[/DEVICE]] | set LINE/DEVICE POINT VALUE | "
                            "free LINE/DEVICE POINT")
        return ""

    def signal(self, place, point):
        line, device = self.find(place)
        signals = line.devices.get(device or next(iter(line.devices)))
        if point not in signals:
            raise Wrong(f"{place} has no point {point}; it has {', '.join(signals)}")
        return signals[point]

    async def control(self, reader, writer):
        while line := await reader.readline():
            try:
                answer = f"ok {await self.obey(line.decode().split())}".rstrip()
            except (Wrong, ValueError) as wrong:
                answer = f"error: {wrong}"
            writer.write((answer + "\n").encode())
        writer.close()

    async def play(self, port):
        for line in self.lines.values():
            await line.plug()
            print(f"line {line.name} at {line.where()}", flush=True)
        if port is not None:
            server = await asyncio.start_server(self.control, "127.0.0.1", port)
            print(f"control at 127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
        print("ready", flush=True)
        for fault in self.faults:
            place = fault["line"] + ("/" + fault["device"] if "device" in fault else "")
            self.find(place)
            asyncio.get_running_loop().call_later(
                duration(fault.get("at", 0)),
                lambda p=place, f=fault: asyncio.ensure_future(self.fault(p, f["kind"], duration(f.get("for", 0)))))
        await asyncio.Event().wait()


async def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("scenario", type=pathlib.Path)
    arguments.add_argument("--folder", type=pathlib.Path, default=pathlib.Path.cwd())
    arguments.add_argument("--control", type=int)
    options = arguments.parse_args()
    try:
        scenario = tomllib.loads(options.scenario.read_text(encoding="utf-8"))
        options.folder.mkdir(parents=True, exist_ok=True)
        await Plant(scenario, options.folder.resolve()).play(options.control)
    except (OSError, tomllib.TOMLDecodeError, Wrong, ValueError, KeyError) as wrong:
        print(f"plant: {options.scenario}: {wrong}", file=sys.stderr)
        return 78
    return 0


if __name__ == "__main__":
    try:
        sys.exit(asyncio.run(main()))
    except KeyboardInterrupt:
        pass
