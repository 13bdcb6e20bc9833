# SPDX-License-Identifier: Apache-2.0
"""What the end-to-end tests share: a real broker, a Modbus plant that is not ours, the real daemon, and a subscriber that
decodes with the code that protoc makes of the published schema. Nothing here imports anything of the daemon."""
import contextlib
import http.client
import importlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import paho.mqtt.client as mqtt

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("GERBANG_BUILD", SOURCE / "build" / "dev"))
# Runtimes of a sanitizer that the daemon is built with: bytes and times are theirs then, and bounds of them say nothing.
SANITIZERS = [word for word in subprocess.run(["ldd", BUILD / "bin" / "gerbangd"], capture_output=True, text=True).stdout.split()
              if word.startswith("/") and "san.so" in word]
# What one of them says, of the daemon or of a child of it, fails the test; a crash that a test asked for does not.
REPORT = re.compile(r"WARNING: ThreadSanitizer|ERROR: AddressSanitizer: [a-z]|LeakSanitizer: detected|: runtime error: ")
ROOT = "gerbang/v1"
MESSAGES = {"aggregate": "AggregateBatch", "indicator": "Indicator", "alarm": "Alarm", "event": "Event",
            "state": "GatewayState", "description": "GatewayDescription", "gap": "Gap", "reading": "ReadingBatch"}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(what, condition, seconds=20.0, step=0.05):
    """The condition's first true value; a test fails when it does not come."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds:g} s in vain for {what}")
        time.sleep(step)


def port_open(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=0.2):
        return True
    return False


class Process:
    """A child whose output is kept for the failure message."""

    def __init__(self, name, arguments, folder, environment=None):
        self.name, self.arguments = name, [str(a) for a in arguments]
        self.log = pathlib.Path(folder) / f"{name}.log"
        self.environment = {**os.environ, **(environment or {})}
        self.process = None

    def start(self):
        with open(self.log, "ab") as out:
            self.process = subprocess.Popen(self.arguments, stdout=out, stderr=out, stdin=subprocess.DEVNULL,
                                            env=self.environment)
        return self

    def running(self):
        return self.process is not None and self.process.poll() is None

    def stop(self, sig=signal.SIGTERM, seconds=20):
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(sig)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise AssertionError(f"{self.name} did not end within {seconds} s of signal {sig}")
        return self.process.returncode

    def text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""


class Bench:
    """A folder and the processes in it; everything ends with the test, and a failure prints the logs' ends."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gerbang-e2e-"))
        self.processes = []
        self.in_memory = None

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        for process in reversed(self.processes):
            with contextlib.suppress(Exception):
                process.stop(signal.SIGKILL)
        reports = [(process.name, found, process.text()) for process in self.processes if SANITIZERS
                   and (found := REPORT.search(process.text()))]
        if kind is not None:
            for process in self.processes:
                print(f"---- {process.name}\n" + process.text()[-4000:], file=sys.stderr)
        shutil.rmtree(self.folder, ignore_errors=True)
        if self.in_memory is not None:
            shutil.rmtree(self.in_memory, ignore_errors=True)
        for name, found, text in reports:
            raise AssertionError(f"a sanitizer's report in the output of {name}:\n{text[found.start():][:6000]}") from error
        return False

    def memory(self):
        """This test's folder on tmpfs."""
        if self.in_memory is None:
            self.in_memory = memory_folder("gerbang-e2e-")
        return self.in_memory

    def run(self, name, arguments, environment=None):
        process = Process(name, arguments, self.folder, environment)
        self.processes.append(process)
        return process.start()

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path


class Broker:
    """mosquitto on a free port. It writes its state after each change, so that even a kill -9 of the broker loses nothing
    that it had acknowledged: what is missing then is the gateway's doing."""

    def __init__(self, bench, extra=""):
        self.port = free_port()
        data = bench.folder / "mosquitto"
        data.mkdir()
        self.configuration = bench.write("mosquitto.conf", f"""\
listener {self.port} 127.0.0.1
allow_anonymous true
persistence true
persistence_location {data}/
autosave_interval 1
autosave_on_changes true
max_queued_messages 0
max_inflight_messages 1000
user {'root' if os.getuid() == 0 else os.environ.get('USER', 'nobody')}
{extra}
""")
        self.bench, self.process = bench, None
        self.start()

    def start(self):
        program = shutil.which("mosquitto", path=os.environ["PATH"] + ":/usr/sbin")
        if self.process is None:
            self.process = self.bench.run("mosquitto", [program, "-c", self.configuration])
        else:
            self.process.start()
        wait_for("the broker's port", lambda: port_open(self.port))

    def stop(self, sig=signal.SIGTERM):
        self.process.stop(sig)


def schema(bench):
    """The Python module that protoc makes of telemetry.proto."""
    out = bench.folder / "proto"
    if not out.exists():
        out.mkdir()
        subprocess.run(["protoc", f"-I{SOURCE / 'proto'}", f"--python_out={out}", "gerbang/v1/telemetry.proto"], check=True)
        sys.path.insert(0, str(out))
    return importlib.import_module("gerbang.v1.telemetry_pb2")


class Subscriber:
    """Collects (topic, payload, retained, arrival time) with a session that survives the broker's absence."""

    def __init__(self, bench, broker, topic=f"{ROOT}/#", name="operations-room"):
        self.schema = schema(bench)
        self.lock, self.arrived = threading.Lock(), []
        self.client = mqtt.Client(client_id=name, clean_session=False)
        self.client.reconnect_delay_set(1, 1)
        self.subscribed = threading.Event()
        self.client.on_connect = lambda client, *_: client.subscribe(topic, qos=1)
        self.client.on_subscribe = lambda *_: self.subscribed.set()
        self.client.on_message = self._on_message
        self.client.connect_async("127.0.0.1", broker.port, keepalive=5)
        self.client.loop_start()
        if not self.subscribed.wait(10):
            raise AssertionError("the subscriber got no connection")

    def _on_message(self, _client, _data, message):
        with self.lock:
            self.arrived.append((message.topic, bytes(message.payload), bool(message.retain), time.time()))

    def stop(self):
        self.client.loop_stop()
        self.client.disconnect()

    def messages(self, kind=None, retained=False):
        """Decoded: (suffix, message, arrival), in order of arrival. Protobuf and JSON alike become protobuf objects; JSON
        comes in protobuf's own mapping, so protobuf's own parser reads it."""
        from google.protobuf import json_format
        with self.lock:
            arrived = list(self.arrived)
        out = []
        for topic, payload, kept, at in arrived:
            parts = topic.split("/")
            suffix = "/".join(parts[5:])
            name = MESSAGES.get(parts[5] if len(parts) > 5 else "")
            if name is None or not payload or (kept and not retained) or (kind and not suffix.startswith(kind)):
                continue
            message = getattr(self.schema, name)()
            if payload.startswith(b"{"):
                json_format.Parse(payload.decode(), message)
            else:
                message.ParseFromString(payload)
            out.append((suffix, message, at))
        return out

    def audit(self):
        """An independent proof: no hole in the sequence, no number with two contents, no window with two contents of one
        revision. Returns figures; raises AssertionError."""
        by_stream, windows, duplicates = {}, {}, 0
        for suffix, message, _ in self.messages():
            source = message.source
            if source.sequence == 0:
                continue
            content = type(message)()
            content.CopyFrom(message)
            content.source.ClearField("published_at_ms")
            content.source.ClearField("historical")
            data = content.SerializeToString(deterministic=True)
            seen = by_stream.setdefault(source.stream, {})
            if source.sequence in seen:
                assert seen[source.sequence] == data, f"#{source.sequence} came with two contents"
                duplicates += 1
            seen[source.sequence] = data
            if suffix.startswith("aggregate/"):
                for row in message.aggregates:
                    key = (row.sensor, message.window, message.window_start_ms, row.revision)
                    text = row.SerializeToString(deterministic=True)
                    assert windows.setdefault(key, text) == text, f"{key} came with two contents"
        missing = {}
        for stream, seen in by_stream.items():
            holes = [n for n in range(min(seen), max(seen) + 1) if n not in seen]
            if holes:
                missing[stream] = holes
        assert not missing, f"missing: {missing}"
        return {"streams": len(by_stream), "messages": sum(len(s) for s in by_stream.values()), "duplicates": duplicates}


def check_ledger(ledger):
    """Both equations for every sensor and in total, computed here from the figures and not believed; then what the gateway says
    of itself. Returns figures; raises AssertionError."""
    def equations(where, o):
        total = lambda counts: sum(counts.values())  # noqa: E731
        assert o["taken"] == o["stored"] + total(o["rejected"]) + o["waitingForCommit"], f"taken of {where}: {o}"
        assert o["stored"] == o["folded"] + o["waitingToBeFolded"] + total(o["notFolded"]), f"stored of {where}: {o}"
        assert o["difference"] == 0 and o["foldingDifference"] == 0, f"{where}: {o}"

    readings = ledger["readings"]
    equations("all", readings)
    for sensor in ledger["sensors"]:
        equations(sensor["sensor"] or "no sensor", sensor)
    for key in "taken", "stored", "folded", "waitingForCommit", "waitingToBeFolded":
        parts = sum(sensor[key] for sensor in ledger["sensors"])
        assert parts == readings[key], f"the sensors' {key} add up to {parts}, in total there are {readings[key]}"
    for uplink, o in ledger["messages"].items():
        assert o["made"] == sum(o[k] for k in ("acknowledged", "waiting", "refused", "dropped", "filtered")), f"{uplink}: {o}"
        assert sum(o["refusedFor"].values()) == o["refused"] and sum(o["droppedFor"].values()) == o["dropped"], f"{uplink}: {o}"
    assert ledger["difference"] == 0 and ledger["sumDifference"] == 0, ledger["difference"]
    return {"taken": readings["taken"], "stored": readings["stored"], "folded": readings["folded"]}


def memory_folder(prefix):
    """A new folder on tmpfs, as RUNTIME_DIRECTORY is under systemd; elsewhere where there is none."""
    shared = "/dev/shm"
    return pathlib.Path(tempfile.mkdtemp(prefix=prefix, dir=shared if os.access(shared, os.W_OK) else None))


class Gateway:
    """The real daemon with a configuration of the test."""

    def __init__(self, bench, configuration, environment=None, name="gerbangd"):
        self.bench = bench
        self.file = bench.write("gerbang.toml", configuration)
        self.state, self.runtime = bench.folder / "state", bench.memory()
        self.state.mkdir(exist_ok=True)
        self.environment = {"STATE_DIRECTORY": str(self.state), "RUNTIME_DIRECTORY": str(self.runtime),
                            "GERBANG_DRIVER_PATH": str(BUILD / "drivers"), "GERBANG_DATA": str(SOURCE / "config"),
                            **(environment or {})}
        self.process = bench.run(name, [BUILD / "bin" / "gerbangd", "--config", self.file], self.environment)

    @property
    def pid(self):
        return self.process.process.pid

    def get(self, http_port, path):
        connection = http.client.HTTPConnection("127.0.0.1", http_port, timeout=5)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            body = answer.read().decode()
        finally:
            connection.close()
        return answer.status, body

    def balance(self, http_port):
        """The ledger must balance at any time: every test of the running daemon ends with this."""
        ledger = wait_for("the ledger", lambda: self.json(http_port, "/api/v1/ledger"))
        return check_ledger(ledger)

    def json(self, http_port, path):
        with contextlib.suppress(OSError, json.JSONDecodeError):
            status, body = self.get(http_port, path)
            if status == 200:
                return json.loads(body)
        return None


def children(pid, name):
    """Pids of the child processes of `pid` that run the program `name`."""
    out = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError, IndexError, ValueError):
            parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            if parent == pid and name in (entry / "cmdline").read_text().split("\0")[0]:
                out.append(int(entry.name))
    return sorted(out)


def short_windows(http_port, broker):
    """Everything soon: commits, windows of 2 and 10 s, one uplink, the page at this port."""
    return f"""
[store]
commit_interval = "200ms"
[http]
listen = "127.0.0.1:{http_port}"
[windows]
default = ["2s", "10s"]
grace = "500ms"
[[uplink]]
name = "regional"
url = "mqtt://127.0.0.1:{broker.port}"
"""


def identity(gateway_id="ipa-uji-1"):
    return f"""\
[gateway]
id = "{gateway_id}"
region = "maros"
site = "ipa-bantimurung"
site_kind = "water-treatment-plant"
timezone = "Asia/Makassar"
language = "ind"
[time]
trust = "rtc"  # a test machine has no NTP
"""
