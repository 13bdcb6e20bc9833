-- Schema 1. A migration never changes once it was released: what comes later is a new file.
-- Columns that end in _ms are UTC milliseconds, in _ns nanoseconds. Bodies are described in the
-- sources named beside them.

-- What changes when windows close; one row. taken and stored also stand in the newest reading row,
-- so that a commit of readings alone touches no other page: the greater number holds.
CREATE TABLE state(
  one             INTEGER PRIMARY KEY CHECK (one = 1),
  stream          TEXT NOT NULL,
  previous_stream TEXT NOT NULL,
  board_machine   TEXT NOT NULL,
  board_serial    TEXT NOT NULL,
  last_sequence   INTEGER NOT NULL,
  last_batch      INTEGER NOT NULL,
  replay_from     INTEGER NOT NULL,
  taken           INTEGER NOT NULL,
  stored          INTEGER NOT NULL,
  folded          INTEGER NOT NULL
) STRICT;

-- Ledger totals with a reason: rejected/REASON, not_folded/REASON, uplink/BIT/refused/REASON.
CREATE TABLE counter(name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;

-- Small values that must survive.
CREATE TABLE item(key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE series(
  id       INTEGER PRIMARY KEY,
  sensor   TEXT NOT NULL,
  quantity TEXT NOT NULL,
  unit     TEXT NOT NULL,
  kind     INTEGER NOT NULL
) STRICT;

-- Holds for readings of batches >= from_batch, until the next row of the series.
CREATE TABLE calibration(
  series     INTEGER NOT NULL,
  from_batch INTEGER NOT NULL,
  scale      REAL NOT NULL,
  shift      REAL NOT NULL,
  slope      REAL NOT NULL,
  intercept  REAL NOT NULL,
  PRIMARY KEY (series, from_batch)
) STRICT, WITHOUT ROWID;

CREATE TABLE epoch(
  id        INTEGER PRIMARY KEY,
  boot_id   TEXT NOT NULL,
  offset_ns INTEGER NOT NULL,
  trust     INTEGER NOT NULL
) STRICT;

-- The readings of one commit and epoch (pack.hpp). No index: this is written every second.
CREATE TABLE reading(
  id           INTEGER PRIMARY KEY,
  epoch        INTEGER NOT NULL,
  taken        INTEGER NOT NULL,
  stored       INTEGER NOT NULL,
  boot_from_ns INTEGER,
  boot_to_ns   INTEGER,
  unix_from_ns INTEGER,
  unix_to_ns   INTEGER,
  body         BLOB NOT NULL
) STRICT;

-- Runs of batches with their extent in time, so that a query by time reads few of them. The newest
-- run is not written yet.
CREATE TABLE segment(
  first_batch  INTEGER PRIMARY KEY,
  last_batch   INTEGER NOT NULL,
  epoch        INTEGER NOT NULL,
  boot_from_ns INTEGER,
  boot_to_ns   INTEGER,
  unix_from_ns INTEGER,
  unix_to_ns   INTEGER
) STRICT;

-- aggregate_code.hpp. Written and expired in the order of the key.
CREATE TABLE aggregate(
  window_ms INTEGER NOT NULL,
  start_ms  INTEGER NOT NULL,
  series    INTEGER NOT NULL,
  revision  INTEGER NOT NULL,
  body      BLOB NOT NULL,
  PRIMARY KEY (window_ms, start_ms, series)
) STRICT, WITHOUT ROWID;

CREATE TABLE topic(
  id              INTEGER PRIMARY KEY,
  name            TEXT NOT NULL,
  last            INTEGER NOT NULL,
  last_retainable INTEGER NOT NULL
) STRICT;

-- A message that some uplink still has to send. pending: one bit an uplink.
CREATE TABLE outbox(
  sequence INTEGER PRIMARY KEY,
  pending  INTEGER NOT NULL,
  previous INTEGER NOT NULL,
  topic    INTEGER NOT NULL,
  kind     INTEGER NOT NULL,
  lane     INTEGER NOT NULL,
  retain   INTEGER NOT NULL,
  made_ms  INTEGER NOT NULL,
  body     BLOB NOT NULL
) STRICT;
CREATE INDEX outbox_urgent ON outbox(sequence) WHERE lane = 0;

-- upto: every message up to this sequence is done for the uplink.
CREATE TABLE uplink(
  bit          INTEGER PRIMARY KEY,
  name         TEXT NOT NULL,
  made         INTEGER NOT NULL,
  acknowledged INTEGER NOT NULL,
  refused      INTEGER NOT NULL,
  dropped      INTEGER NOT NULL,
  filtered     INTEGER NOT NULL,
  upto         INTEGER NOT NULL
) STRICT;
