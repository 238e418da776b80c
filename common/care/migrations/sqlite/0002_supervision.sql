-- min_reader_version: 2

-- licence_until: the last day of the licence, as 2026-12-31; empty: none.
ALTER TABLE care_clinician ADD COLUMN licence_until TEXT NOT NULL DEFAULT '';

-- Which count of sessions of its course an appointment belongs to.
ALTER TABLE care_appointment ADD COLUMN segment INTEGER NOT NULL DEFAULT 0;

-- end_time of a pair that goes on: the largest number.
CREATE TABLE care_supervision (
  organization_id TEXT NOT NULL,
  supervision TEXT NOT NULL,
  version INTEGER NOT NULL,
  supervisor TEXT NOT NULL,
  supervisee TEXT NOT NULL,
  start_time INTEGER NOT NULL,
  end_time INTEGER NOT NULL,
  PRIMARY KEY (organization_id, supervision)
) STRICT, WITHOUT ROWID;
CREATE INDEX care_supervision_by_supervisor
  ON care_supervision (organization_id, supervisor, end_time);
