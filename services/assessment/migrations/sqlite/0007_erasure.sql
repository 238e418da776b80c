-- min_reader_version: 7

-- Patients who were erased. Their rows, and theirs alone, can be deleted.
CREATE TABLE erased_patient (
  organization_id TEXT NOT NULL,
  patient TEXT NOT NULL,
  erasure TEXT NOT NULL,  -- name
  erase_time INTEGER NOT NULL,
  PRIMARY KEY (organization_id, patient)
) STRICT;

-- What is left of their forms, under an id that leads to nobody. day: from the first form on.
CREATE TABLE unlinked_total (
  organization_id TEXT NOT NULL,
  subject TEXT NOT NULL,
  number INTEGER NOT NULL,
  instrument TEXT NOT NULL,  -- id, as 'phq-9'
  day INTEGER NOT NULL,
  total REAL,
  complete INTEGER NOT NULL CHECK (complete IN (0, 1)),
  prorated INTEGER NOT NULL CHECK (prorated IN (0, 1)),
  severity TEXT NOT NULL,
  PRIMARY KEY (organization_id, subject, number)
) STRICT;

DROP TRIGGER assessment_never_deleted;
CREATE TRIGGER assessment_only_erased BEFORE DELETE ON assessment
WHEN NOT EXISTS (SELECT 1 FROM erased_patient AS e
                 WHERE e.organization_id = OLD.organization_id AND e.patient = OLD.patient)
BEGIN SELECT RAISE(ABORT, 'assessment_only_erased'); END;
DROP TRIGGER rhythm_day_never_deleted;
CREATE TRIGGER rhythm_day_only_erased BEFORE DELETE ON rhythm_day
WHEN NOT EXISTS (SELECT 1 FROM erased_patient AS e
                 WHERE e.organization_id = OLD.organization_id AND e.patient = OLD.patient)
BEGIN SELECT RAISE(ABORT, 'assessment_only_erased'); END;
CREATE TRIGGER measure_request_only_erased BEFORE DELETE ON measure_request
WHEN NOT EXISTS (SELECT 1 FROM erased_patient AS e
                 WHERE e.organization_id = OLD.organization_id AND e.patient = OLD.patient)
BEGIN SELECT RAISE(ABORT, 'assessment_only_erased'); END;

CREATE INDEX assessment_by_patient ON assessment (organization_id, patient);
CREATE INDEX rhythm_day_by_patient ON rhythm_day (organization_id, patient);
CREATE INDEX measure_request_by_patient ON measure_request (organization_id, patient);
CREATE INDEX outcome_course_by_respondent ON outcome_course (organization_id, respondent);
