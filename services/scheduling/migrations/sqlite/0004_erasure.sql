-- min_reader_version: 3

-- Patients who were erased; nobody is ever called so again. erasure: its name.
CREATE TABLE erased_patient (
  organization_id TEXT NOT NULL,
  patient_id TEXT NOT NULL,
  erasure TEXT NOT NULL,
  erase_time INTEGER NOT NULL,
  PRIMARY KEY (organization_id, patient_id)
) STRICT;
