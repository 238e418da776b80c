-- min_reader_version: 6
-- Fidelity and supervision. Documents are sealed where there is a column `subject`, which says for whom.

-- When supervisors see fidelity: one row an organisation.
CREATE TABLE fidelity_policy (
  organization_id TEXT NOT NULL,
  version INTEGER NOT NULL,
  update_time INTEGER NOT NULL,
  document BLOB NOT NULL,
  PRIMARY KEY (organization_id)
) STRICT, WITHOUT ROWID;

-- What therapists let their supervisors see; note_id '' is the whole course. Never taken back.
CREATE TABLE fidelity_share (
  organization_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  clinician TEXT NOT NULL,
  note_id TEXT NOT NULL,
  share_time INTEGER NOT NULL,
  PRIMARY KEY (organization_id, case_id, clinician, note_id),
  FOREIGN KEY (organization_id, case_id) REFERENCES note_case (organization_id, case_id)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER fidelity_share_update BEFORE UPDATE ON fidelity_share
BEGIN SELECT RAISE(ABORT, 'fidelity_share_kept'); END;
CREATE TRIGGER fidelity_share_delete BEFORE DELETE ON fidelity_share
BEGIN SELECT RAISE(ABORT, 'fidelity_share_kept'); END;

-- What people say of a session; append only. kind: 1 self, 2 supervisor. percent null: nothing known.
CREATE TABLE session_rating (
  organization_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  note_id TEXT NOT NULL,
  rating_id TEXT NOT NULL,
  rater TEXT NOT NULL,
  kind INTEGER NOT NULL CHECK (kind IN (1, 2)),
  percent INTEGER CHECK (percent BETWEEN 0 AND 100),
  create_time INTEGER NOT NULL,
  subject TEXT NOT NULL,
  document BLOB NOT NULL,
  PRIMARY KEY (organization_id, case_id, note_id, rating_id),
  FOREIGN KEY (organization_id, case_id, note_id)
    REFERENCES session_note (organization_id, case_id, note_id)
) STRICT;
CREATE TRIGGER session_rating_update BEFORE UPDATE ON session_rating
BEGIN SELECT RAISE(ABORT, 'session_rating_immutable'); END;
CREATE TRIGGER session_rating_delete BEFORE DELETE ON session_rating
BEGIN SELECT RAISE(ABORT, 'session_rating_immutable'); END;
-- INSERT OR REPLACE deletes without the trigger above.
CREATE TRIGGER session_rating_insert BEFORE INSERT ON session_rating
WHEN EXISTS (SELECT 1 FROM session_rating AS r
             WHERE r.organization_id = NEW.organization_id AND r.case_id = NEW.case_id
               AND r.note_id = NEW.note_id AND r.rating_id = NEW.rating_id)
BEGIN SELECT RAISE(ABORT, 'session_rating_immutable'); END;

-- The log of supervision. All that ever changes: it is confirmed, and it is voided.
CREATE TABLE supervision_session (
  organization_id TEXT NOT NULL,
  supervisee TEXT NOT NULL,
  session_id TEXT NOT NULL,
  supervisor TEXT NOT NULL,
  logged_by TEXT NOT NULL,
  start_time INTEGER NOT NULL,
  minutes INTEGER NOT NULL CHECK (minutes > 0),
  confirm_time INTEGER,
  voided INTEGER NOT NULL CHECK (voided IN (0, 1)),
  version INTEGER NOT NULL,
  create_time INTEGER NOT NULL,
  subject TEXT NOT NULL,
  document BLOB NOT NULL,
  void_document BLOB,
  PRIMARY KEY (organization_id, supervisee, session_id),
  CHECK ((voided = 1) = (void_document IS NOT NULL))
) STRICT;
CREATE INDEX supervision_session_by_time
  ON supervision_session (organization_id, supervisee, start_time, session_id);
CREATE TRIGGER supervision_session_update BEFORE UPDATE ON supervision_session
WHEN OLD.voided = 1 OR NEW.version <> OLD.version + 1
  OR OLD.confirm_time IS NOT NULL AND NEW.confirm_time IS NOT OLD.confirm_time
  OR NEW.organization_id <> OLD.organization_id OR NEW.supervisee <> OLD.supervisee
  OR NEW.session_id <> OLD.session_id OR NEW.supervisor <> OLD.supervisor
  OR NEW.logged_by <> OLD.logged_by OR NEW.start_time <> OLD.start_time
  OR NEW.minutes <> OLD.minutes OR NEW.create_time <> OLD.create_time
  OR NEW.subject <> OLD.subject OR NEW.document <> OLD.document
BEGIN SELECT RAISE(ABORT, 'supervision_session_kept'); END;
CREATE TRIGGER supervision_session_delete BEFORE DELETE ON supervision_session
BEGIN SELECT RAISE(ABORT, 'supervision_session_kept'); END;
CREATE TRIGGER supervision_session_insert BEFORE INSERT ON supervision_session
WHEN NEW.version <> 1 OR NEW.confirm_time IS NOT NULL OR NEW.voided = 1
  OR EXISTS (SELECT 1 FROM supervision_session AS s
             WHERE s.organization_id = NEW.organization_id AND s.supervisee = NEW.supervisee
               AND s.session_id = NEW.session_id)
BEGIN SELECT RAISE(ABORT, 'supervision_session_kept'); END;

-- The cases that were talked over; append only.
CREATE TABLE supervised_case (
  organization_id TEXT NOT NULL,
  supervisee TEXT NOT NULL,
  session_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  position INTEGER NOT NULL,
  minutes INTEGER NOT NULL,
  subject TEXT NOT NULL,
  document BLOB NOT NULL,
  PRIMARY KEY (organization_id, supervisee, session_id, case_id),
  FOREIGN KEY (organization_id, supervisee, session_id)
    REFERENCES supervision_session (organization_id, supervisee, session_id),
  FOREIGN KEY (organization_id, case_id) REFERENCES note_case (organization_id, case_id)
) STRICT;
CREATE INDEX supervised_case_by_case ON supervised_case (organization_id, case_id);
CREATE TRIGGER supervised_case_update BEFORE UPDATE ON supervised_case
BEGIN SELECT RAISE(ABORT, 'supervision_session_kept'); END;
CREATE TRIGGER supervised_case_delete BEFORE DELETE ON supervised_case
BEGIN SELECT RAISE(ABORT, 'supervision_session_kept'); END;
CREATE TRIGGER supervised_case_insert BEFORE INSERT ON supervised_case
WHEN EXISTS (SELECT 1 FROM supervised_case AS c
             WHERE c.organization_id = NEW.organization_id AND c.supervisee = NEW.supervisee
               AND c.session_id = NEW.session_id AND c.case_id = NEW.case_id)
BEGIN SELECT RAISE(ABORT, 'supervision_session_kept'); END;

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
) STRICT, WITHOUT ROWID;
CREATE INDEX supervised_appointment_by_appointment
  ON supervised_appointment (organization_id, appointment);
CREATE TRIGGER supervised_appointment_update BEFORE UPDATE ON supervised_appointment
BEGIN SELECT RAISE(ABORT, 'supervision_session_kept'); END;
CREATE TRIGGER supervised_appointment_delete BEFORE DELETE ON supervised_appointment
BEGIN SELECT RAISE(ABORT, 'supervision_session_kept'); END;

-- The registry of recordings; no media. retain_until: the last day, in days since 1970-01-01. All that ever
-- changes: consent is taken back, and the deletion is confirmed.
CREATE TABLE session_recording (
  organization_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  recording_id TEXT NOT NULL,
  appointment TEXT NOT NULL,
  session_number INTEGER NOT NULL,
  clinician TEXT NOT NULL,
  medium INTEGER NOT NULL,
  private INTEGER NOT NULL CHECK (private IN (0, 1)),
  retain_until INTEGER NOT NULL,
  withdraw_time INTEGER,
  delete_time INTEGER,
  deleted_by TEXT NOT NULL,
  version INTEGER NOT NULL,
  create_time INTEGER NOT NULL,
  subject TEXT NOT NULL,
  document BLOB NOT NULL,
  PRIMARY KEY (organization_id, case_id, recording_id),
  FOREIGN KEY (organization_id, case_id) REFERENCES note_case (organization_id, case_id),
  CHECK ((delete_time IS NULL) = (deleted_by = ''))
) STRICT;
CREATE UNIQUE INDEX session_recording_of_session
  ON session_recording (organization_id, appointment);
CREATE INDEX session_recording_by_retention
  ON session_recording (organization_id, retain_until, case_id, recording_id);
CREATE TRIGGER session_recording_update BEFORE UPDATE ON session_recording
WHEN NEW.version <> OLD.version + 1
  OR OLD.delete_time IS NOT NULL
  OR OLD.withdraw_time IS NOT NULL AND NEW.withdraw_time IS NOT OLD.withdraw_time
  OR NEW.organization_id <> OLD.organization_id OR NEW.case_id <> OLD.case_id
  OR NEW.recording_id <> OLD.recording_id OR NEW.appointment <> OLD.appointment
  OR NEW.session_number <> OLD.session_number OR NEW.clinician <> OLD.clinician
  OR NEW.medium <> OLD.medium OR NEW.private <> OLD.private
  OR NEW.retain_until <> OLD.retain_until OR NEW.create_time <> OLD.create_time
  OR NEW.subject <> OLD.subject OR NEW.document <> OLD.document
BEGIN SELECT RAISE(ABORT, 'session_recording_kept'); END;
CREATE TRIGGER session_recording_delete BEFORE DELETE ON session_recording
BEGIN SELECT RAISE(ABORT, 'session_recording_kept'); END;
CREATE TRIGGER session_recording_insert BEFORE INSERT ON session_recording
WHEN EXISTS (SELECT 1 FROM session_recording AS r
             WHERE r.organization_id = NEW.organization_id
               AND (r.case_id = NEW.case_id AND r.recording_id = NEW.recording_id
                    OR r.appointment = NEW.appointment))
BEGIN SELECT RAISE(ABORT, 'session_recording_kept'); END;

-- Random choices among a case's recordings. `seed` is sealed for the organisation; `drawn` is set once, with all
-- that the draw told.
CREATE TABLE recording_selection (
  organization_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  selection_id TEXT NOT NULL,
  count INTEGER NOT NULL CHECK (count > 0),
  commitment BLOB NOT NULL,
  committed_by TEXT NOT NULL,
  commit_time INTEGER NOT NULL,
  subject TEXT NOT NULL,
  seed BLOB NOT NULL,
  draw_time INTEGER,
  drawn BLOB,
  PRIMARY KEY (organization_id, case_id, selection_id),
  FOREIGN KEY (organization_id, case_id) REFERENCES note_case (organization_id, case_id),
  CHECK ((draw_time IS NULL) = (drawn IS NULL))
) STRICT;
CREATE UNIQUE INDEX recording_selection_open ON recording_selection (organization_id, case_id)
  WHERE draw_time IS NULL;
CREATE INDEX recording_selection_by_time
  ON recording_selection (organization_id, case_id, commit_time, selection_id);
CREATE TRIGGER recording_selection_update BEFORE UPDATE ON recording_selection
WHEN OLD.draw_time IS NOT NULL OR NEW.draw_time IS NULL
  OR NEW.organization_id <> OLD.organization_id OR NEW.case_id <> OLD.case_id
  OR NEW.selection_id <> OLD.selection_id OR NEW.count <> OLD.count
  OR NEW.commitment <> OLD.commitment OR NEW.committed_by <> OLD.committed_by
  OR NEW.commit_time <> OLD.commit_time OR NEW.subject <> OLD.subject OR NEW.seed <> OLD.seed
BEGIN SELECT RAISE(ABORT, 'recording_selection_kept'); END;
CREATE TRIGGER recording_selection_delete BEFORE DELETE ON recording_selection
BEGIN SELECT RAISE(ABORT, 'recording_selection_kept'); END;
CREATE TRIGGER recording_selection_insert BEFORE INSERT ON recording_selection
WHEN NEW.draw_time IS NOT NULL
  OR EXISTS (SELECT 1 FROM recording_selection AS s
             WHERE s.organization_id = NEW.organization_id AND s.case_id = NEW.case_id
               AND (s.selection_id = NEW.selection_id OR s.draw_time IS NULL))
BEGIN SELECT RAISE(ABORT, 'recording_selection_kept'); END;

-- Whole caseloads at once.
CREATE INDEX noted_session_by_case ON noted_session (organization_id, case_id) WHERE held = 1;
