-- Schema 3. Readings at rest: the hours of a series as compressed chunks (chunk.hpp).

-- id: hour << 39 | series << 8 | part, so that chunks are written and expired in the order of the
-- key. hour: of UTC since 1970. Negative (the highest bit set): of a clock that was never
-- believable; then passed_ms is a believable time that was not before, and expiry goes by it. The
-- number of readings is beside the body so that expiry counts without reading it.
CREATE TABLE chunk(
  id        INTEGER PRIMARY KEY,
  readings  INTEGER NOT NULL,
  passed_ms INTEGER,
  body      BLOB NOT NULL
) STRICT;

-- Which readings of the batches that are still there stand in chunks; one row. Of batches up to
-- `whole` all, of those up to `partly` what is before before_ms. The same for the pass under way
-- (pass_partly = 0: none), whose chunks are written for series below next_series.
CREATE TABLE compaction(
  one            INTEGER PRIMARY KEY CHECK (one = 1),
  whole          INTEGER NOT NULL,
  partly         INTEGER NOT NULL,
  before_ms      INTEGER NOT NULL,
  pass_whole     INTEGER NOT NULL,
  pass_partly    INTEGER NOT NULL,
  pass_before_ms INTEGER NOT NULL,
  next_series    INTEGER NOT NULL
) STRICT;
INSERT INTO compaction VALUES (1, 0, 0, 0, 0, 0, 0, 0);
