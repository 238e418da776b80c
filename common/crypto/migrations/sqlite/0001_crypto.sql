-- min_reader_version: 1

-- The key of each subject, wrapped by a key-encryption key. A shredded one keeps its row, without key.
CREATE TABLE data_key (
  organization_id TEXT NOT NULL,
  subject TEXT NOT NULL,  -- full name of a patient, or of the organisation
  wrapping_key TEXT NOT NULL,  -- id of the key-encryption key; '' once shredded
  wrapped BLOB,  -- NULL once shredded
  create_time INTEGER NOT NULL,
  shred_time INTEGER,
  PRIMARY KEY (organization_id, subject),
  CHECK ((wrapped IS NULL) = (shred_time IS NOT NULL))
) STRICT, WITHOUT ROWID;
