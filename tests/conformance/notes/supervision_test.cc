#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "common/names/names.h"
#include "nlohmann/json.hpp"
#include "rapport/assessment/v1/caseload_service.pb.h"
#include "services/notes/domain/canonical.h"
#include "services/notes/domain/sampling.h"
#include "tests/conformance/notes/supervision_fixture.h"

namespace rapport::notes::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kGetNeeds[] = "rapport.assessment.v1.CaseloadService/GetCourseNeeds";

// Passes reads on and counts their statements.
class CountingDatabase : public sql::Database {
 public:
  explicit CountingDatabase(sql::Database& database) : database_(database) {}
  sql::Engine engine() const override { return database_.engine(); }
  absl::Status Read(const sql::Access& access, absl::Time deadline,
                    absl::FunctionRef<absl::Status(sql::Session&)> body) override {
    return database_.Read(access, deadline, [&](sql::Session& session) {
      Counting counting(session, statements);
      return body(counting);
    });
  }
  absl::Status Write(const sql::Access& access, absl::Time deadline,
                     absl::FunctionRef<absl::Status(sql::Transaction&)> body) override {
    return database_.Write(access, deadline, body);
  }
  absl::Status Ready(absl::Time deadline) override { return database_.Ready(deadline); }
  Stats stats() const override { return database_.stats(); }

  int statements = 0;

 private:
  class Counting : public sql::Session {
   public:
    Counting(sql::Session& session, int& statements) : session_(session), statements_(statements) {}
    sql::Engine engine() const override { return session_.engine(); }
    absl::StatusOr<sql::Result> Query(const sql::Statement& statement,
                                      absl::Span<const sql::Value> parameters) override {
      ++statements_;
      return session_.Query(statement, parameters);
    }

   private:
    sql::Session& session_;
    int& statements_;
  };

  sql::Database& database_;
};

class SupervisionServiceTest : public SupervisionTest {
 protected:
  static v1::ListCaseloadRequest CaseloadOf(int page_size = 0) {
    v1::ListCaseloadRequest request;
    request.set_parent("organizations/acme");
    request.set_page_size(page_size);
    return request;
  }
  // "c1 1030 ALERT_IMMEDIATE NOTE_OVERDUE" of each case.
  std::vector<std::string> Caseload(const std::string& subject, v1::ListCaseloadRequest request) {
    std::vector<std::string> told;
    for (int page = 0; page < 9; ++page) {
      const auto response = supervision_.ListCaseload(By(subject), request);
      EXPECT_TRUE(response.ok()) << response.status();
      if (!response.ok()) break;
      for (const v1::CaseloadItem& item : response->items()) {
        std::string line = absl::StrCat(names::Last(item.case_()), " ", item.need_weight());
        for (const v1::CaseNeed& need : item.needs()) {
          absl::StrAppend(&line, " ", v1::CaseNeedKind_Name(need.kind()).substr(15));
        }
        told.push_back(line);
      }
      unavailable_ = response->unavailable_sources_size() > 0;
      request.set_page_token(response->next_page_token());
      if (response->next_page_token().empty()) break;
    }
    return told;
  }

  void AnswerNeeds(const std::string& text) {
    assessment_.answers[kGetNeeds] = [=, this](const google::protobuf::Message& request,
                                               google::protobuf::Message& response) {
      asked_ = static_cast<const assessment::v1::GetCourseNeedsRequest&>(request);
      static_cast<assessment::v1::GetCourseNeedsResponse&>(response) =
          Text<assessment::v1::GetCourseNeedsResponse>(text);
      return absl::OkStatus();
    };
  }

  v1::LogSupervisionSessionRequest Hour(const std::string& supervisor = "sue") {
    v1::LogSupervisionSessionRequest request;
    request.set_parent(Clinician("ada"));
    v1::SupervisionSession& session = *request.mutable_supervision_session();
    session.set_supervisor(Clinician(supervisor));
    *session.mutable_start_time() = time::ToTimestamp(now_ - absl::Hours(2));
    session.set_minutes(60);
    session.set_format(v1::SUPERVISION_FORMAT_INDIVIDUAL);
    session.set_text(kSecret);
    v1::SupervisedCase& of = *session.add_cases();
    of.set_case_(CaseName());
    of.set_minutes(45);
    of.add_appointments(Appointment("a1"));
    of.set_text(kSecret);
    return request;
  }
  absl::StatusOr<v1::SupervisionSession> Log(const std::string& subject,
                                             const v1::LogSupervisionSessionRequest& request) {
    return supervision_.LogSupervisionSession(By(subject), request);
  }
  absl::StatusOr<v1::SupervisionSession> Confirm(const std::string& subject,
                                                 const std::string& name) {
    v1::ConfirmSupervisionSessionRequest request;
    request.set_name(name);
    return supervision_.ConfirmSupervisionSession(By(subject), request);
  }
  absl::StatusOr<v1::SupervisionSession> Void(const std::string& subject, const std::string& name) {
    v1::VoidSupervisionSessionRequest request;
    request.set_name(name);
    request.set_reason(kSecret);
    return supervision_.VoidSupervisionSession(By(subject), request);
  }
  std::vector<v1::SupervisionSession> Logged(const std::string& subject) {
    v1::ListSupervisionSessionsRequest request;
    request.set_parent(Clinician("ada"));
    request.set_page_size(1);
    std::vector<v1::SupervisionSession> sessions;
    for (int page = 0; page < 9; ++page) {
      const auto response = supervision_.ListSupervisionSessions(By(subject), request);
      EXPECT_TRUE(response.ok()) << response.status();
      if (!response.ok()) break;
      sessions.insert(sessions.end(), response->supervision_sessions().begin(),
                      response->supervision_sessions().end());
      request.set_page_token(response->next_page_token());
      if (response->next_page_token().empty()) break;
    }
    return sessions;
  }

  static v1::RegisterRecordingRequest Tape(const std::string& appointment = "a1") {
    v1::RegisterRecordingRequest request;
    request.set_parent(CaseName());
    *request.mutable_recording() = Text<v1::SessionRecording>(
        absl::StrCat("appointment: '", Appointment(appointment),
                     "' medium: RECORDING_MEDIUM_AUDIO location: '", kSecret,
                     "' consents { patient: 'organizations/acme/patients/p1' "
                     "consent_date { year: 2026 month: 3 day: 1 } } "
                     "retain_until_date { year: 2026 month: 6 day: 1 }"));
    return request;
  }
  absl::StatusOr<v1::SessionRecording> Register(const std::string& subject,
                                                const v1::RegisterRecordingRequest& request) {
    return supervision_.RegisterRecording(By(subject), request);
  }
  std::vector<std::string> Recordings(const std::string& subject, bool due = false,
                                      const std::string& parent = "organizations/acme") {
    v1::ListRecordingsRequest request;
    request.set_parent(parent);
    request.set_due_for_deletion(due);
    request.set_page_size(2);
    std::vector<std::string> names;
    for (int page = 0; page < 9; ++page) {
      const auto response = supervision_.ListRecordings(By(subject), request);
      EXPECT_TRUE(response.ok()) << response.status();
      if (!response.ok()) break;
      for (const auto& each : response->recordings()) names.push_back(each.name());
      request.set_page_token(response->next_page_token());
      if (response->next_page_token().empty()) break;
    }
    return names;
  }

  absl::StatusOr<v1::RecordingSelection> Commit(const std::string& subject, int count = 2) {
    v1::CommitRecordingSelectionRequest request;
    request.set_parent(CaseName());
    request.set_count(count);
    return supervision_.CommitRecordingSelection(By(subject), request);
  }
  absl::StatusOr<v1::RecordingSelection> Draw(const std::string& subject, const std::string& name,
                                              const std::string& request_id = "") {
    v1::DrawRecordingSelectionRequest request;
    request.set_name(name);
    request.set_request_id(request_id);
    return supervision_.DrawRecordingSelection(By(subject), request);
  }
  absl::StatusOr<v1::RecordingSelection> GetSelection(const std::string& subject,
                                                      const std::string& name) {
    v1::GetRecordingSelectionRequest request;
    request.set_name(name);
    return supervision_.GetRecordingSelection(By(subject), request);
  }
  // Sessions a2 to a<last>, held and recorded.
  void HoldAndRecord(int last) {
    for (int i = 1; i <= last; ++i) {
      const std::string id = absl::StrCat("a", i);
      if (i > 1) {
        TellAppointment(id, 1, now_ - absl::Hours(24 * i),
                        scheduling::v1::APPOINTMENT_STATE_COMPLETED);
      }
      v1::RegisterRecordingRequest request = Tape(id);
      request.mutable_recording()->mutable_consents(0)->mutable_consent_date()->set_month(1);
      const auto recording = Register("ada", request);
      ASSERT_TRUE(recording.ok()) << recording.status();
    }
  }
  absl::StatusOr<v1::Portfolio> Portfolio(const std::string& subject,
                                          const std::string& requirements = "uk-level-b-older") {
    v1::GetPortfolioRequest request;
    request.set_name(Clinician("ada"));
    request.set_requirements(requirements);
    return supervision_.GetPortfolio(By(subject), request);
  }

  bool unavailable_ = false;
  assessment::v1::GetCourseNeedsRequest asked_;
};

TEST_P(SupervisionServiceTest, OneCallListsTheWholeCaseloadByNeed) {
  TellCourse("c2", 1, "ada");
  Tell("acme", CourseName("c3"), 1,
       Text<scheduling::v1::CourseEvent>(absl::StrCat(
           "state: COURSE_STATE_ACTIVE patient: 'organizations/acme/patients/p3' clinician: '",
           Clinician("ada"), "' formulation_due_session: 1")));
  TellCourse("c4", 1, "cy");
  TellCourse("c5", 1, "ada");
  Tell("acme", CourseName("c5"), 2,
       Text<scheduling::v1::CourseEvent>(absl::StrCat(
           "state: COURSE_STATE_COMPLETED patient: 'organizations/acme/patients/p1' clinician: '",
           Clinician("ada"), "'")));
  TellAppointment("b1", 1, now_ - absl::Hours(100), scheduling::v1::APPOINTMENT_STATE_COMPLETED,
                  "c3");
  AnswerNeeds(absl::StrCat(
      "courses { course: '", CourseName("c2"),
      "' alerts { alert: 'x' severity: ALERT_SEVERITY_IMMEDIATE create_time { seconds: 5 } } "
      "flags { kind: PROGRESS_FLAG_KIND_NOT_ON_TRACK holds: true } }"));

  const std::vector<std::string> all = {"c2 1080 ALERT_IMMEDIATE NOT_ON_TRACK",
                                        "c3 70 FORMULATION_OVERDUE NOTE_OVERDUE",
                                        "c1 5 NOTE_UNSIGNED"};
  EXPECT_EQ(Caseload("sue", CaseloadOf()), all);
  EXPECT_FALSE(unavailable_);
  EXPECT_THAT(asked_.courses(), SizeIs(3)) << "open ones of hers, in one call";
  EXPECT_EQ(Caseload("sue", CaseloadOf(1)), all) << "page by page";
  EXPECT_THAT(Caseload("ada", CaseloadOf()), IsEmpty()) << "supervises nobody";
  EXPECT_THAT(Caseload("tom", CaseloadOf()), IsEmpty()) << "not any more";
  v1::ListCaseloadRequest request = CaseloadOf();
  request.set_clinician(Clinician("cy"));
  EXPECT_THAT(Caseload("sue", request), IsEmpty());
  request = CaseloadOf();
  request.set_show_ended(true);
  EXPECT_THAT(Caseload("sue", request), SizeIs(4));
  request.set_with_needs(true);
  EXPECT_THAT(Caseload("sue", request), SizeIs(3));

  assessment_.answers.clear();
  EXPECT_THAT(Caseload("sue", CaseloadOf()),
              ElementsAre("c3 70 FORMULATION_OVERDUE NOTE_OVERDUE", "c1 5 NOTE_UNSIGNED", "c2 0"));
  EXPECT_TRUE(unavailable_);
  lag_ = absl::Hours(1);
  EXPECT_EQ(Outcome(supervision_.ListCaseload(By("sue"), CaseloadOf())),
            "UNAVAILABLE CARE_RELATIONS_STALE");
}

TEST_P(SupervisionServiceTest, ACaseloadTakesAsManyStatementsForSixtyCasesAsForOne) {
  AnswerNeeds("");
  CountingDatabase counting(*database_);
  SupervisionHandlers counted(counting, access_, vault_, assessment_);
  ASSERT_TRUE(counted.ListCaseload(By("sue"), CaseloadOf()).ok());
  const int for_one = counting.statements;
  for (int i = 0; i < 60; ++i) {
    TellCourse(absl::StrCat("m", i), 1, "ada");
    TellAppointment(absl::StrCat("ma", i), 1, now_ - absl::Hours(1),
                    scheduling::v1::APPOINTMENT_STATE_COMPLETED, absl::StrCat("m", i));
  }
  counting.statements = 0;
  const int asked = assessment_.calls;
  const auto listed = counted.ListCaseload(By("sue"), CaseloadOf(500));
  ASSERT_TRUE(listed.ok()) << listed.status();
  EXPECT_THAT(listed->items(), SizeIs(61));
  EXPECT_EQ(counting.statements, for_one);
  EXPECT_LE(for_one, 7);
  EXPECT_EQ(assessment_.calls, asked + 1);
}

TEST_P(SupervisionServiceTest, ANoteThatWaitsForASupervisorIsOnTheAgenda) {
  AnswerNeeds("");
  const v1::Note note = Signed();
  v1::RequestCosignRequest ask;
  ask.set_name(note.name());
  ask.set_supervisor(Clinician("sue"));
  const auto asked = notes_.RequestCosign(By("ada"), ask);
  ASSERT_TRUE(asked.ok()) << asked.status();
  EXPECT_THAT(Caseload("sue", CaseloadOf()), ElementsAre("c1 20 COSIGNATURE"));
}

TEST_P(SupervisionServiceTest, HoursCountOnceTheOtherHasConfirmedThem) {
  const auto logged = Log("ada", Hour());
  ASSERT_TRUE(logged.ok()) << logged.status();
  EXPECT_EQ(logged->logged_by(), Clinician("ada"));
  EXPECT_EQ(Portfolio("ada")->supervision_minutes(), 0);
  EXPECT_EQ(Portfolio("ada")->unconfirmed_sessions(), 1);
  EXPECT_EQ(Outcome(Confirm("ada", logged->name())), "PERMISSION_DENIED NOT_THE_OTHER");
  EXPECT_EQ(Outcome(Confirm("cy", logged->name())), kNotFound);
  const auto confirmed = Confirm("sue", logged->name());
  ASSERT_TRUE(confirmed.ok()) << confirmed.status();
  EXPECT_EQ(confirmed->text(), kSecret);
  EXPECT_EQ(confirmed->cases(0).text(), kSecret);
  EXPECT_TRUE(LastEvent<v1::SupervisionSessionEvent>(logged->name()).confirmed());
  EXPECT_EQ(Outcome(Confirm("sue", logged->name())), "FAILED_PRECONDITION SUPERVISION_CONFIRMED");
  EXPECT_EQ(Portfolio("ada")->supervision_minutes(), 60);
  EXPECT_EQ(Portfolio("ada")->cases(0).supervision_minutes(), 45);
  EXPECT_EQ(Portfolio("ada")->cases(0).sessions_supervised(), 1);

  EXPECT_EQ(Outcome(Void("ada", logged->name())), "PERMISSION_DENIED NOT_THE_SUPERVISOR");
  const auto voided = Void("sue", logged->name());
  ASSERT_TRUE(voided.ok()) << voided.status();
  EXPECT_EQ(voided->void_reason(), kSecret);
  EXPECT_EQ(Outcome(Void("sue", logged->name())), "FAILED_PRECONDITION SUPERVISION_VOIDED");
  EXPECT_EQ(Portfolio("ada")->supervision_minutes(), 0);
  ASSERT_THAT(Logged("ada"), SizeIs(1)) << "it stays readable";
  EXPECT_EQ(Logged("ada")[0].void_reason(), kSecret);
  Events();
}

TEST_P(SupervisionServiceTest, OnlyThePairLogsAndOnlyWhileItLasted) {
  EXPECT_EQ(Outcome(Log("cy", Hour())), "PERMISSION_DENIED NOT_OF_THE_PAIR");
  EXPECT_EQ(Outcome(Log("ada", Hour("tom"))), "FAILED_PRECONDITION NOT_SUPERVISED");
  v1::LogSupervisionSessionRequest then = Hour("tom");
  *then.mutable_supervision_session()->mutable_start_time() =
      time::ToTimestamp(now_ - absl::Hours(300));
  EXPECT_EQ(Outcome(Log("tom", then)), "INVALID_ARGUMENT INVALID_FIELD")
      << "a former supervisor knows of no case";
  then.mutable_supervision_session()->clear_cases();
  ASSERT_TRUE(Log("tom", then).ok());
  ASSERT_TRUE(Log("sue", Hour()).ok());
  EXPECT_THAT(Logged("ada"), SizeIs(2));
  EXPECT_THAT(Logged("sue"), SizeIs(2));
  EXPECT_THAT(Logged("tom"), SizeIs(1)) << "his own";
  EXPECT_THAT(Logged("cy"), IsEmpty());

  TellCourse("c4", 1, "cy");
  v1::LogSupervisionSessionRequest other = Hour();
  other.mutable_supervision_session()->mutable_cases(0)->set_case_(CaseName("c4"));
  EXPECT_THAT(Fields(Log("ada", other).status()), ElementsAre("supervision_session.cases[0].case"));
  other = Hour();
  other.mutable_supervision_session()->mutable_cases(0)->set_appointments(0, Appointment("zz"));
  EXPECT_THAT(Fields(Log("ada", other).status()),
              ElementsAre("supervision_session.cases[0].appointments"));
}

TEST_P(SupervisionServiceTest, ACaseThatWentToAnotherIsHiddenInTheLog) {
  const auto logged = Log("sue", Hour());
  ASSERT_TRUE(logged.ok()) << logged.status();
  TellCourse("c1", 2, "cy");
  ASSERT_THAT(Logged("sue"), SizeIs(1));
  EXPECT_THAT(Logged("sue")[0].cases(), IsEmpty());
  EXPECT_EQ(Logged("sue")[0].cases_hidden(), 1);
  EXPECT_EQ(Logged("sue")[0].minutes(), 60);
}

TEST_P(SupervisionServiceTest, ARecordingNeedsTheConsentOfAll) {
  v1::RegisterRecordingRequest request = Tape();
  request.mutable_recording()->clear_consents();
  EXPECT_EQ(Outcome(Register("ada", request)), "FAILED_PRECONDITION RECORDING_CONSENT_MISSING");
  EXPECT_EQ(Outcome(Register("bob", Tape())), "PERMISSION_DENIED NOT_THE_THERAPIST")
      << "she held the session";
  EXPECT_EQ(Outcome(Register("sue", Tape())), "PERMISSION_DENIED NOT_THE_THERAPIST");
  EXPECT_EQ(Outcome(Register("cy", Tape())), kNotFound);
  EXPECT_EQ(Outcome(Register("ada", Tape("zz"))), kNotFound);
  request = Tape();
  request.mutable_recording()->mutable_retain_until_date()->set_year(2028);
  EXPECT_THAT(Fields(Register("ada", request).status()),
              ElementsAre("recording.retain_until_date"));
  const auto recording = Register("ada", Tape());
  ASSERT_TRUE(recording.ok()) << recording.status();
  EXPECT_EQ(recording->session_number(), 1);
  EXPECT_EQ(recording->state(), v1::RECORDING_STATE_KEPT);
  EXPECT_EQ(Outcome(Register("ada", Tape())), "ALREADY_EXISTS RESOURCE_EXISTS");
  EXPECT_EQ(LastEvent<v1::RecordingEvent>(recording->name()).appointment(), Appointment("a1"));
  Events();

  v1::GetRecordingRequest get;
  get.set_name(recording->name());
  EXPECT_EQ(supervision_.GetRecording(By("sue"), get)->location(), kSecret);
  EXPECT_EQ(Outcome(supervision_.GetRecording(By("tom"), get)), kNotFound);
  EXPECT_EQ(Outcome(supervision_.GetRecording(By("zoe", "", "beta"), get)), kNotFound);
}

TEST_P(SupervisionServiceTest, ARecordingIsDueForDeletionAndTheRowStays) {
  HoldAndRecord(3);
  const std::vector<std::string> all = Recordings("ada");
  ASSERT_THAT(all, SizeIs(3));
  EXPECT_THAT(Recordings("sue"), SizeIs(3));
  EXPECT_THAT(Recordings("sue", false, CaseName()), SizeIs(3));
  EXPECT_THAT(Recordings("cy"), IsEmpty());
  EXPECT_THAT(Recordings("ada", true), IsEmpty());

  v1::WithdrawRecordingConsentRequest withdraw;
  withdraw.set_name(all[0]);
  EXPECT_EQ(Outcome(supervision_.WithdrawRecordingConsent(By("sue"), withdraw)),
            "PERMISSION_DENIED NOT_THE_THERAPIST");
  const auto withdrawn = supervision_.WithdrawRecordingConsent(By("ada"), withdraw);
  ASSERT_TRUE(withdrawn.ok()) << withdrawn.status();
  EXPECT_EQ(withdrawn->state(), v1::RECORDING_STATE_DUE_FOR_DELETION);
  EXPECT_EQ(Outcome(supervision_.WithdrawRecordingConsent(By("ada"), withdraw)),
            "FAILED_PRECONDITION CONSENT_WITHDRAWN");
  EXPECT_THAT(Recordings("ada", true), ElementsAre(all[0]));

  v1::ConfirmRecordingDeletionRequest remove;
  remove.set_name(all[0]);
  remove.set_etag("1");
  EXPECT_EQ(Outcome(supervision_.ConfirmRecordingDeletion(By("ada"), remove)),
            "ABORTED STALE_ETAG");
  remove.set_etag("2");
  const auto removed = supervision_.ConfirmRecordingDeletion(By("bob"), remove);
  ASSERT_TRUE(removed.ok()) << removed.status();
  EXPECT_EQ(removed->deleted_by(), Clinician("bob"));
  EXPECT_TRUE(LastEvent<v1::RecordingEvent>(all[0]).deleted());
  EXPECT_EQ(Outcome(supervision_.ConfirmRecordingDeletion(By("ada"), remove)),
            "ABORTED STALE_ETAG");
  EXPECT_THAT(Recordings("ada", true), IsEmpty());
  EXPECT_THAT(Recordings("ada"), SizeIs(3));
  now_ += absl::Hours(24 * 120);
  EXPECT_THAT(Recordings("ada", true), SizeIs(2)) << "their day has passed";
}

TEST_P(SupervisionServiceTest, ARandomChoiceIsCommittedToBeforeAndCheckedAfter) {
  EXPECT_EQ(Outcome(Commit("ada")), "PERMISSION_DENIED NOT_THE_SUPERVISOR");
  EXPECT_EQ(Outcome(Commit("tom")), kNotFound);
  const auto committed = Commit("sue");
  ASSERT_TRUE(committed.ok()) << committed.status();
  EXPECT_THAT(committed->commitment(), SizeIs(32));
  EXPECT_THAT(committed->seed(), IsEmpty());
  EXPECT_EQ(committed->proof(), v1::SELECTION_PROOF_NOT_DRAWN);
  EXPECT_EQ(LastEvent<v1::RecordingSelectionEvent>(committed->name()).commitment(),
            committed->commitment());
  EXPECT_EQ(Outcome(Commit("sue")), "FAILED_PRECONDITION SELECTION_OPEN");
  EXPECT_EQ(Outcome(Draw("sue", committed->name())), "FAILED_PRECONDITION NO_RECORDINGS");

  HoldAndRecord(5);
  TellAppointment("a6", 1, now_ - absl::Hours(1), scheduling::v1::APPOINTMENT_STATE_COMPLETED);
  const std::vector<std::string> all = Recordings("ada");
  v1::WithdrawRecordingConsentRequest withdraw;
  withdraw.set_name(all[0]);
  ASSERT_TRUE(supervision_.WithdrawRecordingConsent(By("ada"), withdraw).ok());
  EXPECT_EQ(Outcome(Draw("ada", committed->name())), "PERMISSION_DENIED NOT_THE_SUPERVISOR");

  const auto drawn = Draw("sue", committed->name(), "d1");
  ASSERT_TRUE(drawn.ok()) << drawn.status();
  EXPECT_EQ(drawn->proof(), v1::SELECTION_PROOF_VERIFIED);
  EXPECT_EQ(drawn->commitment(), committed->commitment());
  EXPECT_EQ(CommitmentTo(drawn->name(), drawn->seed()), committed->commitment());
  EXPECT_THAT(drawn->candidates(), SizeIs(4)) << "without the one that must be deleted";
  EXPECT_THAT(drawn->chosen(), SizeIs(2));
  EXPECT_EQ(drawn->sessions_held(), 6);
  EXPECT_EQ(Draw("sue", committed->name(), "d1")->seed(), drawn->seed());
  EXPECT_EQ(Outcome(Draw("sue", committed->name(), "d2")), "FAILED_PRECONDITION SELECTION_DRAWN");

  const auto read = GetSelection("ada", committed->name());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->seed(), drawn->seed());
  EXPECT_EQ(read->proof(), v1::SELECTION_PROOF_VERIFIED);
  EXPECT_EQ(Outcome(GetSelection("cy", committed->name())), kNotFound);
  ASSERT_TRUE(Commit("sue").ok());
  v1::ListRecordingSelectionsRequest list;
  list.set_parent(CaseName());
  EXPECT_THAT(supervision_.ListRecordingSelections(By("sue"), list)->recording_selections(),
              SizeIs(2));
}

TEST_P(SupervisionServiceTest, TheDatabaseRefusesToChangeWhatWasKept) {
  HoldAndRecord(1);
  ASSERT_TRUE(Log("ada", Hour()).ok());
  const auto committed = Commit("sue");
  ASSERT_TRUE(Draw("sue", committed->name()).ok());
  static const sql::Statement kStatements[] = {
      {"test.supervision.s1",
       "UPDATE supervision_session SET minutes = 600, version = version + 1 WHERE organization_id "
       "= $1"},
      {"test.supervision.s2", "DELETE FROM supervision_session WHERE organization_id = $1"},
      {"test.supervision.c1",
       "UPDATE supervised_case SET minutes = 600 WHERE organization_id = $1"},
      {"test.supervision.c2", "DELETE FROM supervised_case WHERE organization_id = $1"},
      {"test.supervision.a1", "DELETE FROM supervised_appointment WHERE organization_id = $1"},
      {"test.supervision.r1",
       "UPDATE session_recording SET retain_until = 99999, version = version + 1 WHERE "
       "organization_id = $1"},
      {"test.supervision.r2", "DELETE FROM session_recording WHERE organization_id = $1"},
      {"test.supervision.l1",
       "UPDATE recording_selection SET draw_time = 1 WHERE organization_id = $1"},
      {"test.supervision.l2",
       "UPDATE recording_selection SET count = 9 WHERE organization_id = $1"},
      {"test.supervision.l3", "DELETE FROM recording_selection WHERE organization_id = $1"},
  };
  for (const sql::Statement& statement : kStatements) {
    EXPECT_FALSE(Run(statement, {sql::Text("acme")}).ok()) << statement.name();
  }
}

TEST_P(SupervisionServiceTest, ThePortfolioTellsWhatIsDoneAndHoldsNoText) {
  HoldAndRecord(3);
  const v1::Note note = Signed();
  const auto logged = Log("ada", Hour());
  ASSERT_TRUE(logged.ok()) << logged.status();
  ASSERT_TRUE(Confirm("sue", logged->name()).ok());
  const auto committed = Commit("sue", 3);
  ASSERT_TRUE(Draw("sue", committed->name()).ok());
  v1::RateSessionRequest rate;
  rate.set_parent(note.name());
  *rate.mutable_rating() = Text<v1::SessionRating>(
      "criteria { criterion: 'focus-kept' result: FIDELITY_RESULT_PARTLY }");
  ASSERT_TRUE(fidelity_.RateSession(By("ada"), rate).ok());
  ASSERT_TRUE(fidelity_.RateSession(By("sue"), rate).ok());
  AnswerNeeds(
      absl::StrCat("courses { course: '", CourseName(), "' terms: TERM_RELIABLE_IMPROVEMENT }"));

  const auto own = Portfolio("ada");
  ASSERT_TRUE(own.ok()) << own.status();
  ASSERT_THAT(own->cases(), SizeIs(1));
  const v1::PortfolioCase& of = own->cases(0);
  EXPECT_EQ(of.sessions_held(), 3);
  EXPECT_EQ(of.sessions_noted(), 1);
  EXPECT_EQ(of.sessions_recorded(), 3);
  EXPECT_EQ(of.sessions_supervised(), 1);
  EXPECT_EQ(of.recordings_drawn(), 3);
  EXPECT_EQ(of.self_percent(), 50);
  EXPECT_EQ(of.supervisor_percent(), 50);
  EXPECT_EQ(of.sessions_rated(), 1);
  EXPECT_TRUE(of.has_fidelity_percent());
  EXPECT_THAT(of.outcomes(), ElementsAre("RELIABLE_IMPROVEMENT"));
  EXPECT_THAT(own->pairs(), SizeIs(2));
  ASSERT_THAT(own->checks(), SizeIs(6));
  EXPECT_EQ(own->checks(0).result(), v1::FIDELITY_RESULT_NOT_MET);
  EXPECT_THAT(own->citations(), SizeIs(1));

  const auto supervisors = Portfolio("sue");
  ASSERT_TRUE(supervisors.ok()) << supervisors.status();
  EXPECT_FALSE(supervisors->cases(0).has_fidelity_percent()) << "not shared";
  EXPECT_FALSE(supervisors->cases(0).has_self_percent());
  EXPECT_EQ(supervisors->cases(0).supervisor_percent(), 50);
  EXPECT_EQ(Outcome(Portfolio("bob")), "PERMISSION_DENIED NOT_THE_SUPERVISOR");
  EXPECT_EQ(Outcome(Portfolio("ada", "none")), kNotFound);

  v1::ExportPortfolioRequest request;
  request.set_name(Clinician("ada"));
  request.set_requirements("uk-level-b-older");
  const auto file = supervision_.ExportPortfolio(By("ada"), request);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_THAT(file->json(), Not(HasSubstr(kSecret)));
  EXPECT_THAT(file->json(), Not(HasSubstr("patients/")));
  EXPECT_EQ(file->sha256(), Sha256(file->json()));
  const auto json = nlohmann::json::parse(file->json());
  EXPECT_EQ(json["supervisionMinutes"], 60);
  EXPECT_EQ(json["cases"][0]["recordingsDrawn"], 3);
  EXPECT_EQ(json["checks"][0]["requirement"], "cases");

  assessment_.answers.clear();
  EXPECT_THAT(Portfolio("ada")->unavailable_sources(), ElementsAre("assessment"));
}

INSTANTIATE_TEST_SUITE_P(Engines, SupervisionServiceTest, ::testing::ValuesIn(NotesEngines()),
                         sql::testing::EngineName);

}  // namespace
}  // namespace rapport::notes::testing
