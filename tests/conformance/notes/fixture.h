#ifndef RAPPORT_TESTS_CONFORMANCE_NOTES_FIXTURE_H_
#define RAPPORT_TESTS_CONFORMANCE_NOTES_FIXTURE_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/auth/integrity.h"
#include "common/auth/principal.h"
#include "common/call/call_context.h"
#include "common/call/peer.h"
#include "common/care/care.h"
#include "common/crypto/vault.h"
#include "common/errors/errors.h"
#include "common/time/convert.h"
#include "common/work/work.h"
#include "google/protobuf/any.pb.h"
#include "google/protobuf/text_format.h"
#include "rapport/assessment/v1/assessment_service.pb.h"
#include "rapport/notes/v1/events.pb.h"
#include "rapport/scheduling/v1/appointment_service.pb.h"
#include "rapport/scheduling/v1/events.pb.h"
#include "services/notes/migrations/migrations.h"
#include "services/notes/rpc/service.h"
#include "tests/support/postgres/databases.h"

namespace rapport::notes::testing {

// What must never leave by an event, an error or a log line.
inline constexpr char kSecret[] = "SECRET OF THE PATIENT";

template <class Message>
Message Text(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

// Another service: answers by method, and is down for a method without an answer.
class FakePeer : public call::Peer {
 public:
  explicit FakePeer(std::string name) : name_(std::move(name)) {}

  absl::string_view name() const override { return name_; }
  using call::Peer::Call;
  absl::Status Call(const call::CallContext&, absl::string_view method,
                    const google::protobuf::Message& request,
                    google::protobuf::Message& response) override {
    ++calls;
    const auto found = answers.find(std::string(method));
    if (found == answers.end()) {
      return errors::Unavailable("PEER_UNAVAILABLE", "The peer can't be reached.", name_);
    }
    return found->second(request, response);
  }

  std::map<std::string, std::function<absl::Status(const google::protobuf::Message&,
                                                   google::protobuf::Message&)>>
      answers;
  int calls = 0;

 private:
  const std::string name_;
};

inline const sql::Statement kEvents{"test.notes.events", R"sql(
  SELECT resource, version, type, payload FROM outbox_pending
  WHERE organization_id = $1 ORDER BY id)sql"};

// The organisation "acme": Ada treats in course c1, Bob covers for her on the day, Cy does not.
// Session a1 is checked in. The organisation "beta" has a therapist of its own.
class NotesTest : public ::testing::TestWithParam<sql::testing::DatabaseFactory> {
 protected:
  NotesTest() {
    for (const char* organization : {"acme", "beta"}) {
      Tell(organization, absl::StrCat("organizations/", organization), 1,
           Text<scheduling::v1::OrganizationEvent>("state: ORGANIZATION_STATE_ACTIVE"));
    }
    for (const char* id : {"ada", "bob", "cy"}) {
      Tell("acme", Clinician(id), 1,
           Text<scheduling::v1::ClinicianEvent>(absl::StrCat(
               "subject: '", id, "' licence_expire_date { year: 2030 month: 12 day: 31 }")));
    }
    Tell("beta", "organizations/beta/clinicians/zoe", 1,
         Text<scheduling::v1::ClinicianEvent>("subject: 'zoe'"));
    scheduling::v1::CoverEvent cover;
    cover.set_clinician(Clinician("ada"));
    cover.set_covering_clinician(Clinician("bob"));
    *cover.mutable_start_time() = time::ToTimestamp(now_ - absl::Hours(12));
    *cover.mutable_end_time() = time::ToTimestamp(now_ + absl::Hours(12));
    Tell("acme", "organizations/acme/covers/v1", 1, cover);
    TellCourse("c1", 1, "ada");
    TellAppointment("a1", 1, now_ - absl::Minutes(30),
                    scheduling::v1::APPOINTMENT_STATE_CHECKED_IN);
  }

  static std::string Clinician(const std::string& id) {
    return absl::StrCat("organizations/acme/clinicians/", id);
  }
  static std::string Appointment(const std::string& id) {
    return absl::StrCat("organizations/acme/appointments/", id);
  }
  static std::string CaseName(const std::string& id = "c1") {
    return absl::StrCat("organizations/acme/cases/", id);
  }
  static std::string CourseName(const std::string& id = "c1") {
    return absl::StrCat("organizations/acme/courses/", id);
  }

  // Applies an event of scheduling, as the consumer does.
  void Tell(const std::string& organization_id, const std::string& resource, int64_t version,
            const google::protobuf::Message& payload) {
    common::v1::Event event;
    event.set_event_id(absl::StrCat(resource, "/", version));
    event.set_organization(absl::StrCat("organizations/", organization_id));
    event.set_resource(resource);
    event.set_version(version);
    *event.mutable_occur_time() = time::ToTimestamp(now_);
    event.mutable_payload()->PackFrom(payload);
    const absl::Status status = database_->Write(
        sql::Access::Tenant(organization_id), Deadline(),
        [&](sql::Transaction& tx) { return ApplySchedulingEvent(tx, vault_, event); });
    ASSERT_TRUE(status.ok()) << status;
  }

  void TellCourse(const std::string& id, int64_t version, const std::string& clinician,
                  const std::string& more = "") {
    Tell("acme", CourseName(id), version,
         Text<scheduling::v1::CourseEvent>(absl::StrCat(
             "state: COURSE_STATE_ACTIVE patient: 'organizations/acme/patients/p1' clinician: '",
             Clinician(clinician),
             "' protocol: 'protocols/classic/revisions/1' planned_sessions: 16 "
             "formulation_due_session: 3 "
             "measures { instrument: 'phq-9' every_sessions: 1 } "
             "measures { instrument: 'gad-7' every_sessions: 4 } "
             "phases { phase: PHASE_INITIAL first_session: 1 last_session: 3 } "
             "phases { phase: PHASE_MIDDLE first_session: 4 last_session: 13 } "
             "phases { phase: PHASE_TERMINATION first_session: 14 last_session: 16 } ",
             more)));
  }

  void TellAppointment(const std::string& id, int64_t version, absl::Time start,
                       scheduling::v1::AppointmentState state, const std::string& course = "c1",
                       const std::string& clinician = "ada") {
    scheduling::v1::AppointmentEvent event;
    event.set_course(CourseName(course));
    event.set_clinician(Clinician(clinician));
    *event.mutable_start_time() = time::ToTimestamp(start);
    *event.mutable_end_time() = time::ToTimestamp(start + absl::Minutes(50));
    event.set_state(state);
    event.set_counts_towards_course(true);
    Tell("acme", Appointment(id), version, event);
  }

  static absl::Time Deadline() { return absl::Now() + absl::Seconds(60); }

  // A call by the user whose tokens bear `subject`, freshly authenticated. `request`: what makes a
  // repeat the same.
  call::CallContext By(const std::string& subject, const std::string& request = "",
                       const std::string& organization_id = "acme") const {
    auth::Principal principal;
    principal.subject = subject;
    principal.organization_id = organization_id;
    principal.roles = {"therapist"};
    principal.auth_time = absl::Now() - absl::Minutes(1);
    call::CallContext context;
    context.principal = std::make_shared<auth::Principal>(principal);
    context.organization_id = organization_id;
    context.method = "test";
    context.deadline = Deadline();
    context.now = now_;
    context.request_fingerprint = request;
    context.integrity = integrity_;
    return context;
  }
  call::CallContext AuthenticatedAgo(const std::string& subject, absl::Duration ago) const {
    call::CallContext context = By(subject);
    auth::Principal principal = *context.principal;
    principal.auth_time = absl::Now() - ago;
    context.principal = std::make_shared<auth::Principal>(principal);
    return context;
  }

  // "name v2 CaseEvent" of each event that waits, oldest first. None holds the secret.
  std::vector<std::string> Events(const std::string& organization_id = "acme") {
    std::vector<std::string> told;
    const absl::Status status =
        database_->Read(sql::Access::Tenant(organization_id), Deadline(),
                        [&](sql::Session& session) -> absl::Status {
                          ASSIGN_OR_RETURN(const sql::Result rows,
                                           session.Query(kEvents, {sql::Text(organization_id)}));
                          for (size_t row = 0; row < rows.rows(); ++row) {
                            EXPECT_EQ(rows.Bytes(row, 3).find(kSecret), std::string::npos);
                            told.push_back(absl::StrCat(rows.Text(row, 0), " v", rows.Int(row, 1)));
                          }
                          return absl::OkStatus();
                        });
    EXPECT_TRUE(status.ok()) << status;
    return told;
  }

  // The payload of the newest event of `resource`.
  template <class Payload>
  Payload LastEvent(const std::string& resource) {
    Payload payload;
    const absl::Status status = database_->Read(
        sql::Access::Tenant("acme"), Deadline(), [&](sql::Session& session) -> absl::Status {
          ASSIGN_OR_RETURN(const sql::Result rows, session.Query(kEvents, {sql::Text("acme")}));
          for (size_t row = 0; row < rows.rows(); ++row) {
            google::protobuf::Any packed;
            EXPECT_TRUE(packed.ParseFromString(rows.Bytes(row, 3)));
            if (rows.Text(row, 0) == resource) {
              EXPECT_TRUE(packed.UnpackTo(&payload));
            }
          }
          return absl::OkStatus();
        });
    EXPECT_TRUE(status.ok()) << status;
    return payload;
  }

  // Runs `statement` on behalf of acme, past all handlers.
  absl::Status Run(const sql::Statement& statement, std::initializer_list<sql::Value> values) {
    return database_->Write(sql::Access::Tenant("acme"), Deadline(), [&](sql::Transaction& tx) {
      return tx.Query(statement, values).status();
    });
  }

  absl::Time now_ = absl::FromCivil(absl::CivilMinute(2026, 3, 4, 16, 0), absl::UTCTimeZone());
  std::shared_ptr<const auth::IntegrityKey> integrity_ = *auth::IntegrityKey::Parse(
      "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff");
  std::unique_ptr<sql::Database> database_ = GetParam().make();
  const crypto::Vault vault_{*crypto::KeyRing::Make({{"1", std::string(32, 'k')}})};
  FakePeer scheduling_{"scheduling"};
  FakePeer assessment_{"assessment"};
  absl::Duration lag_ = absl::ZeroDuration();  // of the replica
  Access access_{[this] { return lag_; }};
  CaseHandlers cases_{*database_, access_, vault_};
  NoteHandlers notes_{*database_, access_, vault_, scheduling_, assessment_};
  NoteTemplateHandlers templates_{*database_, access_};
  NotePolicyHandlers policies_{*database_, access_};
  SuitabilityHandlers suitability_{*database_, access_, vault_};
};

inline std::vector<sql::testing::DatabaseFactory> NotesEngines() {
  return sql::testing::AllEngines(
      {care::Migrations(), work::Migrations(), crypto::Migrations(), Migrations()});
}

// The fields that an INVALID_ARGUMENT names.
inline std::vector<std::string> Fields(const absl::Status& status) {
  std::vector<std::string> fields;
  for (const errors::FieldViolation& violation : errors::FieldViolations(status)) {
    fields.push_back(violation.field);
  }
  return fields;
}

// Code and reason, as "FAILED_PRECONDITION NOTE_SIGNED"; "OK". Fails on an error that quotes the
// patient.
template <class Result>
std::string Outcome(const absl::StatusOr<Result>& result) {
  if (result.ok()) return "OK";
  const absl::Status status = result.status();
  EXPECT_EQ(status.ToString(absl::StatusToStringMode::kWithEverything).find(kSecret),
            std::string::npos);
  return absl::StrCat(absl::StatusCodeToString(status.code()), " ", errors::Reason(status));
}

}  // namespace rapport::notes::testing

#endif  // RAPPORT_TESTS_CONFORMANCE_NOTES_FIXTURE_H_
