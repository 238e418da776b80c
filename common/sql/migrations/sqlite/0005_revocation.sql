-- min_reader_version: 2

-- What replicas refuse of the tokens that have not yet expired: those of `subject` issued before `not_before`, or the
-- one `token_id`; the other is empty. Instants are the real clock's. Rows go when whatever they refuse has expired.
CREATE TABLE token_revocation (
  organization_id TEXT NOT NULL,
  revocation_id TEXT NOT NULL,
  subject TEXT NOT NULL,
  token_id TEXT NOT NULL,
  not_before INTEGER NOT NULL,
  expire_time INTEGER NOT NULL,
  PRIMARY KEY (organization_id, revocation_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX token_revocation_by_expiry ON token_revocation (expire_time);
