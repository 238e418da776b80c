-- min_reader_version: 1
-- Answers, context and a total given alone are sealed, apart from the document. NULL: kept by an
-- earlier release, with its answers in the document.
ALTER TABLE assessment ADD COLUMN sealed BLOB;
ALTER TABLE assessment ADD COLUMN revision TEXT NOT NULL DEFAULT '';  -- of the instrument, its name
ALTER TABLE assessment ADD COLUMN positive INTEGER NOT NULL DEFAULT 0 CHECK (positive IN (0, 1));
ALTER TABLE assessment ADD COLUMN full_syndrome INTEGER NOT NULL DEFAULT 0
  CHECK (full_syndrome IN (0, 1));
ALTER TABLE assessment ADD COLUMN void_time INTEGER;  -- NULL: it counts
CREATE INDEX assessment_by_respondent
  ON assessment (organization_id, course, patient, instrument, answer_time, assessment_id);

-- All that ever changes of a form: that it is voided, once.
DROP TRIGGER assessment_never_changed;
CREATE TRIGGER assessment_only_voided BEFORE UPDATE ON assessment
WHEN OLD.void_time IS NOT NULL OR NEW.void_time IS NULL OR NEW.version <> OLD.version + 1
  OR NEW.organization_id <> OLD.organization_id OR NEW.assessment_id <> OLD.assessment_id
  OR NEW.course <> OLD.course OR NEW.patient <> OLD.patient OR NEW.instrument <> OLD.instrument
  OR NEW.answer_time <> OLD.answer_time OR NEW.record_time <> OLD.record_time
  OR NEW.total IS NOT OLD.total OR NEW.complete <> OLD.complete OR NEW.prorated <> OLD.prorated
  OR NEW.severity <> OLD.severity OR NEW.sealed IS NOT OLD.sealed
  OR NEW.revision <> OLD.revision OR NEW.positive <> OLD.positive
  OR NEW.full_syndrome <> OLD.full_syndrome
BEGIN SELECT RAISE(ABORT, 'assessment_only_voided'); END;

-- Plans that were adjusted for their course; of other courses the plan is their protocol's.
CREATE TABLE measurement_plan (
  organization_id TEXT NOT NULL,
  course TEXT NOT NULL,
  version INTEGER NOT NULL,
  document BLOB NOT NULL,
  PRIMARY KEY (organization_id, course)
) STRICT;

-- Courses in whose plan days count as well as sessions; their segment's first session is looked up.
ALTER TABLE course_clinician ADD COLUMN counts_days INTEGER NOT NULL DEFAULT 0
  CHECK (counts_days IN (0, 1));
ALTER TABLE course_clinician ADD COLUMN segment INTEGER NOT NULL DEFAULT 0;

-- Days of social-rhythm diaries. The last entry of a day counts; earlier ones stay.
CREATE TABLE rhythm_day (
  organization_id TEXT NOT NULL,
  course TEXT NOT NULL,
  patient TEXT NOT NULL,
  date TEXT NOT NULL,  -- as '2026-03-02', by the patient's calendar
  entry INTEGER NOT NULL,  -- 1 and up
  record_time INTEGER NOT NULL,
  sealed BLOB NOT NULL,
  PRIMARY KEY (organization_id, course, patient, date, entry)
) STRICT;
CREATE TRIGGER rhythm_day_never_changed BEFORE UPDATE ON rhythm_day
BEGIN SELECT RAISE(ABORT, 'rhythm_day_never_changed'); END;
CREATE TRIGGER rhythm_day_never_deleted BEFORE DELETE ON rhythm_day
BEGIN SELECT RAISE(ABORT, 'rhythm_day_never_deleted'); END;
