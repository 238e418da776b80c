-- min_reader_version: 1
CREATE TABLE account (
  organization_id TEXT NOT NULL,
  account_id TEXT NOT NULL,
  owner TEXT,
  balance BIGINT NOT NULL CONSTRAINT account_not_overdrawn CHECK (balance >= 0),
  PRIMARY KEY (organization_id, account_id)
);
CREATE UNIQUE INDEX account_one_per_owner ON account (organization_id, owner);
SELECT rapport_protect('account');

CREATE TABLE booking (
  organization_id TEXT NOT NULL,
  account_id TEXT NOT NULL,
  number BIGINT NOT NULL,
  PRIMARY KEY (organization_id, account_id, number),
  UNIQUE (number),
  CONSTRAINT foreign_key FOREIGN KEY (organization_id, account_id) REFERENCES account
    DEFERRABLE INITIALLY DEFERRED
);
SELECT rapport_protect('booking');

CREATE FUNCTION booking_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'booking_is_final';
END $$;
CREATE TRIGGER booking_is_final BEFORE UPDATE ON booking
  FOR EACH ROW EXECUTE FUNCTION booking_is_final();

CREATE TABLE scalar (
  organization_id TEXT NOT NULL,
  id BIGINT NOT NULL,
  number BIGINT,
  real DOUBLE PRECISION,
  text TEXT,
  bytes BYTEA,
  PRIMARY KEY (organization_id, id)
);
SELECT rapport_protect('scalar');
