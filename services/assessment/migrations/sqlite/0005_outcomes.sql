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
  problem_area INTEGER NOT NULL,
  time_zone TEXT NOT NULL,  -- of the clinic, as known when the month was reckoned
  first_session_time INTEGER NOT NULL,
  month INTEGER NOT NULL,  -- of the first session, since year 0
  completed INTEGER NOT NULL CHECK (completed IN (0, 1)),
  under_way INTEGER NOT NULL CHECK (under_way IN (0, 1)),
  planned_sessions INTEGER NOT NULL,
  held INTEGER NOT NULL,
  missed INTEGER NOT NULL,
  cancelled_late INTEGER NOT NULL,
  ended_before_planned INTEGER NOT NULL CHECK (ended_before_planned IN (0, 1)),
  ended_before_half INTEGER NOT NULL CHECK (ended_before_half IN (0, 1)),
  PRIMARY KEY (organization_id, course, respondent)
) STRICT;
CREATE INDEX outcome_course_by_clinic ON outcome_course (organization_id, clinic, course);
CREATE INDEX outcome_course_by_clinician ON outcome_course (organization_id, clinician);

-- What came of it on an instrument, where there is a baseline and a later complete form.
CREATE TABLE outcome_score (
  organization_id TEXT NOT NULL,
  instrument TEXT NOT NULL,  -- id, as 'phq-9'
  course TEXT NOT NULL,
  respondent TEXT NOT NULL,
  baseline REAL NOT NULL,
  last REAL NOT NULL,
  gain REAL NOT NULL,  -- positive: for the better
  baseline_tenth INTEGER NOT NULL CHECK (baseline_tenth BETWEEN 0 AND 9),
  was_case INTEGER NOT NULL CHECK (was_case IN (0, 1)),
  responded INTEGER NOT NULL CHECK (responded IN (0, 1)),
  at_remission_level INTEGER NOT NULL CHECK (at_remission_level IN (0, 1)),
  reliable INTEGER NOT NULL CHECK (reliable BETWEEN -1 AND 1),
  PRIMARY KEY (organization_id, instrument, course, respondent)
) STRICT, WITHOUT ROWID;
CREATE INDEX outcome_score_by_course ON outcome_score (organization_id, course);

-- The primary problem area of each course, as the notes service tells.
CREATE TABLE outcome_focus (
  organization_id TEXT NOT NULL,
  course TEXT NOT NULL,
  version INTEGER NOT NULL,
  problem_area INTEGER NOT NULL,
  PRIMARY KEY (organization_id, course)
) STRICT, WITHOUT ROWID;

-- Where each clinician works, as the directory tells: a manager's clinics, where no token names them.
CREATE TABLE outcome_clinician (
  organization_id TEXT NOT NULL,
  clinician TEXT NOT NULL,
  version INTEGER NOT NULL,
  clinics TEXT NOT NULL,  -- names, one a line
  PRIMARY KEY (organization_id, clinician)
) STRICT, WITHOUT ROWID;
