-- min_reader_version: 3

-- Rooms, supervision, protocols of an organisation's own, couples, groups, holds, waitlist, leave.

-- resource: what claims on it are of.
CREATE TABLE room (
  organization_id TEXT NOT NULL,
  clinic_id TEXT NOT NULL,
  room_id TEXT NOT NULL,
  version INTEGER NOT NULL,
  capacity INTEGER NOT NULL,
  out_of_use INTEGER NOT NULL,
  resource TEXT NOT NULL,
  document BLOB NOT NULL,
  PRIMARY KEY (organization_id, clinic_id, room_id),
  FOREIGN KEY (organization_id, clinic_id) REFERENCES clinic (organization_id, clinic_id)
) STRICT, WITHOUT ROWID;

-- Where clinicians work, as their documents say; so no clinic goes while one works there. Those that
-- were entered before are found by their clinics' names in the document: at worst a clinic too many,
-- until the clinician is next changed.
CREATE TABLE clinician_clinic (
  organization_id TEXT NOT NULL,
  clinician_id TEXT NOT NULL,
  clinic_id TEXT NOT NULL,
  PRIMARY KEY (organization_id, clinician_id, clinic_id),
  FOREIGN KEY (organization_id, clinician_id) REFERENCES clinician (organization_id, clinician_id),
  FOREIGN KEY (organization_id, clinic_id) REFERENCES clinic (organization_id, clinic_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX clinician_clinic_by_clinic ON clinician_clinic (organization_id, clinic_id);
INSERT INTO clinician_clinic (organization_id, clinician_id, clinic_id)
  SELECT clinician.organization_id, clinician.clinician_id, clinic.clinic_id
  FROM clinician JOIN clinic ON clinic.organization_id = clinician.organization_id
  WHERE instr(clinician.document, CAST('organizations/' || clinic.organization_id || '/clinics/' ||
                                       clinic.clinic_id AS BLOB)) > 0;

-- The version at which a name's last bearer was deleted: who bears it next goes on from there, so that
-- its events are newer than those of the deletion.
CREATE TABLE retired_name (
  organization_id TEXT NOT NULL,
  name TEXT NOT NULL,
  version INTEGER NOT NULL,
  PRIMARY KEY (organization_id, name)
) STRICT, WITHOUT ROWID;

-- ends_at of one that goes on: the largest number.
CREATE TABLE supervision (
  organization_id TEXT NOT NULL,
  supervision_id TEXT NOT NULL,
  version INTEGER NOT NULL,
  supervisor_id TEXT NOT NULL,
  supervisee_id TEXT NOT NULL,
  starts_at INTEGER NOT NULL,
  ends_at INTEGER NOT NULL,
  document BLOB NOT NULL,
  PRIMARY KEY (organization_id, supervision_id),
  FOREIGN KEY (organization_id, supervisor_id) REFERENCES clinician (organization_id, clinician_id),
  FOREIGN KEY (organization_id, supervisee_id) REFERENCES clinician (organization_id, clinician_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX supervision_by_start ON supervision (organization_id, starts_at, supervision_id);
CREATE INDEX supervision_by_supervisee ON supervision
  (organization_id, supervisee_id, supervisor_id);
CREATE INDEX supervision_by_supervisor ON supervision (organization_id, supervisor_id);

CREATE TABLE protocol_revision (
  organization_id TEXT NOT NULL,
  protocol_id TEXT NOT NULL,
  revision INTEGER NOT NULL,
  create_time INTEGER NOT NULL,
  document BLOB NOT NULL,
  PRIMARY KEY (organization_id, protocol_id, revision)
) STRICT, WITHOUT ROWID;

-- partner_id, group_id: empty: none. segment: which count of sessions is running.
ALTER TABLE course ADD COLUMN partner_id TEXT NOT NULL DEFAULT '';
ALTER TABLE course ADD COLUMN group_id TEXT NOT NULL DEFAULT '';
ALTER TABLE course ADD COLUMN segment INTEGER NOT NULL DEFAULT 0;
CREATE INDEX course_by_partner ON course (organization_id, partner_id, create_time, course_id)
  WHERE partner_id <> '';
CREATE INDEX course_by_clinic ON course (organization_id, clinic_id);

-- A time may be held before there is a course: course_id is null then. private: of one patient alone,
-- known to those who treat. segment: which count of sessions of the course it belongs to.
--
-- A claim may also be of a room ('rooms/clinic/room'), of another person ('persons/…'), and of a session
-- of a group (booking is then its id). The clinician's includes the buffer after the session, at most
-- 9 hours in all. expires_at: when a hold ends by itself; null: not held.
--
-- Both tables are made anew: SQLite can't lift NOT NULL, FOREIGN KEY and CHECK.
CREATE TABLE claim_new (
  organization_id TEXT NOT NULL,
  resource TEXT NOT NULL,
  booking TEXT NOT NULL,
  starts_at INTEGER NOT NULL,
  ends_at INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('HELD', 'BOOKED')),
  expires_at INTEGER,
  PRIMARY KEY (organization_id, booking, resource),
  CONSTRAINT claim_length CHECK (starts_at < ends_at AND ends_at - starts_at <= 32400000000),
  CONSTRAINT claim_expiry CHECK ((state = 'HELD') = (expires_at IS NOT NULL))
) STRICT, WITHOUT ROWID;
INSERT INTO claim_new (organization_id, resource, booking, starts_at, ends_at, state)
  SELECT organization_id, resource, booking, starts_at, ends_at, state FROM claim;
DROP TABLE claim;
ALTER TABLE claim_new RENAME TO claim;
CREATE INDEX claim_by_start ON claim (organization_id, resource, starts_at);
CREATE INDEX claim_by_expiry ON claim (organization_id, resource, expires_at)
  WHERE expires_at IS NOT NULL;

CREATE TRIGGER claim_overlap_insert BEFORE INSERT ON claim
WHEN EXISTS (
  SELECT 1 FROM claim AS other
  WHERE other.organization_id = NEW.organization_id AND other.resource = NEW.resource
    AND other.starts_at > NEW.starts_at - 32400000000 AND other.starts_at < NEW.ends_at
    AND other.ends_at > NEW.starts_at)
BEGIN
  SELECT RAISE(ABORT, 'claim_overlap');
END;

CREATE TRIGGER claim_overlap_update BEFORE UPDATE ON claim
WHEN EXISTS (
  SELECT 1 FROM claim AS other
  WHERE other.organization_id = NEW.organization_id AND other.resource = NEW.resource
    AND other.booking <> OLD.booking
    AND other.starts_at > NEW.starts_at - 32400000000 AND other.starts_at < NEW.ends_at
    AND other.ends_at > NEW.starts_at)
BEGIN
  SELECT RAISE(ABORT, 'claim_overlap');
END;

CREATE TABLE appointment_new (
  organization_id TEXT NOT NULL,
  appointment_id TEXT NOT NULL,
  version INTEGER NOT NULL,
  course_id TEXT,
  patient_id TEXT NOT NULL,
  clinician_id TEXT NOT NULL,
  clinic_id TEXT NOT NULL,
  series_id TEXT NOT NULL,
  starts_at INTEGER NOT NULL,
  ends_at INTEGER NOT NULL,
  state INTEGER NOT NULL,
  counts INTEGER NOT NULL,
  used INTEGER NOT NULL,
  private INTEGER NOT NULL DEFAULT 0,
  segment INTEGER NOT NULL DEFAULT 0,
  room TEXT NOT NULL DEFAULT '',
  tzdata_version TEXT NOT NULL DEFAULT '',
  document BLOB NOT NULL,
  PRIMARY KEY (organization_id, appointment_id),
  FOREIGN KEY (organization_id, course_id) REFERENCES course (organization_id, course_id),
  CHECK (starts_at < ends_at)
) STRICT, WITHOUT ROWID;
INSERT INTO appointment_new
  (organization_id, appointment_id, version, course_id, patient_id, clinician_id, clinic_id,
   series_id, starts_at, ends_at, state, counts, used, document)
  SELECT organization_id, appointment_id, version, course_id, patient_id, clinician_id, clinic_id,
         series_id, starts_at, ends_at, state, counts, used, document FROM appointment;
DROP TABLE appointment;
ALTER TABLE appointment_new RENAME TO appointment;
CREATE INDEX appointment_by_course ON appointment
  (organization_id, course_id, starts_at, appointment_id);
CREATE INDEX appointment_by_clinician ON appointment
  (organization_id, clinician_id, starts_at, appointment_id);
CREATE INDEX appointment_by_patient ON appointment
  (organization_id, patient_id, starts_at, appointment_id);
CREATE INDEX appointment_by_clinic ON appointment
  (organization_id, clinic_id, starts_at, appointment_id);
CREATE INDEX appointment_by_time ON appointment (organization_id, starts_at, appointment_id);

-- Which patients an appointment is of ('patients/…'), whatever its state: what lists by patient go by.
CREATE TABLE attendee (
  organization_id TEXT NOT NULL,
  person TEXT NOT NULL,
  starts_at INTEGER NOT NULL,
  appointment_id TEXT NOT NULL,
  PRIMARY KEY (organization_id, person, starts_at, appointment_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX attendee_by_appointment ON attendee (organization_id, appointment_id);
INSERT INTO attendee (organization_id, person, starts_at, appointment_id)
  SELECT organization_id, 'patients/' || patient_id, starts_at, appointment_id FROM appointment;

CREATE TABLE care_group (
  organization_id TEXT NOT NULL,
  group_id TEXT NOT NULL,
  version INTEGER NOT NULL,
  clinician_id TEXT NOT NULL,
  clinic_id TEXT NOT NULL,
  capacity INTEGER NOT NULL,
  create_time INTEGER NOT NULL,
  document BLOB NOT NULL,
  PRIMARY KEY (organization_id, group_id),
  FOREIGN KEY (organization_id, clinician_id) REFERENCES clinician (organization_id, clinician_id),
  FOREIGN KEY (organization_id, clinic_id) REFERENCES clinic (organization_id, clinic_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX care_group_by_time ON care_group (organization_id, create_time, group_id);

-- Who leads a group: its clinician and co-clinicians.
CREATE TABLE group_leader (
  organization_id TEXT NOT NULL,
  group_id TEXT NOT NULL,
  clinician_id TEXT NOT NULL,
  PRIMARY KEY (organization_id, group_id, clinician_id),
  FOREIGN KEY (organization_id, group_id) REFERENCES care_group (organization_id, group_id),
  FOREIGN KEY (organization_id, clinician_id) REFERENCES clinician (organization_id, clinician_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX group_leader_by_clinician ON group_leader (organization_id, clinician_id);

-- Seats of a group: a number is taken once, and none is beyond the capacity.
CREATE TABLE group_member (
  organization_id TEXT NOT NULL,
  group_id TEXT NOT NULL,
  seat INTEGER NOT NULL,
  capacity INTEGER NOT NULL,
  course_id TEXT NOT NULL,
  join_time INTEGER NOT NULL,
  PRIMARY KEY (organization_id, group_id, seat),
  UNIQUE (organization_id, course_id),
  FOREIGN KEY (organization_id, group_id) REFERENCES care_group (organization_id, group_id),
  FOREIGN KEY (organization_id, course_id) REFERENCES course (organization_id, course_id),
  CHECK (seat BETWEEN 1 AND capacity)
) STRICT, WITHOUT ROWID;

-- series_id: shared by those booked together.
CREATE TABLE group_session (
  organization_id TEXT NOT NULL,
  group_id TEXT NOT NULL,
  session_id TEXT NOT NULL,
  version INTEGER NOT NULL,
  series_id TEXT NOT NULL,
  starts_at INTEGER NOT NULL,
  ends_at INTEGER NOT NULL,
  state INTEGER NOT NULL,
  document BLOB NOT NULL,
  PRIMARY KEY (organization_id, session_id),
  FOREIGN KEY (organization_id, group_id) REFERENCES care_group (organization_id, group_id),
  CHECK (starts_at < ends_at)
) STRICT, WITHOUT ROWID;
CREATE INDEX group_session_by_start ON group_session
  (organization_id, group_id, starts_at, session_id);

-- Places in a session: a number is taken once, and none is beyond the capacity.
CREATE TABLE seat (
  organization_id TEXT NOT NULL,
  session_id TEXT NOT NULL,
  seat INTEGER NOT NULL,
  capacity INTEGER NOT NULL,
  appointment_id TEXT NOT NULL,
  PRIMARY KEY (organization_id, session_id, seat),
  UNIQUE (organization_id, appointment_id),
  FOREIGN KEY (organization_id, session_id) REFERENCES group_session (organization_id, session_id),
  FOREIGN KEY (organization_id, appointment_id)
    REFERENCES appointment (organization_id, appointment_id),
  CHECK (seat BETWEEN 1 AND capacity)
) STRICT, WITHOUT ROWID;

-- At most one entry of a course waits (states 1 and 2). urgency: negative, so that the most urgent come
-- first. offer_id: the held appointment; empty: none.
CREATE TABLE waitlist_entry (
  organization_id TEXT NOT NULL,
  entry_id TEXT NOT NULL,
  version INTEGER NOT NULL,
  course_id TEXT NOT NULL,
  clinician_id TEXT NOT NULL,
  clinic_id TEXT NOT NULL,
  state INTEGER NOT NULL,
  urgency INTEGER NOT NULL,
  create_time INTEGER NOT NULL,
  latest_at INTEGER NOT NULL,
  offer_id TEXT NOT NULL DEFAULT '',
  document BLOB NOT NULL,
  PRIMARY KEY (organization_id, entry_id),
  FOREIGN KEY (organization_id, course_id) REFERENCES course (organization_id, course_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX waitlist_entry_waiting ON waitlist_entry (organization_id, course_id)
  WHERE state IN (1, 2);
CREATE INDEX waitlist_entry_by_order ON waitlist_entry
  (organization_id, clinician_id, state, urgency, create_time, entry_id);
CREATE INDEX waitlist_entry_by_offer ON waitlist_entry (organization_id, offer_id)
  WHERE offer_id <> '';

-- Times that an entry was offered and did not take; it is not offered them again.
CREATE TABLE waitlist_pass (
  organization_id TEXT NOT NULL,
  entry_id TEXT NOT NULL,
  starts_at INTEGER NOT NULL,
  PRIMARY KEY (organization_id, entry_id, starts_at)
) STRICT, WITHOUT ROWID;

-- The document holds no items. sessions: how many there are; settled: how many have an outcome.
CREATE TABLE leave_plan (
  organization_id TEXT NOT NULL,
  leave_plan_id TEXT NOT NULL,
  version INTEGER NOT NULL,
  clinician_id TEXT NOT NULL,
  sessions INTEGER NOT NULL,
  settled INTEGER NOT NULL,
  document BLOB NOT NULL,
  PRIMARY KEY (organization_id, leave_plan_id),
  FOREIGN KEY (organization_id, clinician_id) REFERENCES clinician (organization_id, clinician_id)
) STRICT, WITHOUT ROWID;

-- starts_at, clinic_id and private: of the session as it was when the plan was made.
CREATE TABLE leave_plan_item (
  organization_id TEXT NOT NULL,
  leave_plan_id TEXT NOT NULL,
  appointment_id TEXT NOT NULL,
  starts_at INTEGER NOT NULL,
  clinic_id TEXT NOT NULL,
  private INTEGER NOT NULL,
  in_group INTEGER NOT NULL,
  document BLOB NOT NULL,
  PRIMARY KEY (organization_id, leave_plan_id, appointment_id),
  FOREIGN KEY (organization_id, leave_plan_id)
    REFERENCES leave_plan (organization_id, leave_plan_id)
) STRICT, WITHOUT ROWID;

-- Until when the reminders of each lead time are given.
CREATE TABLE reminder_progress (
  organization_id TEXT NOT NULL,
  lead_micros INTEGER NOT NULL,
  reminded_until INTEGER NOT NULL,
  PRIMARY KEY (organization_id, lead_micros)
) STRICT, WITHOUT ROWID;

-- formulation_agreed: whether the patient has agreed to a formulation.
ALTER TABLE course_case ADD COLUMN formulation_agreed INTEGER NOT NULL DEFAULT 0;
