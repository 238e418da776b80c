-- min_reader_version: 1
-- Courses, patients, clinicians and appointments are named by their full resource names;
-- enumerations are the numbers of the protos. Instants are microseconds UTC.

-- Recorded forms. Never changed, never deleted.
CREATE TABLE assessment (
  organization_id TEXT NOT NULL,
  assessment_id TEXT NOT NULL,
  course TEXT NOT NULL,
  patient TEXT NOT NULL,
  instrument TEXT NOT NULL,  -- id, as 'phq-9'
  answer_time INTEGER NOT NULL,
  record_time INTEGER NOT NULL,
  total REAL,  -- NULL: too much is missing
  complete INTEGER NOT NULL CHECK (complete IN (0, 1)),
  prorated INTEGER NOT NULL CHECK (prorated IN (0, 1)),
  severity TEXT NOT NULL,
  diagnostic TEXT NOT NULL,
  version INTEGER NOT NULL,
  document BLOB NOT NULL,
  PRIMARY KEY (organization_id, assessment_id)
) STRICT;
CREATE INDEX assessment_by_course
  ON assessment (organization_id, course, answer_time, assessment_id);

-- Risk alerts; one of a kind for each form or missed appointment.
CREATE TABLE alert (
  organization_id TEXT NOT NULL,
  alert_id TEXT NOT NULL,
  course TEXT NOT NULL,
  patient TEXT NOT NULL,
  kind INTEGER NOT NULL,
  source TEXT NOT NULL,  -- name of the form or of the appointment
  state INTEGER NOT NULL CHECK (state BETWEEN 1 AND 3),
  owner TEXT NOT NULL CHECK (owner <> ''),
  create_time INTEGER NOT NULL,
  resolve_time INTEGER,  -- NULL until resolved
  risk_assessed_time INTEGER,  -- of the resolution, where it names a risk assessment
  version INTEGER NOT NULL,
  document BLOB NOT NULL,
  PRIMARY KEY (organization_id, alert_id)
) STRICT;
CREATE UNIQUE INDEX alert_source ON alert (organization_id, source, kind);
CREATE INDEX alert_by_owner ON alert (organization_id, owner, create_time, alert_id);
CREATE INDEX alert_by_course ON alert (organization_id, course, create_time, alert_id);
CREATE INDEX alert_by_patient ON alert (organization_id, patient, create_time);
-- Queries repeat the predicate.
CREATE INDEX alert_unresolved ON alert (organization_id, course) WHERE state < 3;

-- Whose each course is: what lists by clinician begin with. Follows the course's events.
CREATE TABLE course_clinician (
  organization_id TEXT NOT NULL,
  course TEXT NOT NULL,
  version INTEGER NOT NULL,
  clinician TEXT NOT NULL,
  PRIMARY KEY (organization_id, course)
) STRICT;
CREATE INDEX course_clinician_by_clinician ON course_clinician (organization_id, clinician, course);

CREATE TRIGGER assessment_never_changed BEFORE UPDATE ON assessment
BEGIN SELECT RAISE(ABORT, 'assessment_never_changed'); END;
CREATE TRIGGER assessment_never_deleted BEFORE DELETE ON assessment
BEGIN SELECT RAISE(ABORT, 'assessment_never_deleted'); END;
CREATE TRIGGER alert_never_deleted BEFORE DELETE ON alert
BEGIN SELECT RAISE(ABORT, 'alert_never_deleted'); END;
