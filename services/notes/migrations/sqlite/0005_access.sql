-- min_reader_version: 5

-- Psychotherapy notes, apart from all else: `subject` is a key of the author's for this case alone.
CREATE TABLE psychotherapy_note (
  organization_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  psychotherapy_note_id TEXT NOT NULL,
  author TEXT NOT NULL,
  appointment TEXT NOT NULL,
  version INTEGER NOT NULL,
  create_time INTEGER NOT NULL,
  update_time INTEGER NOT NULL,
  subject TEXT NOT NULL,
  document BLOB NOT NULL,
  PRIMARY KEY (organization_id, case_id, psychotherapy_note_id),
  FOREIGN KEY (organization_id, case_id) REFERENCES note_case (organization_id, case_id)
) STRICT;
CREATE INDEX psychotherapy_note_by_author
  ON psychotherapy_note (organization_id, case_id, author, create_time, psychotherapy_note_id);
CREATE TRIGGER psychotherapy_note_update BEFORE UPDATE ON psychotherapy_note
WHEN NEW.organization_id IS NOT OLD.organization_id OR NEW.case_id IS NOT OLD.case_id
        OR NEW.psychotherapy_note_id IS NOT OLD.psychotherapy_note_id
        OR NEW.author IS NOT OLD.author OR NEW.appointment IS NOT OLD.appointment
        OR NEW.create_time IS NOT OLD.create_time OR NEW.subject IS NOT OLD.subject
BEGIN SELECT RAISE(ABORT, 'psychotherapy_note_immutable'); END;
CREATE TRIGGER psychotherapy_note_delete BEFORE DELETE ON psychotherapy_note
BEGIN SELECT RAISE(ABORT, 'psychotherapy_note_immutable'); END;
-- INSERT OR REPLACE deletes without the trigger above.
CREATE TRIGGER psychotherapy_note_replace BEFORE INSERT ON psychotherapy_note
WHEN EXISTS (SELECT 1 FROM psychotherapy_note AS o
             WHERE o.organization_id = NEW.organization_id AND o.case_id = NEW.case_id
               AND o.psychotherapy_note_id = NEW.psychotherapy_note_id)
BEGIN SELECT RAISE(ABORT, 'psychotherapy_note_immutable'); END;

-- To whom one was shown, and why. Only the end is ever added, once.
CREATE TABLE psychotherapy_release (
  organization_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  psychotherapy_note_id TEXT NOT NULL,
  release_id TEXT NOT NULL,
  recipient TEXT NOT NULL,  -- a clinician; empty: someone outside
  basis INTEGER NOT NULL,
  author TEXT NOT NULL,
  create_time INTEGER NOT NULL,
  expire_time INTEGER NOT NULL,
  revoke_time INTEGER,
  subject TEXT NOT NULL,
  document BLOB NOT NULL,
  PRIMARY KEY (organization_id, case_id, psychotherapy_note_id, release_id),
  FOREIGN KEY (organization_id, case_id) REFERENCES note_case (organization_id, case_id)
) STRICT;
CREATE TRIGGER psychotherapy_release_update BEFORE UPDATE ON psychotherapy_release
WHEN OLD.revoke_time IS NOT NULL OR NEW.revoke_time IS NULL
        OR NEW.organization_id IS NOT OLD.organization_id OR NEW.case_id IS NOT OLD.case_id
        OR NEW.psychotherapy_note_id IS NOT OLD.psychotherapy_note_id
        OR NEW.release_id IS NOT OLD.release_id OR NEW.recipient IS NOT OLD.recipient
        OR NEW.basis IS NOT OLD.basis OR NEW.author IS NOT OLD.author
        OR NEW.create_time IS NOT OLD.create_time OR NEW.expire_time IS NOT OLD.expire_time
        OR NEW.subject IS NOT OLD.subject OR NEW.document IS NOT OLD.document
BEGIN SELECT RAISE(ABORT, 'psychotherapy_release_immutable'); END;
CREATE TRIGGER psychotherapy_release_delete BEFORE DELETE ON psychotherapy_release
BEGIN SELECT RAISE(ABORT, 'psychotherapy_release_immutable'); END;
CREATE TRIGGER psychotherapy_release_replace BEFORE INSERT ON psychotherapy_release
WHEN EXISTS (SELECT 1 FROM psychotherapy_release AS o
             WHERE o.organization_id = NEW.organization_id AND o.case_id = NEW.case_id
               AND o.psychotherapy_note_id = NEW.psychotherapy_note_id
               AND o.release_id = NEW.release_id)
BEGIN SELECT RAISE(ABORT, 'psychotherapy_release_immutable'); END;

-- What a patient agreed to. Only the end is ever added, once.
CREATE TABLE consent (
  organization_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  consent_id TEXT NOT NULL,
  patient TEXT NOT NULL,
  purpose INTEGER NOT NULL,
  recorder TEXT NOT NULL,
  create_time INTEGER NOT NULL,
  expire_time INTEGER,
  revoke_time INTEGER,
  subject TEXT NOT NULL,
  document BLOB NOT NULL,
  PRIMARY KEY (organization_id, case_id, consent_id),
  FOREIGN KEY (organization_id, case_id) REFERENCES note_case (organization_id, case_id)
) STRICT;
CREATE INDEX consent_by_time ON consent (organization_id, case_id, create_time, consent_id);
CREATE TRIGGER consent_update BEFORE UPDATE ON consent
WHEN OLD.revoke_time IS NOT NULL OR NEW.revoke_time IS NULL
        OR NEW.organization_id IS NOT OLD.organization_id OR NEW.case_id IS NOT OLD.case_id
        OR NEW.consent_id IS NOT OLD.consent_id OR NEW.patient IS NOT OLD.patient
        OR NEW.purpose IS NOT OLD.purpose OR NEW.recorder IS NOT OLD.recorder
        OR NEW.create_time IS NOT OLD.create_time OR NEW.expire_time IS NOT OLD.expire_time
        OR NEW.subject IS NOT OLD.subject OR NEW.document IS NOT OLD.document
BEGIN SELECT RAISE(ABORT, 'consent_immutable'); END;
CREATE TRIGGER consent_delete BEFORE DELETE ON consent
BEGIN SELECT RAISE(ABORT, 'consent_immutable'); END;
CREATE TRIGGER consent_replace BEFORE INSERT ON consent
WHEN EXISTS (SELECT 1 FROM consent AS o
             WHERE o.organization_id = NEW.organization_id AND o.case_id = NEW.case_id
               AND o.consent_id = NEW.consent_id)
BEGIN SELECT RAISE(ABORT, 'consent_immutable'); END;

-- Decisions whether a patient sees a note; append only, and the newest version counts. State: 1
-- released, 2 held. review_day: days since 1970-01-01.
CREATE TABLE note_release (
  organization_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  note_id TEXT NOT NULL,
  patient TEXT NOT NULL,
  version INTEGER NOT NULL,
  note_version INTEGER NOT NULL,
  addenda INTEGER NOT NULL,
  state INTEGER NOT NULL,
  reason INTEGER NOT NULL,
  review_day INTEGER,
  decider TEXT NOT NULL,
  decide_time INTEGER NOT NULL,
  subject TEXT NOT NULL,
  document BLOB NOT NULL,
  PRIMARY KEY (organization_id, case_id, note_id, patient, version),
  FOREIGN KEY (organization_id, case_id) REFERENCES note_case (organization_id, case_id)
) STRICT;
CREATE TRIGGER note_release_update BEFORE UPDATE ON note_release
BEGIN SELECT RAISE(ABORT, 'note_release_immutable'); END;
CREATE TRIGGER note_release_delete BEFORE DELETE ON note_release
BEGIN SELECT RAISE(ABORT, 'note_release_immutable'); END;
CREATE TRIGGER note_release_replace BEFORE INSERT ON note_release
WHEN EXISTS (SELECT 1 FROM note_release AS o
             WHERE o.organization_id = NEW.organization_id AND o.case_id = NEW.case_id
               AND o.note_id = NEW.note_id AND o.patient = NEW.patient
               AND o.version = NEW.version)
BEGIN SELECT RAISE(ABORT, 'note_release_immutable'); END;

-- Guardians of a patient (a full name), each apart. token_subject: the `sub` of their tokens.
CREATE TABLE guardian (
  organization_id TEXT NOT NULL,
  patient TEXT NOT NULL,
  guardian_id TEXT NOT NULL,
  token_subject TEXT NOT NULL,
  version INTEGER NOT NULL,
  create_time INTEGER NOT NULL,
  update_time INTEGER NOT NULL,
  subject TEXT NOT NULL,
  document BLOB NOT NULL,
  PRIMARY KEY (organization_id, patient, guardian_id)
) STRICT;
CREATE UNIQUE INDEX guardian_by_token ON guardian (organization_id, patient, token_subject);
CREATE TRIGGER guardian_update BEFORE UPDATE ON guardian
WHEN NEW.organization_id IS NOT OLD.organization_id OR NEW.patient IS NOT OLD.patient
        OR NEW.guardian_id IS NOT OLD.guardian_id
        OR NEW.token_subject IS NOT OLD.token_subject
        OR NEW.create_time IS NOT OLD.create_time OR NEW.subject IS NOT OLD.subject
BEGIN SELECT RAISE(ABORT, 'guardian_immutable'); END;
CREATE TRIGGER guardian_delete BEFORE DELETE ON guardian
BEGIN SELECT RAISE(ABORT, 'guardian_immutable'); END;
CREATE TRIGGER guardian_replace BEFORE INSERT ON guardian
WHEN EXISTS (SELECT 1 FROM guardian AS o
             WHERE o.organization_id = NEW.organization_id AND o.patient = NEW.patient
               AND o.guardian_id = NEW.guardian_id)
BEGIN SELECT RAISE(ABORT, 'guardian_immutable'); END;

-- Emergency access. Only an earlier end and the review are ever added, once each.
CREATE TABLE break_glass (
  organization_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  break_glass_id TEXT NOT NULL,
  clinician TEXT NOT NULL,
  purpose INTEGER NOT NULL,
  create_time INTEGER NOT NULL,
  expire_time INTEGER NOT NULL,
  end_time INTEGER,
  review_time INTEGER,
  finding INTEGER NOT NULL,
  reviewer TEXT NOT NULL,
  version INTEGER NOT NULL,
  subject TEXT NOT NULL,
  document BLOB NOT NULL,
  review_document BLOB,
  PRIMARY KEY (organization_id, case_id, break_glass_id),
  FOREIGN KEY (organization_id, case_id) REFERENCES note_case (organization_id, case_id)
) STRICT;
CREATE INDEX break_glass_in_force
  ON break_glass (organization_id, case_id, clinician, expire_time);
CREATE INDEX break_glass_by_time ON break_glass (organization_id, create_time, break_glass_id);
CREATE INDEX break_glass_queue ON break_glass (organization_id, create_time, break_glass_id)
  WHERE review_time IS NULL;
CREATE TRIGGER break_glass_update BEFORE UPDATE ON break_glass
WHEN (OLD.end_time IS NOT NULL AND NEW.end_time IS NOT OLD.end_time)
        OR (OLD.review_time IS NOT NULL AND NEW.review_time IS NOT OLD.review_time)
        OR (OLD.review_time IS NOT NULL AND NEW.finding IS NOT OLD.finding)
        OR (OLD.review_time IS NOT NULL AND NEW.reviewer IS NOT OLD.reviewer)
        OR (OLD.review_time IS NOT NULL AND NEW.review_document IS NOT OLD.review_document)
        OR NEW.organization_id IS NOT OLD.organization_id OR NEW.case_id IS NOT OLD.case_id
        OR NEW.break_glass_id IS NOT OLD.break_glass_id OR NEW.clinician IS NOT OLD.clinician
        OR NEW.purpose IS NOT OLD.purpose OR NEW.create_time IS NOT OLD.create_time
        OR NEW.expire_time IS NOT OLD.expire_time OR NEW.subject IS NOT OLD.subject
        OR NEW.document IS NOT OLD.document
BEGIN SELECT RAISE(ABORT, 'break_glass_immutable'); END;
CREATE TRIGGER break_glass_delete BEFORE DELETE ON break_glass
BEGIN SELECT RAISE(ABORT, 'break_glass_immutable'); END;
CREATE TRIGGER break_glass_replace BEFORE INSERT ON break_glass
WHEN EXISTS (SELECT 1 FROM break_glass AS o
             WHERE o.organization_id = NEW.organization_id AND o.case_id = NEW.case_id
               AND o.break_glass_id = NEW.break_glass_id)
BEGIN SELECT RAISE(ABORT, 'break_glass_immutable'); END;

-- The labels of law on a case: numbers of CaseLabel, apart by commas.
CREATE TABLE case_label (
  organization_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  labels TEXT NOT NULL,
  recorder TEXT NOT NULL,
  version INTEGER NOT NULL,
  update_time INTEGER NOT NULL,
  PRIMARY KEY (organization_id, case_id),
  FOREIGN KEY (organization_id, case_id) REFERENCES note_case (organization_id, case_id)
) STRICT;
