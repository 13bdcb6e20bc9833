#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A Modbus TCP server by pymodbus: units 1 to 10 with 100 holding registers each, slowly changing. bench_plant.py PORT"""
import asyncio
import sys

from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.server import StartAsyncTcpServer


class Changing(ModbusSequentialDataBlock):
    reads = 0

    def getValues(self, address, count=1):
        self.reads += 1
        return [(500 + i * 7 + self.reads * (i % 5)) & 0xFFFF for i in range(address, address + count)]


async def main():
    units = {unit: ModbusSlaveContext(hr=Changing(0, [0] * 200), zero_mode=True) for unit in range(1, 11)}
    await StartAsyncTcpServer(context=ModbusServerContext(slaves=units, single=False), address=("127.0.0.1", int(sys.argv[1])))


asyncio.run(main())
