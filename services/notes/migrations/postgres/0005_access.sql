-- min_reader_version: 5

-- Psychotherapy notes, apart from all else: `subject` is a key of the author's for this case alone.
CREATE TABLE psychotherapy_note (
  organization_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  psychotherapy_note_id TEXT NOT NULL,
  author TEXT NOT NULL,
  appointment TEXT NOT NULL,
  version BIGINT NOT NULL,
  create_time BIGINT NOT NULL,
  update_time BIGINT NOT NULL,
  subject TEXT NOT NULL,
  document BYTEA NOT NULL,
  PRIMARY KEY (organization_id, case_id, psychotherapy_note_id),
  FOREIGN KEY (organization_id, case_id) REFERENCES note_case (organization_id, case_id)
);
CREATE INDEX psychotherapy_note_by_author
  ON psychotherapy_note (organization_id, case_id, author, create_time, psychotherapy_note_id);
CREATE TRIGGER psychotherapy_note_update BEFORE UPDATE ON psychotherapy_note
  FOR EACH ROW WHEN (NEW.organization_id IS DISTINCT FROM OLD.organization_id
        OR NEW.case_id IS DISTINCT FROM OLD.case_id
        OR NEW.psychotherapy_note_id IS DISTINCT FROM OLD.psychotherapy_note_id
        OR NEW.author IS DISTINCT FROM OLD.author
        OR NEW.appointment IS DISTINCT FROM OLD.appointment
        OR NEW.create_time IS DISTINCT FROM OLD.create_time
        OR NEW.subject IS DISTINCT FROM OLD.subject)
  EXECUTE FUNCTION notes_refuse('psychotherapy_note_immutable');
CREATE TRIGGER psychotherapy_note_delete BEFORE DELETE ON psychotherapy_note
  FOR EACH ROW
  EXECUTE FUNCTION notes_refuse('psychotherapy_note_immutable');
SELECT rapport_protect('psychotherapy_note', 'SELECT, INSERT, UPDATE');

-- To whom one was shown, and why. Only the end is ever added, once.
CREATE TABLE psychotherapy_release (
  organization_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  psychotherapy_note_id TEXT NOT NULL,
  release_id TEXT NOT NULL,
  recipient TEXT NOT NULL,  -- a clinician; empty: someone outside
  basis BIGINT NOT NULL,
  author TEXT NOT NULL,
  create_time BIGINT NOT NULL,
  expire_time BIGINT NOT NULL,
  revoke_time BIGINT,
  subject TEXT NOT NULL,
  document BYTEA NOT NULL,
  PRIMARY KEY (organization_id, case_id, psychotherapy_note_id, release_id),
  FOREIGN KEY (organization_id, case_id) REFERENCES note_case (organization_id, case_id)
);
CREATE TRIGGER psychotherapy_release_update BEFORE UPDATE ON psychotherapy_release
  FOR EACH ROW WHEN (OLD.revoke_time IS NOT NULL OR NEW.revoke_time IS NULL
        OR NEW.organization_id IS DISTINCT FROM OLD.organization_id
        OR NEW.case_id IS DISTINCT FROM OLD.case_id
        OR NEW.psychotherapy_note_id IS DISTINCT FROM OLD.psychotherapy_note_id
        OR NEW.release_id IS DISTINCT FROM OLD.release_id
        OR NEW.recipient IS DISTINCT FROM OLD.recipient
        OR NEW.basis IS DISTINCT FROM OLD.basis OR NEW.author IS DISTINCT FROM OLD.author
        OR NEW.create_time IS DISTINCT FROM OLD.create_time
        OR NEW.expire_time IS DISTINCT FROM OLD.expire_time
        OR NEW.subject IS DISTINCT FROM OLD.subject
        OR NEW.document IS DISTINCT FROM OLD.document)
  EXECUTE FUNCTION notes_refuse('psychotherapy_release_immutable');
CREATE TRIGGER psychotherapy_release_delete BEFORE DELETE ON psychotherapy_release
  FOR EACH ROW
  EXECUTE FUNCTION notes_refuse('psychotherapy_release_immutable');
SELECT rapport_protect('psychotherapy_release', 'SELECT, INSERT, UPDATE');

-- What a patient agreed to. Only the end is ever added, once.
CREATE TABLE consent (
  organization_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  consent_id TEXT NOT NULL,
  patient TEXT NOT NULL,
  purpose BIGINT NOT NULL,
  recorder TEXT NOT NULL,
  create_time BIGINT NOT NULL,
  expire_time BIGINT,
  revoke_time BIGINT,
  subject TEXT NOT NULL,
  document BYTEA NOT NULL,
  PRIMARY KEY (organization_id, case_id, consent_id),
  FOREIGN KEY (organization_id, case_id) REFERENCES note_case (organization_id, case_id)
);
CREATE INDEX consent_by_time ON consent (organization_id, case_id, create_time, consent_id);
CREATE TRIGGER consent_update BEFORE UPDATE ON consent
  FOR EACH ROW WHEN (OLD.revoke_time IS NOT NULL OR NEW.revoke_time IS NULL
        OR NEW.organization_id IS DISTINCT FROM OLD.organization_id
        OR NEW.case_id IS DISTINCT FROM OLD.case_id
        OR NEW.consent_id IS DISTINCT FROM OLD.consent_id
        OR NEW.patient IS DISTINCT FROM OLD.patient
        OR NEW.purpose IS DISTINCT FROM OLD.purpose
        OR NEW.recorder IS DISTINCT FROM OLD.recorder
        OR NEW.create_time IS DISTINCT FROM OLD.create_time
        OR NEW.expire_time IS DISTINCT FROM OLD.expire_time
        OR NEW.subject IS DISTINCT FROM OLD.subject
        OR NEW.document IS DISTINCT FROM OLD.document)
  EXECUTE FUNCTION notes_refuse('consent_immutable');
CREATE TRIGGER consent_delete BEFORE DELETE ON consent
  FOR EACH ROW
  EXECUTE FUNCTION notes_refuse('consent_immutable');
SELECT rapport_protect('consent', 'SELECT, INSERT, UPDATE');

-- Decisions whether a patient sees a note; append only, and the newest version counts. State: 1
-- released, 2 held. review_day: days since 1970-01-01.
CREATE TABLE note_release (
  organization_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  note_id TEXT NOT NULL,
  patient TEXT NOT NULL,
  version BIGINT NOT NULL,
  note_version BIGINT NOT NULL,
  addenda BIGINT NOT NULL,
  state BIGINT NOT NULL,
  reason BIGINT NOT NULL,
  review_day BIGINT,
  decider TEXT NOT NULL,
  decide_time BIGINT NOT NULL,
  subject TEXT NOT NULL,
  document BYTEA NOT NULL,
  PRIMARY KEY (organization_id, case_id, note_id, patient, version),
  FOREIGN KEY (organization_id, case_id) REFERENCES note_case (organization_id, case_id)
);
CREATE TRIGGER note_release_update BEFORE UPDATE ON note_release
  FOR EACH ROW
  EXECUTE FUNCTION notes_refuse('note_release_immutable');
CREATE TRIGGER note_release_delete BEFORE DELETE ON note_release
  FOR EACH ROW
  EXECUTE FUNCTION notes_refuse('note_release_immutable');
SELECT rapport_protect('note_release', 'SELECT, INSERT');

-- Guardians of a patient (a full name), each apart. token_subject: the `sub` of their tokens.
CREATE TABLE guardian (
  organization_id TEXT NOT NULL,
  patient TEXT NOT NULL,
  guardian_id TEXT NOT NULL,
  token_subject TEXT NOT NULL,
  version BIGINT NOT NULL,
  create_time BIGINT NOT NULL,
  update_time BIGINT NOT NULL,
  subject TEXT NOT NULL,
  document BYTEA NOT NULL,
  PRIMARY KEY (organization_id, patient, guardian_id)
);
CREATE UNIQUE INDEX guardian_by_token ON guardian (organization_id, patient, token_subject);
CREATE TRIGGER guardian_update BEFORE UPDATE ON guardian
  FOR EACH ROW WHEN (NEW.organization_id IS DISTINCT FROM OLD.organization_id
        OR NEW.patient IS DISTINCT FROM OLD.patient
        OR NEW.guardian_id IS DISTINCT FROM OLD.guardian_id
        OR NEW.token_subject IS DISTINCT FROM OLD.token_subject
        OR NEW.create_time IS DISTINCT FROM OLD.create_time
        OR NEW.subject IS DISTINCT FROM OLD.subject)
  EXECUTE FUNCTION notes_refuse('guardian_immutable');
CREATE TRIGGER guardian_delete BEFORE DELETE ON guardian
  FOR EACH ROW
  EXECUTE FUNCTION notes_refuse('guardian_immutable');
SELECT rapport_protect('guardian', 'SELECT, INSERT, UPDATE');

-- Emergency access. Only an earlier end and the review are ever added, once each.
CREATE TABLE break_glass (
  organization_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  break_glass_id TEXT NOT NULL,
  clinician TEXT NOT NULL,
  purpose BIGINT NOT NULL,
  create_time BIGINT NOT NULL,
  expire_time BIGINT NOT NULL,
  end_time BIGINT,
  review_time BIGINT,
  finding BIGINT NOT NULL,
  reviewer TEXT NOT NULL,
  version BIGINT NOT NULL,
  subject TEXT NOT NULL,
  document BYTEA NOT NULL,
  review_document BYTEA,
  PRIMARY KEY (organization_id, case_id, break_glass_id),
  FOREIGN KEY (organization_id, case_id) REFERENCES note_case (organization_id, case_id)
);
CREATE INDEX break_glass_in_force
  ON break_glass (organization_id, case_id, clinician, expire_time);
CREATE INDEX break_glass_by_time ON break_glass (organization_id, create_time, break_glass_id);
CREATE INDEX break_glass_queue ON break_glass (organization_id, create_time, break_glass_id)
  WHERE review_time IS NULL;
CREATE TRIGGER break_glass_update BEFORE UPDATE ON break_glass
  FOR EACH ROW WHEN ((OLD.end_time IS NOT NULL AND NEW.end_time IS DISTINCT FROM OLD.end_time)
        OR (OLD.review_time IS NOT NULL AND NEW.review_time IS DISTINCT FROM OLD.review_time)
        OR (OLD.review_time IS NOT NULL AND NEW.finding IS DISTINCT FROM OLD.finding)
        OR (OLD.review_time IS NOT NULL AND NEW.reviewer IS DISTINCT FROM OLD.reviewer)
        OR (OLD.review_time IS NOT NULL AND NEW.review_document IS DISTINCT FROM OLD.review_document)
        OR NEW.organization_id IS DISTINCT FROM OLD.organization_id
        OR NEW.case_id IS DISTINCT FROM OLD.case_id
        OR NEW.break_glass_id IS DISTINCT FROM OLD.break_glass_id
        OR NEW.clinician IS DISTINCT FROM OLD.clinician
        OR NEW.purpose IS DISTINCT FROM OLD.purpose
        OR NEW.create_time IS DISTINCT FROM OLD.create_time
        OR NEW.expire_time IS DISTINCT FROM OLD.expire_time
        OR NEW.subject IS DISTINCT FROM OLD.subject
        OR NEW.document IS DISTINCT FROM OLD.document)
  EXECUTE FUNCTION notes_refuse('break_glass_immutable');
CREATE TRIGGER break_glass_delete BEFORE DELETE ON break_glass
  FOR EACH ROW
  EXECUTE FUNCTION notes_refuse('break_glass_immutable');
SELECT rapport_protect('break_glass', 'SELECT, INSERT, UPDATE');

-- The labels of law on a case: numbers of CaseLabel, apart by commas.
CREATE TABLE case_label (
  organization_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  labels TEXT NOT NULL,
  recorder TEXT NOT NULL,
  version BIGINT NOT NULL,
  update_time BIGINT NOT NULL,
  PRIMARY KEY (organization_id, case_id),
  FOREIGN KEY (organization_id, case_id) REFERENCES note_case (organization_id, case_id)
);
SELECT rapport_protect('case_label', 'SELECT, INSERT, UPDATE');
