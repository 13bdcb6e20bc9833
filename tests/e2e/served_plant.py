#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A Modbus water plant by pymodbus that writes down every value it serves.

Usage: served_plant.py tcp PORT LOG | rtu DEVICE LOG
Unit 1. Each point's value is a function of how often it was read, so a lost or invented reading shows. LOG gets a JSON line
for each value served: [point, value]."""
import asyncio
import json
import struct
import sys

from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.server import StartAsyncSerialServer, StartAsyncTcpServer
from pymodbus.transaction import ModbusRtuFramer


def f32(value):
    return struct.unpack(">f", struct.pack(">f", value))[0]


def float_words(value, order):
    a, b, c, d = struct.pack(">f", value)
    data = {"abcd": (a, b, c, d), "cdab": (c, d, a, b), "dcba": (d, c, b, a), "badc": (b, a, d, c)}[order]
    return list(struct.unpack(">HH", bytes(data)))


# name → (first register, words of the n-th reading, value that a right gateway reports)
HOLDING = {
    "ph": (0, lambda n: [700 + 7 * n % 60], lambda n: (700 + 7 * n % 60) * 0.01),
    "turbidity": (10, lambda n: float_words(1 + n % 17 * 0.37, "abcd"), lambda n: f32(1 + n % 17 * 0.37)),
    "chlorine": (20, lambda n: float_words(0.2 + n % 11 * 0.03, "cdab"), lambda n: f32(0.2 + n % 11 * 0.03)),
    "flow": (30, lambda n: float_words(50 + n % 23 * 1.25, "dcba"), lambda n: f32(50 + n % 23 * 1.25)),
    "total": (40, lambda n: [(4_000_000_000 + 3 * n) & 0xFFFF, (4_000_000_000 + 3 * n) >> 16],
              lambda n: float(4_000_000_000 + 3 * n)),
}
COILS = {"pump": (0, lambda n: [bool(n // 3 % 2)], lambda n: float(n // 3 % 2))}


class Served(ModbusSequentialDataBlock):
    def __init__(self, size, points, log):
        super().__init__(0, [0] * size)
        self.points, self.log, self.reads = points, log, {name: 0 for name in points}

    def getValues(self, address, count=1):
        values = list(self.values[address:address + count])
        for name, (first, words, value) in self.points.items():
            n = self.reads[name]
            data = words(n)
            if first < address or first + len(data) > address + count:
                continue
            self.reads[name] = n + 1
            values[first - address:first - address + len(data)] = data
            self.log.write(json.dumps([name, value(n)]) + "\n")
        self.log.flush()
        return values


async def main():
    kind, where, log_file = sys.argv[1:4]
    with open(log_file, "a", encoding="utf-8") as log:
        unit = ModbusSlaveContext(hr=Served(200, HOLDING, log), co=Served(16, COILS, log), zero_mode=True)
        context = ModbusServerContext(slaves={1: unit}, single=False)
        if kind == "tcp":
            await StartAsyncTcpServer(context=context, address=("127.0.0.1", int(where)))
        else:
            await StartAsyncSerialServer(context=context, framer=ModbusRtuFramer, port=where, baudrate=19200)


if __name__ == "__main__":
    asyncio.run(main())
