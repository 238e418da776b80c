-- min_reader_version: 1

-- Requests to patients. The link token is kept as its SHA-256 alone; answers saved so far are sealed.
CREATE TABLE measure_request (
  organization_id TEXT NOT NULL,
  measure_request_id TEXT NOT NULL,
  course TEXT NOT NULL,
  patient TEXT NOT NULL,
  instrument TEXT NOT NULL,  -- id, as 'phq-9'
  appointment TEXT NOT NULL,  -- '' for none
  state BIGINT NOT NULL CHECK (state BETWEEN 1 AND 6),
  create_time BIGINT NOT NULL,
  link_hash BYTEA NOT NULL,
  save_number BIGINT NOT NULL,
  sealed BYTEA,  -- NULL until something is saved
  version BIGINT NOT NULL,
  document BYTEA NOT NULL,
  PRIMARY KEY (organization_id, measure_request_id)
);
CREATE UNIQUE INDEX measure_request_by_link ON measure_request (organization_id, link_hash);
CREATE INDEX measure_request_by_course
  ON measure_request (organization_id, course, create_time, measure_request_id);

SELECT rapport_protect('measure_request', 'SELECT, INSERT, UPDATE');
