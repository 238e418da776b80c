-- min_reader_version: 2

-- What replicas refuse of the tokens that have not yet expired: those of `subject` issued before `not_before`, or the
-- one `token_id`; the other is empty. Instants are the real clock's. Rows go when whatever they refuse has expired.
CREATE TABLE token_revocation (
  organization_id TEXT COLLATE "C" NOT NULL,
  revocation_id TEXT COLLATE "C" NOT NULL,
  subject TEXT COLLATE "C" NOT NULL,
  token_id TEXT COLLATE "C" NOT NULL,
  not_before BIGINT NOT NULL,
  expire_time BIGINT NOT NULL,
  PRIMARY KEY (organization_id, revocation_id)
);
CREATE INDEX token_revocation_by_expiry ON token_revocation (expire_time);
SELECT rapport_protect('token_revocation');
-- Every replica refuses those of all organisations.
SELECT rapport_open_to_feed('token_revocation', 'SELECT');
