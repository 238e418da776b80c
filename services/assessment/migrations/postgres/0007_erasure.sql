-- min_reader_version: 7

-- Patients who were erased. Their rows, and theirs alone, can be deleted.
CREATE TABLE erased_patient (
  organization_id TEXT NOT NULL,
  patient TEXT NOT NULL,
  erasure TEXT NOT NULL,  -- name
  erase_time BIGINT NOT NULL,
  PRIMARY KEY (organization_id, patient)
);
SELECT rapport_protect('erased_patient', 'SELECT, INSERT');

-- What is left of their forms, under an id that leads to nobody. day: from the first form on.
CREATE TABLE unlinked_total (
  organization_id TEXT NOT NULL,
  subject TEXT NOT NULL,
  number BIGINT NOT NULL,
  instrument TEXT NOT NULL,  -- id, as 'phq-9'
  day BIGINT NOT NULL,
  total DOUBLE PRECISION,
  complete BIGINT NOT NULL CHECK (complete IN (0, 1)),
  prorated BIGINT NOT NULL CHECK (prorated IN (0, 1)),
  severity TEXT NOT NULL,
  PRIMARY KEY (organization_id, subject, number)
);
SELECT rapport_protect('unlinked_total', 'SELECT, INSERT');

CREATE FUNCTION assessment_only_erased() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM FROM erased_patient AS e
    WHERE e.organization_id = OLD.organization_id AND e.patient = OLD.patient;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'assessment_only_erased'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'assessment_only_erased';
  END IF;
  RETURN OLD;
END $$;
CREATE TRIGGER assessment_only_erased BEFORE DELETE ON assessment
  FOR EACH ROW EXECUTE FUNCTION assessment_only_erased();
CREATE TRIGGER rhythm_day_only_erased BEFORE DELETE ON rhythm_day
  FOR EACH ROW EXECUTE FUNCTION assessment_only_erased();
CREATE TRIGGER measure_request_only_erased BEFORE DELETE ON measure_request
  FOR EACH ROW EXECUTE FUNCTION assessment_only_erased();
GRANT DELETE ON assessment, rhythm_day, measure_request TO rapport_app;

CREATE INDEX assessment_by_patient ON assessment (organization_id, patient);
CREATE INDEX rhythm_day_by_patient ON rhythm_day (organization_id, patient);
CREATE INDEX measure_request_by_patient ON measure_request (organization_id, patient);
CREATE INDEX outcome_course_by_respondent ON outcome_course (organization_id, respondent);
