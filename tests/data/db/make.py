#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the store files of this folder. Usage: make.py [FOLDER]

schema-N.db   what a gateway of schema N left behind: two series, 30 readings in three batches (0 … 29), two uplinks, six
              messages of which two wait for the first and all for the second. Made by applying the real migrations
              1 … N to an empty file, as that gateway did.
newer.db      the same of a schema that does not exist yet
foreign.db    a database of another program
empty.db      zero bytes
truncated.db  the newest schema, cut in the middle of a page
flipped.db    the newest schema; one bit in the schema table is another
noise.db      no database at all

The results are kept in the repository: what was released does not change, and a test compares."""
import pathlib
import random
import sqlite3
import sys

HERE = pathlib.Path(__file__).resolve().parent
MIGRATIONS = sorted((HERE.parents[2] / "daemon/store/migrations").glob("[0-9]*.sql"))
OURS = 0x47626731  # kApplicationId
START_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z
# Ten readings of series 1 each, one a nanosecond, as pack.cpp has written them since schema 1.
BATCHES = [bytes.fromhex(text) for text in (
    "010a00030200020202020202020202020202020202020202020100010001000100010001000100010001000101000a010a00020406080a0c0e1012791a82f0",
    "010a00030214020202020202020202020202020202020202020100010001000100010001000100010001000101000a010a1416181a1c1e202224267f1e47f4",
    "010a00030228020202020202020202020202020202020202020100010001000100010001000100010001000101000a010a282a2c2e30323436383a3f180f74")]


def store(path, schema, version=None, wal=True):
    path.unlink(missing_ok=True)
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA page_size = 2048")
    db.execute(f"PRAGMA application_id = {OURS}")
    for migration in MIGRATIONS[:schema]:
        db.executescript(migration.read_text())
    db.execute(f"PRAGMA user_version = {version or schema}")
    put = lambda table, *row: db.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)  # noqa: E731
    put("state", 1, "0123456789abcdef", "", "machine-a", "serial-a", 6, 3, 2, 30, 30, 10)
    put("series", 1, "s", "turbidity", "NTU", 0)
    put("series", 2, "t", "turbidity", "NTU", 0)
    for series in 1, 2:
        put("calibration", series, 0, 1.0, 0.0, 1.0, 0.0)
    put("epoch", 1, "boot-1", START_MS * 1_000_000, 1)
    for n, body in enumerate(BATCHES):
        late = [] if schema < 2 else [0, b""]
        put("reading", n + 1, 1, 10 * (n + 1), 10 * (n + 1), 10 * n, 10 * n + 9, None, None, body, *late)
    put("topic", 1, "aggregate/water/1m", 6, 6)
    put("uplink", 0, "a", 6, 4, 0, 0, 0, 4)
    put("uplink", 1, "b", 6, 0, 0, 0, 0, 0)
    for n in range(1, 7):
        pending = 2 if n <= 4 else 3
        put("outbox", n, pending, n - 1, 1, 1, 1, 1, START_MS + n, f"message {n}".encode())
    db.execute("INSERT INTO item VALUES ('note', CAST('kept' AS BLOB))")
    if wal:
        db.execute("PRAGMA journal_mode = WAL")
    db.close()
    return path


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    newest = len(MIGRATIONS)
    for schema in range(1, newest + 1):
        store(folder / f"schema-{schema}.db", schema)
    store(folder / "newer.db", newest, version=newest + 1000)
    whole = (folder / f"schema-{newest}.db").read_bytes()
    (folder / "truncated.db").write_bytes(whole[:len(whole) * 2 // 3 - 100])
    flipped = bytearray(whole)
    flipped[whole.index(b"CREATE TABLE outbox") + 8] ^= 0x10
    (folder / "flipped.db").write_bytes(flipped)
    (folder / "empty.db").write_bytes(b"")
    (folder / "noise.db").write_bytes(random.Random(1).randbytes(5000))
    foreign = folder / "foreign.db"
    foreign.unlink(missing_ok=True)
    db = sqlite3.connect(foreign, isolation_level=None)
    db.execute("PRAGMA page_size = 1024")
    db.executescript("CREATE TABLE notes(text); INSERT INTO notes VALUES ('somebody else needs this')")
    db.close()


if __name__ == "__main__":
    main()
