-- min_reader_version: 1

-- What notes last told of a course's case: its version, and whether its determination is opened
-- again with none in force.
CREATE TABLE course_case (
  organization_id TEXT COLLATE "C" NOT NULL,
  course_id TEXT COLLATE "C" NOT NULL,
  version BIGINT NOT NULL,
  determination_reopened BIGINT NOT NULL,
  PRIMARY KEY (organization_id, course_id)
);
SELECT rapport_protect('course_case');
