-- min_reader_version: 4

-- Session notes in versions, sealed. What is in the tables of before stands there in the clear, which SQL can't
-- seal: with rows in them this migration refuses.
ALTER TABLE session_note NO FORCE ROW LEVEL SECURITY;
DO $$
BEGIN
  IF EXISTS (SELECT FROM session_note) THEN RAISE EXCEPTION 'there are notes that are not sealed'; END IF;
END $$;
DROP TABLE note_addendum;
DROP TABLE note_prefill;
DROP TABLE session_note;
DROP FUNCTION note_addendum_guard();
DROP FUNCTION note_prefill_guard();

-- A note apart from its texts. `head` is what never changes of it, without text; the rest follows its versions.
-- Kinds: 1 of the patient, 2 of a couple jointly, 3 private, of the partner `about`. `subject`: whose key seals it.
-- cosign: 0 not needed, 1 awaited, 2 done, 3 returned. Times of the newest signed version.
CREATE TABLE session_note (
  organization_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  note_id TEXT NOT NULL,
  appointment TEXT NOT NULL,
  author TEXT NOT NULL,
  kind BIGINT NOT NULL CHECK (kind IN (1, 2, 3)),
  about TEXT NOT NULL,
  subject TEXT NOT NULL,
  clinic TEXT NOT NULL,
  session_time BIGINT NOT NULL,
  session_end_time BIGINT NOT NULL,
  due_time BIGINT NOT NULL,
  create_time BIGINT NOT NULL,
  head BYTEA NOT NULL,
  signed_version BIGINT NOT NULL,          -- the newest signed; 0: none
  draft_version BIGINT NOT NULL,           -- open as draft; 0: none
  first_sign_time BIGINT,
  sign_time BIGINT,
  cosign BIGINT NOT NULL CHECK (cosign IN (0, 1, 2, 3)),
  cosigner TEXT NOT NULL,                   -- asked for, or who signed; empty: any
  cosign_time BIGINT,
  cosign_document BYTEA,                    -- the CosignRequirement
  copied_percent BIGINT NOT NULL,
  addenda BIGINT NOT NULL,
  version BIGINT NOT NULL,
  update_time BIGINT NOT NULL,
  PRIMARY KEY (organization_id, case_id, note_id),
  FOREIGN KEY (organization_id, case_id) REFERENCES note_case (organization_id, case_id),
  CHECK ((signed_version = 0) = (sign_time IS NULL)),
  CHECK (signed_version > 0 OR (cosign = 0 AND addenda = 0)),
  CHECK (draft_version IN (0, signed_version + 1))
);
CREATE UNIQUE INDEX session_note_of_author
  ON session_note (organization_id, appointment, author, about);
CREATE INDEX session_note_by_session
  ON session_note (organization_id, case_id, session_time, note_id);
CREATE INDEX session_note_awaiting ON session_note (organization_id, session_end_time, note_id)
  WHERE cosign IN (1, 3);
CREATE INDEX session_note_by_end ON session_note (organization_id, session_end_time);
CREATE TRIGGER session_note_identity BEFORE UPDATE ON session_note
  FOR EACH ROW
  WHEN ((NEW.organization_id, NEW.case_id, NEW.note_id, NEW.appointment, NEW.author,
         NEW.kind, NEW.about, NEW.subject, NEW.clinic, NEW.session_time,
         NEW.session_end_time, NEW.due_time, NEW.create_time, NEW.head)
        IS DISTINCT FROM
        (OLD.organization_id, OLD.case_id, OLD.note_id, OLD.appointment, OLD.author,
         OLD.kind, OLD.about, OLD.subject, OLD.clinic, OLD.session_time,
         OLD.session_end_time, OLD.due_time, OLD.create_time, OLD.head))
  EXECUTE FUNCTION notes_refuse('session_note_identity');
CREATE TRIGGER session_note_delete BEFORE DELETE ON session_note
  FOR EACH ROW EXECUTE FUNCTION notes_refuse('session_note_signed');
CREATE TRIGGER session_note_insert BEFORE INSERT ON session_note
  FOR EACH ROW WHEN (NEW.signed_version <> 0) EXECUTE FUNCTION notes_refuse('session_note_signed');
-- A signature only ever joins its version, which is there already.
CREATE FUNCTION session_note_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.signed_version < OLD.signed_version OR NEW.addenda < OLD.addenda
     OR (NEW.first_sign_time IS DISTINCT FROM OLD.first_sign_time AND OLD.first_sign_time IS NOT NULL)
     OR (NEW.signed_version = OLD.signed_version
         AND (NEW.sign_time IS DISTINCT FROM OLD.sign_time OR NEW.copied_percent <> OLD.copied_percent))
     OR (NEW.signed_version = OLD.signed_version AND OLD.cosign IN (2, 3) AND NEW.cosign <> OLD.cosign)
     OR (NEW.signed_version <> OLD.signed_version
         AND NOT EXISTS (SELECT FROM note_version AS v
                         WHERE v.organization_id = NEW.organization_id AND v.case_id = NEW.case_id
                           AND v.note_id = NEW.note_id AND v.version = NEW.signed_version)) THEN
    RAISE EXCEPTION 'session_note_signed'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'session_note_signed';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER session_note_update BEFORE UPDATE ON session_note
  FOR EACH ROW EXECUTE FUNCTION session_note_guard();
SELECT rapport_protect('session_note', 'SELECT, INSERT, UPDATE');

-- The signed versions. `document`: the canonical bytes that were signed, sealed.
CREATE TABLE note_version (
  organization_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  note_id TEXT NOT NULL,
  version BIGINT NOT NULL,
  author TEXT NOT NULL,
  sign_time BIGINT NOT NULL,
  content_sha256 BYTEA NOT NULL,
  signature BYTEA NOT NULL,
  subject TEXT NOT NULL,
  document BYTEA NOT NULL,
  PRIMARY KEY (organization_id, case_id, note_id, version),
  FOREIGN KEY (organization_id, case_id, note_id)
    REFERENCES session_note (organization_id, case_id, note_id)
);
CREATE TRIGGER note_version_change BEFORE UPDATE OR DELETE ON note_version
  FOR EACH ROW EXECUTE FUNCTION notes_refuse('session_note_signed');
-- What may only be added to a note whose newest signed version is the one before; waits for a signature under way.
CREATE FUNCTION note_version_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM FROM session_note AS n
    WHERE n.organization_id = NEW.organization_id AND n.case_id = NEW.case_id
      AND n.note_id = NEW.note_id AND n.signed_version = NEW.version - 1
    FOR SHARE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'session_note_signed'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'session_note_signed';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER note_version_insert BEFORE INSERT ON note_version
  FOR EACH ROW EXECUTE FUNCTION note_version_guard();
SELECT rapport_protect('note_version', 'SELECT, INSERT');

-- The one open draft of a note. Saves touch this row alone; it goes with the signature.
CREATE TABLE note_draft (
  organization_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  note_id TEXT NOT NULL,
  version BIGINT NOT NULL,                 -- that it is to become
  sequence BIGINT NOT NULL,
  saves BIGINT NOT NULL,
  update_time BIGINT NOT NULL,
  subject TEXT NOT NULL,
  document BYTEA NOT NULL,
  PRIMARY KEY (organization_id, case_id, note_id),
  FOREIGN KEY (organization_id, case_id, note_id)
    REFERENCES session_note (organization_id, case_id, note_id)
);
CREATE TRIGGER note_draft_insert BEFORE INSERT ON note_draft
  FOR EACH ROW EXECUTE FUNCTION note_version_guard();
CREATE TRIGGER note_draft_update BEFORE UPDATE ON note_draft
  FOR EACH ROW WHEN (NEW.version <> OLD.version OR NEW.note_id <> OLD.note_id)
  EXECUTE FUNCTION notes_refuse('session_note_signed');
SELECT rapport_protect('note_draft', 'SELECT, INSERT, UPDATE, DELETE');

-- Texts of windows whose draft had moved on: refused, and kept until they are merged.
CREATE TABLE note_draft_copy (
  organization_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  note_id TEXT NOT NULL,
  copy_id TEXT NOT NULL,
  sequence BIGINT NOT NULL,
  base_sequence BIGINT NOT NULL,
  create_time BIGINT NOT NULL,
  subject TEXT NOT NULL,
  document BYTEA NOT NULL,
  PRIMARY KEY (organization_id, case_id, note_id, copy_id),
  FOREIGN KEY (organization_id, case_id, note_id)
    REFERENCES session_note (organization_id, case_id, note_id)
);
CREATE FUNCTION note_draft_copy_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM FROM note_draft AS d
    WHERE d.organization_id = NEW.organization_id AND d.case_id = NEW.case_id
      AND d.note_id = NEW.note_id
    FOR SHARE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'session_note_signed'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'session_note_signed';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER note_draft_copy_change BEFORE INSERT OR UPDATE ON note_draft_copy
  FOR EACH ROW EXECUTE FUNCTION note_draft_copy_guard();
SELECT rapport_protect('note_draft_copy', 'SELECT, INSERT, UPDATE, DELETE');

-- What a note began with, written once. A signed note takes no such part any more.
CREATE TABLE note_prefill (
  organization_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  note_id TEXT NOT NULL,
  subject TEXT NOT NULL,
  document BYTEA NOT NULL,
  PRIMARY KEY (organization_id, case_id, note_id),
  FOREIGN KEY (organization_id, case_id, note_id)
    REFERENCES session_note (organization_id, case_id, note_id)
);
CREATE TRIGGER note_prefill_change BEFORE UPDATE OR DELETE ON note_prefill
  FOR EACH ROW EXECUTE FUNCTION notes_refuse('note_prefill_immutable');
CREATE FUNCTION note_prefill_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM FROM session_note AS n
    WHERE n.organization_id = NEW.organization_id AND n.case_id = NEW.case_id
      AND n.note_id = NEW.note_id AND n.signed_version = 0
    FOR SHARE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'session_note_signed'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'session_note_signed';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER note_prefill_insert BEFORE INSERT ON note_prefill
  FOR EACH ROW EXECUTE FUNCTION note_prefill_guard();
SELECT rapport_protect('note_prefill', 'SELECT, INSERT');

-- A supervisor's one word on a signed version. kind 1: signed, the document is the Signature; 2: returned, the
-- document is the NoteReturn, sealed.
CREATE TABLE note_cosignature (
  organization_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  note_id TEXT NOT NULL,
  version BIGINT NOT NULL,
  kind BIGINT NOT NULL CHECK (kind IN (1, 2)),
  clinician TEXT NOT NULL,
  sign_time BIGINT NOT NULL,
  subject TEXT NOT NULL,
  document BYTEA NOT NULL,
  PRIMARY KEY (organization_id, case_id, note_id, version),
  FOREIGN KEY (organization_id, case_id, note_id, version)
    REFERENCES note_version (organization_id, case_id, note_id, version)
);
CREATE TRIGGER note_cosignature_change BEFORE UPDATE OR DELETE ON note_cosignature
  FOR EACH ROW EXECUTE FUNCTION notes_refuse('note_cosignature_immutable');
SELECT rapport_protect('note_cosignature', 'SELECT, INSERT');

-- The only other parts that a signed note takes.
CREATE TABLE note_addendum (
  organization_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  note_id TEXT NOT NULL,
  number BIGINT NOT NULL,
  version BIGINT NOT NULL,                 -- of the note that it adds to
  signature BYTEA NOT NULL,
  subject TEXT NOT NULL,
  document BYTEA NOT NULL,
  PRIMARY KEY (organization_id, case_id, note_id, number),
  FOREIGN KEY (organization_id, case_id, note_id, version)
    REFERENCES note_version (organization_id, case_id, note_id, version)
);
CREATE TRIGGER note_addendum_change BEFORE UPDATE OR DELETE ON note_addendum
  FOR EACH ROW EXECUTE FUNCTION notes_refuse('note_addendum_immutable');
SELECT rapport_protect('note_addendum', 'SELECT, INSERT');

-- One signature key a clinician. `sealed`: the private half, under the organisation's own key.
CREATE TABLE signing_key (
  organization_id TEXT NOT NULL,
  clinician TEXT NOT NULL,
  key_id TEXT NOT NULL,
  public_key BYTEA NOT NULL,
  create_time BIGINT NOT NULL,
  subject TEXT NOT NULL,
  sealed BYTEA NOT NULL,
  PRIMARY KEY (organization_id, clinician)
);
CREATE INDEX signing_key_by_time ON signing_key (organization_id, create_time, key_id);
CREATE TRIGGER signing_key_change BEFORE UPDATE OR DELETE ON signing_key
  FOR EACH ROW EXECUTE FUNCTION notes_refuse('signing_key_immutable');
SELECT rapport_protect('signing_key', 'SELECT, INSERT');

-- How many of 100 notes of a supervisee a supervisor signs too; `seed` goes into the draw.
CREATE TABLE cosign_policy (
  organization_id TEXT NOT NULL,
  supervisee TEXT NOT NULL,
  supervisor TEXT NOT NULL,
  sample_percent BIGINT NOT NULL CHECK (sample_percent BETWEEN 0 AND 100),
  seed BYTEA NOT NULL,
  set_by TEXT NOT NULL,
  version BIGINT NOT NULL,
  update_time BIGINT NOT NULL,
  PRIMARY KEY (organization_id, supervisee, supervisor)
);
SELECT rapport_protect('cosign_policy', 'SELECT, INSERT, UPDATE');

-- What a clinic holds its notes to.
CREATE TABLE note_policy (
  organization_id TEXT NOT NULL,
  clinic TEXT NOT NULL,
  version BIGINT NOT NULL,
  update_time BIGINT NOT NULL,
  document BYTEA NOT NULL,
  PRIMARY KEY (organization_id, clinic)
);
SELECT rapport_protect('note_policy', 'SELECT, INSERT, UPDATE');

-- Templates that clinicians adapted for themselves, by revision.
CREATE TABLE note_template (
  organization_id TEXT NOT NULL,
  clinician TEXT NOT NULL,
  template_id TEXT NOT NULL,
  revision BIGINT NOT NULL,
  phase BIGINT NOT NULL,
  document BYTEA NOT NULL,
  PRIMARY KEY (organization_id, clinician, template_id, revision)
);
CREATE TRIGGER note_template_change BEFORE UPDATE OR DELETE ON note_template
  FOR EACH ROW EXECUTE FUNCTION notes_refuse('note_template_immutable');
SELECT rapport_protect('note_template', 'SELECT, INSERT');

-- Sessions that need a note: what due lists tell of them. `patient` of a private one: whom it was with.
ALTER TABLE noted_session ADD COLUMN clinic TEXT NOT NULL DEFAULT '';
ALTER TABLE noted_session ADD COLUMN patient TEXT NOT NULL DEFAULT '';
ALTER TABLE noted_session ADD COLUMN group_session TEXT NOT NULL DEFAULT '';
ALTER TABLE noted_session ADD COLUMN private BIGINT NOT NULL DEFAULT 0;
CREATE INDEX noted_session_of_group ON noted_session (organization_id, group_session)
  WHERE group_session <> '';
