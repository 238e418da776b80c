-- min_reader_version: 3

-- Patients who were erased; nobody is ever called so again. erasure: its name.
CREATE TABLE erased_patient (
  organization_id TEXT COLLATE "C" NOT NULL,
  patient_id TEXT COLLATE "C" NOT NULL,
  erasure TEXT COLLATE "C" NOT NULL,
  erase_time BIGINT NOT NULL,
  PRIMARY KEY (organization_id, patient_id)
);
SELECT rapport_protect('erased_patient', 'SELECT, INSERT');
