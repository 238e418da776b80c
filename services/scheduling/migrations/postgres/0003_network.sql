-- min_reader_version: 3

-- Rooms, supervision, protocols of an organisation's own, couples, groups, holds, waitlist, leave.

-- resource: what claims on it are of.
CREATE TABLE room (
  organization_id TEXT COLLATE "C" NOT NULL,
  clinic_id TEXT COLLATE "C" NOT NULL,
  room_id TEXT COLLATE "C" NOT NULL,
  version BIGINT NOT NULL,
  capacity BIGINT NOT NULL,
  out_of_use BIGINT NOT NULL,
  resource TEXT COLLATE "C" NOT NULL,
  document BYTEA NOT NULL,
  PRIMARY KEY (organization_id, clinic_id, room_id),
  FOREIGN KEY (organization_id, clinic_id) REFERENCES clinic (organization_id, clinic_id)
);
SELECT rapport_protect('room');

-- Where clinicians work, as their documents say; so no clinic goes while one works there. Those that
-- were entered before are found by their clinics' names in the document: at worst a clinic too many,
-- until the clinician is next changed.
CREATE TABLE clinician_clinic (
  organization_id TEXT COLLATE "C" NOT NULL,
  clinician_id TEXT COLLATE "C" NOT NULL,
  clinic_id TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (organization_id, clinician_id, clinic_id),
  FOREIGN KEY (organization_id, clinician_id) REFERENCES clinician (organization_id, clinician_id),
  FOREIGN KEY (organization_id, clinic_id) REFERENCES clinic (organization_id, clinic_id)
);
CREATE INDEX clinician_clinic_by_clinic ON clinician_clinic (organization_id, clinic_id);
ALTER TABLE clinic NO FORCE ROW LEVEL SECURITY;
ALTER TABLE clinician NO FORCE ROW LEVEL SECURITY;
INSERT INTO clinician_clinic (organization_id, clinician_id, clinic_id)
  SELECT clinician.organization_id, clinician.clinician_id, clinic.clinic_id
  FROM clinician JOIN clinic ON clinic.organization_id = clinician.organization_id
  WHERE position(convert_to('organizations/' || clinic.organization_id || '/clinics/' ||
                            clinic.clinic_id, 'UTF8') IN clinician.document) > 0;
ALTER TABLE clinic FORCE ROW LEVEL SECURITY;
ALTER TABLE clinician FORCE ROW LEVEL SECURITY;
SELECT rapport_protect('clinician_clinic');

-- The version at which a name's last bearer was deleted: who bears it next goes on from there, so that
-- its events are newer than those of the deletion.
CREATE TABLE retired_name (
  organization_id TEXT COLLATE "C" NOT NULL,
  name TEXT COLLATE "C" NOT NULL,
  version BIGINT NOT NULL,
  PRIMARY KEY (organization_id, name)
);
SELECT rapport_protect('retired_name');

-- ends_at of one that goes on: the largest number.
CREATE TABLE supervision (
  organization_id TEXT COLLATE "C" NOT NULL,
  supervision_id TEXT COLLATE "C" NOT NULL,
  version BIGINT NOT NULL,
  supervisor_id TEXT COLLATE "C" NOT NULL,
  supervisee_id TEXT COLLATE "C" NOT NULL,
  starts_at BIGINT NOT NULL,
  ends_at BIGINT NOT NULL,
  document BYTEA NOT NULL,
  PRIMARY KEY (organization_id, supervision_id),
  FOREIGN KEY (organization_id, supervisor_id) REFERENCES clinician (organization_id, clinician_id),
  FOREIGN KEY (organization_id, supervisee_id) REFERENCES clinician (organization_id, clinician_id)
);
CREATE INDEX supervision_by_start ON supervision (organization_id, starts_at, supervision_id);
CREATE INDEX supervision_by_supervisee ON supervision
  (organization_id, supervisee_id, supervisor_id);
CREATE INDEX supervision_by_supervisor ON supervision (organization_id, supervisor_id);
SELECT rapport_protect('supervision');

CREATE TABLE protocol_revision (
  organization_id TEXT COLLATE "C" NOT NULL,
  protocol_id TEXT COLLATE "C" NOT NULL,
  revision BIGINT NOT NULL,
  create_time BIGINT NOT NULL,
  document BYTEA NOT NULL,
  PRIMARY KEY (organization_id, protocol_id, revision)
);
SELECT rapport_protect('protocol_revision', 'SELECT, INSERT');

-- partner_id, group_id: empty: none. segment: which count of sessions is running.
ALTER TABLE course ADD COLUMN partner_id TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE course ADD COLUMN group_id TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE course ADD COLUMN segment BIGINT NOT NULL DEFAULT 0;
CREATE INDEX course_by_partner ON course (organization_id, partner_id, create_time, course_id)
  WHERE partner_id <> '';
CREATE INDEX course_by_clinic ON course (organization_id, clinic_id);

-- A time may be held before there is a course: course_id is null then. private: of one patient alone,
-- known to those who treat. segment: which count of sessions of the course it belongs to.
ALTER TABLE appointment ALTER COLUMN course_id DROP NOT NULL;
ALTER TABLE appointment ADD COLUMN private BIGINT NOT NULL DEFAULT 0;
ALTER TABLE appointment ADD COLUMN segment BIGINT NOT NULL DEFAULT 0;
ALTER TABLE appointment ADD COLUMN room TEXT NOT NULL DEFAULT '';
ALTER TABLE appointment ADD COLUMN tzdata_version TEXT NOT NULL DEFAULT '';
CREATE INDEX appointment_by_clinic ON appointment
  (organization_id, clinic_id, starts_at, appointment_id);
CREATE INDEX appointment_by_time ON appointment (organization_id, starts_at, appointment_id);

-- A claim may also be of a room ('rooms/clinic/room'), of another person ('persons/…'), and of a session
-- of a group (booking is then its id). The clinician's includes the buffer after the session, at most
-- 9 hours in all. expires_at: when a hold ends by itself; null: not held.
ALTER TABLE claim DROP CONSTRAINT claim_organization_id_booking_fkey;
ALTER TABLE claim DROP CONSTRAINT claim_check;
ALTER TABLE claim ADD CONSTRAINT claim_length
  CHECK (starts_at < ends_at AND ends_at - starts_at <= 32400000000);
ALTER TABLE claim ADD COLUMN expires_at BIGINT;
ALTER TABLE claim ADD CONSTRAINT claim_expiry CHECK ((state = 'HELD') = (expires_at IS NOT NULL));
CREATE INDEX claim_by_expiry ON claim (organization_id, resource, expires_at)
  WHERE expires_at IS NOT NULL;

-- Which patients an appointment is of ('patients/…'), whatever its state: what lists by patient go by.
CREATE TABLE attendee (
  organization_id TEXT COLLATE "C" NOT NULL,
  person TEXT COLLATE "C" NOT NULL,
  starts_at BIGINT NOT NULL,
  appointment_id TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (organization_id, person, starts_at, appointment_id)
);
CREATE INDEX attendee_by_appointment ON attendee (organization_id, appointment_id);
ALTER TABLE appointment NO FORCE ROW LEVEL SECURITY;
INSERT INTO attendee (organization_id, person, starts_at, appointment_id)
  SELECT organization_id, 'patients/' || patient_id, starts_at, appointment_id FROM appointment;
ALTER TABLE appointment FORCE ROW LEVEL SECURITY;
SELECT rapport_protect('attendee');

CREATE TABLE care_group (
  organization_id TEXT COLLATE "C" NOT NULL,
  group_id TEXT COLLATE "C" NOT NULL,
  version BIGINT NOT NULL,
  clinician_id TEXT COLLATE "C" NOT NULL,
  clinic_id TEXT COLLATE "C" NOT NULL,
  capacity BIGINT NOT NULL,
  create_time BIGINT NOT NULL,
  document BYTEA NOT NULL,
  PRIMARY KEY (organization_id, group_id),
  FOREIGN KEY (organization_id, clinician_id) REFERENCES clinician (organization_id, clinician_id),
  FOREIGN KEY (organization_id, clinic_id) REFERENCES clinic (organization_id, clinic_id)
);
CREATE INDEX care_group_by_time ON care_group (organization_id, create_time, group_id);
SELECT rapport_protect('care_group');

-- Who leads a group: its clinician and co-clinicians.
CREATE TABLE group_leader (
  organization_id TEXT COLLATE "C" NOT NULL,
  group_id TEXT COLLATE "C" NOT NULL,
  clinician_id TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (organization_id, group_id, clinician_id),
  FOREIGN KEY (organization_id, group_id) REFERENCES care_group (organization_id, group_id),
  FOREIGN KEY (organization_id, clinician_id) REFERENCES clinician (organization_id, clinician_id)
);
SELECT rapport_protect('group_leader');
CREATE INDEX group_leader_by_clinician ON group_leader (organization_id, clinician_id);

-- Seats of a group: a number is taken once, and none is beyond the capacity.
CREATE TABLE group_member (
  organization_id TEXT COLLATE "C" NOT NULL,
  group_id TEXT COLLATE "C" NOT NULL,
  seat BIGINT NOT NULL,
  capacity BIGINT NOT NULL,
  course_id TEXT COLLATE "C" NOT NULL,
  join_time BIGINT NOT NULL,
  PRIMARY KEY (organization_id, group_id, seat),
  UNIQUE (organization_id, course_id),
  FOREIGN KEY (organization_id, group_id) REFERENCES care_group (organization_id, group_id),
  FOREIGN KEY (organization_id, course_id) REFERENCES course (organization_id, course_id),
  CHECK (seat BETWEEN 1 AND capacity)
);
SELECT rapport_protect('group_member');

-- series_id: shared by those booked together.
CREATE TABLE group_session (
  organization_id TEXT COLLATE "C" NOT NULL,
  group_id TEXT COLLATE "C" NOT NULL,
  session_id TEXT COLLATE "C" NOT NULL,
  version BIGINT NOT NULL,
  series_id TEXT COLLATE "C" NOT NULL,
  starts_at BIGINT NOT NULL,
  ends_at BIGINT NOT NULL,
  state BIGINT NOT NULL,
  document BYTEA NOT NULL,
  PRIMARY KEY (organization_id, session_id),
  FOREIGN KEY (organization_id, group_id) REFERENCES care_group (organization_id, group_id),
  CHECK (starts_at < ends_at)
);
CREATE INDEX group_session_by_start ON group_session
  (organization_id, group_id, starts_at, session_id);
SELECT rapport_protect('group_session');

-- Places in a session: a number is taken once, and none is beyond the capacity.
CREATE TABLE seat (
  organization_id TEXT COLLATE "C" NOT NULL,
  session_id TEXT COLLATE "C" NOT NULL,
  seat BIGINT NOT NULL,
  capacity BIGINT NOT NULL,
  appointment_id TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (organization_id, session_id, seat),
  UNIQUE (organization_id, appointment_id),
  FOREIGN KEY (organization_id, session_id) REFERENCES group_session (organization_id, session_id),
  FOREIGN KEY (organization_id, appointment_id)
    REFERENCES appointment (organization_id, appointment_id),
  CHECK (seat BETWEEN 1 AND capacity)
);
SELECT rapport_protect('seat');

-- At most one entry of a course waits (states 1 and 2). urgency: negative, so that the most urgent come
-- first. offer_id: the held appointment; empty: none.
CREATE TABLE waitlist_entry (
  organization_id TEXT COLLATE "C" NOT NULL,
  entry_id TEXT COLLATE "C" NOT NULL,
  version BIGINT NOT NULL,
  course_id TEXT COLLATE "C" NOT NULL,
  clinician_id TEXT COLLATE "C" NOT NULL,
  clinic_id TEXT COLLATE "C" NOT NULL,
  state BIGINT NOT NULL,
  urgency BIGINT NOT NULL,
  create_time BIGINT NOT NULL,
  latest_at BIGINT NOT NULL,
  offer_id TEXT COLLATE "C" NOT NULL DEFAULT '',
  document BYTEA NOT NULL,
  PRIMARY KEY (organization_id, entry_id),
  FOREIGN KEY (organization_id, course_id) REFERENCES course (organization_id, course_id)
);
CREATE UNIQUE INDEX waitlist_entry_waiting ON waitlist_entry (organization_id, course_id)
  WHERE state IN (1, 2);
CREATE INDEX waitlist_entry_by_order ON waitlist_entry
  (organization_id, clinician_id, state, urgency, create_time, entry_id);
CREATE INDEX waitlist_entry_by_offer ON waitlist_entry (organization_id, offer_id)
  WHERE offer_id <> '';
SELECT rapport_protect('waitlist_entry');

-- Times that an entry was offered and did not take; it is not offered them again.
CREATE TABLE waitlist_pass (
  organization_id TEXT COLLATE "C" NOT NULL,
  entry_id TEXT COLLATE "C" NOT NULL,
  starts_at BIGINT NOT NULL,
  PRIMARY KEY (organization_id, entry_id, starts_at)
);
SELECT rapport_protect('waitlist_pass');

-- The document holds no items. sessions: how many there are; settled: how many have an outcome.
CREATE TABLE leave_plan (
  organization_id TEXT COLLATE "C" NOT NULL,
  leave_plan_id TEXT COLLATE "C" NOT NULL,
  version BIGINT NOT NULL,
  clinician_id TEXT COLLATE "C" NOT NULL,
  sessions BIGINT NOT NULL,
  settled BIGINT NOT NULL,
  document BYTEA NOT NULL,
  PRIMARY KEY (organization_id, leave_plan_id),
  FOREIGN KEY (organization_id, clinician_id) REFERENCES clinician (organization_id, clinician_id)
);
SELECT rapport_protect('leave_plan');

-- starts_at, clinic_id and private: of the session as it was when the plan was made.
CREATE TABLE leave_plan_item (
  organization_id TEXT COLLATE "C" NOT NULL,
  leave_plan_id TEXT COLLATE "C" NOT NULL,
  appointment_id TEXT COLLATE "C" NOT NULL,
  starts_at BIGINT NOT NULL,
  clinic_id TEXT COLLATE "C" NOT NULL,
  private BIGINT NOT NULL,
  in_group BIGINT NOT NULL,
  document BYTEA NOT NULL,
  PRIMARY KEY (organization_id, leave_plan_id, appointment_id),
  FOREIGN KEY (organization_id, leave_plan_id)
    REFERENCES leave_plan (organization_id, leave_plan_id)
);
SELECT rapport_protect('leave_plan_item');

-- Until when the reminders of each lead time are given.
CREATE TABLE reminder_progress (
  organization_id TEXT COLLATE "C" NOT NULL,
  lead_micros BIGINT NOT NULL,
  reminded_until BIGINT NOT NULL,
  PRIMARY KEY (organization_id, lead_micros)
);
SELECT rapport_protect('reminder_progress');

-- formulation_agreed: whether the patient has agreed to a formulation.
ALTER TABLE course_case ADD COLUMN formulation_agreed BIGINT NOT NULL DEFAULT 0;
