-- Messages of kind gap that still wait, and what they announce: first … last of `stream` will never
-- come. If such a message has to make room itself, the next one says it again.
CREATE TABLE gap(
  sequence INTEGER PRIMARY KEY,
  stream   TEXT NOT NULL,
  first    INTEGER NOT NULL,
  last     INTEGER NOT NULL,
  reason   TEXT NOT NULL,
  count    INTEGER NOT NULL
) STRICT;
