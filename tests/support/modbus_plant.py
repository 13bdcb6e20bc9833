#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A water plant that speaks Modbus, by pymodbus: a server that the gateway's authors did not write.

  modbus_plant.py [--port 5020 | --serial DEVICE] [--units 1] [--silent 5,7] [--live | --count] [--print]

Listens on 127.0.0.1 (port 0: a free one) or on a serial port, prints "ready PORT" and serves until it is killed.
Each unit from 1 to --units holds, in holding and in input registers alike:

  register  0     pH             uint16 x 0.01
           10-11  turbidity      float32 abcd  NTU
           20-21  free chlorine  float32 cdab  mg/L
           30-31  flow           float32 dcba  m3/h
           40-41  totaliser      uint32, low word first  m3
           50     temperature    int16 x 0.1
  coil      0     raw water pump

Registers up to 199 exist and are 0; all beyond are refused with ILLEGAL DATA ADDRESS.
  --live    the values move as those of a small plant do
  --count   every register and coil is instead the number of times that it was read, so that what is lost can be counted
  --silent  these units exist and never answer; units that do not exist do not answer either
  --print   a JSON line for each point served: [unit, point, value as a right client reports it]"""
import argparse
import asyncio
import json
import math
import struct
import time

from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.server.async_io import ModbusSerialServer, ModbusTcpServer
from pymodbus.transaction import ModbusRtuFramer

SIZE = 200
ORDERS = {"abcd": (0, 1, 2, 3), "cdab": (2, 3, 0, 1), "badc": (1, 0, 3, 2), "dcba": (3, 2, 1, 0)}


def float_words(value, order):
    big = struct.pack(">f", value)
    return list(struct.unpack(">HH", bytes(big[i] for i in ORDERS[order])))


def as_float32(value):
    return struct.unpack(">f", struct.pack(">f", value))[0]


def plant(seconds):
    """The plant at a time: name → (register, words, value)."""
    wave = math.sin(seconds / 60)
    ph = 700 + round(12 * wave)
    turbidity, chlorine, flow = 3.21 + 0.8 * wave, 0.45 + 0.05 * math.cos(seconds / 45), 52.5 + 4 * wave
    total = 4_000_000_000 + int(seconds)
    temperature = 271 + round(5 * wave)
    return {
        "ph": (0, [ph], ph * 0.01),
        "turbidity": (10, float_words(turbidity, "abcd"), as_float32(turbidity)),
        "chlorine": (20, float_words(chlorine, "cdab"), as_float32(chlorine)),
        "flow": (30, float_words(flow, "dcba"), as_float32(flow)),
        "total": (40, [total & 0xFFFF, total >> 16], float(total)),
        "temperature": (50, [temperature], temperature * 0.1),
    }


class Block(ModbusSequentialDataBlock):
    def __init__(self, unit, points_of_now, log):
        super().__init__(0, [0] * SIZE)
        self.unit, self.points_of_now, self.log = unit, points_of_now, log

    def getValues(self, address, count=1):
        out = [0] * count
        for name, (first, words, value) in self.points_of_now().items():
            for i, word in enumerate(words):
                if address <= first + i < address + count:
                    out[first + i - address] = word
            if self.log and address <= first and first + len(words) <= address + count:
                print(json.dumps([self.unit, name, value]), flush=True)
        return out


class Counting(ModbusSequentialDataBlock):
    def getValues(self, address, count=1):
        for i in range(address, address + count):
            self.values[i] = (self.values[i] + 1) & 0xFFFF
        return self.values[address:address + count]


def unit_of(number, options, started):
    if options.count:
        return ModbusSlaveContext(hr=Counting(0, [0] * SIZE), ir=Counting(0, [0] * SIZE), co=Counting(0, [0] * SIZE),
                                  di=Counting(0, [0] * SIZE), zero_mode=True)

    def seconds():
        return time.monotonic() - started if options.live else 0

    def coils():
        on = int(seconds()) // 20 % 4 != 3
        return {"pump": (0, [on], float(on))}

    registers = Block(number, lambda: plant(seconds()), options.print)
    bits = Block(number, coils, options.print)
    return ModbusSlaveContext(hr=registers, ir=registers, co=bits, di=bits, zero_mode=True)


async def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--port", type=int, default=5020)
    arguments.add_argument("--serial")
    arguments.add_argument("--baud", type=int, default=19200)
    arguments.add_argument("--units", type=int, default=1)
    arguments.add_argument("--silent", default="")
    arguments.add_argument("--live", action="store_true")
    arguments.add_argument("--count", action="store_true")
    arguments.add_argument("--print", action="store_true")
    options = arguments.parse_args()

    silent = {int(n) for n in options.silent.split(",") if n}
    started = time.monotonic()
    context = ModbusServerContext(single=False, slaves={n: unit_of(n, options, started)
                                                        for n in range(1, options.units + 1) if n not in silent})
    if options.serial:
        server = ModbusSerialServer(context, framer=ModbusRtuFramer, port=options.serial, baudrate=options.baud,
                                    ignore_missing_slaves=True)
        await server.start()
        print("ready", options.serial, flush=True)
        await server.serve_forever()
        return
    server = ModbusTcpServer(context, address=("127.0.0.1", options.port), ignore_missing_slaves=True,
                             allow_reuse_address=True)
    serving = asyncio.create_task(server.serve_forever())
    await server.serving
    print("ready", server.server.sockets[0].getsockname()[1], flush=True)
    await serving


if __name__ == "__main__":
    asyncio.run(main())
