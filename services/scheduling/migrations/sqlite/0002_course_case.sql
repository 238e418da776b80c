-- min_reader_version: 1

-- What notes last told of a course's case: its version, and whether its determination is opened
-- again with none in force.
CREATE TABLE course_case (
  organization_id TEXT NOT NULL,
  course_id TEXT NOT NULL,
  version INTEGER NOT NULL,
  determination_reopened INTEGER NOT NULL,
  PRIMARY KEY (organization_id, course_id)
) STRICT, WITHOUT ROWID;
