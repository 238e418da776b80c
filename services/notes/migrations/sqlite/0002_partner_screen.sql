-- min_reader_version: 2

-- What each partner of a couple said, seen alone; append only, and the newest of each counts.
CREATE TABLE partner_screen (
  organization_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  screen_id TEXT NOT NULL,
  patient TEXT NOT NULL,
  create_time INTEGER NOT NULL,
  document BLOB NOT NULL,
  PRIMARY KEY (organization_id, case_id, screen_id),
  FOREIGN KEY (organization_id, case_id) REFERENCES note_case (organization_id, case_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX partner_screen_by_time
  ON partner_screen (organization_id, case_id, create_time, screen_id);
CREATE TRIGGER partner_screen_update BEFORE UPDATE ON partner_screen
BEGIN
  SELECT RAISE(ABORT, 'partner_screen_immutable');
END;
CREATE TRIGGER partner_screen_delete BEFORE DELETE ON partner_screen
BEGIN
  SELECT RAISE(ABORT, 'partner_screen_immutable');
END;

-- The second clinician's word on a positive one; append only, one each.
CREATE TABLE partner_screen_countersign (
  organization_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  screen_id TEXT NOT NULL,
  document BLOB NOT NULL,
  PRIMARY KEY (organization_id, case_id, screen_id),
  FOREIGN KEY (organization_id, case_id, screen_id)
    REFERENCES partner_screen (organization_id, case_id, screen_id)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER partner_screen_countersign_update BEFORE UPDATE ON partner_screen_countersign
BEGIN
  SELECT RAISE(ABORT, 'partner_screen_immutable');
END;
CREATE TRIGGER partner_screen_countersign_delete BEFORE DELETE ON partner_screen_countersign
BEGIN
  SELECT RAISE(ABORT, 'partner_screen_immutable');
END;
