-- min_reader_version: 1
-- Instants are microseconds UTC. A document is the serialised resource, without what is derived;
-- the columns beside it are what is queried. States are the numbers of the proto enums.

-- Trusted since PostgreSQL 13: whoever may create in the database may create it.
CREATE EXTENSION IF NOT EXISTS btree_gist;

-- The organisation as its owners know it; `organization` of the foundation says whether it may be used.
CREATE TABLE organization_profile (
  organization_id TEXT COLLATE "C" PRIMARY KEY,
  version BIGINT NOT NULL,
  document BYTEA NOT NULL
);
SELECT rapport_protect('organization_profile');

CREATE TABLE clinic (
  organization_id TEXT COLLATE "C" NOT NULL,
  clinic_id TEXT COLLATE "C" NOT NULL,
  version BIGINT NOT NULL,
  document BYTEA NOT NULL,
  PRIMARY KEY (organization_id, clinic_id)
);
SELECT rapport_protect('clinic');

CREATE TABLE clinician (
  organization_id TEXT COLLATE "C" NOT NULL,
  clinician_id TEXT COLLATE "C" NOT NULL,
  version BIGINT NOT NULL,
  subject TEXT,
  document BYTEA NOT NULL,
  PRIMARY KEY (organization_id, clinician_id)
);
CREATE UNIQUE INDEX clinician_subject ON clinician (organization_id, subject);
SELECT rapport_protect('clinician');

CREATE TABLE time_off (
  organization_id TEXT COLLATE "C" NOT NULL,
  clinician_id TEXT COLLATE "C" NOT NULL,
  time_off_id TEXT COLLATE "C" NOT NULL,
  version BIGINT NOT NULL,
  starts_at BIGINT NOT NULL,
  ends_at BIGINT NOT NULL,
  document BYTEA NOT NULL,
  PRIMARY KEY (organization_id, clinician_id, time_off_id),
  FOREIGN KEY (organization_id, clinician_id) REFERENCES clinician (organization_id, clinician_id)
);
CREATE INDEX time_off_by_start ON time_off (organization_id, clinician_id, starts_at, time_off_id);
SELECT rapport_protect('time_off');

CREATE TABLE cover (
  organization_id TEXT COLLATE "C" NOT NULL,
  cover_id TEXT COLLATE "C" NOT NULL,
  version BIGINT NOT NULL,
  clinician_id TEXT COLLATE "C" NOT NULL,
  covering_clinician_id TEXT COLLATE "C" NOT NULL,
  starts_at BIGINT NOT NULL,
  ends_at BIGINT NOT NULL,
  document BYTEA NOT NULL,
  PRIMARY KEY (organization_id, cover_id),
  FOREIGN KEY (organization_id, clinician_id) REFERENCES clinician (organization_id, clinician_id),
  FOREIGN KEY (organization_id, covering_clinician_id)
    REFERENCES clinician (organization_id, clinician_id)
);
CREATE INDEX cover_by_start ON cover (organization_id, starts_at, cover_id);
CREATE INDEX cover_by_clinician ON cover (organization_id, clinician_id, covering_clinician_id);
SELECT rapport_protect('cover');

CREATE TABLE course (
  organization_id TEXT COLLATE "C" NOT NULL,
  course_id TEXT COLLATE "C" NOT NULL,
  version BIGINT NOT NULL,
  patient_id TEXT COLLATE "C" NOT NULL,
  clinician_id TEXT COLLATE "C" NOT NULL,
  clinic_id TEXT COLLATE "C" NOT NULL,
  state BIGINT NOT NULL,
  create_time BIGINT NOT NULL,
  document BYTEA NOT NULL,
  PRIMARY KEY (organization_id, course_id),
  FOREIGN KEY (organization_id, clinician_id) REFERENCES clinician (organization_id, clinician_id),
  FOREIGN KEY (organization_id, clinic_id) REFERENCES clinic (organization_id, clinic_id)
);
CREATE INDEX course_by_time ON course (organization_id, create_time, course_id);
CREATE INDEX course_by_clinician ON course (organization_id, clinician_id, create_time, course_id);
CREATE INDEX course_by_patient ON course (organization_id, patient_id, create_time, course_id);
SELECT rapport_protect('course');

-- counts: takes a place among the planned sessions. used: has used one up.
CREATE TABLE appointment (
  organization_id TEXT COLLATE "C" NOT NULL,
  appointment_id TEXT COLLATE "C" NOT NULL,
  version BIGINT NOT NULL,
  course_id TEXT COLLATE "C" NOT NULL,
  patient_id TEXT COLLATE "C" NOT NULL,
  clinician_id TEXT COLLATE "C" NOT NULL,
  clinic_id TEXT COLLATE "C" NOT NULL,
  series_id TEXT COLLATE "C" NOT NULL,
  starts_at BIGINT NOT NULL,
  ends_at BIGINT NOT NULL,
  state BIGINT NOT NULL,
  counts BIGINT NOT NULL,
  used BIGINT NOT NULL,
  document BYTEA NOT NULL,
  PRIMARY KEY (organization_id, appointment_id),
  FOREIGN KEY (organization_id, course_id) REFERENCES course (organization_id, course_id),
  CHECK (starts_at < ends_at)
);
CREATE INDEX appointment_by_course ON appointment
  (organization_id, course_id, starts_at, appointment_id);
CREATE INDEX appointment_by_clinician ON appointment
  (organization_id, clinician_id, starts_at, appointment_id);
CREATE INDEX appointment_by_patient ON appointment
  (organization_id, patient_id, starts_at, appointment_id);
SELECT rapport_protect('appointment');

-- Whose time is taken, one row for each person ('clinicians/…', 'patients/…') of each appointment
-- that takes time, at most 8 hours. No two rows of a person may overlap. A cancelled appointment has
-- none.
CREATE TABLE claim (
  organization_id TEXT COLLATE "C" NOT NULL,
  resource TEXT COLLATE "C" NOT NULL,
  booking TEXT COLLATE "C" NOT NULL,
  starts_at BIGINT NOT NULL,
  ends_at BIGINT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('HELD', 'BOOKED')),
  during int8range NOT NULL GENERATED ALWAYS AS (int8range(starts_at, ends_at, '[)')) STORED,
  PRIMARY KEY (organization_id, booking, resource),
  FOREIGN KEY (organization_id, booking) REFERENCES appointment (organization_id, appointment_id),
  CHECK (starts_at < ends_at AND ends_at - starts_at <= 28800000000),
  CONSTRAINT claim_overlap EXCLUDE USING gist
    (organization_id WITH =, resource WITH =, during WITH &&)
    WHERE (state IN ('HELD', 'BOOKED'))
);
CREATE INDEX claim_by_start ON claim (organization_id, resource, starts_at);
SELECT rapport_protect('claim');
