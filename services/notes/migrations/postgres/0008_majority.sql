-- min_reader_version: 6

-- Patients who came of age while they were known here. document: MajorityEvent.
CREATE TABLE majority (
  organization_id TEXT NOT NULL,
  patient TEXT NOT NULL,
  version BIGINT NOT NULL,
  document BYTEA NOT NULL,
  PRIMARY KEY (organization_id, patient)
);
SELECT rapport_protect('majority', 'SELECT, INSERT, UPDATE');
