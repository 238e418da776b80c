-- min_reader_version: 2

-- What each partner of a couple said, seen alone; append only, and the newest of each counts.
CREATE TABLE partner_screen (
  organization_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  screen_id TEXT NOT NULL,
  patient TEXT NOT NULL,
  create_time BIGINT NOT NULL,
  document BYTEA NOT NULL,
  PRIMARY KEY (organization_id, case_id, screen_id),
  FOREIGN KEY (organization_id, case_id) REFERENCES note_case (organization_id, case_id)
);
CREATE INDEX partner_screen_by_time
  ON partner_screen (organization_id, case_id, create_time, screen_id);
CREATE TRIGGER partner_screen_change BEFORE UPDATE OR DELETE ON partner_screen
  FOR EACH ROW EXECUTE FUNCTION notes_refuse('partner_screen_immutable');
SELECT rapport_protect('partner_screen', 'SELECT, INSERT');

-- The second clinician's word on a positive one; append only, one each.
CREATE TABLE partner_screen_countersign (
  organization_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  screen_id TEXT NOT NULL,
  document BYTEA NOT NULL,
  PRIMARY KEY (organization_id, case_id, screen_id),
  FOREIGN KEY (organization_id, case_id, screen_id)
    REFERENCES partner_screen (organization_id, case_id, screen_id)
);
CREATE TRIGGER partner_screen_countersign_change BEFORE UPDATE OR DELETE ON partner_screen_countersign
  FOR EACH ROW EXECUTE FUNCTION notes_refuse('partner_screen_immutable');
SELECT rapport_protect('partner_screen_countersign', 'SELECT, INSERT');
