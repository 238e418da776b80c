-- min_reader_version: 4

-- One alert of a kind stands for each source; once it is resolved, the source can raise another.
DROP INDEX alert_source;
CREATE UNIQUE INDEX alert_standing ON alert (organization_id, source, kind) WHERE state < 3;
CREATE INDEX alert_by_source ON alert (organization_id, source, kind, create_time);

-- To whom an alert went besides its owner, because nobody had acknowledged it.
CREATE TABLE alert_escalated (
  organization_id TEXT NOT NULL,
  clinician TEXT NOT NULL,
  alert_id TEXT NOT NULL,
  PRIMARY KEY (organization_id, clinician, alert_id)
) STRICT, WITHOUT ROWID;
