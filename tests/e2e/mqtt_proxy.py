# SPDX-License-Identifier: Apache-2.0
"""A line between a gateway and its broker that can go bad: it stalls, swallows, cuts, or answers publications itself with a reason
code of MQTT 5. It runs on a thread of its own; its properties may be set from any other."""
import asyncio
import contextlib
import threading


def packets(buffer):
    """Takes the complete MQTT packets off the front of a bytearray: (first byte, body, whole packet)."""
    while len(buffer) >= 2:
        length, at, shift = 0, 1, 0
        while True:
            if at >= len(buffer):
                return
            byte = buffer[at]
            length |= (byte & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if not byte & 0x80:
                break
        if len(buffer) < at + length:
            return
        whole = bytes(buffer[:at + length])
        del buffer[:at + length]
        yield whole[0], whole[at:], whole


class Proxy:
    PASS, STALL, SWALLOW = "pass", "stall", "swallow"

    def __init__(self, target):
        self.target, self.mode, self.port = target, self.PASS, None
        self.answer = None  # (topic) → None, or the reason code to answer instead of the broker
        self.connections, self.swallowed, self.answered = [], 0, 0
        self.accepted = []  # monotonic times
        self.loop, started = asyncio.new_event_loop(), threading.Event()
        threading.Thread(target=self._run, args=(started,), daemon=True).start()
        started.wait()

    def cut(self):
        """Ends the connections of now."""
        def end():
            for writer in self.connections:
                writer.transport.abort()
            self.connections.clear()
        self.loop.call_soon_threadsafe(end)

    def _run(self, started):
        asyncio.set_event_loop(self.loop)

        async def listen():
            server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
            self.port = server.sockets[0].getsockname()[1]
            started.set()
        self.loop.run_until_complete(listen())
        self.loop.run_forever()

    async def _serve(self, reader, writer):
        self.accepted.append(self.loop.time())
        self.connections.append(writer)
        with contextlib.suppress(OSError):
            while self.mode != self.PASS:
                await asyncio.sleep(0.02)
                if writer.transport.is_closing():
                    return
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self.target)
            self.connections.append(up_writer)
            await asyncio.gather(self._pump(reader, up_writer, writer), self._pump(up_reader, writer, None), return_exceptions=True)
            up_writer.transport.abort()
        writer.transport.abort()
        with contextlib.suppress(ValueError):
            self.connections.remove(writer)

    async def _pump(self, reader, writer, back):
        """`back`: where answers to publications go; None in the other direction."""
        buffer = bytearray()
        while data := await reader.read(65536):
            while self.mode == self.STALL:
                await asyncio.sleep(0.02)
            if self.mode == self.SWALLOW:
                self.swallowed += len(data)
                continue
            if back is None:
                writer.write(data)
            else:
                buffer += data
                for first, body, whole in packets(buffer):
                    code = self._code_for(first, body)
                    if code is None:
                        writer.write(whole)
                        continue
                    self.answered += 1
                    at = 2 + int.from_bytes(body[:2], "big")
                    back.write(bytes([0x40, 3]) + body[at:at + 2] + bytes([code]))
            await writer.drain()
        writer.transport.abort()

    def _code_for(self, first, body):
        if first >> 4 != 3 or not first & 0x06 or self.answer is None:
            return None
        return self.answer(body[2:2 + int.from_bytes(body[:2], "big")].decode())
