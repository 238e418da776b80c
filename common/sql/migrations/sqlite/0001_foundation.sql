-- min_reader_version: 1
-- Instants are microseconds UTC.

-- The organisations that this service knows.
CREATE TABLE organization (
  organization_id TEXT PRIMARY KEY,
  state TEXT NOT NULL,
  create_time INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Events of committed transactions that wait for their number.
CREATE TABLE outbox_pending (
  id INTEGER PRIMARY KEY,
  organization_id TEXT NOT NULL,
  event_id TEXT NOT NULL,
  resource TEXT NOT NULL,
  version INTEGER NOT NULL,
  type TEXT NOT NULL,
  payload BLOB NOT NULL,
  occur_time INTEGER NOT NULL
) STRICT;

-- The log: positions are dense from 1.
CREATE TABLE event (
  position INTEGER PRIMARY KEY,
  organization_id TEXT NOT NULL,
  event_id TEXT NOT NULL,
  resource TEXT NOT NULL,
  version INTEGER NOT NULL,
  type TEXT NOT NULL,
  payload BLOB NOT NULL,
  occur_time INTEGER NOT NULL,
  sequence_time INTEGER NOT NULL,
  UNIQUE (event_id)
) STRICT;
CREATE INDEX event_by_organization ON event (organization_id, position);
CREATE INDEX event_by_resource ON event (organization_id, resource, position);

-- One row: which log this is, and the last number given. The row is made by the migrating code.
CREATE TABLE feed_state (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  epoch TEXT NOT NULL,
  last_position INTEGER NOT NULL
) STRICT;

-- Audit entries of committed transactions that wait for their leaf number.
CREATE TABLE audit_pending (
  id INTEGER PRIMARY KEY,
  organization_id TEXT NOT NULL,
  entry BLOB NOT NULL,
  content_hash BLOB NOT NULL,
  occur_time INTEGER NOT NULL
) STRICT;

-- The leaves of each organisation's tree: leaf_index is dense from 0.
CREATE TABLE audit_leaf (
  organization_id TEXT NOT NULL,
  leaf_index INTEGER NOT NULL,
  entry BLOB NOT NULL,
  content_hash BLOB NOT NULL,
  salt BLOB NOT NULL,
  leaf_hash BLOB NOT NULL,
  occur_time INTEGER NOT NULL,
  sequence_time INTEGER NOT NULL,
  PRIMARY KEY (organization_id, leaf_index)
) STRICT, WITHOUT ROWID;

-- What each request_id led to. Only successes are recorded.
CREATE TABLE idempotency (
  organization_id TEXT NOT NULL,
  principal TEXT NOT NULL,
  method TEXT NOT NULL,
  request_id TEXT NOT NULL,
  request_hmac BLOB NOT NULL,
  resources TEXT NOT NULL,
  version INTEGER NOT NULL,
  create_time INTEGER NOT NULL,
  PRIMARY KEY (organization_id, principal, method, request_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_by_age ON idempotency (create_time);

-- How far each consumer has applied each peer's feed.
CREATE TABLE consumer_cursor (
  consumer TEXT NOT NULL,
  feed TEXT NOT NULL,
  cursor BLOB NOT NULL,
  update_time INTEGER NOT NULL,
  PRIMARY KEY (consumer, feed)
) STRICT, WITHOUT ROWID;

-- Events that a consumer could not apply, set aside with what follows for the same resource.
CREATE TABLE parked_event (
  consumer TEXT NOT NULL,
  feed TEXT NOT NULL,
  position INTEGER NOT NULL,
  organization_id TEXT NOT NULL,
  resource TEXT NOT NULL,
  event BLOB NOT NULL,
  attempts INTEGER NOT NULL,
  error_code TEXT NOT NULL,
  park_time INTEGER NOT NULL,
  PRIMARY KEY (consumer, feed, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX parked_event_by_resource ON parked_event (consumer, feed, resource);
