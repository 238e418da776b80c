-- min_reader_version: 1
CREATE TABLE account (
  organization_id TEXT NOT NULL,
  account_id TEXT NOT NULL,
  owner TEXT,
  balance INTEGER NOT NULL CONSTRAINT account_not_overdrawn CHECK (balance >= 0),
  PRIMARY KEY (organization_id, account_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX account_one_per_owner ON account (organization_id, owner);

CREATE TABLE booking (
  organization_id TEXT NOT NULL,
  account_id TEXT NOT NULL,
  number INTEGER NOT NULL,
  PRIMARY KEY (organization_id, account_id, number),
  UNIQUE (number),
  FOREIGN KEY (organization_id, account_id) REFERENCES account
    DEFERRABLE INITIALLY DEFERRED
) STRICT, WITHOUT ROWID;

CREATE TRIGGER booking_is_final BEFORE UPDATE ON booking
BEGIN
  SELECT RAISE(ABORT, 'booking_is_final');
END;

CREATE TABLE scalar (
  organization_id TEXT NOT NULL,
  id INTEGER NOT NULL,
  number INTEGER,
  real REAL,
  text TEXT,
  bytes BLOB,
  PRIMARY KEY (organization_id, id)
) STRICT;
