-- min_reader_version: 6
-- Documents are sealed from here on; `subject` says for whom: the full name of a patient or, of what
-- belongs to both of a couple, of their case. What an earlier release kept plain does not open.

-- document_version: of the case when its document was sealed; 0: it has none yet.
ALTER TABLE note_case ADD COLUMN partner TEXT NOT NULL DEFAULT '';  -- of a couple; '' for none
ALTER TABLE note_case ADD COLUMN subject TEXT NOT NULL DEFAULT '';
ALTER TABLE note_case ADD COLUMN document_version INTEGER NOT NULL DEFAULT 0;
CREATE INDEX note_case_by_patient ON note_case (organization_id, patient);
CREATE INDEX note_case_by_partner ON note_case (organization_id, partner) WHERE partner <> '';

ALTER TABLE determination ADD COLUMN subject TEXT NOT NULL DEFAULT '';
ALTER TABLE determination ADD COLUMN reopen_document BLOB;  -- the reason; reopen_reason is '' now
DROP TRIGGER determination_update;
CREATE TRIGGER determination_update BEFORE UPDATE ON determination
WHEN OLD.reopen_time IS NOT NULL OR NEW.reopen_time IS NULL
  OR NEW.organization_id <> OLD.organization_id OR NEW.case_id <> OLD.case_id
  OR NEW.determination_id <> OLD.determination_id OR NEW.sign_time <> OLD.sign_time
  OR NEW.machine_time <> OLD.machine_time OR NEW.document <> OLD.document
  OR NEW.subject <> OLD.subject
BEGIN SELECT RAISE(ABORT, 'determination_immutable'); END;

ALTER TABLE formulation ADD COLUMN subject TEXT NOT NULL DEFAULT '';
ALTER TABLE goal ADD COLUMN subject TEXT NOT NULL DEFAULT '';
ALTER TABLE risk_assessment ADD COLUMN subject TEXT NOT NULL DEFAULT '';
ALTER TABLE safety_plan ADD COLUMN subject TEXT NOT NULL DEFAULT '';
ALTER TABLE partner_screen ADD COLUMN subject TEXT NOT NULL DEFAULT '';
ALTER TABLE partner_screen_countersign ADD COLUMN subject TEXT NOT NULL DEFAULT '';

-- Holds on the records of a patient. The document is sealed for the organisation: it outlives the
-- patient's erasure.
CREATE TABLE legal_hold (
  organization_id TEXT NOT NULL,
  hold_id TEXT NOT NULL,
  patient TEXT NOT NULL,
  create_time INTEGER NOT NULL,
  release_time INTEGER,  -- NULL: it stands
  version INTEGER NOT NULL,
  document BLOB NOT NULL,
  subject TEXT NOT NULL,
  PRIMARY KEY (organization_id, hold_id)
) STRICT;
CREATE INDEX legal_hold_standing ON legal_hold (organization_id, patient, create_time)
  WHERE release_time IS NULL;
CREATE INDEX legal_hold_by_time ON legal_hold (organization_id, create_time, hold_id);
-- All that ever changes: it is released, once.
CREATE TRIGGER legal_hold_update BEFORE UPDATE ON legal_hold
WHEN OLD.release_time IS NOT NULL OR NEW.release_time IS NULL
  OR NEW.organization_id <> OLD.organization_id OR NEW.hold_id <> OLD.hold_id
  OR NEW.patient <> OLD.patient OR NEW.create_time <> OLD.create_time
BEGIN SELECT RAISE(ABORT, 'legal_hold_only_released'); END;
CREATE TRIGGER legal_hold_delete BEFORE DELETE ON legal_hold
BEGIN SELECT RAISE(ABORT, 'legal_hold_only_released'); END;

-- Patients who were erased, once each. The document holds no text.
CREATE TABLE erasure (
  organization_id TEXT NOT NULL,
  erasure_id TEXT NOT NULL,
  patient TEXT NOT NULL,
  state INTEGER NOT NULL CHECK (state IN (1, 2)),
  create_time INTEGER NOT NULL,
  version INTEGER NOT NULL,
  document BLOB NOT NULL,
  PRIMARY KEY (organization_id, erasure_id)
) STRICT;
CREATE UNIQUE INDEX erasure_of_patient ON erasure (organization_id, patient);
CREATE INDEX erasure_by_time ON erasure (organization_id, create_time, erasure_id);
CREATE TRIGGER erasure_delete BEFORE DELETE ON erasure
BEGIN SELECT RAISE(ABORT, 'erasure_kept'); END;
