#ifndef RAPPORT_TESTS_CONFORMANCE_SCHEDULING_FIXTURE_H_
#define RAPPORT_TESTS_CONFORMANCE_SCHEDULING_FIXTURE_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "common/auth/integrity.h"
#include "common/cache/cache.h"
#include "common/call/call_context.h"
#include "common/call/peer.h"
#include "common/errors/errors.h"
#include "common/events/event_log.h"
#include "common/work/work.h"
#include "google/protobuf/text_format.h"
#include "rapport/notes/v1/entry_service.pb.h"
#include "rapport/notes/v1/suitability_service.pb.h"
#include "rapport/scheduling/v1/events.pb.h"
#include "services/scheduling/data/shipped_protocols.h"
#include "services/scheduling/migrations/migrations.h"
#include "services/scheduling/rpc/appointment_handlers.h"
#include "services/scheduling/rpc/booker.h"
#include "services/scheduling/rpc/course_handlers.h"
#include "services/scheduling/rpc/directory_handlers.h"
#include "services/scheduling/rpc/organization_handlers.h"
#include "services/scheduling/rpc/protocol_handlers.h"
#include "services/scheduling/rpc/revocation_handlers.h"
#include "services/scheduling/rpc/supervision_handlers.h"
#include "tests/support/postgres/databases.h"

namespace rapport::scheduling {

template <class Message>
Message Parse(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

// Notes, as scheduling asks it.
class FakeNotes : public call::Peer {
 public:
  absl::string_view name() const override { return "notes"; }
  absl::Status Call(const call::CallContext&, absl::string_view method,
                    const google::protobuf::Message& request,
                    google::protobuf::Message& response) override {
    if (method == "rapport.notes.v1.CaseEntryService/GetClosingObstacles") {
      asked_to_close.push_back(
          static_cast<const notes::v1::GetClosingObstaclesRequest&>(request).name());
      if (!status.ok()) return status;
      static_cast<notes::v1::ClosingObstacles&>(response) = obstacles;
      return absl::OkStatus();
    }
    EXPECT_EQ(method, "rapport.notes.v1.SuitabilityService/CheckSuitability");
    asked.push_back(static_cast<const notes::v1::CheckSuitabilityRequest&>(request).course());
    if (before_answer) before_answer();
    if (!status.ok()) return status;
    static_cast<notes::v1::CheckSuitabilityResponse&>(response).set_suitability(answer);
    return absl::OkStatus();
  }
  notes::v1::ClosingObstacles obstacles;
  std::vector<std::string> asked_to_close;
  notes::v1::Suitability answer = notes::v1::SUITABILITY_ELIGIBLE;
  absl::Status status;
  std::function<void()> before_answer;
  std::vector<std::string> asked;
};

// A caller.
struct Who {
  std::string subject;
  std::vector<std::string> roles;
  std::optional<std::vector<std::string>> clinics;
  std::string organization = "acme";
};

// An organisation "acme" with clinics north and south in London, the therapists anna and ben
// (Monday to Friday, 9 to 17, at both), on Friday 2026-01-30 at noon.
class SchedulingTest : public ::testing::TestWithParam<sql::testing::DatabaseFactory> {
 protected:
  void SetUp() override {
    cache_->Start();
    MakeOrganization("acme");
    absl::Time now;
    std::string error;
    ASSERT_TRUE(absl::ParseTime(absl::RFC3339_full, "2026-01-30T12:00:00Z", &now, &error));
    now_ = now;
  }

  void MakeOrganization(const std::string& id) {
    Who owner = platform_;
    ASSERT_TRUE(Do(&OrganizationHandlers::CreateOrganization, owner,
                   Parse<v1::CreateOrganizationRequest>(absl::StrCat(
                       "organization_id: '", id, "' organization { display_name: 'Acme' }")))
                    .ok());
    Who admin = admin_;
    admin.organization = id;
    for (const char* clinic : {"north", "south"}) {
      const auto made = Do(&DirectoryHandlers::CreateClinic, admin,
                           Parse<v1::CreateClinicRequest>(absl::StrCat(
                               "parent: 'organizations/", id, "' clinic_id: '", clinic,
                               "' clinic { display_name: 'C' time_zone: 'Europe/London' "
                               "jurisdiction: 'GB-ENG' }")));
      ASSERT_TRUE(made.ok()) << made.status();
    }
    for (const char* name : {"anna", "ben"}) {
      const auto made = Do(&DirectoryHandlers::CreateClinician, admin, NewClinician(id, name));
      ASSERT_TRUE(made.ok()) << made.status();
    }
  }

  static v1::CreateClinicianRequest NewClinician(const std::string& organization,
                                                 const std::string& name) {
    std::string hours;
    for (const char* clinic : {"north", "south"}) {
      for (const char* day : {"MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY"}) {
        absl::StrAppend(&hours, " weekly_hours { clinic: 'organizations/", organization,
                        "/clinics/", clinic, "' day_of_week: ", day,
                        " start_time { hours: 9 } end_time { hours: 17 } }");
      }
    }
    return Parse<v1::CreateClinicianRequest>(
        absl::StrCat("parent: 'organizations/", organization, "' clinician_id: '", name,
                     "' clinician { display_name: 'N' subject: '", name,
                     "' profession: PROFESSION_PSYCHOLOGIST licence_number: 'L' "
                     "licence_expire_date { year: 2027 "
                     "month: 12 day: 31 } certified_protocols: 'classic' clinics: 'organizations/",
                     organization, "/clinics/north' clinics: 'organizations/", organization,
                     "/clinics/south'", hours, " }"));
  }

  // Calls a handler as the front door does.
  template <class Handlers, class Response, class Request>
  absl::StatusOr<Response> Do(absl::StatusOr<Response> (Handlers::*method)(const call::CallContext&,
                                                                           const Request&),
                              const Who& who, const Request& request) {
    call::CallContext context = Context(who, request);
    absl::StatusOr<Response> response = (Get<Handlers>().*method)(context, request);
    replayed_ = context.replayed;
    if constexpr (std::is_same_v<Request, v1::GetCourseRequest>) {
      const auto unkept = uncached_courses_.GetCourse(context, request);
      EXPECT_EQ(response.status(), unkept.status());
      if (response.ok() && unkept.ok()) {
        EXPECT_EQ(response->DebugString(), unkept->DebugString());
      }
      // Kept from here on, so that what changes it must be noticed.
      EXPECT_TRUE(events::Sequencer(*store_).RunOnce(now_).ok());
      EXPECT_TRUE(cache_->CatchUp().ok());
      EXPECT_EQ(courses_.GetCourse(context, request).status(), response.status());
    }
    return response;
  }

  template <class Request>
  call::CallContext Context(const Who& who, const Request& request) const {
    auto principal = std::make_shared<auth::Principal>();
    principal->subject = who.subject;
    principal->roles = who.roles;
    principal->clinics = who.clinics;
    principal->organization_id = who.organization;
    call::CallContext context;
    context.principal = principal;
    context.organization_id = who.organization;
    const auto* service = FindService(Request::descriptor());
    context.method =
        absl::StrCat(service, "/", absl::StripSuffix(Request::descriptor()->name(), "Request"));
    context.deadline = absl::Now() + absl::Seconds(30);
    context.now = now_;
    Request bare = request;
    for (const char* field : {"request_id", "page_size", "page_token"}) {
      if (const auto* found = Request::descriptor()->FindFieldByName(field)) {
        bare.GetReflection()->ClearField(&bare, found);
      }
    }
    context.request_fingerprint = auth::Sha256(bare.SerializeAsString());
    context.integrity = integrity_;
    return context;
  }

  static const char* FindService(const google::protobuf::Descriptor* request) {
    return request->file()->service(0)->full_name().c_str();
  }

  template <class Handlers>
  Handlers& Get() {
    if constexpr (std::is_same_v<Handlers, OrganizationHandlers>) return organizations_;
    if constexpr (std::is_same_v<Handlers, RevocationHandlers>) return revocations_;
    if constexpr (std::is_same_v<Handlers, DirectoryHandlers>) return directory_;
    if constexpr (std::is_same_v<Handlers, SupervisionHandlers>) return supervisions_;
    if constexpr (std::is_same_v<Handlers, ProtocolHandlers>) return protocols_;
    if constexpr (std::is_same_v<Handlers, CourseHandlers>) return courses_;
    if constexpr (std::is_same_v<Handlers, AppointmentHandlers>) return appointments_;
  }

  static v1::CreateCourseRequest NewCourse(const std::string& patient,
                                           const std::string& clinician = "anna",
                                           const std::string& clinic = "north",
                                           const std::string& organization = "acme") {
    const std::string in = absl::StrCat("'organizations/", organization, "/");
    return Parse<v1::CreateCourseRequest>(absl::StrCat(
        "parent: 'organizations/", organization, "' course { patient: ", in, "patients/", patient,
        "' patient_particulars { birth_year: 1980 birth_month: 5 jurisdiction: 'GB-ENG' time_zone: "
        "'Europe/London' } clinician: ",
        in, "clinicians/", clinician, "' clinic: ", in, "clinics/", clinic,
        "' protocol: 'protocols/classic/revisions/1' }"));
  }

  // A course of `patient` with `clinician`, ASSESSING.
  v1::Course Begun(const std::string& patient, const std::string& clinician = "anna",
                   const std::string& clinic = "north") {
    const Who who = Therapist(clinician);
    auto course = Do(&CourseHandlers::CreateCourse, who, NewCourse(patient, clinician, clinic));
    EXPECT_TRUE(course.ok()) << course.status();
    v1::BeginAssessmentRequest begin;
    begin.set_name(course->name());
    course = Do(&CourseHandlers::BeginAssessment, who, begin);
    EXPECT_TRUE(course.ok()) << course.status();
    return *course;
  }

  v1::Course Active(const std::string& patient, const std::string& clinician = "anna") {
    v1::ActivateCourseRequest activate;
    activate.set_name(Begun(patient, clinician).name());
    auto course = Do(&CourseHandlers::ActivateCourse, Therapist(clinician), activate);
    EXPECT_TRUE(course.ok()) << course.status();
    return *course;
  }

  static v1::BookAppointmentRequest At(const v1::Course& course, int month, int day, int hour,
                                       int minute = 0) {
    return Parse<v1::BookAppointmentRequest>(
        absl::StrCat("course: '", course.name(), "' local_date { year: 2026 month: ", month,
                     " day: ", day, " } local_time { hours: ", hour, " minutes: ", minute, " }"));
  }

  static v1::BookSeriesRequest SeriesOf(const v1::Course& course, int count, int month, int day,
                                        int hour) {
    return Parse<v1::BookSeriesRequest>(
        absl::StrCat("course: '", course.name(), "' first_date { year: 2026 month: ", month,
                     " day: ", day, " } local_time { hours: ", hour, " } count: ", count));
  }

  v1::Appointment Booked(const v1::Course& course, int month, int day, int hour) {
    auto booked =
        Do(&AppointmentHandlers::BookAppointment, scheduler_, At(course, month, day, hour));
    EXPECT_TRUE(booked.ok()) << booked.status();
    return booked.ok() ? *booked : v1::Appointment();
  }

  static Who Therapist(const std::string& name) { return {name, {"therapist"}, {}, "acme"}; }

  // All events so far, in order.
  std::vector<common::v1::Event> Events() {
    events::Sequencer sequencer(*database_);
    EXPECT_TRUE(sequencer.RunOnce(absl::Now()).ok());
    std::vector<common::v1::Event> events;
    EXPECT_TRUE(database_
                    ->Read(sql::Access::Feed(), absl::Now() + absl::Seconds(10),
                           [&](sql::Session& feed) -> absl::Status {
                             events::Range all;
                             all.up_to = sequencer.last_position();
                             all.limit = 10000;
                             ASSIGN_OR_RETURN(events, events::ReadEvents(feed, all));
                             return absl::OkStatus();
                           })
                    .ok());
    return events;
  }

  std::shared_ptr<const auth::IntegrityKey> integrity_ =
      auth::IntegrityKey::Parse(std::string(64, 'a')).value();
  // What the handlers keep they keep under everything that these tests do: each read of a course is
  // compared with the store.
  const std::unique_ptr<sql::Database> store_ = GetParam().make();
  const std::unique_ptr<cache::Cache> cache_ =
      cache::Cache::Make(*store_, {.service = "scheduling",
                                   .integrity = integrity_,
                                   .redis = std::nullopt,
                                   .tick = absl::Milliseconds(5)})
          .value();
  CourseCache kept_courses_{*cache_, CourseCacheOptions()};
  sql::Database* const database_ = &cache_->database();
  FakeNotes notes_;
  OrganizationHandlers organizations_{*database_};
  RevocationHandlers revocations_{*database_};
  DirectoryHandlers directory_{*database_};
  SupervisionHandlers supervisions_{*database_};
  Protocols revisions_{ShippedProtocols()};
  ProtocolHandlers protocols_{*database_, revisions_};
  // What the index says of free time; null: nothing.
  NearestFree nearest_;
  const NearestFree ask_nearest_ = [this](absl::string_view clinician, absl::string_view clinic,
                                          absl::Time around, int minutes) {
    return nearest_ ? nearest_(clinician, clinic, around, minutes) : std::nullopt;
  };
  Booker booker_{revisions_, ask_nearest_};
  CourseHandlers courses_{*database_, revisions_, booker_, ask_nearest_, notes_, &kept_courses_};
  CourseHandlers uncached_courses_{*database_, revisions_, booker_, ask_nearest_, notes_};
  AppointmentHandlers appointments_{*database_, booker_};
  absl::Time now_ = absl::FromUnixSeconds(1'769'774'400);
  bool replayed_ = false;

  const Who platform_{"root", {"platform_operator"}, {}, ""};
  const Who admin_{"admin", {"organization_admin"}, {}, "acme"};
  const Who manager_{"manager", {"clinic_manager"}, {}, "acme"};
  const Who scheduler_{"desk", {"scheduler"}, {}, "acme"};
  const Who anna_ = Therapist("anna");
  const Who ben_ = Therapist("ben");
};

#define INSTANTIATE_ON_ENGINES(suite)                                                    \
  INSTANTIATE_TEST_SUITE_P(                                                              \
      Engines, suite,                                                                    \
      ::testing::ValuesIn(sql::testing::AllEngines({work::Migrations(), Migrations()})), \
      sql::testing::EngineName)

}  // namespace rapport::scheduling

#endif  // RAPPORT_TESTS_CONFORMANCE_SCHEDULING_FIXTURE_H_
