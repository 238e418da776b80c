#include "rapport/notes/v1/psychotherapy_note_service.pb.h"
#include "services/notes/store/privacy_store.h"
#include "services/notes/store/psychotherapy_store.h"
#include "tests/conformance/notes/access_world.h"

namespace rapport::notes::testing {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kNotFound[] = "NOT_FOUND RESOURCE_NOT_FOUND";

std::string Told(const Answer& answer) {
  if (answer.status.ok()) return "OK";
  return absl::StrCat(absl::StatusCodeToString(answer.status.code()), " ",
                      errors::Reason(answer.status));
}

const sql::Statement kSealed{"test.access.psychotherapy_rows", R"sql(
  SELECT subject, document FROM psychotherapy_note WHERE organization_id = $1)sql"};
const sql::Statement kSteal{"test.access.steal_psychotherapy", R"sql(
  UPDATE psychotherapy_note SET author = 'organizations/acme/clinicians/cy'
  WHERE organization_id = $1)sql"};
const sql::Statement kDrop{"test.access.drop_psychotherapy", R"sql(
  DELETE FROM psychotherapy_note WHERE organization_id = $1)sql"};

class PsychotherapyTest : public AccessWorld {
 protected:
  Answer Ask(const Caller& caller, const std::string& method, const Ids& ids,
             const std::string& text = "") {
    return Do(caller, kService + method, ids, text);
  }

  // A note of Ada's on c1, with its id among the ids.
  Ids Written() {
    Ids ids = ids_;
    ids["psychotherapy_note"] =
        Make(ada_, kService + "CreatePsychotherapyNote", ids,
             "parent: '$case' psychotherapy_note { text: 'SECRET OF THE PATIENT' appointment: "
             "'$appointment' }");
    return ids;
  }

  const std::string kService = "rapport.notes.v1.PsychotherapyNoteService/";
  const Ids ids_{{"organization", "acme"},
                 {"case", "c1"},
                 {"appointment", "a1"},
                 {"clinician", "cy"},
                 {"patient", "pat"}};
};

TEST_P(PsychotherapyTest, ItIsThereForItsAuthorAlone) {
  const std::vector<std::string> before = Events();
  const Ids ids = Written();
  const Answer own = Ask(ada_, "GetPsychotherapyNote", ids);
  ASSERT_TRUE(own.status.ok()) << own.status;
  EXPECT_EQ(own.as<v1::PsychotherapyNote>().text(), kSecret);
  EXPECT_EQ(own.as<v1::PsychotherapyNote>().author(), Clinician("ada"));

  Ids absent = ids;
  absent["psychotherapy_note"] = "nothing";
  const absl::Status nothing = Ask(ada_, "GetPsychotherapyNote", absent).status;
  // Cover, a supervisor with a therapist's role, a colleague, one who broke the glass.
  Make(eve_, "rapport.notes.v1.ReleaseService/OpenBreakGlass", ids);
  for (const Caller& other :
       {bob_, Caller{"sue", "therapist"}, cy_, eve_, Caller{"nobody", "therapist"}}) {
    EXPECT_EQ(Ask(other, "GetPsychotherapyNote", ids).status, nothing) << other.name;
    EXPECT_EQ(Ask(other, "UpdatePsychotherapyNote", ids).status, nothing) << other.name;
    EXPECT_EQ(Ask(other, "ReleasePsychotherapyNote", ids).status, nothing) << other.name;
    EXPECT_EQ(Ask(other, "ListPsychotherapyReleases", ids).status, nothing) << other.name;
  }
  for (const Caller& denied : {sue_, officer_, pat_, guardian_}) {
    EXPECT_EQ(Ask(denied, "GetPsychotherapyNote", ids).status.code(),
              absl::StatusCode::kPermissionDenied)
        << denied.name;
  }
  const Answer cover = Ask(bob_, "ListPsychotherapyNotes", ids);
  ASSERT_TRUE(cover.status.ok()) << cover.status;
  EXPECT_THAT(cover.as<v1::ListPsychotherapyNotesResponse>().psychotherapy_notes(), IsEmpty());
  std::vector<std::string> events = Events();
  events.erase(
      std::remove_if(events.begin(), events.end(),
                     [](const std::string& event) { return absl::StrContains(event, "/break"); }),
      events.end());
  EXPECT_EQ(events, before) << "no event tells of it";
}

TEST_P(PsychotherapyTest, ItStaysWithItsAuthorWhenTheCaseGoesToSomeoneElse) {
  const Ids ids = Written();
  TellCourseOf("c1", 3, "cy", "pat", "north");
  EXPECT_EQ(Told(Do(ada_, "rapport.notes.v1.CaseService/GetCase", ids, "name: '$case'")),
            kNotFound);
  EXPECT_EQ(Told(Ask(ada_, "GetPsychotherapyNote", ids)), "OK");
  EXPECT_THAT(Ask(ada_, "ListPsychotherapyNotes", ids)
                  .as<v1::ListPsychotherapyNotesResponse>()
                  .psychotherapy_notes(),
              SizeIs(1));
  EXPECT_EQ(Told(Ask(cy_, "GetPsychotherapyNote", ids)), kNotFound);
  EXPECT_THAT(Ask(cy_, "ListPsychotherapyNotes", ids)
                  .as<v1::ListPsychotherapyNotesResponse>()
                  .psychotherapy_notes(),
              IsEmpty());
  EXPECT_EQ(Told(Ask(dee_, "ListPsychotherapyNotes", ids)), kNotFound);
}

TEST_P(PsychotherapyTest, ItsTextIsReplacedByVersion) {
  const Ids ids = Written();
  EXPECT_EQ(Told(Ask(ada_, "UpdatePsychotherapyNote", ids, "text: ' '")),
            "INVALID_ARGUMENT INVALID_FIELD");
  ASSERT_EQ(Told(Ask(ada_, "UpdatePsychotherapyNote", ids, "text: 'two' etag: '1'")), "OK");
  EXPECT_EQ(Told(Ask(ada_, "UpdatePsychotherapyNote", ids, "text: 'three' etag: '1'")),
            "ABORTED STALE_ETAG");
  EXPECT_EQ(Ask(ada_, "GetPsychotherapyNote", ids).as<v1::PsychotherapyNote>().text(), "two");
}

TEST_P(PsychotherapyTest, AReleaseOpensItToOneOtherOnAnEnumeratedBasis) {
  Ids ids = Written();
  const std::string training =
      "release { basis: PSYCHOTHERAPY_RELEASE_BASIS_OWN_TRAINING recipient: '$clinician' }";
  EXPECT_EQ(Told(Call(ada_, kService + "ReleasePsychotherapyNote",
                      *Request(kService + "ReleasePsychotherapyNote", ids, training), false)),
            "FAILED_PRECONDITION REAUTHENTICATION_REQUIRED");
  EXPECT_EQ(Told(Ask(ada_, "ReleasePsychotherapyNote", ids,
                     "release { basis: PSYCHOTHERAPY_RELEASE_BASIS_PATIENT_AUTHORIZATION "
                     "outside_recipient: 'o' }")),
            "INVALID_ARGUMENT INVALID_FIELD")
      << "without the signed paper";
  EXPECT_EQ(Told(Ask(ada_, "ReleasePsychotherapyNote", ids,
                     "release { basis: PSYCHOTHERAPY_RELEASE_BASIS_UNSPECIFIED }")),
            "INVALID_ARGUMENT INVALID_FIELD");
  ids["psychotherapy_release"] = Make(ada_, kService + "ReleasePsychotherapyNote", ids, training);
  EXPECT_EQ(Told(Ask(cy_, "GetPsychotherapyNote", ids)), "OK");
  EXPECT_EQ(purpose_, "release");
  EXPECT_EQ(Told(Ask(cy_, "UpdatePsychotherapyNote", ids)), "PERMISSION_DENIED NOT_THE_AUTHOR");
  EXPECT_EQ(Told(Ask(cy_, "ListPsychotherapyReleases", ids)), "PERMISSION_DENIED NOT_THE_AUTHOR");
  EXPECT_EQ(Told(Ask(dee_, "GetPsychotherapyNote", ids)), kNotFound) << "to Cy, not to all";
  EXPECT_THAT(Ask(ada_, "ListPsychotherapyReleases", ids)
                  .as<v1::ListPsychotherapyReleasesResponse>()
                  .releases(),
              SizeIs(1));

  ASSERT_EQ(Told(Ask(ada_, "RevokePsychotherapyRelease", ids)), "OK");
  EXPECT_EQ(Told(Ask(cy_, "GetPsychotherapyNote", ids)), kNotFound);
  EXPECT_EQ(Told(Ask(ada_, "RevokePsychotherapyRelease", ids)),
            "FAILED_PRECONDITION ALREADY_REVOKED");
}

TEST_P(PsychotherapyTest, AReleaseEndsByItself) {
  const Ids ids = Written();
  Make(ada_, kService + "ReleasePsychotherapyNote", ids,
       "release { basis: PSYCHOTHERAPY_RELEASE_BASIS_OWN_TRAINING recipient: '$clinician' }");
  EXPECT_EQ(Told(Ask(cy_, "GetPsychotherapyNote", ids)), "OK");
  now_ += absl::Hours(24);
  EXPECT_EQ(Told(Ask(cy_, "GetPsychotherapyNote", ids)), kNotFound);
}

TEST_P(PsychotherapyTest, AnAppointmentIsOfTheCase) {
  Ids ids = ids_;
  ids["appointment"] = "k1";
  EXPECT_EQ(Told(Ask(ada_, "CreatePsychotherapyNote", ids,
                     "parent: '$case' psychotherapy_note { appointment: '$appointment' }")),
            kNotFound);
}

TEST_P(PsychotherapyTest, ItsKeyIsNotTheCasesAndGoesWithThePatient) {
  const Ids ids = Written();
  std::vector<std::string> subjects;
  ASSERT_TRUE(database_
                  ->Read(sql::Access::Tenant("acme"), Deadline(),
                         [&](sql::Session& session) -> absl::Status {
                           ASSIGN_OR_RETURN(const sql::Result rows,
                                            session.Query(kSealed, {sql::Text("acme")}));
                           EXPECT_EQ(rows.rows(), 1u);
                           EXPECT_EQ(rows.Text(0, 0), PsychotherapySubject(Clinician("ada"), "c1"));
                           EXPECT_EQ(rows.Bytes(0, 1).find(kSecret), std::string::npos);
                           return absl::OkStatus();
                         })
                  .ok());
  ASSERT_TRUE(
      database_
          ->Write(sql::Access::Tenant("acme"), Deadline(),
                  [&](sql::Transaction& tx) {
                    return Shred(tx, vault_, "organizations/acme/patients/pat", now_).status();
                  })
          .ok());
  const Answer erased = Ask(ada_, "GetPsychotherapyNote", ids);
  ASSERT_TRUE(erased.status.ok()) << erased.status;
  EXPECT_TRUE(erased.as<v1::PsychotherapyNote>().erased());
  EXPECT_EQ(erased.as<v1::PsychotherapyNote>().text(), "");
  EXPECT_EQ(Told(Ask(ada_, "UpdatePsychotherapyNote", ids)), "FAILED_PRECONDITION ERASED");
}

TEST_P(PsychotherapyTest, TheDatabaseLeavesItToItsAuthor) {
  Written();
  EXPECT_FALSE(Run(kSteal, {sql::Text("acme")}).ok());
  EXPECT_FALSE(Run(kDrop, {sql::Text("acme")}).ok());
}

INSTANTIATE_TEST_SUITE_P(Engines, PsychotherapyTest, ::testing::ValuesIn(NotesEngines()),
                         sql::testing::EngineName);

}  // namespace
}  // namespace rapport::notes::testing
