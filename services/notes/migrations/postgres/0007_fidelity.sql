-- min_reader_version: 6
-- Fidelity and supervision. Documents are sealed where there is a column `subject`, which says for whom.

-- When supervisors see fidelity: one row an organisation.
CREATE TABLE fidelity_policy (
  organization_id TEXT NOT NULL,
  version BIGINT NOT NULL,
  update_time BIGINT NOT NULL,
  document BYTEA NOT NULL,
  PRIMARY KEY (organization_id)
);
SELECT rapport_protect('fidelity_policy', 'SELECT, INSERT, UPDATE');

-- What therapists let their supervisors see; note_id '' is the whole course. Never taken back.
CREATE TABLE fidelity_share (
  organization_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  clinician TEXT NOT NULL,
  note_id TEXT NOT NULL,
  share_time BIGINT NOT NULL,
  PRIMARY KEY (organization_id, case_id, clinician, note_id),
  FOREIGN KEY (organization_id, case_id) REFERENCES note_case (organization_id, case_id)
);
CREATE TRIGGER fidelity_share_update BEFORE UPDATE ON fidelity_share
  FOR EACH ROW EXECUTE FUNCTION notes_refuse('fidelity_share_kept');
CREATE TRIGGER fidelity_share_delete BEFORE DELETE ON fidelity_share
  FOR EACH ROW EXECUTE FUNCTION notes_refuse('fidelity_share_kept');
SELECT rapport_protect('fidelity_share', 'SELECT, INSERT');

-- What people say of a session; append only. kind: 1 self, 2 supervisor. percent null: nothing known.
CREATE TABLE session_rating (
  organization_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  note_id TEXT NOT NULL,
  rating_id TEXT NOT NULL,
  rater TEXT NOT NULL,
  kind BIGINT NOT NULL CHECK (kind IN (1, 2)),
  percent BIGINT CHECK (percent BETWEEN 0 AND 100),
  create_time BIGINT NOT NULL,
  subject TEXT NOT NULL,
  document BYTEA NOT NULL,
  PRIMARY KEY (organization_id, case_id, note_id, rating_id),
  FOREIGN KEY (organization_id, case_id, note_id)
    REFERENCES session_note (organization_id, case_id, note_id)
);
CREATE TRIGGER session_rating_update BEFORE UPDATE ON session_rating
  FOR EACH ROW EXECUTE FUNCTION notes_refuse('session_rating_immutable');
CREATE TRIGGER session_rating_delete BEFORE DELETE ON session_rating
  FOR EACH ROW EXECUTE FUNCTION notes_refuse('session_rating_immutable');
SELECT rapport_protect('session_rating', 'SELECT, INSERT');

-- The log of supervision. All that ever changes: it is confirmed, and it is voided.
CREATE TABLE supervision_session (
  organization_id TEXT NOT NULL,
  supervisee TEXT NOT NULL,
  session_id TEXT NOT NULL,
  supervisor TEXT NOT NULL,
  logged_by TEXT NOT NULL,
  start_time BIGINT NOT NULL,
  minutes BIGINT NOT NULL CHECK (minutes > 0),
  confirm_time BIGINT,
  voided BIGINT NOT NULL CHECK (voided IN (0, 1)),
  version BIGINT NOT NULL,
  create_time BIGINT NOT NULL,
  subject TEXT NOT NULL,
  document BYTEA NOT NULL,
  void_document BYTEA,
  PRIMARY KEY (organization_id, supervisee, session_id),
  CHECK ((voided = 1) = (void_document IS NOT NULL))
);
CREATE INDEX supervision_session_by_time
  ON supervision_session (organization_id, supervisee, start_time, session_id);
CREATE TRIGGER supervision_session_update BEFORE UPDATE ON supervision_session
  FOR EACH ROW
  WHEN (OLD.voided = 1 OR NEW.version <> OLD.version + 1
  OR OLD.confirm_time IS NOT NULL AND NEW.confirm_time IS DISTINCT FROM OLD.confirm_time
        OR (NEW.organization_id, NEW.supervisee, NEW.session_id, NEW.supervisor,
             NEW.logged_by, NEW.start_time, NEW.minutes, NEW.create_time, NEW.subject,
             NEW.document)
           IS DISTINCT FROM (OLD.organization_id, OLD.supervisee, OLD.session_id, OLD.supervisor,
             OLD.logged_by, OLD.start_time, OLD.minutes, OLD.create_time, OLD.subject,
             OLD.document))
  EXECUTE FUNCTION notes_refuse('supervision_session_kept');
CREATE TRIGGER supervision_session_delete BEFORE DELETE ON supervision_session
  FOR EACH ROW EXECUTE FUNCTION notes_refuse('supervision_session_kept');
SELECT rapport_protect('supervision_session', 'SELECT, INSERT, UPDATE');

-- The cases that were talked over; append only.
CREATE TABLE supervised_case (
  organization_id TEXT NOT NULL,
  supervisee TEXT NOT NULL,
  session_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  position BIGINT NOT NULL,
  minutes BIGINT NOT NULL,
  subject TEXT NOT NULL,
  document BYTEA NOT NULL,
  PRIMARY KEY (organization_id, supervisee, session_id, case_id),
  FOREIGN KEY (organization_id, supervisee, session_id)
    REFERENCES supervision_session (organization_id, supervisee, session_id),
  FOREIGN KEY (organization_id, case_id) REFERENCES note_case (organization_id, case_id)
);
CREATE INDEX supervised_case_by_case ON supervised_case (organization_id, case_id);
CREATE TRIGGER supervised_case_update BEFORE UPDATE ON supervised_case
  FOR EACH ROW EXECUTE FUNCTION notes_refuse('supervision_session_kept');
CREATE TRIGGER supervised_case_delete BEFORE DELETE ON supervised_case
  FOR EACH ROW EXECUTE FUNCTION notes_refuse('supervision_session_kept');
SELECT rapport_protect('supervised_case', 'SELECT, INSERT');

-- The sessions of therapy that were talked over; append only.
CREATE TABLE supervised_appointment (
  organization_id TEXT NOT NULL,
  supervisee TEXT NOT NULL,
  session_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  appointment TEXT NOT NULL,
  PRIMARY KEY (organization_id, supervisee, session_id, case_id, appointment),
  FOREIGN KEY (organization_id, supervisee, session_id, case_id)
    REFERENCES supervised_case (organization_id, supervisee, session_id, case_id)
);
CREATE INDEX supervised_appointment_by_appointment
  ON supervised_appointment (organization_id, appointment);
CREATE TRIGGER supervised_appointment_update BEFORE UPDATE ON supervised_appointment
  FOR EACH ROW EXECUTE FUNCTION notes_refuse('supervision_session_kept');
CREATE TRIGGER supervised_appointment_delete BEFORE DELETE ON supervised_appointment
  FOR EACH ROW EXECUTE FUNCTION notes_refuse('supervision_session_kept');
SELECT rapport_protect('supervised_appointment', 'SELECT, INSERT');

-- The registry of recordings; no media. retain_until: the last day, in days since 1970-01-01. All that ever
-- changes: consent is taken back, and the deletion is confirmed.
CREATE TABLE session_recording (
  organization_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  recording_id TEXT NOT NULL,
  appointment TEXT NOT NULL,
  session_number BIGINT NOT NULL,
  clinician TEXT NOT NULL,
  medium BIGINT NOT NULL,
  private BIGINT NOT NULL CHECK (private IN (0, 1)),
  retain_until BIGINT NOT NULL,
  withdraw_time BIGINT,
  delete_time BIGINT,
  deleted_by TEXT NOT NULL,
  version BIGINT NOT NULL,
  create_time BIGINT NOT NULL,
  subject TEXT NOT NULL,
  document BYTEA NOT NULL,
  PRIMARY KEY (organization_id, case_id, recording_id),
  FOREIGN KEY (organization_id, case_id) REFERENCES note_case (organization_id, case_id),
  CHECK ((delete_time IS NULL) = (deleted_by = ''))
);
CREATE UNIQUE INDEX session_recording_of_session
  ON session_recording (organization_id, appointment);
CREATE INDEX session_recording_by_retention
  ON session_recording (organization_id, retain_until, case_id, recording_id);
CREATE TRIGGER session_recording_update BEFORE UPDATE ON session_recording
  FOR EACH ROW
  WHEN (NEW.version <> OLD.version + 1
  OR OLD.delete_time IS NOT NULL
  OR OLD.withdraw_time IS NOT NULL AND NEW.withdraw_time IS DISTINCT FROM OLD.withdraw_time
        OR (NEW.organization_id, NEW.case_id, NEW.recording_id, NEW.appointment,
             NEW.session_number, NEW.clinician, NEW.medium, NEW.private, NEW.retain_until,
             NEW.create_time, NEW.subject, NEW.document)
           IS DISTINCT FROM (OLD.organization_id, OLD.case_id, OLD.recording_id, OLD.appointment,
             OLD.session_number, OLD.clinician, OLD.medium, OLD.private, OLD.retain_until,
             OLD.create_time, OLD.subject, OLD.document))
  EXECUTE FUNCTION notes_refuse('session_recording_kept');
CREATE TRIGGER session_recording_delete BEFORE DELETE ON session_recording
  FOR EACH ROW EXECUTE FUNCTION notes_refuse('session_recording_kept');
SELECT rapport_protect('session_recording', 'SELECT, INSERT, UPDATE');

-- Random choices among a case's recordings. `seed` is sealed for the organisation; `drawn` is set once, with all
-- that the draw told.
CREATE TABLE recording_selection (
  organization_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  selection_id TEXT NOT NULL,
  count BIGINT NOT NULL CHECK (count > 0),
  commitment BYTEA NOT NULL,
  committed_by TEXT NOT NULL,
  commit_time BIGINT NOT NULL,
  subject TEXT NOT NULL,
  seed BYTEA NOT NULL,
  draw_time BIGINT,
  drawn BYTEA,
  PRIMARY KEY (organization_id, case_id, selection_id),
  FOREIGN KEY (organization_id, case_id) REFERENCES note_case (organization_id, case_id),
  CHECK ((draw_time IS NULL) = (drawn IS NULL))
);
CREATE UNIQUE INDEX recording_selection_open ON recording_selection (organization_id, case_id)
  WHERE draw_time IS NULL;
CREATE INDEX recording_selection_by_time
  ON recording_selection (organization_id, case_id, commit_time, selection_id);
CREATE TRIGGER recording_selection_update BEFORE UPDATE ON recording_selection
  FOR EACH ROW
  WHEN (OLD.draw_time IS NOT NULL OR NEW.draw_time IS NULL
        OR (NEW.organization_id, NEW.case_id, NEW.selection_id, NEW.count, NEW.commitment,
             NEW.committed_by, NEW.commit_time, NEW.subject, NEW.seed)
           IS DISTINCT FROM (OLD.organization_id, OLD.case_id, OLD.selection_id, OLD.count, OLD.commitment,
             OLD.committed_by, OLD.commit_time, OLD.subject, OLD.seed))
  EXECUTE FUNCTION notes_refuse('recording_selection_kept');
CREATE TRIGGER recording_selection_delete BEFORE DELETE ON recording_selection
  FOR EACH ROW EXECUTE FUNCTION notes_refuse('recording_selection_kept');
SELECT rapport_protect('recording_selection', 'SELECT, INSERT, UPDATE');

-- Whole caseloads at once.
CREATE INDEX noted_session_by_case ON noted_session (organization_id, case_id) WHERE held = 1;
