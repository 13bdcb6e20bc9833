# SPDX-License-Identifier: Apache-2.0
"""What the kernel and the service manager see of a running gateway: its processes' memory, threads and descriptors, and what it
says on NOTIFY_SOCKET."""
import contextlib
import dataclasses
import pathlib
import socket
import threading
import time


def family(pid):
    """The pid and those of all its descendants."""
    parents = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                parents[int(entry.name)] = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
    out, todo = [], [pid]
    while todo:
        one = todo.pop()
        out.append(one)
        todo += [child for child, parent in parents.items() if parent == one]
    return sorted(out)


def _field(pid, file, name):
    with contextlib.suppress(OSError):
        for line in pathlib.Path(f"/proc/{pid}/{file}").read_text().splitlines():
            if line.startswith(name):
                return int(line.split()[1])
    return 0


@dataclasses.dataclass
class Footprint:
    """Sums over all processes of a gateway; those of the daemon alone are named so."""
    processes: int
    resident: int         # bytes; what processes share counts in each
    peak: int             # bytes: the sum of each process's largest
    proportional: int     # bytes; what processes share counts once
    threads: int
    descriptors: int
    daemon_resident: int
    daemon_descriptors: int

    @staticmethod
    def of(pid):
        pids = family(pid)

        def descriptors(one):
            with contextlib.suppress(OSError):
                return len(list(pathlib.Path(f"/proc/{one}/fd").iterdir()))
            return 0
        kib = lambda file, name: 1024 * sum(_field(one, file, name) for one in pids)  # noqa: E731
        return Footprint(processes=len(pids), resident=kib("status", "VmRSS:"), peak=kib("status", "VmHWM:"),
                         proportional=kib("smaps_rollup", "Pss:"), threads=sum(_field(one, "status", "Threads:") for one in pids),
                         descriptors=sum(descriptors(one) for one in pids),
                         daemon_resident=1024 * _field(pid, "status", "VmRSS:"), daemon_descriptors=descriptors(pid))

    def __str__(self):
        mb = lambda value: f"{value / 1e6:.1f}"  # noqa: E731
        return (f"{self.processes} processes, {mb(self.resident)} MB resident (peak {mb(self.peak)}, {mb(self.proportional)} "
                f"proportional), {self.threads} threads, {self.descriptors} descriptors")


class ServiceManager:
    """Stands in for systemd: what the daemon says on NOTIFY_SOCKET, with the time at which it said it."""

    def __init__(self, folder):
        self.path = str(pathlib.Path(folder) / "notify.sock")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.said = []
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        while True:
            text = self.socket.recv(4096).decode()
            self.said.append((time.monotonic(), text))

    def ready_after(self, began):
        """When it was first ready at or after `began`; None: not yet."""
        return next((at for at, text in self.said if at >= began and "READY=1" in text), None)


def latencies(subscriber, kind, historical=False, since=0.0, until=float("inf")):
    """Seconds from a window's end to its first arrival, of messages that arrived in between, sorted. What came up to a minute
    later as a revision is another thing."""
    return sorted(at - message.window_end_ms / 1000 for _, message, at in subscriber.messages(kind)
                  if bool(message.source.historical) == historical and since <= at < until
                  and not any(row.revision for row in message.aggregates))


def quantile(values, q):
    return values[min(len(values) - 1, int(len(values) * q))]
