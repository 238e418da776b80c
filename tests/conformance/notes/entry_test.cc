#include <string>
#include <vector>

#include "common/names/names.h"
#include "services/notes/rpc/entry_handlers.h"
#include "services/notes/store/entries.h"
#include "tests/conformance/notes/fixture.h"

namespace rapport::notes::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kAnna[] = "organizations/acme/patients/p1";
constexpr char kBert[] = "organizations/acme/patients/p2";

const sql::Statement kChangeHead{"test.notes.entry.change_head",
                                 "UPDATE case_entry SET about = 'x', version = version + 1 "
                                 "WHERE organization_id = $1"};
const sql::Statement kDiscloseHead{"test.notes.entry.disclose",
                                   "UPDATE case_entry SET private = 0, version = version + 1 "
                                   "WHERE organization_id = $1"};
const sql::Statement kSkipVersion{"test.notes.entry.skip_version",
                                  "UPDATE case_entry SET version = version + 2 "
                                  "WHERE organization_id = $1"};
const sql::Statement kReviveHead{"test.notes.entry.revive",
                                 "UPDATE case_entry SET voided = 0, version = version + 1 "
                                 "WHERE organization_id = $1"};
const sql::Statement kDeleteHead{"test.notes.entry.delete",
                                 "DELETE FROM case_entry WHERE organization_id = $1"};
const sql::Statement kChangeRevision{"test.notes.entry.change_revision",
                                     "UPDATE case_entry_revision SET document = $2 "
                                     "WHERE organization_id = $1"};
const sql::Statement kDeleteRevision{"test.notes.entry.delete_revision",
                                     "DELETE FROM case_entry_revision WHERE organization_id = $1"};
const sql::Statement kStored{"test.notes.entry.stored",
                             "SELECT document FROM case_entry_revision WHERE organization_id = $1"};

// Ada's course c1 is Anna's; c2 is of a couple, Anna and Bert. Sue supervises Ada.
class EntryTest : public NotesTest {
 protected:
  EntryTest() {
    TellCourse("c2", 1, "ada", absl::StrCat("kind: COURSE_KIND_CONJOINT partner: '", kBert, "'"));
    Tell("acme", Clinician("sue"), 1, Text<scheduling::v1::ClinicianEvent>("subject: 'sue'"));
    scheduling::v1::SupervisionEvent pair;
    pair.set_supervisor(Clinician("sue"));
    pair.set_supervisee(Clinician("ada"));
    *pair.mutable_start_time() = time::ToTimestamp(now_ - absl::Hours(12));
    Tell("acme", "organizations/acme/supervisions/s1", 1, pair);
  }

  absl::StatusOr<v1::Entry> Create(const std::string& entry, const std::string& of = "c1",
                                   const std::string& by = "ada",
                                   const std::string& request_id = "") {
    now_ += absl::Seconds(1);
    v1::CreateEntryRequest request;
    request.set_parent(CaseName(of));
    *request.mutable_entry() = Text<v1::Entry>(entry);
    request.set_request_id(request_id);
    return entries_.CreateEntry(By(by, entry), request);
  }
  v1::Entry Made(const std::string& entry, const std::string& of = "c1") {
    const auto made = Create(entry, of);
    EXPECT_TRUE(made.ok()) << made.status();
    return made.ok() ? *made : v1::Entry();
  }
  absl::StatusOr<v1::Entry> Revise(const std::string& name, const std::string& entry,
                                   const std::string& etag = "", const std::string& by = "ada") {
    now_ += absl::Seconds(1);
    v1::ReviseEntryRequest request;
    request.set_name(name);
    *request.mutable_entry() = Text<v1::Entry>(entry);
    request.set_reason(kSecret);
    request.set_etag(etag);
    return entries_.ReviseEntry(By(by), request);
  }
  absl::StatusOr<v1::Entry> Void(const std::string& name, const std::string& by = "ada") {
    now_ += absl::Seconds(1);
    v1::VoidEntryRequest request;
    request.set_name(name);
    request.set_reason(kSecret);
    return entries_.VoidEntry(By(by), request);
  }
  absl::StatusOr<v1::Entry> Get(const std::string& name, const std::string& by = "ada") {
    v1::GetEntryRequest request;
    request.set_name(name);
    return entries_.GetEntry(By(by), request);
  }
  std::vector<std::string> List(const std::string& more = "", const std::string& of = "c1") {
    auto request = Text<v1::ListEntriesRequest>(more);
    request.set_parent(CaseName(of));
    const auto listed = entries_.ListEntries(By("ada"), request);
    EXPECT_TRUE(listed.ok()) << listed.status();
    std::vector<std::string> names;
    for (const v1::Entry& entry : listed->entries()) names.push_back(entry.name());
    return names;
  }
  std::vector<v1::Entry> Versions(const std::string& name) {
    v1::ListEntryRevisionsRequest request;
    request.set_name(name);
    const auto listed = entries_.ListEntryRevisions(By("ada"), request);
    EXPECT_TRUE(listed.ok()) << listed.status();
    return {listed->entries().begin(), listed->entries().end()};
  }
  absl::StatusOr<v1::Case> SetFocus(const std::string& area) {
    auto request = Text<v1::SetProblemAreasRequest>(
        absl::StrCat("problem_areas { rank: FOCUS_RANK_PRIMARY statement: 's' ", area, " }"));
    request.set_name(CaseName());
    return cases_.SetProblemAreas(By("ada"), request);
  }

  static std::string Secret(const std::string& field) {
    return absl::StrCat(field, ": '", kSecret, "' ");
  }

  EntryHandlers entries_{*database_, access_, vault_};
};

TEST_P(EntryTest, AnEntryIsKeptSealedAndReadBack) {
  const v1::Entry made =
      Made("about: '' clinician: 'forged' voided: true version: 9 hope { " + Secret("words") + "}");
  EXPECT_EQ(made.kind(), v1::ENTRY_KIND_HOPE);
  EXPECT_EQ(made.about(), kAnna);
  EXPECT_EQ(made.clinician(), Clinician("ada"));
  EXPECT_EQ(made.version(), 1);
  EXPECT_EQ(made.etag(), "1");
  EXPECT_TRUE(made.open());
  EXPECT_FALSE(made.voided());
  const auto read = Get(made.name());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->SerializeAsString(), made.SerializeAsString());

  int rows = 0;
  ASSERT_TRUE(database_
                  ->Read(sql::Access::Tenant("acme"), Deadline(),
                         [&](sql::Session& session) -> absl::Status {
                           ASSIGN_OR_RETURN(const sql::Result stored,
                                            session.Query(kStored, {sql::Text("acme")}));
                           rows = static_cast<int>(stored.rows());
                           for (size_t row = 0; row < stored.rows(); ++row) {
                             EXPECT_EQ(stored.Bytes(row, 0).find(kSecret), std::string::npos);
                           }
                           return absl::OkStatus();
                         })
                  .ok());
  EXPECT_EQ(rows, 1);
}

TEST_P(EntryTest, EveryKindIsKeptAndReadBack) {
  const std::string person = Made(
                                 "relationship { person: 'p' kind: RELATIONSHIP_KIND_FRIEND "
                                 "status: RELATIONSHIP_STATUS_CURRENT closeness: 2 }")
                                 .name();
  const std::string dead = Made(
                               "relationship { person: 'q' kind: RELATIONSHIP_KIND_DECEASED "
                               "status: RELATIONSHIP_STATUS_LOST death_date { year: 2020 } }")
                               .name();
  const std::string day = "{ year: 2026 month: 3 day: 2 }";
  const std::vector<std::string> texts = {
      "suitability_evidence { direction: REASON_DIRECTION_FOR text: 't' }",
      "diagnosis { code_system: CODE_SYSTEM_ICD_11 code: '6A70.1' label: 'l' "
      "status: DIAGNOSIS_STATUS_CONFIRMED diagnosis_date " +
          day + " }",
      "additional_issue { text: 't' severity: ISSUE_SEVERITY_MILD }",
      "past_influence { text: 't' present_pattern: 'p' relationship: '" + person + "' }",
      "hope { words: 'w' }",
      "out_of_scope_topic { text: 't' }",
      "grief { relationship: '" + dead + "' anniversaries { month: 5 day: 3 } }",
      "dispute { relationship: '" + person + "' stage: DISPUTE_STAGE_IMPASSE issue: 'i' }",
      "transition { old_role: 'o' new_role: 'n' }",
      "deficits { isolation: ISOLATION_LEVEL_ISOLATED }",
      "sick_role { variant: SICK_ROLE_VARIANT_NONE reason: 'r' given_date " + day + " }",
      "timeline_event { kind: TIMELINE_EVENT_KIND_SYMPTOM text: 't' start_date { year: 2025 } }",
      "barrier { category: BARRIER_CATEGORY_ALLIANCE text: 't' first_seen_date " + day + " }",
      "action { text: 't' relationship: '" + person + "' }",
      "incident { incident_date " + day + " text: 't' role_play { scenario: 's' } }",
      "social_contact_week { relationship: '" + person + "' week_start_date " + day + " }",
      "treatment_event { treatment: 't' change_date " + day + " }",
      "contract { sessions: 16 focus: 'f' missed_session_rule: 'm' confidentiality_limits: 'c' "
      "end_date { year: 2026 month: 9 day: 1 } }",
      "relapse_plan { warning_signs { words: 'w' } }",
      "termination_task { task: 'review-gains' }",
      "private: true safety_check { seen_alone: true result: SAFETY_RESULT_NONE }",
      "referral { kind: REFERRAL_KIND_MEDICAL send_date " + day + " }",
  };
  for (const std::string& text : texts) {
    const v1::Entry made = Made(text);
    const auto read = Get(made.name());
    ASSERT_TRUE(read.ok()) << text << read.status();
    EXPECT_EQ(read->SerializeAsString(), made.SerializeAsString()) << text;
  }
  EXPECT_THAT(List(), SizeIs(texts.size() + 2));
}

TEST_P(EntryTest, ARepeatedCallMakesOneEntry) {
  const auto first = Create("hope { words: 'w' }", "c1", "ada", "k1");
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(Create("hope { words: 'w' }", "c1", "ada", "k1")->name(), first->name());
  EXPECT_THAT(List(), SizeIs(1));
}

TEST_P(EntryTest, RevisionsKeepWhatWasBefore) {
  const v1::Entry made = Made(
      "barrier { text: 'first' first_seen_date { year: 2026 month: 3 day: "
      "1 } severity: ISSUE_SEVERITY_MILD }");
  EXPECT_EQ(Outcome(Revise(made.name(), "barrier { text: 'x' }", "7")), "ABORTED STALE_ETAG");
  const auto revised = Revise(made.name(),
                              "barrier { text: 'second' first_seen_date { year: 2026 month: 3 day: "
                              "1 } resolve_date { year: 2026 month: 3 day: 4 } resolution: 'r' }",
                              "1");
  ASSERT_TRUE(revised.ok()) << revised.status();
  EXPECT_EQ(revised->version(), 2);
  EXPECT_EQ(revised->revision_reason(), kSecret);
  EXPECT_FALSE(revised->open());
  EXPECT_EQ(time::ToTime(revised->create_time()), time::ToTime(made.create_time()));
  const std::vector<v1::Entry> versions = Versions(made.name());
  ASSERT_THAT(versions, SizeIs(2));
  EXPECT_EQ(versions[0].barrier().text(), "second");
  EXPECT_EQ(versions[1].barrier().text(), "first");
  EXPECT_EQ(versions[1].etag(), "1");

  v1::ListEntryRevisionsRequest page;
  page.set_name(made.name());
  page.set_page_size(1);
  const auto first = entries_.ListEntryRevisions(By("ada"), page);
  ASSERT_TRUE(first.ok()) << first.status();
  page.set_page_token(first->next_page_token());
  const auto second = entries_.ListEntryRevisions(By("ada"), page);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(second->entries(0).version(), 1);
  EXPECT_EQ(second->next_page_token(), "");
}

TEST_P(EntryTest, AVoidedEntryStaysReadableAndCountsForNothing) {
  const v1::Entry made = Made("relapse_plan { warning_signs { words: 'w' } }");
  EXPECT_EQ(Outcome(Create("relapse_plan { warning_signs { words: 'w' } }")),
            "FAILED_PRECONDITION ENTRY_EXISTS");
  const auto voided = Void(made.name());
  ASSERT_TRUE(voided.ok()) << voided.status();
  EXPECT_TRUE(voided->voided());
  EXPECT_FALSE(voided->open());
  EXPECT_EQ(Outcome(Void(made.name())), "FAILED_PRECONDITION ENTRY_VOIDED");
  EXPECT_EQ(Outcome(Revise(made.name(), "relapse_plan { warning_signs { words: 'v' } }")),
            "FAILED_PRECONDITION ENTRY_VOIDED");
  EXPECT_EQ(Get(made.name())->relapse_plan().warning_signs(0).words(), "w");
  EXPECT_THAT(List(), IsEmpty());
  EXPECT_THAT(List("show_voided: true"), ElementsAre(made.name()));
  EXPECT_THAT(Versions(made.name()), SizeIs(2));
  EXPECT_TRUE(Create("relapse_plan { warning_signs { words: 'w' } }").ok());
}

TEST_P(EntryTest, ListsAreFilteredAndPaged) {
  const std::string hope = Made("hope { words: 'w' }").name();
  const std::string topic = Made("out_of_scope_topic { text: 't' }").name();
  const std::string offered =
      Made("out_of_scope_topic { text: 't' offer: SCOPE_OFFER_LATER_COURSE }").name();
  Made("hope { words: 'of the couple' }" + absl::StrCat(" about: '", kAnna, "'"), "c2");
  EXPECT_THAT(List(), ElementsAre(hope, topic, offered));
  EXPECT_THAT(List("kinds: ENTRY_KIND_OUT_OF_SCOPE_TOPIC"), ElementsAre(topic, offered));
  EXPECT_THAT(List("kinds: ENTRY_KIND_OUT_OF_SCOPE_TOPIC open: true"), ElementsAre(topic));
  EXPECT_THAT(List("kinds: ENTRY_KIND_HOPE kinds: ENTRY_KIND_BARRIER"), ElementsAre(hope));

  v1::ListEntriesRequest request;
  request.set_parent(CaseName());
  request.set_page_size(2);
  const auto first = entries_.ListEntries(By("ada"), request);
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_THAT(first->entries(), SizeIs(2));
  request.set_page_token(first->next_page_token());
  const auto second = entries_.ListEntries(By("ada"), request);
  ASSERT_TRUE(second.ok()) << second.status();
  ASSERT_THAT(second->entries(), SizeIs(1));
  EXPECT_EQ(second->entries(0).name(), offered);
  EXPECT_EQ(second->next_page_token(), "");
}

TEST_P(EntryTest, WhoMayNotKnowOfItGetsTheAnswerOfAnAbsentOne) {
  const std::string name = Made("hope { words: 'w' }").name();
  const absl::Status absent = Get(CaseName() + "/entries/none").status();
  EXPECT_EQ(Get(name, "cy").status(), absent);
  EXPECT_EQ(Get(absl::StrCat(CaseName("c2"), "/entries/", names::Last(name))).status(), absent);
  EXPECT_EQ(Get(CaseName("none") + "/entries/none").status(), absent);
  EXPECT_EQ(Revise(name, "hope { words: 'x' }", "", "cy").status(), absent);
  EXPECT_EQ(Void(name, "cy").status(), absent);
  v1::ListEntryRevisionsRequest versions;
  versions.set_name(name);
  EXPECT_EQ(entries_.ListEntryRevisions(By("cy"), versions).status(), absent);
  v1::GetEntryRequest other;
  other.set_name("organizations/beta/cases/c1/entries/none");
  EXPECT_EQ(entries_.GetEntry(By("zoe", "", "beta"), other).status(), absent);

  EXPECT_TRUE(Get(name, "sue").ok());
  EXPECT_EQ(Outcome(Revise(name, "hope { words: 'x' }", "", "sue")),
            "PERMISSION_DENIED NOT_THE_THERAPIST");
  EXPECT_EQ(Outcome(Create("hope { words: 'x' }", "c1", "sue")),
            "PERMISSION_DENIED NOT_THE_THERAPIST");
  EXPECT_TRUE(Get(name, "bob").ok()) << "who covers";
}

TEST_P(EntryTest, NothingPrivateToOnePartnerIsInTheViewOfTheOther) {
  const std::string anna = absl::StrCat("about: '", kAnna, "' ");
  const std::string bert = absl::StrCat("about: '", kBert, "' ");
  const std::string shared = Made("strategy { text: 't' }", "c2").name();
  const std::string hers = Made(anna + "hope { words: 'w' }", "c2").name();
  const auto view = [&] { return List(absl::StrCat("about: '", kAnna, "'"), "c2"); };
  const std::vector<std::string> before = view();
  const std::vector<std::string> events = Events();
  EXPECT_THAT(before, ElementsAre(shared, hers));

  const std::string said =
      Made(bert + "private: true pre_meeting { seen_alone: true " + Secret("text") + "}", "c2")
          .name();
  Made(bert + "private: true review_wish { choice: REVIEW_CHOICE_STOP }", "c2");
  Made("private: true review_wish { choice: REVIEW_CHOICE_INDIVIDUAL }", "c2");
  Made(bert + "private: true barrier { text: 't' first_seen_date { year: 2026 month: 3 day: 1 } }",
       "c2");
  const auto revised = Revise(said, "pre_meeting { seen_alone: true text: 'more' }");
  ASSERT_TRUE(revised.ok()) << revised.status();
  EXPECT_TRUE(revised->private_());
  EXPECT_EQ(revised->about(), kBert);
  ASSERT_TRUE(Void(said).ok());
  EXPECT_EQ(view(), before);
  EXPECT_EQ(List(absl::StrCat("show_voided: true about: '", kAnna, "'"), "c2"), before);
  EXPECT_EQ(Events(), events) << "no event tells of what is private";
  EXPECT_THAT(List("", "c2"), SizeIs(5)) << "who treats sees all";
  EXPECT_THAT(List(absl::StrCat("about: '", kBert, "'"), "c2"), SizeIs(3));

  EXPECT_EQ(Fields(Create(absl::StrCat("out_of_scope_topic { text: 't' offer: SCOPE_OFFER_REFERRAL "
                                       "referral: '",
                                       said, "' }"),
                          "c2")
                       .status()),
            std::vector<std::string>{"entry.out_of_scope_topic.referral"});
}

TEST_P(EntryTest, EntriesTellByEventWithoutText) {
  Made("treatment_event { " + Secret("treatment") + Secret("prescriber") + Secret("text") +
       "treatment_class: TREATMENT_CLASS_MOOD_STABILISER change: TREATMENT_CHANGE_STARTED "
       "change_date { year: 2026 month: 3 day: 2 } }");
  const std::string name = List().front();
  const auto event = LastEvent<v1::EntryEvent>(name);
  EXPECT_EQ(event.case_(), CaseName());
  EXPECT_EQ(event.treatment_class(), v1::TREATMENT_CLASS_MOOD_STABILISER);
  EXPECT_EQ(event.event_date().month(), 3);
  ASSERT_TRUE(Void(name).ok());
  EXPECT_TRUE(LastEvent<v1::EntryEvent>(name).voided());
  EXPECT_THAT(Events(), ::testing::Contains(name + " v2"));
}

TEST_P(EntryTest, ASafetyCheckFlagsTheCaseAndWhatIsAimedAtSomeoneClose) {
  const std::string partner = Made(
                                  "relationship { person: 'p' kind: RELATIONSHIP_KIND_PARTNER "
                                  "status: RELATIONSHIP_STATUS_CURRENT }")
                                  .name();
  const std::string action = absl::StrCat("action { text: 't' relationship: '", partner, "' }");
  EXPECT_EQ(Outcome(Create(action)), "FAILED_PRECONDITION SAFETY_CHECK_NEEDED");
  const std::string check = "private: true safety_check { seen_alone: true " + Secret("text");
  const v1::Entry none = Made(check + "result: SAFETY_RESULT_NONE }");
  EXPECT_EQ(none.safety_check().valid_until_date().month(), 4);
  EXPECT_EQ(none.safety_check().valid_until_date().day(), 29);
  EXPECT_FALSE(LastEvent<v1::CaseSafetyEvent>(CaseName() + "/safety").flagged());
  const v1::Entry made = Made(action);
  EXPECT_THAT(made.warnings(), IsEmpty());

  const v1::Entry danger = Made(check + "result: SAFETY_RESULT_DANGER }");
  EXPECT_TRUE(LastEvent<v1::CaseSafetyEvent>(CaseName() + "/safety").flagged());
  EXPECT_THAT(Get(made.name())->warnings(), ElementsAre(v1::ENTRY_WARNING_SAFETY_FLAG));
  EXPECT_EQ(Outcome(Create(action)), "FAILED_PRECONDITION SAFETY_PLAN_NEEDED");
  v1::WriteSafetyPlanRequest plan;
  plan.set_parent(CaseName());
  plan.mutable_safety_plan()->add_warning_signs("w");
  ASSERT_TRUE(cases_.WriteSafetyPlan(By("ada"), plan).ok());
  const v1::Entry flagged = Made(action);
  EXPECT_THAT(flagged.warnings(), ElementsAre(v1::ENTRY_WARNING_SAFETY_FLAG));
  v1::ListEntriesRequest view;
  view.set_parent(CaseName());
  view.set_about(kAnna);
  const auto copy = entries_.ListEntries(By("ada"), view);
  ASSERT_TRUE(copy.ok()) << copy.status();
  EXPECT_THAT(copy->entries(), SizeIs(5));
  for (const v1::Entry& entry : copy->entries()) {
    EXPECT_THAT(entry.warnings(), IsEmpty()) << "a patient's copy shows none";
  }
  ASSERT_TRUE(Void(danger.name()).ok());
  EXPECT_FALSE(LastEvent<v1::CaseSafetyEvent>(CaseName() + "/safety").flagged());
  EXPECT_THAT(Events(), ::testing::Contains(CaseName() + "/safety v3"));
}

TEST_P(EntryTest, InAJointSessionNothingOfSafetyIsAskedOrShown) {
  scheduling::v1::AppointmentEvent joint;
  joint.set_course(CourseName());
  joint.set_clinician(Clinician("ada"));
  joint.set_state(scheduling::v1::APPOINTMENT_STATE_CHECKED_IN);
  joint.add_participants()->set_role(scheduling::v1::PARTICIPANT_ROLE_PARTNER);
  Tell("acme", Appointment("a2"), 1, joint);
  const std::string with = absl::StrCat("appointment: '", Appointment("a2"), "' ");
  const std::string partner = Made(
                                  "relationship { person: 'p' kind: RELATIONSHIP_KIND_PARTNER "
                                  "status: RELATIONSHIP_STATUS_CURRENT }")
                                  .name();
  EXPECT_EQ(Outcome(Create(with + "private: true safety_check { seen_alone: true "
                                  "result: SAFETY_RESULT_NONE }")),
            "FAILED_PRECONDITION JOINT_SESSION");
  const v1::Entry made =
      Made(absl::StrCat(with, "action { text: 't' relationship: '", partner, "' }"));
  EXPECT_THAT(made.warnings(), IsEmpty());
  EXPECT_THAT(Get(made.name())->warnings(), ElementsAre(v1::ENTRY_WARNING_SAFETY_CHECK_DUE))
      << "afterwards it is";
}

TEST_P(EntryTest, TheSessionIsOneOfTheCourse) {
  TellAppointment("a9", 1, now_, scheduling::v1::APPOINTMENT_STATE_CHECKED_IN, "c2");
  EXPECT_EQ(
      Outcome(Create(absl::StrCat("appointment: '", Appointment("a9"), "' hope { words: 'w' }"))),
      "NOT_FOUND RESOURCE_NOT_FOUND");
  EXPECT_TRUE(
      Create(absl::StrCat("appointment: '", Appointment("a1"), "' hope { words: 'w' }")).ok());
}

TEST_P(EntryTest, HomeworkIsAMatterOfTheProtocol) {
  EXPECT_EQ(Outcome(Create("action { text: 't' homework: true }")),
            "FAILED_PRECONDITION HOMEWORK_NOT_IN_PROTOCOL");
  TellCourse("c1", 2, "ada", "assigns_homework: true");
  EXPECT_TRUE(Create("action { text: 't' homework: true }").ok());
}

TEST_P(EntryTest, AContractIsSignedByWhoProvedThemselvesRecently) {
  v1::CreateEntryRequest request;
  request.set_parent(CaseName());
  *request.mutable_entry() = Text<v1::Entry>(
      "contract { sessions: 16 focus: 'f' missed_session_rule: 'm' confidentiality_limits: 'c' "
      "end_date { year: 2026 month: 9 day: 1 } agreement_date { year: 2026 month: 3 day: 4 } "
      "sign: true }");
  EXPECT_EQ(Outcome(entries_.CreateEntry(AuthenticatedAgo("ada", absl::Minutes(11)), request)),
            "FAILED_PRECONDITION REAUTHENTICATION_REQUIRED");
  const auto made = entries_.CreateEntry(AuthenticatedAgo("ada", absl::Minutes(9)), request);
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(time::ToTime(made->contract().sign_time()), now_);
}

TEST_P(EntryTest, WhoIsNotLicensedOnTheDaySignsNoContract) {
  Tell("acme", Clinician("ada"), 2, Text<scheduling::v1::ClinicianEvent>("subject: 'ada'"));
  v1::CreateEntryRequest request;
  request.set_parent(CaseName());
  *request.mutable_entry() = Text<v1::Entry>(
      "contract { sessions: 16 focus: 'f' missed_session_rule: 'm' confidentiality_limits: 'c' "
      "end_date { year: 2026 month: 9 day: 1 } agreement_date { year: 2026 month: 3 day: 4 } "
      "sign: true }");
  const std::string unlicensed = "FAILED_PRECONDITION CLINICIAN_UNLICENSED";
  EXPECT_EQ(Outcome(entries_.CreateEntry(By("ada"), request)), unlicensed);
  request.mutable_entry()->mutable_contract()->clear_sign();
  const auto made = entries_.CreateEntry(By("ada"), request);
  ASSERT_TRUE(made.ok()) << made.status() << " to write one down is not to sign it";
  v1::ReviseEntryRequest revise;
  revise.set_name(made->name());
  revise.set_reason("r");
  *revise.mutable_entry() = request.entry();
  revise.mutable_entry()->mutable_contract()->set_sign(true);
  EXPECT_EQ(Outcome(entries_.ReviseEntry(By("ada"), revise)), unlicensed);
}

TEST_P(EntryTest, AHopeBecomesAGoalOfTheCase) {
  const v1::Entry hope = Made("hope { words: 'w' }");
  now_ += absl::Minutes(1);
  v1::CreateGoalRequest goal;
  goal.set_parent(CaseName());
  goal.mutable_goal()->set_text("g");
  const auto made = cases_.CreateGoal(By("ada"), goal);
  ASSERT_TRUE(made.ok()) << made.status();
  const auto became = Revise(hope.name(), absl::StrCat("hope { words: 'w' goal: '", made->name(),
                                                       "' state: HOPE_STATE_BECAME_GOAL }"));
  EXPECT_TRUE(became.ok()) << became.status();
  EXPECT_THAT(Fields(Revise(hope.name(), absl::StrCat("hope { words: 'w' goal: '", CaseName(),
                                                      "/goals/none' "
                                                      "state: HOPE_STATE_BECAME_GOAL }"))
                         .status()),
              ElementsAre("entry.hope.goal"));
}

TEST_P(EntryTest, OfACoupleEachHopesFirst) {
  v1::CreateGoalRequest goal;
  goal.set_parent(CaseName("c2"));
  goal.mutable_goal()->set_text("g");
  Made(absl::StrCat("about: '", kAnna, "' hope { words: 'w' }"), "c2");
  Made(absl::StrCat("about: '", kAnna, "' hope { words: 'v' }"), "c2");
  EXPECT_EQ(Outcome(cases_.CreateGoal(By("ada"), goal)), "FAILED_PRECONDITION HOPES_NOT_TOLD");
  Made(absl::StrCat("about: '", kBert, "' hope { words: 'w' }"), "c2");
  EXPECT_TRUE(cases_.CreateGoal(By("ada"), goal).ok());
}

TEST_P(EntryTest, TheFocusRestsOnTheInventory) {
  const std::string grief =
      "kind: PROBLEM_AREA_KIND_GRIEF person: 'p' death_date { year: 2025 month: 1 day: 1 } ";
  EXPECT_THAT(Fields(SetFocus(grief).status()), ElementsAre("problem_areas[0].relationship"));
  const std::string alive = Made(
                                "relationship { person: 'p' kind: RELATIONSHIP_KIND_PARENT "
                                "status: RELATIONSHIP_STATUS_CURRENT }")
                                .name();
  const std::string of = absl::StrCat(grief, "relationship: '", alive, "'");
  EXPECT_THAT(Fields(SetFocus(of).status()), ElementsAre("problem_areas[0].relationship"));
  ASSERT_TRUE(Revise(alive,
                     "relationship { person: 'p' kind: RELATIONSHIP_KIND_PARENT status: "
                     "RELATIONSHIP_STATUS_LOST death_date { year: 2025 } }")
                  .ok());
  ASSERT_TRUE(SetFocus(of).ok());
  EXPECT_EQ(Outcome(Void(alive)), "FAILED_PRECONDITION ENTRY_IN_USE");
  EXPECT_EQ(Outcome(Revise(alive,
                           "relationship { person: 'p' kind: RELATIONSHIP_KIND_PARENT "
                           "status: RELATIONSHIP_STATUS_CURRENT }")),
            "FAILED_PRECONDITION ENTRY_IN_USE");
  EXPECT_TRUE(Revise(alive,
                     "relationship { person: 'her mother' kind: RELATIONSHIP_KIND_PARENT "
                     "status: RELATIONSHIP_STATUS_LOST death_date { year: 2025 } }")
                  .ok());
}

TEST_P(EntryTest, TheDeterminationListsIssuesOfWhichNothingIsDecided) {
  const std::string open = Made("additional_issue { text: 't' }").name();
  Made("additional_issue { text: 't' disposition: ISSUE_DISPOSITION_WATCH }");
  auto request = Text<v1::SignDeterminationRequest>(
      "determination { outcome: SUITABILITY_OUTCOME_SUITABLE "
      "protocol: 'protocols/classic/revisions/1' "
      "reasons { direction: REASON_DIRECTION_FOR text: 'r' } interpersonal_trigger: ANSWERED_YES "
      "patient_preference: 'p' alternatives_offered: 'a' undisposed_issues: 'forged' }");
  request.set_parent(CaseName());
  const auto made = cases_.SignDetermination(By("ada"), request);
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_THAT(made->undisposed_issues(), ElementsAre(open));
}

TEST_P(EntryTest, WhatStandsInTheWayOfClosingIsTold) {
  v1::GetClosingObstaclesRequest request;
  request.set_name(CaseName());
  const std::string referral = Made(
                                   "referral { kind: REFERRAL_KIND_PSYCHIATRY to: 'x' "
                                   "send_date { year: 2026 month: 3 day: 1 } }")
                                   .name();
  const auto obstacles = entries_.GetClosingObstacles(By("ada"), request);
  ASSERT_TRUE(obstacles.ok()) << obstacles.status();
  EXPECT_EQ(obstacles->obstacles(0).kind(), v1::CLOSING_OBSTACLE_KIND_REFERRAL_UNACCEPTED);
  EXPECT_EQ(obstacles->obstacles(0).entry(), referral);
  EXPECT_EQ(obstacles->obstacles(1).task(), "announce-ending");
  request.set_name(CaseName("none"));
  const absl::Status absent = entries_.GetClosingObstacles(By("ada"), request).status();
  request.set_name(CaseName());
  EXPECT_EQ(entries_.GetClosingObstacles(By("cy"), request).status(), absent);
}

TEST_P(EntryTest, AnErasedPatientsEntriesReadWithoutTheirText) {
  const std::string bert = absl::StrCat("about: '", kBert, "' ");
  const std::string his = Made(bert + "hope { " + Secret("words") + "}", "c2").name();
  const std::string shared = Made("strategy { text: 't' }", "c2").name();
  ASSERT_TRUE(database_
                  ->Write(sql::Access::Tenant("acme"), Deadline(),
                          [&](sql::Transaction& tx) {
                            vault_.Shred(tx, "acme", kBert, now_);
                            return absl::OkStatus();
                          })
                  .ok());
  const auto erased = Get(his);
  ASSERT_TRUE(erased.ok()) << erased.status();
  EXPECT_TRUE(erased->erased());
  EXPECT_EQ(erased->kind(), v1::ENTRY_KIND_HOPE);
  EXPECT_EQ(erased->about(), kBert);
  EXPECT_TRUE(erased->open());
  EXPECT_EQ(erased->content_case(), v1::Entry::CONTENT_NOT_SET);
  EXPECT_EQ(Get(shared)->strategy().text(), "t");
  EXPECT_THAT(List("", "c2"), ElementsAre(his, shared));
  EXPECT_EQ(Outcome(Create(bert + "hope { words: 'w' }", "c2")), "FAILED_PRECONDITION ERASED");
  EXPECT_EQ(Outcome(Void(his)), "FAILED_PRECONDITION ERASED");
}

TEST_P(EntryTest, TheDatabaseItselfOnlyAppends) {
  const v1::Entry made = Made("private: true relapse_plan { warning_signs { words: 'w' } }");
  const sql::Value acme = sql::Text("acme");
  for (const sql::Statement* statement :
       {&kChangeHead, &kDiscloseHead, &kSkipVersion, &kDeleteHead, &kDeleteRevision}) {
    EXPECT_FALSE(Run(*statement, {acme}).ok()) << statement->name();
  }
  EXPECT_FALSE(Run(kChangeRevision, {acme, sql::Bytes("x")}).ok());
  ASSERT_TRUE(Void(made.name()).ok());
  EXPECT_FALSE(Run(kReviveHead, {acme}).ok());
  EXPECT_THAT(Versions(made.name()), SizeIs(2));
}

INSTANTIATE_TEST_SUITE_P(Engines, EntryTest, ::testing::ValuesIn(NotesEngines()),
                         sql::testing::EngineName);

}  // namespace
}  // namespace rapport::notes::testing
