-- min_reader_version: 4

-- Session notes in versions, sealed. What is in the tables of before stands there in the clear, which SQL can't
-- seal: with rows in them this migration refuses.
CREATE TABLE unsealed_notes (total INTEGER NOT NULL CHECK (total = 0)) STRICT;
INSERT INTO unsealed_notes SELECT count(*) FROM session_note;
DROP TABLE unsealed_notes;
DROP TABLE note_addendum;
DROP TABLE note_prefill;
DROP TABLE session_note;

-- A note apart from its texts. `head` is what never changes of it, without text; the rest follows its versions.
-- Kinds: 1 of the patient, 2 of a couple jointly, 3 private, of the partner `about`. `subject`: whose key seals it.
-- cosign: 0 not needed, 1 awaited, 2 done, 3 returned. Times of the newest signed version.
CREATE TABLE session_note (
  organization_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  note_id TEXT NOT NULL,
  appointment TEXT NOT NULL,
  author TEXT NOT NULL,
  kind INTEGER NOT NULL CHECK (kind IN (1, 2, 3)),
  about TEXT NOT NULL,
  subject TEXT NOT NULL,
  clinic TEXT NOT NULL,
  session_time INTEGER NOT NULL,
  session_end_time INTEGER NOT NULL,
  due_time INTEGER NOT NULL,
  create_time INTEGER NOT NULL,
  head BLOB NOT NULL,
  signed_version INTEGER NOT NULL,          -- the newest signed; 0: none
  draft_version INTEGER NOT NULL,           -- open as draft; 0: none
  first_sign_time INTEGER,
  sign_time INTEGER,
  cosign INTEGER NOT NULL CHECK (cosign IN (0, 1, 2, 3)),
  cosigner TEXT NOT NULL,                   -- asked for, or who signed; empty: any
  cosign_time INTEGER,
  cosign_document BLOB,                    -- the CosignRequirement
  copied_percent INTEGER NOT NULL,
  addenda INTEGER NOT NULL,
  version INTEGER NOT NULL,
  update_time INTEGER NOT NULL,
  PRIMARY KEY (organization_id, case_id, note_id),
  FOREIGN KEY (organization_id, case_id) REFERENCES note_case (organization_id, case_id),
  CHECK ((signed_version = 0) = (sign_time IS NULL)),
  CHECK (signed_version > 0 OR (cosign = 0 AND addenda = 0)),
  CHECK (draft_version IN (0, signed_version + 1))
) STRICT;
CREATE UNIQUE INDEX session_note_of_author
  ON session_note (organization_id, appointment, author, about);
CREATE INDEX session_note_by_session
  ON session_note (organization_id, case_id, session_time, note_id);
CREATE INDEX session_note_awaiting ON session_note (organization_id, session_end_time, note_id)
  WHERE cosign IN (1, 3);
CREATE INDEX session_note_by_end ON session_note (organization_id, session_end_time);
CREATE TRIGGER session_note_identity BEFORE UPDATE ON session_note
WHEN NEW.organization_id <> OLD.organization_id
  OR NEW.case_id <> OLD.case_id
  OR NEW.note_id <> OLD.note_id
  OR NEW.appointment <> OLD.appointment
  OR NEW.author <> OLD.author
  OR NEW.kind <> OLD.kind
  OR NEW.about <> OLD.about
  OR NEW.subject <> OLD.subject
  OR NEW.clinic <> OLD.clinic
  OR NEW.session_time <> OLD.session_time
  OR NEW.session_end_time <> OLD.session_end_time
  OR NEW.due_time <> OLD.due_time
  OR NEW.create_time <> OLD.create_time
  OR NEW.head <> OLD.head
BEGIN SELECT RAISE(ABORT, 'session_note_identity'); END;
-- A signature only ever joins its version, which is there already.
CREATE TRIGGER session_note_update BEFORE UPDATE ON session_note
WHEN NEW.signed_version < OLD.signed_version OR NEW.addenda < OLD.addenda
  OR NEW.first_sign_time IS NOT OLD.first_sign_time AND OLD.first_sign_time IS NOT NULL
  OR NEW.signed_version = OLD.signed_version
     AND (NEW.sign_time IS NOT OLD.sign_time OR NEW.copied_percent <> OLD.copied_percent)
  OR NEW.signed_version = OLD.signed_version AND OLD.cosign IN (2, 3) AND NEW.cosign <> OLD.cosign
  OR NEW.signed_version <> OLD.signed_version
     AND NOT EXISTS (SELECT 1 FROM note_version AS v
                     WHERE v.organization_id = NEW.organization_id AND v.case_id = NEW.case_id
                       AND v.note_id = NEW.note_id AND v.version = NEW.signed_version)
BEGIN SELECT RAISE(ABORT, 'session_note_signed'); END;
CREATE TRIGGER session_note_delete BEFORE DELETE ON session_note
BEGIN SELECT RAISE(ABORT, 'session_note_signed'); END;
CREATE TRIGGER session_note_insert BEFORE INSERT ON session_note
WHEN NEW.signed_version <> 0
  OR EXISTS (SELECT 1 FROM session_note AS n
             WHERE n.organization_id = NEW.organization_id AND n.case_id = NEW.case_id
               AND n.note_id = NEW.note_id)
BEGIN SELECT RAISE(ABORT, 'session_note_signed'); END;

-- The signed versions. `document`: the canonical bytes that were signed, sealed.
CREATE TABLE note_version (
  organization_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  note_id TEXT NOT NULL,
  version INTEGER NOT NULL,
  author TEXT NOT NULL,
  sign_time INTEGER NOT NULL,
  content_sha256 BLOB NOT NULL,
  signature BLOB NOT NULL,
  subject TEXT NOT NULL,
  document BLOB NOT NULL,
  PRIMARY KEY (organization_id, case_id, note_id, version),
  FOREIGN KEY (organization_id, case_id, note_id)
    REFERENCES session_note (organization_id, case_id, note_id)
) STRICT;
CREATE TRIGGER note_version_update BEFORE UPDATE ON note_version
BEGIN SELECT RAISE(ABORT, 'session_note_signed'); END;
CREATE TRIGGER note_version_delete BEFORE DELETE ON note_version
BEGIN SELECT RAISE(ABORT, 'session_note_signed'); END;
CREATE TRIGGER note_version_replace BEFORE INSERT ON note_version
WHEN EXISTS (SELECT 1 FROM note_version AS o
             WHERE o.organization_id = NEW.organization_id
               AND o.case_id = NEW.case_id
               AND o.note_id = NEW.note_id
               AND o.version = NEW.version)
BEGIN SELECT RAISE(ABORT, 'session_note_signed'); END;
-- One after the other.
CREATE TRIGGER note_version_insert BEFORE INSERT ON note_version
WHEN NOT EXISTS (SELECT 1 FROM session_note AS n
             WHERE n.organization_id = NEW.organization_id AND n.case_id = NEW.case_id
               AND n.note_id = NEW.note_id AND n.signed_version = NEW.version - 1)
BEGIN SELECT RAISE(ABORT, 'session_note_signed'); END;

-- The one open draft of a note. Saves touch this row alone; it goes with the signature.
CREATE TABLE note_draft (
  organization_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  note_id TEXT NOT NULL,
  version INTEGER NOT NULL,                 -- that it is to become
  sequence INTEGER NOT NULL,
  saves INTEGER NOT NULL,
  update_time INTEGER NOT NULL,
  subject TEXT NOT NULL,
  document BLOB NOT NULL,
  PRIMARY KEY (organization_id, case_id, note_id),
  FOREIGN KEY (organization_id, case_id, note_id)
    REFERENCES session_note (organization_id, case_id, note_id)
) STRICT;
CREATE TRIGGER note_draft_insert BEFORE INSERT ON note_draft
WHEN NOT EXISTS (SELECT 1 FROM session_note AS n
             WHERE n.organization_id = NEW.organization_id AND n.case_id = NEW.case_id
               AND n.note_id = NEW.note_id AND n.signed_version = NEW.version - 1)
BEGIN SELECT RAISE(ABORT, 'session_note_signed'); END;
CREATE TRIGGER note_draft_update BEFORE UPDATE ON note_draft
WHEN NEW.version <> OLD.version OR NEW.note_id <> OLD.note_id
BEGIN SELECT RAISE(ABORT, 'session_note_signed'); END;

-- Texts of windows whose draft had moved on: refused, and kept until they are merged.
CREATE TABLE note_draft_copy (
  organization_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  note_id TEXT NOT NULL,
  copy_id TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  base_sequence INTEGER NOT NULL,
  create_time INTEGER NOT NULL,
  subject TEXT NOT NULL,
  document BLOB NOT NULL,
  PRIMARY KEY (organization_id, case_id, note_id, copy_id),
  FOREIGN KEY (organization_id, case_id, note_id)
    REFERENCES session_note (organization_id, case_id, note_id)
) STRICT;
CREATE TRIGGER note_draft_copy_insert BEFORE INSERT ON note_draft_copy
WHEN NOT EXISTS (SELECT 1 FROM note_draft AS d
                 WHERE d.organization_id = NEW.organization_id AND d.case_id = NEW.case_id
                   AND d.note_id = NEW.note_id)
BEGIN SELECT RAISE(ABORT, 'session_note_signed'); END;
CREATE TRIGGER note_draft_copy_update BEFORE UPDATE ON note_draft_copy
WHEN NOT EXISTS (SELECT 1 FROM note_draft AS d
                 WHERE d.organization_id = NEW.organization_id AND d.case_id = NEW.case_id
                   AND d.note_id = NEW.note_id)
BEGIN SELECT RAISE(ABORT, 'session_note_signed'); END;

-- What a note began with, written once. A signed note takes no such part any more.
CREATE TABLE note_prefill (
  organization_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  note_id TEXT NOT NULL,
  subject TEXT NOT NULL,
  document BLOB NOT NULL,
  PRIMARY KEY (organization_id, case_id, note_id),
  FOREIGN KEY (organization_id, case_id, note_id)
    REFERENCES session_note (organization_id, case_id, note_id)
) STRICT;
CREATE TRIGGER note_prefill_update BEFORE UPDATE ON note_prefill
BEGIN SELECT RAISE(ABORT, 'note_prefill_immutable'); END;
CREATE TRIGGER note_prefill_delete BEFORE DELETE ON note_prefill
BEGIN SELECT RAISE(ABORT, 'note_prefill_immutable'); END;
CREATE TRIGGER note_prefill_replace BEFORE INSERT ON note_prefill
WHEN EXISTS (SELECT 1 FROM note_prefill AS o
             WHERE o.organization_id = NEW.organization_id
               AND o.case_id = NEW.case_id
               AND o.note_id = NEW.note_id)
BEGIN SELECT RAISE(ABORT, 'note_prefill_immutable'); END;
CREATE TRIGGER note_prefill_insert BEFORE INSERT ON note_prefill
WHEN EXISTS (SELECT 1 FROM session_note AS n
             WHERE n.organization_id = NEW.organization_id AND n.case_id = NEW.case_id
               AND n.note_id = NEW.note_id AND n.signed_version > 0)
BEGIN SELECT RAISE(ABORT, 'session_note_signed'); END;

-- A supervisor's one word on a signed version. kind 1: signed, the document is the Signature; 2: returned, the
-- document is the NoteReturn, sealed.
CREATE TABLE note_cosignature (
  organization_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  note_id TEXT NOT NULL,
  version INTEGER NOT NULL,
  kind INTEGER NOT NULL CHECK (kind IN (1, 2)),
  clinician TEXT NOT NULL,
  sign_time INTEGER NOT NULL,
  subject TEXT NOT NULL,
  document BLOB NOT NULL,
  PRIMARY KEY (organization_id, case_id, note_id, version),
  FOREIGN KEY (organization_id, case_id, note_id, version)
    REFERENCES note_version (organization_id, case_id, note_id, version)
) STRICT;
CREATE TRIGGER note_cosignature_update BEFORE UPDATE ON note_cosignature
BEGIN SELECT RAISE(ABORT, 'note_cosignature_immutable'); END;
CREATE TRIGGER note_cosignature_delete BEFORE DELETE ON note_cosignature
BEGIN SELECT RAISE(ABORT, 'note_cosignature_immutable'); END;
CREATE TRIGGER note_cosignature_replace BEFORE INSERT ON note_cosignature
WHEN EXISTS (SELECT 1 FROM note_cosignature AS o
             WHERE o.organization_id = NEW.organization_id
               AND o.case_id = NEW.case_id
               AND o.note_id = NEW.note_id
               AND o.version = NEW.version)
BEGIN SELECT RAISE(ABORT, 'note_cosignature_immutable'); END;

-- The only other parts that a signed note takes.
CREATE TABLE note_addendum (
  organization_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  note_id TEXT NOT NULL,
  number INTEGER NOT NULL,
  version INTEGER NOT NULL,                 -- of the note that it adds to
  signature BLOB NOT NULL,
  subject TEXT NOT NULL,
  document BLOB NOT NULL,
  PRIMARY KEY (organization_id, case_id, note_id, number),
  FOREIGN KEY (organization_id, case_id, note_id, version)
    REFERENCES note_version (organization_id, case_id, note_id, version)
) STRICT;
CREATE TRIGGER note_addendum_update BEFORE UPDATE ON note_addendum
BEGIN SELECT RAISE(ABORT, 'note_addendum_immutable'); END;
CREATE TRIGGER note_addendum_delete BEFORE DELETE ON note_addendum
BEGIN SELECT RAISE(ABORT, 'note_addendum_immutable'); END;
CREATE TRIGGER note_addendum_replace BEFORE INSERT ON note_addendum
WHEN EXISTS (SELECT 1 FROM note_addendum AS o
             WHERE o.organization_id = NEW.organization_id
               AND o.case_id = NEW.case_id
               AND o.note_id = NEW.note_id
               AND o.number = NEW.number)
BEGIN SELECT RAISE(ABORT, 'note_addendum_immutable'); END;

-- One signature key a clinician. `sealed`: the private half, under the organisation's own key.
CREATE TABLE signing_key (
  organization_id TEXT NOT NULL,
  clinician TEXT NOT NULL,
  key_id TEXT NOT NULL,
  public_key BLOB NOT NULL,
  create_time INTEGER NOT NULL,
  subject TEXT NOT NULL,
  sealed BLOB NOT NULL,
  PRIMARY KEY (organization_id, clinician)
) STRICT;
CREATE INDEX signing_key_by_time ON signing_key (organization_id, create_time, key_id);
CREATE TRIGGER signing_key_update BEFORE UPDATE ON signing_key
BEGIN SELECT RAISE(ABORT, 'signing_key_immutable'); END;
CREATE TRIGGER signing_key_delete BEFORE DELETE ON signing_key
BEGIN SELECT RAISE(ABORT, 'signing_key_immutable'); END;
CREATE TRIGGER signing_key_replace BEFORE INSERT ON signing_key
WHEN EXISTS (SELECT 1 FROM signing_key AS o
             WHERE o.organization_id = NEW.organization_id
               AND o.clinician = NEW.clinician)
BEGIN SELECT RAISE(ABORT, 'signing_key_immutable'); END;

-- How many of 100 notes of a supervisee a supervisor signs too; `seed` goes into the draw.
CREATE TABLE cosign_policy (
  organization_id TEXT NOT NULL,
  supervisee TEXT NOT NULL,
  supervisor TEXT NOT NULL,
  sample_percent INTEGER NOT NULL CHECK (sample_percent BETWEEN 0 AND 100),
  seed BLOB NOT NULL,
  set_by TEXT NOT NULL,
  version INTEGER NOT NULL,
  update_time INTEGER NOT NULL,
  PRIMARY KEY (organization_id, supervisee, supervisor)
) STRICT;

-- What a clinic holds its notes to.
CREATE TABLE note_policy (
  organization_id TEXT NOT NULL,
  clinic TEXT NOT NULL,
  version INTEGER NOT NULL,
  update_time INTEGER NOT NULL,
  document BLOB NOT NULL,
  PRIMARY KEY (organization_id, clinic)
) STRICT;

-- Templates that clinicians adapted for themselves, by revision.
CREATE TABLE note_template (
  organization_id TEXT NOT NULL,
  clinician TEXT NOT NULL,
  template_id TEXT NOT NULL,
  revision INTEGER NOT NULL,
  phase INTEGER NOT NULL,
  document BLOB NOT NULL,
  PRIMARY KEY (organization_id, clinician, template_id, revision)
) STRICT;
CREATE TRIGGER note_template_update BEFORE UPDATE ON note_template
BEGIN SELECT RAISE(ABORT, 'note_template_immutable'); END;
CREATE TRIGGER note_template_delete BEFORE DELETE ON note_template
BEGIN SELECT RAISE(ABORT, 'note_template_immutable'); END;
CREATE TRIGGER note_template_replace BEFORE INSERT ON note_template
WHEN EXISTS (SELECT 1 FROM note_template AS o
             WHERE o.organization_id = NEW.organization_id
               AND o.clinician = NEW.clinician
               AND o.template_id = NEW.template_id
               AND o.revision = NEW.revision)
BEGIN SELECT RAISE(ABORT, 'note_template_immutable'); END;

-- Sessions that need a note: what due lists tell of them. `patient` of a private one: whom it was with.
ALTER TABLE noted_session ADD COLUMN clinic TEXT NOT NULL DEFAULT '';
ALTER TABLE noted_session ADD COLUMN patient TEXT NOT NULL DEFAULT '';
ALTER TABLE noted_session ADD COLUMN group_session TEXT NOT NULL DEFAULT '';
ALTER TABLE noted_session ADD COLUMN private INTEGER NOT NULL DEFAULT 0;
CREATE INDEX noted_session_of_group ON noted_session (organization_id, group_session)
  WHERE group_session <> '';
