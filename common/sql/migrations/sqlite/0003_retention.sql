-- min_reader_version: 2
-- What bounds the growth of the log.

-- Services that follow this log, and how far each has applied it for certain, as the cursor that it
-- last presented says. No tenant data.
CREATE TABLE feed_consumer (
  consumer TEXT NOT NULL PRIMARY KEY,
  position INTEGER NOT NULL,
  update_time INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One row. Up to this position the log holds the newest event of each resource and type alone.
CREATE TABLE feed_compaction (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  compacted_until INTEGER NOT NULL
) STRICT;
INSERT INTO feed_compaction (id, compacted_until) VALUES (1, 0);
