-- min_reader_version: 1
-- What outcomes are told from. All of it follows from the replica, the recorded forms and the notes'
-- cases, and is made anew of them whenever one changes. Things are named by their full resource names.

-- A course that has begun, for each of its patients.
CREATE TABLE outcome_course (
  organization_id TEXT NOT NULL,
  course TEXT NOT NULL,
  respondent TEXT NOT NULL,
  clinic TEXT NOT NULL,
  clinician TEXT NOT NULL,
  protocol TEXT NOT NULL,  -- without its revision
  problem_area BIGINT NOT NULL,
  time_zone TEXT NOT NULL,  -- of the clinic, as known when the month was reckoned
  first_session_time BIGINT NOT NULL,
  month BIGINT NOT NULL,  -- of the first session, since year 0
  completed BIGINT NOT NULL CHECK (completed IN (0, 1)),
  under_way BIGINT NOT NULL CHECK (under_way IN (0, 1)),
  planned_sessions BIGINT NOT NULL,
  held BIGINT NOT NULL,
  missed BIGINT NOT NULL,
  cancelled_late BIGINT NOT NULL,
  ended_before_planned BIGINT NOT NULL CHECK (ended_before_planned IN (0, 1)),
  ended_before_half BIGINT NOT NULL CHECK (ended_before_half IN (0, 1)),
  PRIMARY KEY (organization_id, course, respondent)
);
CREATE INDEX outcome_course_by_clinic ON outcome_course (organization_id, clinic, course);
CREATE INDEX outcome_course_by_clinician ON outcome_course (organization_id, clinician);

-- What came of it on an instrument, where there is a baseline and a later complete form.
CREATE TABLE outcome_score (
  organization_id TEXT NOT NULL,
  instrument TEXT NOT NULL,  -- id, as 'phq-9'
  course TEXT NOT NULL,
  respondent TEXT NOT NULL,
  baseline DOUBLE PRECISION NOT NULL,
  last DOUBLE PRECISION NOT NULL,
  gain DOUBLE PRECISION NOT NULL,  -- positive: for the better
  baseline_tenth BIGINT NOT NULL CHECK (baseline_tenth BETWEEN 0 AND 9),
  was_case BIGINT NOT NULL CHECK (was_case IN (0, 1)),
  responded BIGINT NOT NULL CHECK (responded IN (0, 1)),
  at_remission_level BIGINT NOT NULL CHECK (at_remission_level IN (0, 1)),
  reliable BIGINT NOT NULL CHECK (reliable BETWEEN -1 AND 1),
  PRIMARY KEY (organization_id, instrument, course, respondent)
);
CREATE INDEX outcome_score_by_course ON outcome_score (organization_id, course);

-- The primary problem area of each course, as the notes service tells.
CREATE TABLE outcome_focus (
  organization_id TEXT NOT NULL,
  course TEXT NOT NULL,
  version BIGINT NOT NULL,
  problem_area BIGINT NOT NULL,
  PRIMARY KEY (organization_id, course)
);

-- Where each clinician works, as the directory tells: a manager's clinics, where no token names them.
CREATE TABLE outcome_clinician (
  organization_id TEXT NOT NULL,
  clinician TEXT NOT NULL,
  version BIGINT NOT NULL,
  clinics TEXT NOT NULL,  -- names, one a line
  PRIMARY KEY (organization_id, clinician)
);

SELECT rapport_protect('outcome_course');
SELECT rapport_protect('outcome_score');
SELECT rapport_protect('outcome_focus');
SELECT rapport_protect('outcome_clinician');
