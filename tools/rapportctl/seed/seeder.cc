#include "tools/rapportctl/seed/seeder.h"

#include <map>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "rapport/scheduling/v1/appointment_service.pb.h"
#include "rapport/scheduling/v1/course_service.pb.h"
#include "rapport/scheduling/v1/organization_service.pb.h"
#include "tools/rapportctl/bulk/importer.h"

namespace rapport::seed {
namespace {

namespace sv1 = scheduling::v1;

constexpr int kPage = 500;

class Sower {
 public:
  Sower(ctl::Caller& caller, const NetworkOptions& options, const SeedProgress& progress)
      : caller_(caller),
        options_(options),
        progress_(progress),
        organization_(names::Organization(options.organization_id)) {}

  absl::StatusOr<Seeded> Sow() {
    Network network = MakeNetwork(options_);
    if (progress_.total != nullptr) {
      progress_.total(static_cast<int64_t>(network.directory.size() + network.courses.size()));
    }
    RETURN_IF_ERROR(MakeOrganization());
    RETURN_IF_ERROR(MakeDirectory(std::move(network.directory)));
    RETURN_IF_ERROR(FindCourses());
    for (CoursePlan& plan : network.courses) {
      RETURN_IF_ERROR(MakeCourse(plan));
      Tell("courses");
    }
    return seeded_;
  }

 private:
  ctl::Identity As(const std::string& subject, const std::string& role) const {
    return {.subject = subject, .organization_id = options_.organization_id, .roles = {role}};
  }

  void Tell(const std::string& what) {
    if (progress_.made != nullptr) progress_.made(what, 1);
  }

  absl::Status MakeOrganization() {
    sv1::CreateOrganizationRequest create;
    create.set_organization_id(options_.organization_id);
    create.mutable_organization()->set_display_name(absl::StrCat("Seeded network ", options_.seed));
    create.set_request_id(absl::StrCat("seed-", options_.organization_id));
    const absl::Status created =
        caller_
            .Call<sv1::Organization>(
                {.subject = "operator", .organization_id = "", .roles = {"platform_operator"}},
                "rapport.scheduling.v1.OrganizationService/CreateOrganization", create)
            .status();
    return absl::IsAlreadyExists(created) ? absl::OkStatus() : created;
  }

  absl::Status MakeDirectory(std::vector<sv1::ImportDirectoryRequest> entries) {
    size_t next = 0;
    absl::Status refused;
    const ctl::NextRow rows = [&]() -> absl::StatusOr<std::optional<ctl::DirectoryRow>> {
      if (next == entries.size()) return std::optional<ctl::DirectoryRow>();
      ctl::DirectoryRow row;
      row.row = std::move(entries[next++]);
      row.line = static_cast<int64_t>(next);
      row.row.set_row(row.line);
      return std::optional<ctl::DirectoryRow>(std::move(row));
    };
    const ctl::RowAnswered answered = [&](const ctl::DirectoryRow& row,
                                          const sv1::ImportDirectoryResponse& answer) {
      ++seeded_.entries;
      Tell("directory");
      if (answer.outcome() != sv1::IMPORT_OUTCOME_FAILED || !refused.ok()) return;
      refused = absl::FailedPreconditionError(absl::StrCat(
          "entry ", row.line, " of the directory: ", answer.reason(), " ", answer.message()));
    };
    RETURN_IF_ERROR(ctl::ImportRows(caller_, As("seed", "organization_admin"), rows, answered,
                                    ctl::ImportOptions())
                        .status());
    return refused;
  }

  absl::Status FindCourses() {
    sv1::ListCoursesRequest request;
    request.set_parent(organization_);
    request.set_page_size(kPage);
    do {
      ASSIGN_OR_RETURN(
          const auto page,
          caller_.Call<sv1::ListCoursesResponse>(
              As("seed", "scheduler"), "rapport.scheduling.v1.CourseService/ListCourses", request));
      for (const sv1::Course& course : page.courses()) courses_[course.patient()] = course;
      request.set_page_token(page.next_page_token());
    } while (!request.page_token().empty());
    return absl::OkStatus();
  }

  absl::Status MakeCourse(CoursePlan& plan) {
    const std::string clinician(names::Last(plan.course.clinician()));
    const ctl::Identity therapist = As(clinician, "therapist");
    const std::string patient(names::Last(plan.course.patient()));
    sv1::Course course;
    if (const auto found = courses_.find(plan.course.patient()); found != courses_.end()) {
      course = found->second;
      sv1::ListAppointmentsRequest booked;
      booked.set_parent(organization_);
      booked.set_course(course.name());
      booked.set_page_size(1);
      ASSIGN_OR_RETURN(
          const auto page,
          caller_.Call<sv1::ListAppointmentsResponse>(
              therapist, "rapport.scheduling.v1.AppointmentService/ListAppointments", booked));
      if (page.appointments_size() > 0) {
        ++seeded_.there;
        return absl::OkStatus();
      }
    } else {
      sv1::CreateCourseRequest create;
      create.set_parent(organization_);
      *create.mutable_course() = plan.course;
      create.set_request_id(absl::StrCat("seed-create-", patient));
      ASSIGN_OR_RETURN(course,
                       caller_.Call<sv1::Course>(
                           therapist, "rapport.scheduling.v1.CourseService/CreateCourse", create));
      ++seeded_.courses;
    }
    if (course.state() == sv1::COURSE_STATE_PROPOSED) {
      sv1::BeginAssessmentRequest begin;
      begin.set_name(course.name());
      begin.set_request_id(absl::StrCat("seed-begin-", patient));
      ASSIGN_OR_RETURN(
          course, caller_.Call<sv1::Course>(
                      therapist, "rapport.scheduling.v1.CourseService/BeginAssessment", begin));
    }
    plan.sessions.set_course(course.name());
    plan.sessions.set_request_id(absl::StrCat("seed-book-", patient));
    ASSIGN_OR_RETURN(
        const auto booked,
        caller_.Call<sv1::BookSeriesResponse>(
            therapist, "rapport.scheduling.v1.AppointmentService/BookSeries", plan.sessions));
    seeded_.sessions += booked.appointments_size();
    return absl::OkStatus();
  }

  ctl::Caller& caller_;
  const NetworkOptions& options_;
  const SeedProgress& progress_;
  const std::string organization_;
  std::map<std::string, sv1::Course> courses_;  // that are there, by patient
  Seeded seeded_;
};

}  // namespace

absl::StatusOr<Seeded> Seed(ctl::Caller& caller, const NetworkOptions& options,
                            const SeedProgress& progress) {
  return Sower(caller, options, progress).Sow();
}

}  // namespace rapport::seed
