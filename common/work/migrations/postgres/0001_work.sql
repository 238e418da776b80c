-- min_reader_version: 1

-- What is to be done at a time. attempts: how often it failed; revision: how often it was put to another
-- time.
CREATE TABLE due_work (
  organization_id TEXT COLLATE "C" NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  key TEXT COLLATE "C" NOT NULL,
  due_at BIGINT NOT NULL,
  attempts BIGINT NOT NULL,
  revision BIGINT NOT NULL,
  PRIMARY KEY (organization_id, kind, key)
);
CREATE INDEX due_work_by_time ON due_work (due_at);
SELECT rapport_protect('due_work');
-- A worker looks for what is due over all organisations, and does it as each one's tenant.
SELECT rapport_open_to_feed('due_work', 'SELECT');
