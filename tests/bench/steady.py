#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tests/bench/steady: the standard load, 10 Modbus units × 100 registers × 1 Hz = 1,000 readings/s, for Gerbang, for the durable
floor and for collectd, one after the other in the same run against the same servers.

Prints CPU seconds per 1,000 readings, PSS of all processes, bytes written to the file system per reading, and the time from
start to the first message at a subscriber; and the ratios to the floor. The figures of one machine are not claims; ratios are.

Usage: steady.py [--build build/release] [--seconds 30] [--json]      Needs: scripts/dependencies bench"""
import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))
from harness import Bench, Broker, SOURCE, free_port, identity, port_open, wait_for  # noqa: E402

UNITS, REGISTERS = 10, 100


def descendants(pid):
    parents = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except OSError:
                pass
    out, todo = [], [pid]
    while todo:
        one = todo.pop()
        out.append(one)
        todo += [p for p, parent in parents.items() if parent == one]
    return out


def cpu_seconds(pids):
    total = 0
    for pid in pids:
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def field(pid, file, name):
    for line in pathlib.Path(f"/proc/{pid}/{file}").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1])
    return 0


class FirstMessage:
    """mosquitto_sub that prints the arrival time of everything below a topic, without what the broker kept."""

    def __init__(self, bench, broker, topic, name):
        self.process = bench.run(name, ["mosquitto_sub", "-h", "127.0.0.1", "-p", broker.port, "-q", "1", "-R", "-t", topic,
                                        "-F", "%U %l"])
        time.sleep(0.3)

    def first(self):
        return wait_for("the first message", lambda: self.process.text().split("\n")[0].split(" ")[0], 90)

    def bytes(self):
        return sum(int(line.split(" ")[1]) for line in self.process.text().splitlines() if " " in line)


def measure(name, bench, broker, start, topic, seconds):
    subscriber = FirstMessage(bench, broker, topic, f"sub-{name}")
    began = time.time()
    process = start()
    first = float(subscriber.first()) - began
    time.sleep(10)
    pids = descendants(process.process.pid)
    cpu, written, sent, at = cpu_seconds(pids), sum(field(p, "io", "write_bytes:") for p in pids), subscriber.bytes(), time.monotonic()
    time.sleep(seconds)
    pids_after = descendants(process.process.pid)
    assert sorted(pids) == sorted(pids_after), f"{name}: processes came or went during the measurement"
    took = time.monotonic() - at
    readings = UNITS * REGISTERS * took
    result = {"name": name, "processes": len(pids), "cpu_s_per_1000": (cpu_seconds(pids) - cpu) / readings * 1000,
              "pss_mb": sum(field(p, "smaps_rollup", "Pss:") for p in pids) / 1024,
              "written_per_reading": (sum(field(p, "io", "write_bytes:") for p in pids) - written) / readings,
              "sent_per_reading": (subscriber.bytes() - sent) / readings, "first_message_s": first}
    assert process.running(), process.text()[-2000:]
    process.stop()
    subscriber.process.stop()
    return result


def gerbang_configuration(broker, plant, http_port, forward):
    text = identity("bench-1") + f"""
[http]
listen = "127.0.0.1:{http_port}"
[forward]
readings = {str(forward).lower()}
[[uplink]]
name = "regional"
url = "mqtt://127.0.0.1:{broker.port}"
[[driver]]
name = "plc"
plugin = "modbus"
interval = "1s"
[driver.options]
transport = "tcp"
host = "127.0.0.1"
port = {plant}
"""
    for unit in range(1, UNITS + 1):
        for register in range(REGISTERS):
            text += f"""[[sensor]]
id = "u{unit}-r{register}"
driver = "plc"
quantity = "turbidity"
unit = "NTU"
address = {{ unit = {unit}, table = "holding", register = {register}, type = "uint16" }}
"""
    return text


def collectd_configuration(folder, broker, plant):
    plugins = next(pathlib.Path("/usr/lib").glob("**/collectd/modbus.so")).parent
    registers = "".join(f' <Data "r{r}">\n  RegisterBase {r}\n  RegisterType uint16\n  Type gauge\n  Instance "r{r}"\n </Data>\n'
                        for r in range(REGISTERS))
    collect = "".join(f'   Collect "r{r}"\n' for r in range(REGISTERS))
    hosts = "".join(f' <Host "u{u}">\n  Address "127.0.0.1"\n  Port "{plant}"\n  Interval 1\n  <Slave {u}>\n'
                    f'   Instance "s{u}"\n{collect}  </Slave>\n </Host>\n' for u in range(1, UNITS + 1))
    return f"""Hostname "gw"
FQDNLookup false
BaseDir "{folder}"
PIDFile "{folder}/collectd.pid"
PluginDir "{plugins}"
TypesDB "/usr/share/collectd/types.db"
Interval 1
LoadPlugin modbus
LoadPlugin mqtt
<Plugin mqtt>
 <Publish "p">
  Host "127.0.0.1"
  Port {broker.port}
  ClientId "collectd-bench"
  QoS 1
  StoreRates false
 </Publish>
</Plugin>
<Plugin modbus>
{registers}{hosts}</Plugin>
"""


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--build", default=str(SOURCE / "build" / "release"))
    options.add_argument("--seconds", type=float, default=30)
    options.add_argument("--json", action="store_true")
    o = options.parse_args()
    build = pathlib.Path(o.build).resolve()
    results = []
    with Bench() as bench:
        broker, plant = Broker(bench, "autosave_on_changes false"), free_port()
        floor = bench.folder / "floor"
        subprocess.run(["cc", "-O2", "-o", floor, HERE / "floor.c", "-lmodbus", "-lsqlite3", "-lpaho-mqtt3a", "-lpthread"],
                       check=True)
        bench.run("plant", ["/usr/bin/python3", HERE / "bench_plant.py", plant])
        wait_for("the plant", lambda: port_open(plant))

        def gerbang(forward):
            folder = bench.folder / f"gerbang-{forward}"
            folder.mkdir()
            file = bench.write(f"gerbang-{forward}/gerbang.toml", gerbang_configuration(broker, plant, free_port(), forward))
            environment = {"STATE_DIRECTORY": str(folder), "RUNTIME_DIRECTORY": str(folder),
                           "GERBANG_DRIVER_PATH": str(build / "drivers"), "GERBANG_DATA": str(SOURCE / "config")}
            return bench.run(f"gerbangd-{forward}", [build / "bin" / "gerbangd", "--config", file], environment)

        results.append(measure("floor", bench, broker,
                               lambda: bench.run("floor", [floor, plant, broker.port, bench.folder / "floor.db", 1000]),
                               "floor/#", o.seconds))
        results.append(measure("gerbang (aggregates)", bench, broker, lambda: gerbang(False), "gerbang/v1/+/+/+/aggregate/#", o.seconds))
        results.append(measure("gerbang (every reading too)", bench, broker, lambda: gerbang(True), "gerbang/v1/+/+/+/reading/#", o.seconds))
        program = shutil.which("collectd", path=os.environ["PATH"] + ":/usr/sbin")
        if program:
            file = bench.write("collectd.conf", collectd_configuration(bench.folder, broker, plant))
            results.append(measure("collectd", bench, broker, lambda: bench.run("collectd", [program, "-f", "-C", file]),
                                   "collectd/#", o.seconds))
        else:
            print("NOT RUN: collectd is not installed (scripts/dependencies bench)", file=sys.stderr)
    base = results[0]["cpu_s_per_1000"]
    for r in results:
        r["cpu_ratio_to_floor"] = r["cpu_s_per_1000"] / base
    if o.json:
        print(json.dumps(results, indent=1))
        return
    print(f"{'':28} {'CPU s/1000':>11} {'× floor':>8} {'PSS MB':>7} {'proc.':>5} {'written B/reading':>18} {'sent B/reading':>15} {'first s':>8}")
    for r in results:
        print(f"{r['name']:28} {r['cpu_s_per_1000']:11.5f} {r['cpu_ratio_to_floor']:8.1f} {r['pss_mb']:7.1f} {r['processes']:5} "
              f"{r['written_per_reading']:18.1f} {r['sent_per_reading']:15.1f} {r['first_message_s']:8.2f}")


if __name__ == "__main__":
    main()
