-- Schema 5. What happened (weighings, maintenance, steps of the clock), newest first by time.
-- boot_id: while nobody vouches for time_ms, the boot that boot_ns counts in; else empty.
-- body: the message event/KIND without its Source.
CREATE TABLE event(
  id      INTEGER PRIMARY KEY,
  time_ms INTEGER NOT NULL,
  kind    TEXT NOT NULL,
  sensor  TEXT NOT NULL,
  boot_id TEXT NOT NULL,
  boot_ns INTEGER NOT NULL,
  body    BLOB NOT NULL
) STRICT;
CREATE INDEX event_time ON event(time_ms);
CREATE INDEX event_doubtful ON event(boot_id) WHERE boot_id <> '';
