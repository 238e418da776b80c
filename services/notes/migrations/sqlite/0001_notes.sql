-- min_reader_version: 1
-- Instants are microseconds UTC. Documents are serialised resource messages.

-- The case file of a course, under the course's id.
CREATE TABLE note_case (
  organization_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  patient TEXT NOT NULL,
  clinician TEXT NOT NULL,
  formulation_due_session INTEGER NOT NULL,
  course_version INTEGER NOT NULL,       -- of the newest course event that was applied
  formulation_version INTEGER NOT NULL,  -- the newest; 0: none
  version INTEGER NOT NULL,
  create_time INTEGER NOT NULL,
  update_time INTEGER NOT NULL,
  document BLOB NOT NULL,
  PRIMARY KEY (organization_id, case_id)
) STRICT;
CREATE INDEX note_case_by_clinician ON note_case (organization_id, clinician, create_time, case_id);

-- Signed judgements. Only the opening again is ever added, once.
CREATE TABLE determination (
  organization_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  determination_id TEXT NOT NULL,
  sign_time INTEGER NOT NULL,
  machine_time INTEGER NOT NULL,
  reopen_time INTEGER,
  reopen_clinician TEXT,
  reopen_reason TEXT,
  document BLOB NOT NULL,
  PRIMARY KEY (organization_id, case_id, determination_id),
  FOREIGN KEY (organization_id, case_id) REFERENCES note_case (organization_id, case_id),
  CHECK ((reopen_time IS NULL) = (reopen_clinician IS NULL)),
  CHECK ((reopen_time IS NULL) = (reopen_reason IS NULL))
) STRICT;
CREATE UNIQUE INDEX determination_in_force ON determination (organization_id, case_id)
  WHERE reopen_time IS NULL;
CREATE TRIGGER determination_update BEFORE UPDATE ON determination
WHEN OLD.reopen_time IS NOT NULL OR NEW.reopen_time IS NULL
  OR NEW.organization_id <> OLD.organization_id OR NEW.case_id <> OLD.case_id
  OR NEW.determination_id <> OLD.determination_id OR NEW.sign_time <> OLD.sign_time
  OR NEW.machine_time <> OLD.machine_time OR NEW.document <> OLD.document
BEGIN SELECT RAISE(ABORT, 'determination_immutable'); END;
CREATE TRIGGER determination_delete BEFORE DELETE ON determination
BEGIN SELECT RAISE(ABORT, 'determination_immutable'); END;
-- INSERT OR REPLACE deletes without the trigger above.
CREATE TRIGGER determination_insert BEFORE INSERT ON determination
WHEN EXISTS (SELECT 1 FROM determination AS d
             WHERE d.organization_id = NEW.organization_id AND d.case_id = NEW.case_id
               AND d.determination_id = NEW.determination_id)
BEGIN SELECT RAISE(ABORT, 'determination_immutable'); END;

CREATE TABLE formulation (
  organization_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  version INTEGER NOT NULL,
  document BLOB NOT NULL,
  PRIMARY KEY (organization_id, case_id, version),
  FOREIGN KEY (organization_id, case_id) REFERENCES note_case (organization_id, case_id)
) STRICT;
CREATE TRIGGER formulation_update BEFORE UPDATE ON formulation
BEGIN SELECT RAISE(ABORT, 'formulation_immutable'); END;
CREATE TRIGGER formulation_delete BEFORE DELETE ON formulation
BEGIN SELECT RAISE(ABORT, 'formulation_immutable'); END;
CREATE TRIGGER formulation_insert BEFORE INSERT ON formulation
WHEN EXISTS (SELECT 1 FROM formulation AS f
             WHERE f.organization_id = NEW.organization_id AND f.case_id = NEW.case_id
               AND f.version = NEW.version)
BEGIN SELECT RAISE(ABORT, 'formulation_immutable'); END;

-- The document holds the goal's revisions.
CREATE TABLE goal (
  organization_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  goal_id TEXT NOT NULL,
  version INTEGER NOT NULL,
  create_time INTEGER NOT NULL,
  document BLOB NOT NULL,
  PRIMARY KEY (organization_id, case_id, goal_id),
  FOREIGN KEY (organization_id, case_id) REFERENCES note_case (organization_id, case_id)
) STRICT;
CREATE INDEX goal_by_time ON goal (organization_id, case_id, create_time, goal_id);

CREATE TABLE risk_assessment (
  organization_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  risk_assessment_id TEXT NOT NULL,
  create_time INTEGER NOT NULL,
  document BLOB NOT NULL,
  PRIMARY KEY (organization_id, case_id, risk_assessment_id),
  FOREIGN KEY (organization_id, case_id) REFERENCES note_case (organization_id, case_id)
) STRICT;
CREATE INDEX risk_assessment_by_time
  ON risk_assessment (organization_id, case_id, create_time, risk_assessment_id);
CREATE TRIGGER risk_assessment_update BEFORE UPDATE ON risk_assessment
BEGIN SELECT RAISE(ABORT, 'risk_assessment_immutable'); END;
CREATE TRIGGER risk_assessment_delete BEFORE DELETE ON risk_assessment
BEGIN SELECT RAISE(ABORT, 'risk_assessment_immutable'); END;
CREATE TRIGGER risk_assessment_insert BEFORE INSERT ON risk_assessment
WHEN EXISTS (SELECT 1 FROM risk_assessment AS r
             WHERE r.organization_id = NEW.organization_id AND r.case_id = NEW.case_id
               AND r.risk_assessment_id = NEW.risk_assessment_id)
BEGIN SELECT RAISE(ABORT, 'risk_assessment_immutable'); END;

CREATE TABLE safety_plan (
  organization_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  version INTEGER NOT NULL,
  document BLOB NOT NULL,
  PRIMARY KEY (organization_id, case_id, version),
  FOREIGN KEY (organization_id, case_id) REFERENCES note_case (organization_id, case_id)
) STRICT;
CREATE TRIGGER safety_plan_update BEFORE UPDATE ON safety_plan
BEGIN SELECT RAISE(ABORT, 'safety_plan_immutable'); END;
CREATE TRIGGER safety_plan_delete BEFORE DELETE ON safety_plan
BEGIN SELECT RAISE(ABORT, 'safety_plan_immutable'); END;
CREATE TRIGGER safety_plan_insert BEFORE INSERT ON safety_plan
WHEN EXISTS (SELECT 1 FROM safety_plan AS p
             WHERE p.organization_id = NEW.organization_id AND p.case_id = NEW.case_id
               AND p.version = NEW.version)
BEGIN SELECT RAISE(ABORT, 'safety_plan_immutable'); END;

-- Session notes; state 1 is a draft, 2 signed. The document of a signed note is the canonical bytes
-- that were signed.
CREATE TABLE session_note (
  organization_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  note_id TEXT NOT NULL,
  appointment TEXT NOT NULL,
  author TEXT NOT NULL,
  session_time INTEGER NOT NULL,         -- when the session began
  due_time INTEGER NOT NULL,
  state INTEGER NOT NULL CHECK (state IN (1, 2)),
  draft_sequence INTEGER NOT NULL,
  version INTEGER NOT NULL,
  create_time INTEGER NOT NULL,
  update_time INTEGER NOT NULL,
  document BLOB NOT NULL,
  signature BLOB,
  PRIMARY KEY (organization_id, case_id, note_id),
  FOREIGN KEY (organization_id, case_id) REFERENCES note_case (organization_id, case_id),
  CHECK ((state = 2) = (signature IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX session_note_of_author
  ON session_note (organization_id, appointment, author);
CREATE INDEX session_note_by_session
  ON session_note (organization_id, case_id, session_time, note_id);
CREATE TRIGGER session_note_update BEFORE UPDATE ON session_note WHEN OLD.state = 2
BEGIN SELECT RAISE(ABORT, 'session_note_signed'); END;
CREATE TRIGGER session_note_delete BEFORE DELETE ON session_note WHEN OLD.state = 2
BEGIN SELECT RAISE(ABORT, 'session_note_signed'); END;
CREATE TRIGGER session_note_insert BEFORE INSERT ON session_note
WHEN EXISTS (SELECT 1 FROM session_note AS n
             WHERE n.organization_id = NEW.organization_id AND n.case_id = NEW.case_id
               AND n.note_id = NEW.note_id AND n.state = 2)
BEGIN SELECT RAISE(ABORT, 'session_note_signed'); END;

-- What a draft began with, written once. A signed note takes no such part any more.
CREATE TABLE note_prefill (
  organization_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  note_id TEXT NOT NULL,
  document BLOB NOT NULL,
  PRIMARY KEY (organization_id, case_id, note_id),
  FOREIGN KEY (organization_id, case_id, note_id)
    REFERENCES session_note (organization_id, case_id, note_id)
) STRICT;
CREATE TRIGGER note_prefill_insert BEFORE INSERT ON note_prefill
WHEN EXISTS (SELECT 1 FROM session_note AS n
             WHERE n.organization_id = NEW.organization_id AND n.case_id = NEW.case_id
               AND n.note_id = NEW.note_id AND n.state = 2)
  OR EXISTS (SELECT 1 FROM note_prefill AS p
             WHERE p.organization_id = NEW.organization_id AND p.case_id = NEW.case_id
               AND p.note_id = NEW.note_id)
BEGIN SELECT RAISE(ABORT, 'session_note_signed'); END;
CREATE TRIGGER note_prefill_update BEFORE UPDATE ON note_prefill
BEGIN SELECT RAISE(ABORT, 'note_prefill_immutable'); END;
CREATE TRIGGER note_prefill_delete BEFORE DELETE ON note_prefill
BEGIN SELECT RAISE(ABORT, 'note_prefill_immutable'); END;

-- The only parts that a signed note takes.
CREATE TABLE note_addendum (
  organization_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  note_id TEXT NOT NULL,
  number INTEGER NOT NULL,
  document BLOB NOT NULL,
  PRIMARY KEY (organization_id, case_id, note_id, number),
  FOREIGN KEY (organization_id, case_id, note_id)
    REFERENCES session_note (organization_id, case_id, note_id)
) STRICT;
CREATE TRIGGER note_addendum_insert BEFORE INSERT ON note_addendum
WHEN NOT EXISTS (SELECT 1 FROM session_note AS n
                 WHERE n.organization_id = NEW.organization_id AND n.case_id = NEW.case_id
                   AND n.note_id = NEW.note_id AND n.state = 2)
BEGIN SELECT RAISE(ABORT, 'session_note_not_signed'); END;
CREATE TRIGGER note_addendum_replace BEFORE INSERT ON note_addendum
WHEN EXISTS (SELECT 1 FROM note_addendum AS a
             WHERE a.organization_id = NEW.organization_id AND a.case_id = NEW.case_id
               AND a.note_id = NEW.note_id AND a.number = NEW.number)
BEGIN SELECT RAISE(ABORT, 'note_addendum_immutable'); END;
CREATE TRIGGER note_addendum_update BEFORE UPDATE ON note_addendum
BEGIN SELECT RAISE(ABORT, 'note_addendum_immutable'); END;
CREATE TRIGGER note_addendum_delete BEFORE DELETE ON note_addendum
BEGIN SELECT RAISE(ABORT, 'note_addendum_immutable'); END;

-- Appointments, kept by scheduling's events; those with held = 1 need a note.
CREATE TABLE noted_session (
  organization_id TEXT NOT NULL,
  appointment TEXT NOT NULL,
  case_id TEXT NOT NULL,
  clinician TEXT NOT NULL,
  end_time INTEGER NOT NULL,
  held INTEGER NOT NULL,
  version INTEGER NOT NULL,
  PRIMARY KEY (organization_id, appointment)
) STRICT;
CREATE INDEX noted_session_held ON noted_session (organization_id, end_time, appointment)
  WHERE held = 1;
