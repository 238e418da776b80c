#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/care/care.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "tests/conformance/events/in_process_feed.h"
#include "tests/support/postgres/catalogue.h"
#include "tests/support/postgres/databases.h"

namespace rapport::care {
namespace {

namespace proto = scheduling::v1;
using common::v1::Event;
using ::rapport::testing::ServiceContext;
using ::rapport::testing::UserContext;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const absl::Time kMonday = absl::FromUnixSeconds(1772982000);  // 2026-03-08 15:00 UTC
absl::Time Day(double days) { return kMonday + absl::Hours(24) * days; }
absl::Time Soon() { return absl::Now() + absl::Seconds(30); }

std::string Name(absl::string_view collection, absl::string_view id) {
  return absl::StrCat("organizations/acme/", collection, "/", id);
}
std::string Clinician(absl::string_view id) { return Name("clinicians", id); }

Event Of(const std::string& resource, int64_t version, const google::protobuf::Message& state) {
  Event event;
  event.set_organization(absl::StrCat("organizations/", names::OrganizationId(resource)));
  event.set_resource(resource);
  event.set_version(version);
  *event.mutable_occur_time() = time::ToTimestamp(kMonday);
  event.mutable_payload()->PackFrom(state);
  return event;
}

Event Organization(int64_t version, std::vector<std::string> duty,
                   proto::OrganizationState state = proto::ORGANIZATION_STATE_ACTIVE,
                   const std::string& id = "acme") {
  proto::OrganizationEvent event;
  event.set_state(state);
  for (const std::string& clinician : duty) event.add_duty_list(Clinician(clinician));
  return Of("organizations/" + id, version, event);
}

Event Clinic(int64_t version, std::vector<std::string> duty) {
  proto::ClinicEvent event;
  event.set_time_zone("Europe/London");
  for (const std::string& clinician : duty) event.add_duty_list(Clinician(clinician));
  return Of(Name("clinics", "north"), version, event);
}

Event ClinicianEvent(const std::string& id, int64_t version, const std::string& subject) {
  proto::ClinicianEvent event;
  event.set_subject(subject);
  return Of(Clinician(id), version, event);
}

Event TimeOff(const std::string& clinician, int64_t version, absl::Time start, absl::Time end,
              bool deleted = false) {
  proto::TimeOffEvent event;
  event.set_clinician(Clinician(clinician));
  *event.mutable_start_time() = time::ToTimestamp(start);
  *event.mutable_end_time() = time::ToTimestamp(end);
  event.set_deleted(deleted);
  return Of(Clinician(clinician) + "/timeOffs/o", version, event);
}

Event Cover(const std::string& id, int64_t version, const std::string& clinician,
            const std::string& covering, absl::Time start, absl::Time end, bool deleted = false) {
  proto::CoverEvent event;
  event.set_clinician(Clinician(clinician));
  event.set_covering_clinician(Clinician(covering));
  *event.mutable_start_time() = time::ToTimestamp(start);
  *event.mutable_end_time() = time::ToTimestamp(end);
  event.set_deleted(deleted);
  return Of(Name("covers", id), version, event);
}

Event Supervision(int64_t version, const std::string& supervisor, const std::string& supervisee,
                  absl::Time start, absl::Time end) {
  proto::SupervisionEvent event;
  event.set_supervisor(Clinician(supervisor));
  event.set_supervisee(Clinician(supervisee));
  *event.mutable_start_time() = time::ToTimestamp(start);
  if (end != absl::InfiniteFuture()) *event.mutable_end_time() = time::ToTimestamp(end);
  return Of(Name("supervisions", "s"), version, event);
}

Event Course(int64_t version, const std::string& clinician) {
  proto::CourseEvent event;
  event.set_state(proto::COURSE_STATE_ACTIVE);
  event.set_patient(Name("patients", "pam"));
  event.set_clinician(Clinician(clinician));
  event.set_clinic(Name("clinics", "north"));
  event.set_planned_sessions(16);
  return Of(Name("courses", "c"), version, event);
}

Event Appointment(const std::string& id, int64_t version, absl::Time start, bool counts,
                  proto::AppointmentState state = proto::APPOINTMENT_STATE_BOOKED) {
  proto::AppointmentEvent event;
  event.set_course(Name("courses", "c"));
  *event.mutable_start_time() = time::ToTimestamp(start);
  *event.mutable_end_time() = time::ToTimestamp(start + absl::Minutes(50));
  event.set_state(state);
  event.set_counts_towards_course(counts);
  return Of(Name("appointments", id), version, event);
}

const sql::Statement kRefused{"test.care.refused", R"sql(
  SELECT organization_id, subject FROM token_revocation)sql",
                              sql::Reach::kFeed};

class ReplicaTest : public ::testing::TestWithParam<sql::testing::DatabaseFactory> {
 protected:
  static void Deliver(sql::Database& database, const std::vector<Event>& events) {
    for (const Event& event : events) {
      const absl::Status status =
          database.Write(sql::Access::Tenant(names::OrganizationId(event.organization())), Soon(),
                         [&](sql::Transaction& tx) { return Apply(tx, event); });
      ASSERT_TRUE(status.ok()) << event.resource() << ": " << status;
    }
  }
  void Deliver(const std::vector<Event>& events) { Deliver(*database_, events); }

  // What `query` says of organisation acme.
  template <class Query>
  auto Ask(Query query, const std::string& organization_id = "acme") {
    using Answer = decltype(query(std::declval<sql::Session&>()));
    Answer answer = absl::UnknownError("not asked");
    database_
        ->Read(sql::Access::Tenant(organization_id), Soon(),
               [&](sql::Session& session) {
                 answer = query(session);
                 return absl::OkStatus();
               })
        .IgnoreError();
    EXPECT_TRUE(answer.ok()) << answer.status();
    return answer;
  }
  template <class Query>
  absl::Status Refusal(Query query) {
    return database_->Read(sql::Access::Tenant("acme"), Soon(),
                           [&](sql::Session& session) { return query(session).status(); });
  }

  Owner OwnerAt(absl::Time now) {
    return *Ask([&](sql::Session& session) -> absl::StatusOr<Owner> {
      ASSIGN_OR_RETURN(const CourseFacts facts, GetCourse(session, Name("courses", "c")));
      return OwnerOf(session, facts.state, "organizations/acme", now);
    });
  }

  absl::Status Require(const call::CallContext& context) {
    return Refusal([&](sql::Session& session) {
      return RequireCourse(session, context, Name("courses", "c"), "Assessment");
    });
  }

  static call::CallContext At(call::CallContext context, absl::Time now) {
    context.now = now;
    context.organization_id = "acme";
    return context;
  }

  std::unique_ptr<sql::Database> database_ = GetParam().make();
};

// Every row of the replica.
std::vector<std::string> Rows(sql::Database& database) {
  static const auto& statements = *[] {
    auto* all = new std::vector<std::unique_ptr<sql::Statement>>;
    for (const char* table :
         {"organization", "care_organization", "care_clinic", "care_clinician", "care_time_off",
          "care_cover", "care_course", "care_appointment", "care_supervision"}) {
      all->push_back(std::make_unique<sql::Statement>(
          absl::StrCat("test.rows.", table),
          absl::StrCat("SELECT * FROM ", table, " WHERE organization_id = $1 ORDER BY 2")));
    }
    return all;
  }();
  std::vector<std::string> rows;
  const absl::Status status = database.Read(
      sql::Access::Tenant("acme"), Soon(), [&](sql::Session& session) -> absl::Status {
        rows.clear();
        for (const auto& statement : statements) {
          ASSIGN_OR_RETURN(const sql::Result result,
                           session.Query(*statement, {sql::Text("acme")}));
          constexpr int kColumns[] = {3, 3, 4, 5, 7, 8, 4, 8, 7};
          const int columns = kColumns[&statement - statements.data()];
          for (size_t row = 0; row < result.rows(); ++row) {
            std::string line = statement->name();
            for (int column = 0; column < columns; ++column) {
              const sql::Value& value = result.at(row, column);
              if (const auto* number = std::get_if<int64_t>(&value)) {
                absl::StrAppend(&line, " ", *number);
              } else if (const auto* text = std::get_if<std::string>(&value)) {
                absl::StrAppend(&line, " ", *text);
              } else if (const auto* blob = std::get_if<sql::Blob>(&value)) {
                absl::StrAppend(&line, " ", absl::BytesToHexString(blob->bytes));
              }
            }
            rows.push_back(line);
          }
        }
        return absl::OkStatus();
      });
  EXPECT_TRUE(status.ok()) << status;
  return rows;
}

TEST_P(ReplicaTest, IsTheSameWhateverTheOrderAndHoweverOftenTheEventsCome) {
  const std::vector<Event> story = {
      Organization(1, {}),
      Organization(2, {"deb"}, proto::ORGANIZATION_STATE_SUSPENDED),
      Organization(3, {"deb", "dan"}),
      Clinic(1, {}),
      Clinic(2, {"cat"}),
      ClinicianEvent("ann", 1, "user-a"),
      ClinicianEvent("ann", 2, "user-ann"),
      ClinicianEvent("ben", 1, "user-ben"),
      TimeOff("ann", 1, Day(1), Day(2)),
      TimeOff("ann", 2, Day(1), Day(5)),
      TimeOff("ben", 1, Day(3), Day(4)),
      TimeOff("ben", 2, Day(3), Day(4), /*deleted=*/true),
      Cover("x", 1, "ann", "ben", Day(1), Day(5)),
      Cover("x", 2, "ann", "ben", Day(1), Day(4)),
      Cover("y", 1, "ann", "cat", Day(1), Day(5)),
      Cover("y", 2, "ann", "cat", Day(1), Day(5), /*deleted=*/true),
      Supervision(1, "cat", "ann", Day(0), absl::InfiniteFuture()),
      Supervision(2, "cat", "ann", Day(0), Day(3)),
      Course(1, "ben"),
      Course(2, "ann"),
      Appointment("a1", 1, Day(0), true),
      Appointment("a1", 2, Day(0), true, proto::APPOINTMENT_STATE_COMPLETED),
      Appointment("a2", 1, Day(7), true),
      Appointment("a2", 2, Day(7), false, proto::APPOINTMENT_STATE_CANCELLED),
      Appointment("a3", 1, Day(14), true),
      Appointment("a3", 2, Day(6), true),
  };
  Deliver(story);
  const std::vector<std::string> rows = Rows(*database_);
  EXPECT_EQ(rows.size(), 14u);

  const unsigned first_seed = std::random_device()();
  for (unsigned seed = first_seed; seed < first_seed + 3; ++seed) {
    std::mt19937 random(seed);
    std::vector<Event> shuffled = story;
    shuffled.insert(shuffled.end(), story.begin(), story.end());
    std::shuffle(shuffled.begin(), shuffled.end(), random);
    const auto other = GetParam().make();
    Deliver(*other, shuffled);
    EXPECT_EQ(Rows(*other), rows) << "seed " << seed;
  }
}

TEST_P(ReplicaTest, PassesOverWhatItDoesNotKnow) {
  Event event = Organization(1, {});
  event.mutable_payload()->set_type_url("type.googleapis.com/rapport.scheduling.v1.FutureEvent");
  Deliver({event});
  EXPECT_THAT(Rows(*database_), IsEmpty());
}

TEST_P(ReplicaTest, RefusesAPayloadThatIsNotWhatItSays) {
  Event event = Organization(1, {});
  event.mutable_payload()->set_value("\xff\xff");
  const absl::Status status = database_->Write(
      sql::Access::Tenant("acme"), Soon(), [&](sql::Transaction& tx) { return Apply(tx, event); });
  EXPECT_TRUE(absl::IsInternal(status)) << status;
}

TEST_P(ReplicaTest, PutsDownWhoseTokensAreRefused) {
  proto::RevocationEvent event;
  event.set_subject("ada");
  *event.mutable_not_before() = time::ToTimestamp(absl::Now());
  *event.mutable_expire_time() = time::ToTimestamp(absl::Now() + absl::Hours(1));
  const Event told = Of(Name("revocations", "r"), 1, event);
  Deliver(*database_, {told, told});
  std::vector<std::string> refused;
  const absl::Status status =
      database_->Read(sql::Access::Feed(), Soon(), [&](sql::Session& session) -> absl::Status {
        ASSIGN_OR_RETURN(const sql::Result rows, session.Query(kRefused, {}));
        for (size_t row = 0; row < rows.rows(); ++row) {
          refused.push_back(absl::StrCat(rows.Text(row, 0), " ", rows.Text(row, 1)));
        }
        return absl::OkStatus();
      });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_THAT(refused, ElementsAre("acme ada"));
}

TEST_P(ReplicaTest, MakesTheOrganisationReadyWithItsFirstEvent) {
  Deliver({Clinic(1, {})});
  const auto get = [](sql::Session& session) {
    return GetOrganization(session, "organizations/acme");
  };
  EXPECT_EQ(errors::Reason(Refusal(get)), "ORGANIZATION_NOT_READY");
  Deliver({Organization(2, {"deb"}, proto::ORGANIZATION_STATE_SUSPENDED), Organization(1, {})});
  EXPECT_THAT(Ask(get)->state.duty_list(), ElementsAre(Clinician("deb")));
  EXPECT_THAT(Rows(*database_), ::testing::Contains(::testing::HasSubstr("acme SUSPENDED")));
}

TEST_P(ReplicaTest, NumbersTheSessionsThatCountByTheirStart) {
  Deliver({Appointment("late", 1, Day(14), true), Appointment("cancelled", 1, Day(7), false),
           Appointment("first", 1, Day(0), true), Appointment("second", 1, Day(8), true)});
  const auto appointments =
      Ask([](sql::Session& session) { return ListAppointments(session, Name("courses", "c")); });
  std::vector<std::string> numbered;
  for (const AppointmentFacts& facts : *appointments) {
    numbered.push_back(absl::StrCat(names::Last(facts.appointment), " ", facts.session_number));
    const auto alone =
        Ask([&](sql::Session& session) { return GetAppointment(session, facts.appointment); });
    EXPECT_EQ(alone->session_number, facts.session_number);
    EXPECT_EQ(alone->start(), facts.start());
    EXPECT_EQ(facts.end() - facts.start(), absl::Minutes(50));
  }
  EXPECT_THAT(numbered, ElementsAre("first 1", "cancelled 0", "second 2", "late 3"));
  EXPECT_TRUE(absl::IsNotFound(Refusal([](sql::Session& session) {
    return GetAppointment(session, Name("appointments", "none"));
  })));
}

TEST_P(ReplicaTest, ShowsACourseToItsTherapistAndToWhoCoversWhileTheyDo) {
  Deliver({ClinicianEvent("ann", 1, "user-ann"), ClinicianEvent("ben", 1, "user-ben"),
           Course(1, "ann"), Cover("x", 1, "ann", "ben", Day(1), Day(2)),
           Cover("y", 1, "ben", "ann", Day(1), Day(2))});
  const auto ann = UserContext("acme", "user-ann", {"therapist"});
  const auto ben = UserContext("acme", "user-ben", {"therapist"});
  EXPECT_TRUE(Require(At(ann, Day(0))).ok());
  EXPECT_TRUE(Require(At(ann, Day(1))).ok());
  EXPECT_TRUE(Require(At(ben, Day(1))).ok());
  EXPECT_TRUE(Require(At(ServiceContext(), Day(0))).ok());
  EXPECT_TRUE(Require(At(UserContext("acme", "registry", {"integration"}), Day(0))).ok());

  const absl::Status hidden = errors::NotFound("Assessment");
  EXPECT_TRUE(Require(At(UserContext("acme", "pam", {"patient_proxy"}), Day(0))).ok());
  EXPECT_EQ(Require(At(UserContext("acme", "pat", {"patient_proxy"}), Day(0))), hidden)
      << "another patient's device";
  EXPECT_EQ(Require(At(ben, Day(0))), hidden);
  EXPECT_EQ(Require(At(ben, Day(2))), hidden) << "cover is over at its end";
  EXPECT_EQ(Require(At(UserContext("acme", "user-zoe", {"therapist"}), Day(1))), hidden);
  EXPECT_EQ(Require(At(UserContext("acme", "user-zoe", {"clinic_manager"}), Day(1))), hidden);
  EXPECT_EQ(Require(At(UserContext("acme", "user-zoe", {}), Day(1))), hidden);
  EXPECT_EQ(Require(At(UserContext("acme", "", {"therapist"}), Day(1))), hidden);
  EXPECT_EQ(Require(At(UserContext("acme", "user-ben", {"integration", "therapist"}), Day(0))),
            hidden);
  EXPECT_EQ(Refusal([&](sql::Session& session) {
              return RequireCourse(session, At(ann, Day(0)), Name("courses", "none"), "Assessment");
            }),
            hidden);

  EXPECT_THAT(*Ask([](sql::Session& session) { return SeesTo(session, Clinician("ben"), Day(1)); }),
              ElementsAre(Clinician("ben"), Clinician("ann")));
  const auto reach = Ask([&](sql::Session& session) { return ReachOf(session, At(ben, Day(1))); });
  EXPECT_EQ(reach->clinician, Clinician("ben"));
  EXPECT_THAT(reach->clinicians, ElementsAre(Clinician("ben"), Clinician("ann")));
}

TEST_P(ReplicaTest, ASupervisorReadsWhileThePairLastsAndChangesNothing) {
  Deliver({Organization(1, {}), ClinicianEvent("ann", 1, "user-ann"),
           ClinicianEvent("sue", 1, "user-sue"), Supervision(1, "sue", "ann", Day(1), Day(2)),
           Course(1, "ann")});
  const call::CallContext sue = UserContext("acme", "user-sue", {"supervisor", "therapist"});
  const auto treated = [&](absl::Time now) {
    return Refusal([&](sql::Session& session) {
      return RequireTreated(session, At(sue, now), Name("courses", "c"), "Assessment");
    });
  };
  EXPECT_TRUE(absl::IsNotFound(Require(At(sue, Day(0)))));
  EXPECT_TRUE(Require(At(sue, Day(1))).ok());
  EXPECT_TRUE(absl::IsNotFound(Require(At(sue, Day(2)))));
  EXPECT_TRUE(absl::IsNotFound(treated(Day(0))));
  EXPECT_EQ(errors::Reason(treated(Day(1))), "NOT_THE_THERAPIST");

  const auto reach = Ask([&](sql::Session& session) { return ReachOf(session, At(sue, Day(1))); });
  EXPECT_THAT(reach->clinicians, ElementsAre(Clinician("sue")));
  EXPECT_THAT(reach->supervised, ElementsAre(Clinician("ann")));
  EXPECT_FALSE(reach->Treats(Clinician("ann")));
}

TEST_P(ReplicaTest, APatientsDeviceReachesACoupleCourseOfEither) {
  proto::CourseEvent course;
  course.set_clinician(Clinician("ann"));
  course.set_patient(Name("patients", "pam"));
  course.set_partner(Name("patients", "pat"));
  Deliver({Organization(1, {}), Of(Name("courses", "c"), 1, course)});
  for (const auto& [subject, known] :
       std::map<std::string, bool>{{"pam", true}, {"pat", true}, {"paul", false}}) {
    const call::CallContext device = UserContext("acme", subject, {"patient_proxy"});
    EXPECT_EQ(Require(At(device, Day(0))).ok(), known) << subject;
  }
}

TEST_P(ReplicaTest, CountsSessionsAnewInEachSegmentOfACourse) {
  const auto session = [](const std::string& id, absl::Time start, int segment) {
    Event event = Appointment(id, 1, start, true);
    proto::AppointmentEvent state;
    event.payload().UnpackTo(&state);
    state.set_segment(segment);
    event.mutable_payload()->PackFrom(state);
    return event;
  };
  Deliver({Organization(1, {}), Course(1, "ann"), session("a1", Day(0), 0),
           session("a2", Day(7), 0), session("b1", Day(14), 1), session("b2", Day(21), 1)});
  const auto all = Ask([&](sql::Session& s) { return ListAppointments(s, Name("courses", "c")); });
  std::vector<int> numbers;
  for (const AppointmentFacts& facts : *all) numbers.push_back(facts.session_number);
  EXPECT_THAT(numbers, ElementsAre(1, 2, 1, 2));
  const auto last =
      Ask([&](sql::Session& s) { return GetAppointment(s, Name("appointments", "b2")); });
  EXPECT_EQ(last->session_number, 2);
}

TEST_P(ReplicaTest, KnowsAPrivateSessionByItsOwnEventAloneAndNoHoldWithoutCourse) {
  proto::AppointmentEvent masked;
  masked.set_clinician(Clinician("ann"));
  masked.set_private_session(true);
  proto::AppointmentEvent hold;
  hold.set_clinician(Clinician("ann"));
  hold.set_state(proto::APPOINTMENT_STATE_HELD);
  proto::PrivateAppointmentEvent whole;
  *whole.mutable_appointment() = masked;
  whole.mutable_appointment()->set_course(Name("courses", "c"));
  whole.mutable_appointment()->set_patient(Name("patients", "pat"));
  Deliver({Organization(1, {}), Of(Name("appointments", "p"), 1, masked),
           Of(Name("appointments", "h"), 1, hold)});
  for (const char* id : {"p", "h"}) {
    EXPECT_TRUE(absl::IsNotFound(
        Refusal([&](sql::Session& s) { return GetAppointment(s, Name("appointments", id)); })));
  }
  Deliver({Of(Name("appointments", "p") + "/private", 1, whole),
           Of(Name("appointments", "p"), 2, masked)});
  const auto known =
      Ask([&](sql::Session& s) { return GetAppointment(s, Name("appointments", "p")); });
  EXPECT_EQ(known->state.patient(), Name("patients", "pat"));
  EXPECT_EQ(known->session_number, 0);
}

TEST_P(ReplicaTest, ASubjectOfTwoCliniciansIsNobodyUntilTheEventsSettleIt) {
  Deliver({ClinicianEvent("ann", 1, "user"), ClinicianEvent("ben", 1, "user"), Course(1, "ann")});
  const auto of_subject = [](sql::Session& session) {
    return ClinicianOfSubject(session, "organizations/acme", "user");
  };
  const auto user = At(UserContext("acme", "user", {"therapist"}), Day(0));
  EXPECT_EQ(*Ask(of_subject), std::nullopt);
  EXPECT_TRUE(absl::IsNotFound(Require(user)));
  Deliver({ClinicianEvent("ben", 2, "other")});
  EXPECT_EQ(*Ask(of_subject), Clinician("ann"));
  EXPECT_TRUE(Require(user).ok());
}

TEST_P(ReplicaTest, TheOwnerFollowsLeaveAndCover) {
  Deliver({Organization(1, {"deb"}), Clinic(1, {"cat"}), Course(1, "ann"),
           TimeOff("ann", 1, Day(1), Day(5)), TimeOff("ben", 1, Day(2), Day(3)),
           TimeOff("cat", 1, Day(4), Day(6)), Cover("x", 1, "ann", "ben", Day(0), Day(4))});
  EXPECT_EQ(OwnerAt(Day(0)), (Owner{Clinician("ann"), OwnerBasis::kResponsible}));
  EXPECT_EQ(OwnerAt(Day(1)), (Owner{Clinician("ben"), OwnerBasis::kCover}));
  EXPECT_EQ(OwnerAt(Day(2)), (Owner{Clinician("cat"), OwnerBasis::kClinicDuty}));
  EXPECT_EQ(OwnerAt(Day(3)), (Owner{Clinician("ben"), OwnerBasis::kCover}));
  EXPECT_EQ(OwnerAt(Day(4)), (Owner{Clinician("deb"), OwnerBasis::kOrganizationDuty}));
  EXPECT_EQ(OwnerAt(Day(5)), (Owner{Clinician("ann"), OwnerBasis::kResponsible}));

  // From one change to the next.
  std::vector<absl::Time> changes;
  std::optional<absl::Time> now = Day(-1);
  for (;;) {
    now = *Ask([&](sql::Session& session) {
      return NextOwnershipChange(session, "organizations/acme", *now);
    });
    if (!now) break;
    changes.push_back(*now);
  }
  EXPECT_THAT(changes, ElementsAre(Day(0), Day(1), Day(2), Day(3), Day(4), Day(5), Day(6)));

  Deliver({TimeOff("ann", 2, Day(1), Day(5), /*deleted=*/true)});
  EXPECT_EQ(OwnerAt(Day(1)), (Owner{Clinician("ann"), OwnerBasis::kResponsible}));
}

TEST_P(ReplicaTest, KnowsAnOwnerBeforeTheDutyListsHaveArrived) {
  Deliver({Course(1, "ann"), TimeOff("ann", 1, Day(1), Day(5))});
  EXPECT_EQ(OwnerAt(Day(1)), (Owner{Clinician("ann"), OwnerBasis::kResponsible}));
}

TEST(CareStatementsTest, BindTheOrganisation) {
  EXPECT_THAT(sql::testing::StatementsWithoutTenant(sql::Statement::Catalogue()), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Engines, ReplicaTest,
                         ::testing::ValuesIn(sql::testing::AllEngines({Migrations()})),
                         sql::testing::EngineName);

}  // namespace
}  // namespace rapport::care
