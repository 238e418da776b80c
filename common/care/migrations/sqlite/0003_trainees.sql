-- min_reader_version: 3

-- In training.
ALTER TABLE care_clinician ADD COLUMN trainee INTEGER NOT NULL DEFAULT 0;

CREATE INDEX care_supervision_by_supervisee
  ON care_supervision (organization_id, supervisee, end_time);
