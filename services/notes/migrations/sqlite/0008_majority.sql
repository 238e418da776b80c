-- min_reader_version: 6

-- Patients who came of age while they were known here. document: MajorityEvent.
CREATE TABLE majority (
  organization_id TEXT NOT NULL,
  patient TEXT NOT NULL,
  version INTEGER NOT NULL,
  document BLOB NOT NULL,
  PRIMARY KEY (organization_id, patient)
) STRICT;
