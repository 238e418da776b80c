-- min_reader_version: 1

-- The key of each subject, wrapped by a key-encryption key. A shredded one keeps its row, without key.
CREATE TABLE data_key (
  organization_id TEXT COLLATE "C" NOT NULL,
  subject TEXT COLLATE "C" NOT NULL,  -- full name of a patient, or of the organisation
  wrapping_key TEXT COLLATE "C" NOT NULL,  -- id of the key-encryption key; '' once shredded
  wrapped BYTEA,  -- NULL once shredded
  create_time BIGINT NOT NULL,
  shred_time BIGINT,
  PRIMARY KEY (organization_id, subject),
  CHECK ((wrapped IS NULL) = (shred_time IS NOT NULL))
);
SELECT rapport_protect('data_key', 'SELECT, INSERT, UPDATE');
