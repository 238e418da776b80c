-- min_reader_version: 2
-- What bounds the growth of the log.

-- Services that follow this log, and how far each has applied it for certain, as the cursor that it
-- last presented says. No tenant data.
CREATE TABLE feed_consumer (
  consumer TEXT PRIMARY KEY,
  position BIGINT NOT NULL,
  update_time BIGINT NOT NULL
);
GRANT SELECT, INSERT, UPDATE, DELETE ON feed_consumer TO rapport_feed;

-- One row. Up to this position the log holds the newest event of each resource and type alone.
CREATE TABLE feed_compaction (
  id BIGINT PRIMARY KEY CHECK (id = 1),
  compacted_until BIGINT NOT NULL
);
INSERT INTO feed_compaction (id, compacted_until) VALUES (1, 0);
GRANT SELECT ON feed_compaction TO rapport_app;
GRANT SELECT, UPDATE ON feed_compaction TO rapport_feed;
