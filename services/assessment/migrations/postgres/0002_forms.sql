-- min_reader_version: 1
-- Answers, context and a total given alone are sealed, apart from the document. NULL: kept by an
-- earlier release, with its answers in the document.
ALTER TABLE assessment ADD COLUMN sealed BYTEA;
ALTER TABLE assessment ADD COLUMN revision TEXT NOT NULL DEFAULT '';  -- of the instrument, its name
ALTER TABLE assessment ADD COLUMN positive BIGINT NOT NULL DEFAULT 0 CHECK (positive IN (0, 1));
ALTER TABLE assessment ADD COLUMN full_syndrome BIGINT NOT NULL DEFAULT 0
  CHECK (full_syndrome IN (0, 1));
ALTER TABLE assessment ADD COLUMN void_time BIGINT;  -- NULL: it counts
CREATE INDEX assessment_by_respondent
  ON assessment (organization_id, course, patient, instrument, answer_time, assessment_id);

-- All that ever changes of a form: that it is voided, once.
GRANT UPDATE (void_time, version, document) ON assessment TO rapport_app;
CREATE FUNCTION assessment_only_voided() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.void_time IS NOT NULL OR NEW.void_time IS NULL OR NEW.version <> OLD.version + 1 THEN
    RAISE EXCEPTION 'assessment_only_voided'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'assessment_only_voided';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER assessment_only_voided BEFORE UPDATE ON assessment
  FOR EACH ROW EXECUTE FUNCTION assessment_only_voided();

-- Plans that were adjusted for their course; of other courses the plan is their protocol's.
CREATE TABLE measurement_plan (
  organization_id TEXT NOT NULL,
  course TEXT NOT NULL,
  version BIGINT NOT NULL,
  document BYTEA NOT NULL,
  PRIMARY KEY (organization_id, course)
);

-- Courses in whose plan days count as well as sessions; their segment's first session is looked up.
ALTER TABLE course_clinician ADD COLUMN counts_days BIGINT NOT NULL DEFAULT 0
  CHECK (counts_days IN (0, 1));
ALTER TABLE course_clinician ADD COLUMN segment BIGINT NOT NULL DEFAULT 0;

-- Days of social-rhythm diaries. The last entry of a day counts; earlier ones stay.
CREATE TABLE rhythm_day (
  organization_id TEXT NOT NULL,
  course TEXT NOT NULL,
  patient TEXT NOT NULL,
  date TEXT COLLATE "C" NOT NULL,  -- as '2026-03-02', by the patient's calendar
  entry BIGINT NOT NULL,  -- 1 and up
  record_time BIGINT NOT NULL,
  sealed BYTEA NOT NULL,
  PRIMARY KEY (organization_id, course, patient, date, entry)
);

SELECT rapport_protect('measurement_plan', 'SELECT, INSERT, UPDATE');
SELECT rapport_protect('rhythm_day', 'SELECT, INSERT');
