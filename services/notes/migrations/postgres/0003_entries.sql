-- min_reader_version: 3

-- Entries of cases: what is asked for by. What they say is in case_entry_revision, sealed.
CREATE TABLE case_entry (
  organization_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  entry_id TEXT NOT NULL,
  kind BIGINT NOT NULL,
  about TEXT NOT NULL,             -- a patient; empty: both of a couple
  private BIGINT NOT NULL CHECK (private IN (0, 1)),
  subject TEXT NOT NULL,           -- whose key seals it
  appointment TEXT NOT NULL,       -- empty: none
  open BIGINT NOT NULL CHECK (open IN (0, 1)),
  voided BIGINT NOT NULL CHECK (voided IN (0, 1)),
  due_day BIGINT,                  -- days since 1970-01-01
  unique_key TEXT,                 -- what no two of a kind share; null: many may be
  clinician TEXT NOT NULL,         -- who wrote the newest version
  version BIGINT NOT NULL,
  create_time BIGINT NOT NULL,
  update_time BIGINT NOT NULL,
  PRIMARY KEY (organization_id, case_id, entry_id),
  FOREIGN KEY (organization_id, case_id) REFERENCES note_case (organization_id, case_id),
  CHECK (voided = 0 OR open = 0)
);
CREATE INDEX case_entry_by_time ON case_entry (organization_id, case_id, create_time, entry_id);
CREATE UNIQUE INDEX case_entry_one ON case_entry (organization_id, case_id, kind, unique_key)
  WHERE voided = 0;
CREATE TRIGGER case_entry_update BEFORE UPDATE ON case_entry
  FOR EACH ROW
  WHEN (OLD.voided = 1 OR NEW.version <> OLD.version + 1
        OR (NEW.organization_id, NEW.case_id, NEW.entry_id, NEW.kind, NEW.about, NEW.private,
            NEW.subject, NEW.create_time)
           IS DISTINCT FROM
           (OLD.organization_id, OLD.case_id, OLD.entry_id, OLD.kind, OLD.about, OLD.private,
            OLD.subject, OLD.create_time))
  EXECUTE FUNCTION notes_refuse('case_entry_append_only');
CREATE TRIGGER case_entry_delete BEFORE DELETE ON case_entry
  FOR EACH ROW EXECUTE FUNCTION notes_refuse('case_entry_append_only');
SELECT rapport_protect('case_entry', 'SELECT, INSERT, UPDATE');

-- Every version of every entry.
CREATE TABLE case_entry_revision (
  organization_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  entry_id TEXT NOT NULL,
  version BIGINT NOT NULL,
  clinician TEXT NOT NULL,
  update_time BIGINT NOT NULL,
  voided BIGINT NOT NULL CHECK (voided IN (0, 1)),
  subject TEXT NOT NULL,
  document BYTEA NOT NULL,
  PRIMARY KEY (organization_id, case_id, entry_id, version),
  FOREIGN KEY (organization_id, case_id, entry_id)
    REFERENCES case_entry (organization_id, case_id, entry_id)
);
CREATE TRIGGER case_entry_revision_change BEFORE UPDATE OR DELETE ON case_entry_revision
  FOR EACH ROW EXECUTE FUNCTION notes_refuse('case_entry_append_only');
SELECT rapport_protect('case_entry_revision', 'SELECT, INSERT');
