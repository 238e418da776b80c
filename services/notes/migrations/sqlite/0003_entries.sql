-- min_reader_version: 3

-- Entries of cases: what is asked for by. What they say is in case_entry_revision, sealed.
CREATE TABLE case_entry (
  organization_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  entry_id TEXT NOT NULL,
  kind INTEGER NOT NULL,
  about TEXT NOT NULL,             -- a patient; empty: both of a couple
  private INTEGER NOT NULL CHECK (private IN (0, 1)),
  subject TEXT NOT NULL,           -- whose key seals it
  appointment TEXT NOT NULL,       -- empty: none
  open INTEGER NOT NULL CHECK (open IN (0, 1)),
  voided INTEGER NOT NULL CHECK (voided IN (0, 1)),
  due_day INTEGER,                  -- days since 1970-01-01
  unique_key TEXT,                 -- what no two of a kind share; null: many may be
  clinician TEXT NOT NULL,         -- who wrote the newest version
  version INTEGER NOT NULL,
  create_time INTEGER NOT NULL,
  update_time INTEGER NOT NULL,
  PRIMARY KEY (organization_id, case_id, entry_id),
  FOREIGN KEY (organization_id, case_id) REFERENCES note_case (organization_id, case_id),
  CHECK (voided = 0 OR open = 0)
) STRICT;
CREATE INDEX case_entry_by_time ON case_entry (organization_id, case_id, create_time, entry_id);
CREATE UNIQUE INDEX case_entry_one ON case_entry (organization_id, case_id, kind, unique_key)
  WHERE voided = 0;
CREATE TRIGGER case_entry_update BEFORE UPDATE ON case_entry
WHEN OLD.voided = 1 OR NEW.version <> OLD.version + 1
  OR NEW.organization_id <> OLD.organization_id OR NEW.case_id <> OLD.case_id
  OR NEW.entry_id <> OLD.entry_id OR NEW.kind <> OLD.kind OR NEW.about <> OLD.about
  OR NEW.private <> OLD.private OR NEW.subject <> OLD.subject
  OR NEW.create_time <> OLD.create_time
BEGIN SELECT RAISE(ABORT, 'case_entry_append_only'); END;
CREATE TRIGGER case_entry_delete BEFORE DELETE ON case_entry
BEGIN SELECT RAISE(ABORT, 'case_entry_append_only'); END;
-- INSERT OR REPLACE deletes without the trigger above.
CREATE TRIGGER case_entry_insert BEFORE INSERT ON case_entry
WHEN EXISTS (SELECT 1 FROM case_entry AS e
             WHERE e.organization_id = NEW.organization_id AND e.case_id = NEW.case_id
               AND (e.entry_id = NEW.entry_id
                    OR (e.voided = 0 AND e.kind = NEW.kind AND e.unique_key = NEW.unique_key)))
BEGIN SELECT RAISE(ABORT, 'case_entry_append_only'); END;

-- Every version of every entry.
CREATE TABLE case_entry_revision (
  organization_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  entry_id TEXT NOT NULL,
  version INTEGER NOT NULL,
  clinician TEXT NOT NULL,
  update_time INTEGER NOT NULL,
  voided INTEGER NOT NULL CHECK (voided IN (0, 1)),
  subject TEXT NOT NULL,
  document BLOB NOT NULL,
  PRIMARY KEY (organization_id, case_id, entry_id, version),
  FOREIGN KEY (organization_id, case_id, entry_id)
    REFERENCES case_entry (organization_id, case_id, entry_id)
) STRICT;
CREATE TRIGGER case_entry_revision_update BEFORE UPDATE ON case_entry_revision
BEGIN SELECT RAISE(ABORT, 'case_entry_append_only'); END;
CREATE TRIGGER case_entry_revision_delete BEFORE DELETE ON case_entry_revision
BEGIN SELECT RAISE(ABORT, 'case_entry_append_only'); END;
CREATE TRIGGER case_entry_revision_insert BEFORE INSERT ON case_entry_revision
WHEN EXISTS (SELECT 1 FROM case_entry_revision AS r
             WHERE r.organization_id = NEW.organization_id AND r.case_id = NEW.case_id
               AND r.entry_id = NEW.entry_id AND r.version = NEW.version)
BEGIN SELECT RAISE(ABORT, 'case_entry_append_only'); END;
