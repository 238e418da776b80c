-- min_reader_version: 1
-- Instants are microseconds UTC. A document is the serialised resource, without what is derived;
-- the columns beside it are what is queried. States are the numbers of the proto enums.

-- The organisation as its owners know it; `organization` of the foundation says whether it may be used.
CREATE TABLE organization_profile (
  organization_id TEXT PRIMARY KEY,
  version INTEGER NOT NULL,
  document BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE clinic (
  organization_id TEXT NOT NULL,
  clinic_id TEXT NOT NULL,
  version INTEGER NOT NULL,
  document BLOB NOT NULL,
  PRIMARY KEY (organization_id, clinic_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE clinician (
  organization_id TEXT NOT NULL,
  clinician_id TEXT NOT NULL,
  version INTEGER NOT NULL,
  subject TEXT,
  document BLOB NOT NULL,
  PRIMARY KEY (organization_id, clinician_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX clinician_subject ON clinician (organization_id, subject);

CREATE TABLE time_off (
  organization_id TEXT NOT NULL,
  clinician_id TEXT NOT NULL,
  time_off_id TEXT NOT NULL,
  version INTEGER NOT NULL,
  starts_at INTEGER NOT NULL,
  ends_at INTEGER NOT NULL,
  document BLOB NOT NULL,
  PRIMARY KEY (organization_id, clinician_id, time_off_id),
  FOREIGN KEY (organization_id, clinician_id) REFERENCES clinician (organization_id, clinician_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX time_off_by_start ON time_off (organization_id, clinician_id, starts_at, time_off_id);

CREATE TABLE cover (
  organization_id TEXT NOT NULL,
  cover_id TEXT NOT NULL,
  version INTEGER NOT NULL,
  clinician_id TEXT NOT NULL,
  covering_clinician_id TEXT NOT NULL,
  starts_at INTEGER NOT NULL,
  ends_at INTEGER NOT NULL,
  document BLOB NOT NULL,
  PRIMARY KEY (organization_id, cover_id),
  FOREIGN KEY (organization_id, clinician_id) REFERENCES clinician (organization_id, clinician_id),
  FOREIGN KEY (organization_id, covering_clinician_id)
    REFERENCES clinician (organization_id, clinician_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX cover_by_start ON cover (organization_id, starts_at, cover_id);
CREATE INDEX cover_by_clinician ON cover (organization_id, clinician_id, covering_clinician_id);

CREATE TABLE course (
  organization_id TEXT NOT NULL,
  course_id TEXT NOT NULL,
  version INTEGER NOT NULL,
  patient_id TEXT NOT NULL,
  clinician_id TEXT NOT NULL,
  clinic_id TEXT NOT NULL,
  state INTEGER NOT NULL,
  create_time INTEGER NOT NULL,
  document BLOB NOT NULL,
  PRIMARY KEY (organization_id, course_id),
  FOREIGN KEY (organization_id, clinician_id) REFERENCES clinician (organization_id, clinician_id),
  FOREIGN KEY (organization_id, clinic_id) REFERENCES clinic (organization_id, clinic_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX course_by_time ON course (organization_id, create_time, course_id);
CREATE INDEX course_by_clinician ON course (organization_id, clinician_id, create_time, course_id);
CREATE INDEX course_by_patient ON course (organization_id, patient_id, create_time, course_id);

-- counts: takes a place among the planned sessions. used: has used one up.
CREATE TABLE appointment (
  organization_id TEXT NOT NULL,
  appointment_id TEXT NOT NULL,
  version INTEGER NOT NULL,
  course_id TEXT NOT NULL,
  patient_id TEXT NOT NULL,
  clinician_id TEXT NOT NULL,
  clinic_id TEXT NOT NULL,
  series_id TEXT NOT NULL,
  starts_at INTEGER NOT NULL,
  ends_at INTEGER NOT NULL,
  state INTEGER NOT NULL,
  counts INTEGER NOT NULL,
  used INTEGER NOT NULL,
  document BLOB NOT NULL,
  PRIMARY KEY (organization_id, appointment_id),
  FOREIGN KEY (organization_id, course_id) REFERENCES course (organization_id, course_id),
  CHECK (starts_at < ends_at)
) STRICT, WITHOUT ROWID;
CREATE INDEX appointment_by_course ON appointment
  (organization_id, course_id, starts_at, appointment_id);
CREATE INDEX appointment_by_clinician ON appointment
  (organization_id, clinician_id, starts_at, appointment_id);
CREATE INDEX appointment_by_patient ON appointment
  (organization_id, patient_id, starts_at, appointment_id);

-- Whose time is taken, one row for each person ('clinicians/…', 'patients/…') of each appointment
-- that takes time, at most 8 hours. No two rows of a person may overlap. A cancelled appointment has
-- none.
CREATE TABLE claim (
  organization_id TEXT NOT NULL,
  resource TEXT NOT NULL,
  booking TEXT NOT NULL,
  starts_at INTEGER NOT NULL,
  ends_at INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('HELD', 'BOOKED')),
  PRIMARY KEY (organization_id, booking, resource),
  FOREIGN KEY (organization_id, booking) REFERENCES appointment (organization_id, appointment_id),
  CHECK (starts_at < ends_at AND ends_at - starts_at <= 28800000000)
) STRICT, WITHOUT ROWID;
CREATE INDEX claim_by_start ON claim (organization_id, resource, starts_at);

CREATE TRIGGER claim_overlap_insert BEFORE INSERT ON claim
WHEN EXISTS (
  SELECT 1 FROM claim AS other
  WHERE other.organization_id = NEW.organization_id AND other.resource = NEW.resource
    AND other.starts_at > NEW.starts_at - 28800000000 AND other.starts_at < NEW.ends_at
    AND other.ends_at > NEW.starts_at)
BEGIN
  SELECT RAISE(ABORT, 'claim_overlap');
END;

CREATE TRIGGER claim_overlap_update BEFORE UPDATE ON claim
WHEN EXISTS (
  SELECT 1 FROM claim AS other
  WHERE other.organization_id = NEW.organization_id AND other.resource = NEW.resource
    AND other.booking <> OLD.booking
    AND other.starts_at > NEW.starts_at - 28800000000 AND other.starts_at < NEW.ends_at
    AND other.ends_at > NEW.starts_at)
BEGIN
  SELECT RAISE(ABORT, 'claim_overlap');
END;
