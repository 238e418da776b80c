-- min_reader_version: 1

-- Organisations' own instruments. Never changed, never deleted.
CREATE TABLE instrument (
  organization_id TEXT NOT NULL,
  instrument_id TEXT NOT NULL,
  revision INTEGER NOT NULL CHECK (revision > 0),
  document BLOB NOT NULL,
  PRIMARY KEY (organization_id, instrument_id, revision)
) STRICT;

-- Published wordings that organisations loaded.
CREATE TABLE instrument_wording (
  organization_id TEXT NOT NULL,
  wording_id TEXT NOT NULL,  -- '<instrument>.<language>'
  version INTEGER NOT NULL,
  document BLOB NOT NULL,
  PRIMARY KEY (organization_id, wording_id)
) STRICT;
