#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tests/bench/wear: bytes written to the device per reading, as the kernel counts them. Each case has an ext4 of its own on a loop
device (/sys/block/loopN/stat), a daemon with its store on it, and a broker that takes everything: journal of the file system,
readings, aggregates and the rows of the outbox are in the figure. The cases run side by side.

Cases: 50 and 1,000 readings a second (Modbus, 1 Hz, slowly changing uint16), commit_interval 1 s and 5 s.
Aims: ≤ 200 B a reading at 50/s and 1 s, ≤ 130 B at 5 s.
A log (WAL) that still grows costs the file system's own journal too: that is over after some minutes and begins again with each
start of the daemon; --warm 0 measures it.
Not in the figure: bringing an hour to rest, which begins two hours later; at_rest_bench prints what that writes per reading.
--forward sends every reading too, not only aggregates.

Usage: wear.py [--build build/release] [--seconds 300] [--warm 1200] [--forward] [--json]      Needs root (mounts)"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))
from harness import Bench, Broker, SOURCE, free_port, identity, memory_folder, port_open, wait_for  # noqa: E402

CASES = [(50, 1), (50, 5), (1000, 1), (1000, 5)]
AIMS = {(50, 1): 200, (50, 5): 130}


class Volume:
    """An ext4 in a file, and what the kernel has written to it."""

    def __init__(self, image, folder, megabytes=1024):
        self.folder = folder
        folder.mkdir()
        with open(image, "wb") as file:
            file.truncate(megabytes << 20)
        subprocess.run(["mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", image], check=True)
        subprocess.run(["mount", "-o", "loop", image, folder], check=True)
        source = subprocess.run(["findmnt", "-n", "-o", "SOURCE", folder], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
        self.stat = pathlib.Path("/sys/block") / pathlib.Path(source).name / "stat"

    def written(self):
        """Bytes, with everything that waits in memory."""
        subprocess.run(["sync", "-f", self.folder], check=True)
        return int(self.stat.read_text().split()[6]) * 512

    def close(self):
        subprocess.run(["umount", "-l", self.folder], check=False)


class Case:
    def __init__(self, bench, build, broker, plant, rate, commit, forward):
        self.rate, self.commit, self.port = rate, commit, free_port()
        name = f"{rate}-{commit}"
        self.volume = Volume(bench.folder / f"{name}.img", bench.folder / name)
        self.runtime = memory_folder("gerbang-wear-")
        text = identity(f"wear-{name}") + f"""
[store]
commit_interval = "{commit}s"
min_free = "0B"
[http]
listen = "127.0.0.1:{self.port}"
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
        for n in range(rate):
            text += f"""[[sensor]]
id = "u{n // 100 + 1}-r{n % 100}"
driver = "plc"
quantity = "turbidity"
unit = "NTU"
address = {{ unit = {n // 100 + 1}, table = "holding", register = {n % 100}, type = "uint16" }}
"""
        file = bench.write(f"{name}.toml", text)
        environment = {"STATE_DIRECTORY": str(self.volume.folder), "RUNTIME_DIRECTORY": str(self.runtime),
                       "GERBANG_DRIVER_PATH": str(build / "drivers"), "GERBANG_DATA": str(SOURCE / "config")}
        self.process = bench.run(f"gerbangd-{name}", [build / "bin" / "gerbangd", "--config", file], environment)

    def stored(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v1/ledger", timeout=5) as answer:
                return json.loads(answer.read())["readings"]["stored"]
        except (OSError, ValueError):
            return 0

    def mark(self):
        return self.volume.written(), self.stored(), (self.volume.folder / "gerbang.db-wal").stat().st_size


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--build", default=str(SOURCE / "build" / "release"))
    options.add_argument("--seconds", type=float, default=300)
    options.add_argument("--warm", type=float, default=1200, help="before the measurement: until the log has its size and is used again")
    options.add_argument("--forward", action="store_true")
    options.add_argument("--json", action="store_true")
    o = options.parse_args()
    if os.getuid() != 0:
        sys.exit("NOT RUN: needs root, for mounts of its own")
    build, results, cases = pathlib.Path(o.build).resolve(), [], []
    with Bench() as bench:
        try:
            broker, plant = Broker(bench, "autosave_on_changes false\nautosave_interval 3600"), free_port()
            bench.run("plant", ["/usr/bin/python3", HERE / "bench_plant.py", plant])
            wait_for("the plant", lambda: port_open(plant))
            for rate, commit in CASES:
                cases.append(Case(bench, build, broker, plant, rate, commit, o.forward))
            for case in cases:
                wait_for("readings", lambda: case.stored() > 5 * case.rate, 90, 0.2)
            time.sleep(o.warm)
            before = [case.mark() for case in cases]
            time.sleep(o.seconds)
            for case, (written, stored, log) in zip(cases, before):
                now_written, now_stored, now_log = case.mark()
                readings = now_stored - stored
                results.append({"readings_per_s": case.rate, "commit_interval_s": case.commit, "readings": readings,
                                "written": now_written - written, "bytes_per_reading": (now_written - written) / readings,
                                "log_grew": now_log - log, "aim": AIMS.get((case.rate, case.commit))})
            for case in cases:
                assert case.process.running(), case.process.text()[-2000:]
                case.process.stop(seconds=30)
        finally:
            for case in cases:
                case.process.stop(9)
                case.volume.close()
                subprocess.run(["rm", "-r", case.runtime], check=False)
    if o.json:
        print(json.dumps(results, indent=1))
        return
    print(f"{'readings/s':>10} {'commit':>7} {'readings':>9} {'written MB':>11} {'B/reading':>10} {'log grew KB':>12}  aim")
    for r in results:
        print(f"{r['readings_per_s']:10} {r['commit_interval_s']:6}s {r['readings']:9,} {r['written'] / 1e6:11.2f} "
              f"{r['bytes_per_reading']:10.1f} {r['log_grew'] / 1e3:12.0f}  {'≤ ' + str(r['aim']) if r['aim'] else ''}")


if __name__ == "__main__":
    main()
