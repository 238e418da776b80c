-- min_reader_version: 1

-- Organisations' own instruments. Never changed, never deleted.
CREATE TABLE instrument (
  organization_id TEXT NOT NULL,
  instrument_id TEXT COLLATE "C" NOT NULL,
  revision BIGINT NOT NULL CHECK (revision > 0),
  document BYTEA NOT NULL,
  PRIMARY KEY (organization_id, instrument_id, revision)
);

-- Published wordings that organisations loaded.
CREATE TABLE instrument_wording (
  organization_id TEXT NOT NULL,
  wording_id TEXT NOT NULL,  -- '<instrument>.<language>'
  version BIGINT NOT NULL,
  document BYTEA NOT NULL,
  PRIMARY KEY (organization_id, wording_id)
);

SELECT rapport_protect('instrument', 'SELECT, INSERT');
SELECT rapport_protect('instrument_wording', 'SELECT, INSERT, UPDATE');
