#include "services/notes/domain/canonical.h"

#include <gtest/gtest.h>

#include "absl/strings/escaping.h"

namespace rapport::notes {
namespace {

v1::Note Note() {
  v1::Note note;
  note.set_name("organizations/acme/cases/c/notes/n");
  note.set_appointment("organizations/acme/appointments/a");
  note.set_session_number(6);
  note.set_phase(v1::NOTE_PHASE_MIDDLE);
  note.set_author("organizations/acme/clinicians/ada");
  note.mutable_content()->set_plan("plan");
  note.mutable_prefill()->set_last_plan("last plan");
  return note;
}

TEST(CanonicalTest, ASignatureStandsForIdentityContentAndPrefill) {
  const std::string bytes = CanonicalNote(Note());
  const auto differs = [&](auto change) {
    v1::Note note = Note();
    change(note);
    return CanonicalNote(note) != bytes;
  };
  EXPECT_TRUE(differs([](v1::Note& n) { n.set_name("organizations/acme/cases/c/notes/m"); }));
  EXPECT_TRUE(differs([](v1::Note& n) { n.set_appointment("organizations/acme/appointments/b"); }));
  EXPECT_TRUE(differs([](v1::Note& n) { n.set_session_number(7); }));
  EXPECT_TRUE(differs([](v1::Note& n) { n.set_phase(v1::NOTE_PHASE_INITIAL); }));
  EXPECT_TRUE(differs([](v1::Note& n) { n.set_author("organizations/acme/clinicians/bob"); }));
  EXPECT_TRUE(differs([](v1::Note& n) { n.mutable_content()->set_plan("other"); }));
  EXPECT_TRUE(differs([](v1::Note& n) { n.mutable_prefill()->clear_last_plan(); }));
  EXPECT_TRUE(differs([](v1::Note& n) { n.set_version(2); }));
  EXPECT_TRUE(differs([](v1::Note& n) { n.set_kind(v1::NOTE_KIND_JOINT); }));
  EXPECT_TRUE(differs([](v1::Note& n) { n.add_subjects("organizations/acme/patients/p"); }));
  EXPECT_TRUE(differs([](v1::Note& n) { n.set_about("organizations/acme/patients/p"); }));
  EXPECT_TRUE(differs([](v1::Note& n) { n.set_template_("noteTemplates/t/revisions/2"); }));
  EXPECT_TRUE(differs([](v1::Note& n) { n.set_revision_reason("a date"); }));
  EXPECT_TRUE(differs([](v1::Note& n) { n.add_warnings(); }));
  EXPECT_TRUE(differs([](v1::Note& n) { n.set_salt("other"); }));
}

TEST(CanonicalTest, ItDoesNotStandForWhatChangesLater) {
  v1::Note note = Note();
  const std::string bytes = CanonicalNote(note);
  note.set_state(v1::NOTE_STATE_SIGNED);
  note.set_etag("9");
  note.set_draft_sequence(8);
  note.mutable_due_time()->set_seconds(5);
  note.add_addenda()->set_text("later");
  note.set_signed_version(1);
  note.mutable_cosign()->set_required(true);
  note.mutable_cosignature()->set_clinician("c");
  note.mutable_returned()->set_reason("r");
  EXPECT_EQ(CanonicalNote(note), bytes);
}

TEST(CanonicalTest, TheBytesParseAsTheNoteThatWasSigned) {
  v1::Note parsed;
  ASSERT_TRUE(parsed.ParseFromString(CanonicalNote(Note())));
  EXPECT_EQ(parsed.content().plan(), "plan");
  EXPECT_EQ(parsed.prefill().last_plan(), "last plan");
  EXPECT_EQ(CanonicalNote(parsed), CanonicalNote(Note()));
}

TEST(CanonicalTest, AnAddendumIsBoundToTheSignedNote) {
  v1::Addendum addendum;
  addendum.set_number(1);
  addendum.set_text("text");
  addendum.set_note_version(1);
  addendum.set_salt("salt");
  const std::string bytes = CanonicalAddendum("n", "hash", addendum);
  EXPECT_NE(bytes, CanonicalAddendum("m", "hash", addendum));
  EXPECT_NE(bytes, CanonicalAddendum("n", "other", addendum));
  const auto differs = [&](auto change) {
    v1::Addendum other = addendum;
    change(other);
    return CanonicalAddendum("n", "hash", other) != bytes;
  };
  EXPECT_TRUE(differs([](v1::Addendum& a) { a.set_number(2); }));
  EXPECT_TRUE(differs([](v1::Addendum& a) { a.set_text("else"); }));
  EXPECT_TRUE(differs([](v1::Addendum& a) { a.set_note_version(2); }));
  EXPECT_TRUE(differs([](v1::Addendum& a) { a.set_salt("other"); }));
  EXPECT_FALSE(differs([](v1::Addendum& a) { a.mutable_signature()->set_clinician("c"); }));
}

TEST(CanonicalTest, HashesAreSha256) {
  EXPECT_EQ(absl::BytesToHexString(Sha256("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace rapport::notes
