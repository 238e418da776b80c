// Clinical rule 2.3: what one partner of a couple discloses alone changes nothing that the other
// partner's side or the front desk can see, but the clinician's time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <regex>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "rapport/scheduling/v1/appointment_service.pb.h"
#include "rapport/scheduling/v1/course_service.pb.h"
#include "rapport/scheduling/v1/opening_service.pb.h"
#include "rapport/scheduling/v1/waitlist_service.pb.h"
#include "tests/integration/suite/suite.h"
#include "tools/rapportctl/methods.h"
#include "tools/rapportctl/story/player.h"
#include "tools/rapportctl/story/story_file.h"

namespace rapport::testing {
namespace {

using namespace scheduling::v1;  // NOLINT: the messages of one package

// Ids, etags, cursors and instants of recording differ from run to run.
std::string Masked(std::string text) {
  for (const auto& [pattern, mask] : std::vector<std::pair<const char*, const char*>>{
           {"[0-9a-hjkmnp-tv-z]{26}", "<id>"},
           {"etag: \"[0-9]+\"", "etag: <etag>"},
           {"(create|update|check_in|as_of|activate)_time \\{[^}]*\\}", "<time>"},
           {"next_page_token: \"[^\"]*\"", "<token>"},
           {"(DTSTAMP|CREATED|LAST-MODIFIED):[0-9TZ]+", "<time>"}}) {
    text = std::regex_replace(text, std::regex(pattern), mask);
  }
  return text;
}

// What the desk can see, by question.
std::map<std::string, std::string> Seen(ctl::Caller& caller, const story::Outcome& outcome,
                                        const std::string& course) {
  const std::string organization = absl::StrCat("organizations/", outcome.organization_id);
  const ctl::Identity desk{"desk", outcome.organization_id, {"scheduler"}};
  std::map<std::string, std::string> seen;
  const auto ask = [&](const std::string& what, const std::string& method,
                       const google::protobuf::Message& request) {
    const auto* called = ctl::FindUnaryMethod(method);
    std::unique_ptr<google::protobuf::Message> response(
        google::protobuf::MessageFactory::generated_factory()
            ->GetPrototype(called->output_type())
            ->New());
    const absl::Status status = caller.Call(desk, method, request, *response);
    seen[what] = Masked(status.ok() ? response->DebugString() : status.ToString());
  };
  constexpr char kAppointments[] = "rapport.scheduling.v1.AppointmentService/";
  for (const char* who : {"anna", "bert"}) {
    const std::string patient = absl::StrCat(organization, "/patients/", who);
    ListAppointmentsRequest list;
    list.set_parent(organization);
    list.set_patient(patient);
    list.set_page_size(3);
    ask(absl::StrCat("sessions of ", who), absl::StrCat(kAppointments, "ListAppointments"), list);
    list.set_page_size(100);
    ask(absl::StrCat("all sessions of ", who), absl::StrCat(kAppointments, "ListAppointments"),
        list);
    ExportCalendarRequest calendar;
    calendar.set_parent(organization);
    calendar.set_patient(patient);
    ask(absl::StrCat("calendar of ", who), absl::StrCat(kAppointments, "ExportCalendar"), calendar);
    ListCoursesRequest courses;
    courses.set_parent(organization);
    courses.set_patient(patient);
    ask(absl::StrCat("courses of ", who), "rapport.scheduling.v1.CourseService/ListCourses",
        courses);
  }
  ListAppointmentsRequest of_course;
  of_course.set_parent(organization);
  of_course.set_course(course);
  ask("sessions of the course", absl::StrCat(kAppointments, "ListAppointments"), of_course);
  ExportCalendarRequest of_course_calendar;
  of_course_calendar.set_parent(organization);
  of_course_calendar.set_course(course);
  ask("calendar of the course", absl::StrCat(kAppointments, "ExportCalendar"), of_course_calendar);
  GetCourseRequest get;
  get.set_name(course);
  ask("the course", "rapport.scheduling.v1.CourseService/GetCourse", get);
  ListWaitlistEntriesRequest waiting;
  waiting.set_parent(organization);
  ask("who waits", "rapport.scheduling.v1.WaitlistService/ListWaitlistEntries", waiting);
  BookAppointmentRequest taken;  // at the couple's own hour: refused alike
  taken.set_course(course);
  taken.mutable_local_date()->set_year(2026);
  taken.mutable_local_date()->set_month(4);
  taken.mutable_local_date()->set_day(27);
  taken.mutable_local_time()->set_hours(17);
  ask("a refused booking", absl::StrCat(kAppointments, "BookAppointment"), taken);
  return seen;
}

// Plays the couple's story up to session 7, and the disclosure after it or not.
std::map<std::string, std::string> Play(bool disclosed) {
  auto told = story::LoadStory(absl::StrCat(RAPPORT_STORIES, "/s4-couple.textproto"));
  EXPECT_TRUE(told.ok()) << told.status();
  if (!told.ok()) return {};
  int act = 0;
  while (act < told->acts_size() && told->acts(act).what() != "Bert is seen alone") ++act;
  EXPECT_LT(act, told->acts_size());
  const int kept = act + (disclosed ? 2 : 0);
  told->mutable_acts()->DeleteSubrange(kept, told->acts_size() - kept);
  Suite suite(sql::Engine::kSqlite);
  suite.StartAll();
  const auto caller = suite.NewCaller();
  const story::ClockWriter clock = story::FileClock(suite.clock_file());
  story::Player player(*caller, clock, {.suffix = "", .between_steps = nullptr, .tell = nullptr});
  const auto outcome = player.Play(*told);
  EXPECT_TRUE(outcome.ok()) << outcome.status();
  absl::Time later;
  EXPECT_TRUE(absl::ParseTime(absl::RFC3339_full, "2026-04-22T12:00:00Z", &later, nullptr));
  EXPECT_TRUE(clock(later).ok());

  ListCoursesRequest list;
  list.set_parent(absl::StrCat("organizations/", outcome->organization_id));
  const auto courses =
      caller->Call<ListCoursesResponse>({"desk", outcome->organization_id, {"scheduler"}},
                                        "rapport.scheduling.v1.CourseService/ListCourses", list);
  EXPECT_TRUE(courses.ok() && courses->courses_size() == 1) << courses.status();
  if (!courses.ok() || courses->courses().empty()) return {};
  return Seen(*caller, *outcome, courses->courses(0).name());
}

TEST(PrivacyTest, ADisclosureChangesNothingThatTheDeskOrTheOtherPartnersSideCanSee) {
  const auto without = Play(false);
  const auto with = Play(true);
  ASSERT_GT(without.size(), 10u);
  for (const auto& [what, seen] : without) {
    EXPECT_EQ(with.at(what), seen) << what;
  }
}

}  // namespace
}  // namespace rapport::testing
