-- min_reader_version: 1

-- What is to be done at a time. attempts: how often it failed; revision: how often it was put to another
-- time.
CREATE TABLE due_work (
  organization_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  due_at INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  PRIMARY KEY (organization_id, kind, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX due_work_by_time ON due_work (due_at);
