-- min_reader_version: 3

-- Revocations of tokens, for the record; what replicas go by is token_revocation. One of subject and token_id is
-- NULL.
CREATE TABLE revocation (
  organization_id TEXT COLLATE "C" NOT NULL,
  revocation_id TEXT COLLATE "C" NOT NULL,
  create_time BIGINT NOT NULL,
  subject TEXT COLLATE "C",
  token_id TEXT COLLATE "C",
  document BYTEA NOT NULL,
  PRIMARY KEY (organization_id, revocation_id)
);
CREATE UNIQUE INDEX revocation_by_token ON revocation (organization_id, token_id);
CREATE INDEX revocation_by_time ON revocation (organization_id, create_time, revocation_id);
CREATE INDEX revocation_by_subject ON revocation (organization_id, subject, create_time, revocation_id);
SELECT rapport_protect('revocation', 'SELECT, INSERT');
