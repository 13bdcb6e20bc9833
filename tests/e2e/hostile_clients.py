#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Clients that no web server wants, against a port of the loopback address, each from an address of its own among 127.0.0.0/8.

Usage: hostile_clients.py ATTACK PORT SECONDS      prints what they were answered, as JSON
ATTACK: slowloris, garbage, pipelines, crowd, sleepers"""
import asyncio
import collections
import contextlib
import json
import random
import re
import resource
import socket
import sys
import time

RESET, CLOSED, OPEN = "reset", "closed without an answer", "left open"


class Client:
    """One connection. Whatever happens to it is counted, not raised."""
    number = 0

    def __init__(self, port, receive_buffer=None):
        Client.number += 1
        n = Client.number
        self.socket = socket.socket()
        self.socket.setblocking(False)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.bind((f"127.{1 + n % 200}.{n // 200 % 250}.{1 + n // 50_000}", 0))
        self.port, self.outcome = port, OPEN

    async def connect(self):
        await asyncio.get_running_loop().sock_connect(self.socket, ("127.0.0.1", self.port))
        return self

    async def send(self, data):
        await asyncio.get_running_loop().sock_sendall(self.socket, data)

    async def read(self, end):
        """Everything until the server closes or the time is over."""
        out = b""
        with contextlib.suppress(asyncio.TimeoutError, ConnectionError):
            while True:
                piece = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(self.socket, 65536), max(0.01, end - time.monotonic()))
                if not piece:
                    self.outcome = CLOSED
                    break
                out += piece
        return out

    def close(self):
        self.socket.close()


def statuses(answer):
    return [code.decode() for code in re.findall(rb"^HTTP/1\.1 (\d{3}) ", answer, re.MULTILINE)]


async def guarded(outcomes, work):
    try:
        outcomes.update(await work)
    except (ConnectionError, OSError):
        outcomes[RESET] += 1


async def slowloris(port, seconds, outcomes):
    """A thousand requests of which a byte comes now and then and the end never; who is thrown out comes back."""
    end = time.monotonic() + seconds
    request = b"GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\nX-Slow: " + b"a" * 10_000

    async def one():
        client = await Client(port).connect()
        try:
            for n in range(len(request)):
                if time.monotonic() > end:
                    return [OPEN]
                await client.send(request[n:n + 1])
                await asyncio.sleep(random.uniform(0.1, 0.4))
        finally:
            client.close()

    async def again():
        while time.monotonic() < end:
            await guarded(outcomes, one())
            await asyncio.sleep(random.uniform(1, 3))
    await asyncio.gather(*(again() for _ in range(1000)))


def garbage_requests(chance):
    host = b"Host: localhost\r\n"
    get = b"GET /api/v1/status HTTP/1.1\r\n" + host
    noise = bytes(chance.randrange(256) for _ in range(300))
    return [
        get + b"X: " + b"h" * 1_000_000 + b"\r\n\r\n",
        get + b"".join(b"X-%d: y\r\n" % n for n in range(5000)) + b"\r\n",
        b"GET /" + b"p" * 100_000 + b" HTTP/1.1\r\n" + host + b"\r\n",
        get + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n" + noise,
        get + b"Transfer-Encoding: gzip, chunked\r\n\r\nzz\r\n",
        get + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        get + b"Content-Length: 99999999999999999999\r\n\r\n",
        get + b"Content-Length: -7\r\n\r\n",
        get + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        b"GET /%00%ff%c0%af..%2f..%2fetc/passwd HTTP/1.1\r\n" + host + b"\r\n",
        b"GET /api/v1/readings?sensor=%80%81&from=" + b"9" * 500 + b" HTTP/1.1\r\n" + host + b"\r\n",
        b"GET /\xf0\x28\x8c\x28 HTTP/1.1\r\n" + host + b"\r\n",
        b"POST /api/v1/status HTTP/1.1\r\n" + host + b"Content-Length: 1000000\r\n\r\n" + noise,
        b"GET / HTTP/9.9\r\n" + host + b"\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + noise,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + noise, noise, b"\r\n" * 5000, b"\0" * 20_000, b"GET", b"",
        get + b"Host: evil.example\r\n\r\n", get + b"Authorization: Bearer " + noise.hex().encode() + b"\r\n\r\n",
    ]


async def garbage(port, seconds, outcomes):
    """Requests that are none, one after the other, on sixteen lines."""
    end, chance = time.monotonic() + seconds, random.Random(5)
    requests = garbage_requests(chance)

    async def one():
        client = await Client(port).connect()
        try:
            with contextlib.suppress(ConnectionError):  # it may have answered before it had all
                await client.send(chance.choice(requests))
            client.socket.shutdown(socket.SHUT_WR)
            answer = await client.read(min(end, time.monotonic() + 8))
            return statuses(answer)[:1] or [client.outcome]
        finally:
            client.close()

    async def line():
        while time.monotonic() < end:
            await guarded(outcomes, one())
    await asyncio.gather(*(line() for _ in range(16)))


async def pipelines(port, seconds, outcomes):
    """Five thousand requests at once on each line; half of the lines read no answer until the end."""
    end = time.monotonic() + seconds
    flood = b"GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n" * 5000

    async def one(reads):
        client = await Client(port).connect()

        async def pour():
            with contextlib.suppress(ConnectionError, asyncio.TimeoutError):
                await asyncio.wait_for(client.send(flood), max(0.1, end - time.monotonic()))
        try:
            pouring = asyncio.create_task(pour())
            if not reads:
                await pouring
            answers = statuses(await client.read(end))
            await pouring
            return answers or [client.outcome]
        finally:
            client.close()

    async def line(n):
        while time.monotonic() < end:
            await guarded(outcomes, one(n % 2 == 0))
    await asyncio.gather(*(line(n) for n in range(12)))


async def crowd(port, seconds, outcomes):
    """Ten thousand connections; those that are still there then ask for something. Then ten thousand more."""
    end = time.monotonic() + seconds
    while True:
        await wave(port, end, outcomes)
        if time.monotonic() >= end:
            return


async def wave(port, end, outcomes):
    began, clients = time.monotonic(), [Client(port) for _ in range(10_000)]
    for n, client in enumerate(clients):
        client.socket.connect_ex(("127.0.0.1", port))
        if n % 500 == 499:
            await asyncio.sleep(0.05)
    await asyncio.sleep(0.5)
    connected = []
    for client in clients:
        with contextlib.suppress(OSError):
            client.socket.getpeername()
            connected.append(client)
    outcomes["waves"] += 1
    outcomes["connected"] += len(connected)
    outcomes["ms to connect"] = max(outcomes["ms to connect"], round((time.monotonic() - began) * 1000))

    async def ask(client):
        await client.send(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = await client.read(time.monotonic() + 1)
        return statuses(answer) or [client.outcome]
    await asyncio.gather(*(guarded(outcomes, ask(client)) for client in connected))
    for client in clients:
        client.close()


async def sleepers(port, seconds, outcomes):
    """Clients that ask for a stream or for all history and then read nothing."""
    end = time.monotonic() + seconds

    async def one(n):
        client = await Client(port, receive_buffer=2048).connect()
        try:
            path = b"/api/v1/stream" if n % 2 else b"/api/v1/readings?sensor=count-1&from=-24h&format=csv"
            await client.send(b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
            await asyncio.sleep(max(0, end - time.monotonic()))
            with contextlib.suppress(BlockingIOError):
                answer = client.socket.recv(4096)
                return [("stream " if n % 2 else "history ") + (statuses(answer)[:1] or [CLOSED])[0]]
            return [OPEN]
        finally:
            client.close()
    await asyncio.gather(*(guarded(outcomes, one(n)) for n in range(60)))


async def main():
    attack, port, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    outcomes = collections.Counter()
    await globals()[attack](port, seconds, outcomes)
    print(json.dumps(outcomes))


if __name__ == "__main__":
    asyncio.run(main())
