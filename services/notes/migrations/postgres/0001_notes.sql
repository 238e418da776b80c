-- min_reader_version: 1
-- Instants are microseconds UTC. Documents are serialised resource messages.

-- The texts of a JSON array as rows, under the name and column that SQLite has for it.
CREATE FUNCTION json_each(list text) RETURNS TABLE (value text)
LANGUAGE sql IMMUTABLE STRICT ROWS 4 AS $$ SELECT jsonb_array_elements_text(list::jsonb) $$;

-- Refuses what the trigger guards, under the constraint name that it is given.
CREATE FUNCTION notes_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'check_violation', CONSTRAINT = TG_ARGV[0];
END $$;

-- The case file of a course, under the course's id.
CREATE TABLE note_case (
  organization_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  patient TEXT NOT NULL,
  clinician TEXT NOT NULL,
  formulation_due_session BIGINT NOT NULL,
  course_version BIGINT NOT NULL,       -- of the newest course event that was applied
  formulation_version BIGINT NOT NULL,  -- the newest; 0: none
  version BIGINT NOT NULL,
  create_time BIGINT NOT NULL,
  update_time BIGINT NOT NULL,
  document BYTEA NOT NULL,
  PRIMARY KEY (organization_id, case_id)
);
CREATE INDEX note_case_by_clinician ON note_case (organization_id, clinician, create_time, case_id);
SELECT rapport_protect('note_case', 'SELECT, INSERT, UPDATE');

-- Signed judgements. Only the opening again is ever added, once.
CREATE TABLE determination (
  organization_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  determination_id TEXT NOT NULL,
  sign_time BIGINT NOT NULL,
  machine_time BIGINT NOT NULL,
  reopen_time BIGINT,
  reopen_clinician TEXT,
  reopen_reason TEXT,
  document BYTEA NOT NULL,
  PRIMARY KEY (organization_id, case_id, determination_id),
  FOREIGN KEY (organization_id, case_id) REFERENCES note_case (organization_id, case_id),
  CHECK ((reopen_time IS NULL) = (reopen_clinician IS NULL)),
  CHECK ((reopen_time IS NULL) = (reopen_reason IS NULL))
);
CREATE UNIQUE INDEX determination_in_force ON determination (organization_id, case_id)
  WHERE reopen_time IS NULL;
CREATE TRIGGER determination_update BEFORE UPDATE ON determination
  FOR EACH ROW
  WHEN (OLD.reopen_time IS NOT NULL OR NEW.reopen_time IS NULL
        OR (NEW.organization_id, NEW.case_id, NEW.determination_id, NEW.sign_time,
            NEW.machine_time, NEW.document)
           IS DISTINCT FROM
           (OLD.organization_id, OLD.case_id, OLD.determination_id, OLD.sign_time,
            OLD.machine_time, OLD.document))
  EXECUTE FUNCTION notes_refuse('determination_immutable');
CREATE TRIGGER determination_delete BEFORE DELETE ON determination
  FOR EACH ROW EXECUTE FUNCTION notes_refuse('determination_immutable');
SELECT rapport_protect('determination', 'SELECT, INSERT, UPDATE');

CREATE TABLE formulation (
  organization_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  version BIGINT NOT NULL,
  document BYTEA NOT NULL,
  PRIMARY KEY (organization_id, case_id, version),
  FOREIGN KEY (organization_id, case_id) REFERENCES note_case (organization_id, case_id)
);
CREATE TRIGGER formulation_change BEFORE UPDATE OR DELETE ON formulation
  FOR EACH ROW EXECUTE FUNCTION notes_refuse('formulation_immutable');
SELECT rapport_protect('formulation', 'SELECT, INSERT');

-- The document holds the goal's revisions.
CREATE TABLE goal (
  organization_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  goal_id TEXT NOT NULL,
  version BIGINT NOT NULL,
  create_time BIGINT NOT NULL,
  document BYTEA NOT NULL,
  PRIMARY KEY (organization_id, case_id, goal_id),
  FOREIGN KEY (organization_id, case_id) REFERENCES note_case (organization_id, case_id)
);
CREATE INDEX goal_by_time ON goal (organization_id, case_id, create_time, goal_id);
SELECT rapport_protect('goal', 'SELECT, INSERT, UPDATE');

CREATE TABLE risk_assessment (
  organization_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  risk_assessment_id TEXT NOT NULL,
  create_time BIGINT NOT NULL,
  document BYTEA NOT NULL,
  PRIMARY KEY (organization_id, case_id, risk_assessment_id),
  FOREIGN KEY (organization_id, case_id) REFERENCES note_case (organization_id, case_id)
);
CREATE INDEX risk_assessment_by_time
  ON risk_assessment (organization_id, case_id, create_time, risk_assessment_id);
CREATE TRIGGER risk_assessment_change BEFORE UPDATE OR DELETE ON risk_assessment
  FOR EACH ROW EXECUTE FUNCTION notes_refuse('risk_assessment_immutable');
SELECT rapport_protect('risk_assessment', 'SELECT, INSERT');

CREATE TABLE safety_plan (
  organization_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  version BIGINT NOT NULL,
  document BYTEA NOT NULL,
  PRIMARY KEY (organization_id, case_id, version),
  FOREIGN KEY (organization_id, case_id) REFERENCES note_case (organization_id, case_id)
);
CREATE TRIGGER safety_plan_change BEFORE UPDATE OR DELETE ON safety_plan
  FOR EACH ROW EXECUTE FUNCTION notes_refuse('safety_plan_immutable');
SELECT rapport_protect('safety_plan', 'SELECT, INSERT');

-- Session notes; state 1 is a draft, 2 signed. The document of a signed note is the canonical bytes
-- that were signed.
CREATE TABLE session_note (
  organization_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  note_id TEXT NOT NULL,
  appointment TEXT NOT NULL,
  author TEXT NOT NULL,
  session_time BIGINT NOT NULL,         -- when the session began
  due_time BIGINT NOT NULL,
  state BIGINT NOT NULL CHECK (state IN (1, 2)),
  draft_sequence BIGINT NOT NULL,
  version BIGINT NOT NULL,
  create_time BIGINT NOT NULL,
  update_time BIGINT NOT NULL,
  document BYTEA NOT NULL,
  signature BYTEA,
  PRIMARY KEY (organization_id, case_id, note_id),
  FOREIGN KEY (organization_id, case_id) REFERENCES note_case (organization_id, case_id),
  CHECK ((state = 2) = (signature IS NOT NULL))
);
CREATE UNIQUE INDEX session_note_of_author
  ON session_note (organization_id, appointment, author);
CREATE INDEX session_note_by_session
  ON session_note (organization_id, case_id, session_time, note_id);
CREATE TRIGGER session_note_change BEFORE UPDATE OR DELETE ON session_note
  FOR EACH ROW WHEN (OLD.state = 2) EXECUTE FUNCTION notes_refuse('session_note_signed');
SELECT rapport_protect('session_note', 'SELECT, INSERT, UPDATE');

-- What a draft began with, written once. A signed note takes no such part any more.
CREATE TABLE note_prefill (
  organization_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  note_id TEXT NOT NULL,
  document BYTEA NOT NULL,
  PRIMARY KEY (organization_id, case_id, note_id),
  FOREIGN KEY (organization_id, case_id, note_id)
    REFERENCES session_note (organization_id, case_id, note_id)
);
CREATE FUNCTION note_prefill_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- FOR SHARE: a signature under way is waited for.
  PERFORM FROM session_note AS n
    WHERE n.organization_id = NEW.organization_id AND n.case_id = NEW.case_id
      AND n.note_id = NEW.note_id AND n.state = 1
    FOR SHARE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'session_note_signed'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'session_note_signed';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER note_prefill_insert BEFORE INSERT ON note_prefill
  FOR EACH ROW EXECUTE FUNCTION note_prefill_guard();
CREATE TRIGGER note_prefill_change BEFORE UPDATE OR DELETE ON note_prefill
  FOR EACH ROW EXECUTE FUNCTION notes_refuse('note_prefill_immutable');
SELECT rapport_protect('note_prefill', 'SELECT, INSERT');

-- The only parts that a signed note takes.
CREATE TABLE note_addendum (
  organization_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  note_id TEXT NOT NULL,
  number BIGINT NOT NULL,
  document BYTEA NOT NULL,
  PRIMARY KEY (organization_id, case_id, note_id, number),
  FOREIGN KEY (organization_id, case_id, note_id)
    REFERENCES session_note (organization_id, case_id, note_id)
);
CREATE FUNCTION note_addendum_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM FROM session_note AS n
    WHERE n.organization_id = NEW.organization_id AND n.case_id = NEW.case_id
      AND n.note_id = NEW.note_id AND n.state = 2;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'session_note_not_signed'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'session_note_not_signed';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER note_addendum_insert BEFORE INSERT ON note_addendum
  FOR EACH ROW EXECUTE FUNCTION note_addendum_guard();
CREATE TRIGGER note_addendum_change BEFORE UPDATE OR DELETE ON note_addendum
  FOR EACH ROW EXECUTE FUNCTION notes_refuse('note_addendum_immutable');
SELECT rapport_protect('note_addendum', 'SELECT, INSERT');

-- Appointments, kept by scheduling's events; those with held = 1 need a note.
CREATE TABLE noted_session (
  organization_id TEXT NOT NULL,
  appointment TEXT NOT NULL,
  case_id TEXT NOT NULL,
  clinician TEXT NOT NULL,
  end_time BIGINT NOT NULL,
  held BIGINT NOT NULL,
  version BIGINT NOT NULL,
  PRIMARY KEY (organization_id, appointment)
);
CREATE INDEX noted_session_held ON noted_session (organization_id, end_time, appointment)
  WHERE held = 1;
SELECT rapport_protect('noted_session', 'SELECT, INSERT, UPDATE');
