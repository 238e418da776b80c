-- min_reader_version: 1

-- What was written when an alert was resolved, sealed for `subject`, whom the alert is about. Never
-- changed, never deleted: it goes with the subject's key.
CREATE TABLE alert_resolution (
  organization_id TEXT NOT NULL,
  alert_id TEXT NOT NULL,
  subject TEXT NOT NULL,
  sealed BLOB NOT NULL,
  PRIMARY KEY (organization_id, alert_id)
) STRICT;
