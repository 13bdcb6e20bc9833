#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Who may know whom (daemon/ARCHITECTURE.md), as data. Fails with one line for each breach."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

# module → modules of ours that it may include. "app" may include everything.
MODULES = {
    "core": set(),
    "quality": {"core"},
    "indicator": {"core"},
    "alarm": {"core"},
    "config": {"core", "alarm", "indicator", "quality"},
    "observe": {"core"},
    "async": {"core", "observe"},
    "ipc": {"core", "observe", "async"},
    "source": {"core", "ipc", "observe", "async"},
    "driver_host": {"core", "ipc"},
    "store": {"core", "observe", "async"},
    "wire": {"core"},
    "pipeline": {"core", "quality", "indicator", "alarm", "wire", "store", "observe", "async"},
    "uplink": {"core", "wire", "store", "ipc", "observe", "async"},
    "uplink_host": {"core", "ipc"},
    "http": {"core", "wire", "observe", "async"},
    "ctl": {"core", "quality", "indicator", "config", "store", "wire", "source", "ipc", "observe", "async"},
    "app": None,
}

# include prefix → modules that may use it. A header that is not listed here is free (the standard library).
LIBRARIES = {
    "boost/asio": {"async", "ipc", "source", "store", "pipeline", "uplink", "http", "app", "ctl"},
    "boost/beast": {"http", "ctl"},
    "boost/json": {"wire", "http", "ctl", "app"},
    "boost/url": {"config", "http", "ctl"},
    "sqlite3.h": {"store"},
    "zstd.h": {"config", "store"},
    "MQTT": {"uplink_host", "ctl"},
    "mqtt/": {"uplink_host", "ctl"},
    "openssl/": {"ctl"},
    "toml++": {"config"},
    "spdlog/": {"observe", "async", "ipc", "source", "store", "pipeline", "uplink", "http", "app", "ctl"},
    "udunits2.h": {"config"},
    "date/": {"config"},
    "CLI/": {"app", "ctl"},
    "gerbang/v1/": {"wire"},
    "host/v1/driver": {"source", "driver_host"},
    "host/v1/uplink": {"uplink", "uplink_host"},
    "gerbang/driver.h": {"driver_host", "app"},
    "dlfcn.h": {"driver_host", "uplink_host"},
    "google/protobuf": {"wire", "source", "driver_host", "uplink", "uplink_host"},
}

# The same for drivers: include prefix → folders of drivers/ that may use it. What stands neither here nor
# above is the standard library, POSIX, or our own.
DRIVER_LIBRARIES = {
    "boost/json": {"mqtt"},
    "boost/": {"mqtt"},
    "MQTT": {"mqtt"},
    "modbus.h": {"modbus"},
    "modbus/modbus": {"modbus"},
}

# A library that one file speaks to, so that its traps are in one place.
ONE_FILE = {
    "sqlite3.h": r"daemon/store/sqlite(_pages)?\.(cpp|hpp)$",
    "zstd.h": r"daemon/(store/chunk|config/held)\.cpp$",
    "toml++": r"daemon/config/load\.cpp$",
    "mqtt/": r"daemon/(uplink_host/paho_client|ctl/[a-z_]+)\.(cpp|hpp)$",
    "MQTT": r"(daemon/(uplink_host/paho_client|ctl/[a-z_]+)|drivers/mqtt/client)\.(cpp|hpp)$",
    "openssl/": r"daemon/ctl/key_pair\.cpp$",
    "udunits2.h": r"daemon/config/units\.cpp$",
}

INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.M)


def breaches():
    for path in sorted(ROOT.glob("daemon/*/**/*.[ch]pp")):
        name = str(path.relative_to(ROOT))
        module = path.relative_to(ROOT / "daemon").parts[0]
        if module not in MODULES:
            yield f"{name}: module {module} is not in the table of tests/style/layering.py"
            continue
        text = path.read_text(encoding="utf-8")
        for include in INCLUDE.findall(text):
            other = include.split("/")[0]
            allowed = MODULES[module]
            if other in MODULES and "/" in include:
                if allowed is not None and other != module and other not in allowed:
                    yield f"{name}: {module} must not include {include}"
            for prefix, users in LIBRARIES.items():
                if include.startswith(prefix) and module not in users:
                    yield f"{name}: {module} must not use {include}"
            for prefix, files in ONE_FILE.items():
                if include.startswith(prefix) and not re.match(files, name):
                    yield f"{name}: {include} belongs into {files} only"
        if re.search(r"\bco_spawn\s*\(", text) and module not in ("async", "store"):
            yield f"{name}: co_spawn( outside daemon/async; use spawn_critical or spawn_session"
        if module != "core" and re.search(r"\bsystem_clock::now\s*\(", text):
            yield f"{name}: system_clock::now(); take the time as an argument or from a Clock"
    for path in sorted(ROOT.glob("drivers/**/*.[ch]*")):
        if path.suffix not in (".c", ".h", ".cpp", ".hpp"):
            continue
        name = str(path.relative_to(ROOT))
        driver = path.relative_to(ROOT / "drivers").parts[0]
        for include in INCLUDE.findall(path.read_text(encoding="utf-8")):
            if include.split("/")[0] in MODULES and "/" in include:
                yield f"{name}: a driver must not include the daemon's {include}"
            for prefix in {**LIBRARIES, **DRIVER_LIBRARIES}:
                if prefix == "gerbang/driver.h" or prefix == "mqtt/" and driver == "mqtt":
                    continue
                if include.startswith(prefix) and driver not in DRIVER_LIBRARIES.get(prefix, set()):
                    yield f"{name}: driver {driver} must not use {include}"
            for prefix, files in ONE_FILE.items():
                if prefix in DRIVER_LIBRARIES and include.startswith(prefix) and not re.match(files, name):
                    yield f"{name}: {include} belongs into {files} only"


def main():
    found = list(breaches())
    for line in found:
        print(line)
    sys.exit(1 if found else 0)


main()
