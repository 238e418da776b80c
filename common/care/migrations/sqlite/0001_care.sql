-- min_reader_version: 1
-- The replica of scheduling's facts. Things are named by their full resource names; `document` is the
-- payload of the newest event. Instants are microseconds UTC; [start_time, end_time).

CREATE TABLE care_organization (
  organization_id TEXT PRIMARY KEY,
  version INTEGER NOT NULL,
  document BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE care_clinic (
  organization_id TEXT NOT NULL,
  clinic TEXT NOT NULL,
  version INTEGER NOT NULL,
  document BLOB NOT NULL,
  PRIMARY KEY (organization_id, clinic)
) STRICT, WITHOUT ROWID;

-- While events are under way, two clinicians may bear one subject.
CREATE TABLE care_clinician (
  organization_id TEXT NOT NULL,
  clinician TEXT NOT NULL,
  version INTEGER NOT NULL,
  subject TEXT NOT NULL,
  PRIMARY KEY (organization_id, clinician)
) STRICT, WITHOUT ROWID;
CREATE INDEX care_clinician_by_subject ON care_clinician (organization_id, subject);

-- Deleted ones stay, with their version, so that an older event can't bring them back.
CREATE TABLE care_time_off (
  organization_id TEXT NOT NULL,
  time_off TEXT NOT NULL,
  version INTEGER NOT NULL,
  clinician TEXT NOT NULL,
  start_time INTEGER NOT NULL,
  end_time INTEGER NOT NULL,
  deleted INTEGER NOT NULL,
  PRIMARY KEY (organization_id, time_off)
) STRICT, WITHOUT ROWID;
CREATE INDEX care_time_off_by_end ON care_time_off (organization_id, end_time);

-- As care_time_off.
CREATE TABLE care_cover (
  organization_id TEXT NOT NULL,
  cover TEXT NOT NULL,
  version INTEGER NOT NULL,
  clinician TEXT NOT NULL,
  covering_clinician TEXT NOT NULL,
  start_time INTEGER NOT NULL,
  end_time INTEGER NOT NULL,
  deleted INTEGER NOT NULL,
  PRIMARY KEY (organization_id, cover)
) STRICT, WITHOUT ROWID;
CREATE INDEX care_cover_by_clinician ON care_cover (organization_id, clinician, end_time);
CREATE INDEX care_cover_by_covering ON care_cover (organization_id, covering_clinician, end_time);
CREATE INDEX care_cover_by_end ON care_cover (organization_id, end_time);

CREATE TABLE care_course (
  organization_id TEXT NOT NULL,
  course TEXT NOT NULL,
  version INTEGER NOT NULL,
  document BLOB NOT NULL,
  PRIMARY KEY (organization_id, course)
) STRICT, WITHOUT ROWID;

CREATE TABLE care_appointment (
  organization_id TEXT NOT NULL,
  appointment TEXT NOT NULL,
  version INTEGER NOT NULL,
  course TEXT NOT NULL,
  start_time INTEGER NOT NULL,
  counts INTEGER NOT NULL,
  document BLOB NOT NULL,
  PRIMARY KEY (organization_id, appointment)
) STRICT, WITHOUT ROWID;
CREATE INDEX care_appointment_by_course
  ON care_appointment (organization_id, course, start_time, appointment);
