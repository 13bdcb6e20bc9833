#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A Modbus plant by pymodbus whose registers count how often they were read, so that a lost reading is a hole.

Usage: counted_plant.py PORT UNITS LOG
Each unit holds one uint32 (registers 0-1, high word first): 1 at its first read, 2 at the next. LOG gets a line for each read:
unit, count, monotonic time. The counts outlive connections, not the process.
SIGUSR1: serves nothing until SIGUSR2, and writes "0 0 TIME" when what it had served is on its way."""
import asyncio
import signal
import sys
import time

from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.server import StartAsyncTcpServer


class Counted(ModbusSequentialDataBlock):
    def __init__(self, unit, log):
        super().__init__(0, [0] * 16)
        self.unit, self.log, self.count = unit, log, 0

    def getValues(self, address, count=1):
        if address != 0 or count < 2:
            return super().getValues(address, count)
        self.count += 1
        self.log.write(f"{self.unit} {self.count} {time.monotonic():.6f}\n")
        self.log.flush()
        return [self.count >> 16, self.count & 0xFFFF] + [0] * (count - 2)


async def main():
    port, units, log_file = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    with open(log_file, "a", encoding="utf-8") as log:
        def hold():
            # Between two events of the loop: every answer that was counted has been written.
            log.write(f"0 0 {time.monotonic():.6f}\n")
            log.flush()
            signal.sigwait({signal.SIGUSR2})

        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2})
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, hold)
        context = ModbusServerContext(slaves={n: ModbusSlaveContext(hr=Counted(n, log), zero_mode=True)
                                              for n in range(1, units + 1)}, single=False)
        await StartAsyncTcpServer(context=context, address=("127.0.0.1", port))


if __name__ == "__main__":
    asyncio.run(main())
