#include "services/scheduling/domain/groups.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/time/convert.h"
#include "services/scheduling/domain/courses.h"
#include "services/scheduling/domain/protocols.h"

namespace rapport::scheduling {
namespace {

absl::Status Mismatch(absl::string_view field, absl::string_view message) {
  return errors::FailedPrecondition("GROUP_MISMATCH", message, {{"field", std::string(field)}});
}

}  // namespace

absl::StatusOr<v1::Group> ProposeGroup(const v1::Group& asked,
                                       absl::Span<const v1::Clinician> leaders,
                                       const v1::Protocol& protocol) {
  std::set<std::string> seen = {asked.clinician()};
  for (int i = 0; i < asked.co_clinicians_size(); ++i) {
    if (!seen.insert(asked.co_clinicians(i)).second) {
      return errors::InvalidArgument(absl::StrCat("group.co_clinicians[", i, "]"),
                                     "must not lead the group already");
    }
  }
  if (KindOf(protocol) != v1::COURSE_KIND_GROUP) {
    return errors::FailedPrecondition("PROTOCOL_KIND", "The protocol is not for groups.",
                                      {{"protocol", asked.protocol()}});
  }
  for (const v1::Clinician& leader : leaders) {
    if (std::count(leader.clinics().begin(), leader.clinics().end(), asked.clinic()) == 0) {
      return errors::FailedPrecondition("CLINICIAN_NOT_AT_CLINIC",
                                        "The clinician does not work at that clinic.",
                                        {{"clinician", leader.name()}, {"clinic", asked.clinic()}});
    }
  }
  const int capacity = asked.capacity() == 0 ? protocol.max_members() : asked.capacity();
  if (capacity < protocol.min_members() || capacity > protocol.max_members()) {
    return errors::FailedPrecondition(
        "CAPACITY_OUT_OF_BOUNDS",
        absl::StrCat("The protocol is for groups of ", protocol.min_members(), " to ",
                     protocol.max_members(), "."),
        {{"min_members", absl::StrCat(protocol.min_members())},
         {"max_members", absl::StrCat(protocol.max_members())}});
  }
  v1::Group group;
  group.set_display_name(asked.display_name());
  group.set_clinician(asked.clinician());
  *group.mutable_co_clinicians() = asked.co_clinicians();
  group.set_clinic(asked.clinic());
  group.set_protocol(asked.protocol());
  group.set_capacity(capacity);
  return group;
}

absl::Status CheckJoining(const v1::Group& group, const v1::Course& course) {
  if (course.kind() != v1::COURSE_KIND_GROUP) {
    return Mismatch("kind", "The course is not of kind GROUP.");
  }
  if (course.protocol() != group.protocol()) {
    return Mismatch("protocol", "The course has another protocol, or another revision of it.");
  }
  if (course.clinic() != group.clinic()) {
    return Mismatch("clinic", "The course is of another clinic.");
  }
  if (!course.group().empty()) {
    return Mismatch("group", "The course has a seat in a group; it has to leave that first.");
  }
  if (course.state() != v1::COURSE_STATE_ASSESSING && course.state() != v1::COURSE_STATE_ACTIVE) {
    return WrongCourseState(course.state());
  }
  return absl::OkStatus();
}

absl::StatusOr<int> LowestFreeSeat(const std::set<int>& taken, int capacity) {
  for (int seat = 1; seat <= capacity; ++seat) {
    if (taken.count(seat) == 0) return seat;
  }
  return errors::FailedPrecondition("GROUP_FULL", "All seats of the group are taken.",
                                    {{"capacity", absl::StrCat(capacity)}});
}

int FirstGroupSession(const v1::Protocol& protocol) {
  for (int session = 1; session <= protocol.max_sessions(); ++session) {
    if (SessionPlanOf(protocol, session).format == v1::COURSE_KIND_GROUP) return session;
  }
  return 1;
}

absl::Status CancelGroupSession(v1::GroupSession& session, absl::Time now) {
  if (session.state() != v1::APPOINTMENT_STATE_BOOKED) {
    return errors::FailedPrecondition("APPOINTMENT_STATE", "The session is not BOOKED.",
                                      {{"state", v1::AppointmentState_Name(session.state())}});
  }
  if (time::ToTime(session.start_time()) <= now) {
    return errors::FailedPrecondition(
        "TOO_LATE", "The session has begun; record the members' attendance instead.");
  }
  session.set_state(v1::APPOINTMENT_STATE_CANCELLED);
  return absl::OkStatus();
}

absl::Time BusyUntil(const v1::GroupSession& session, absl::Span<const v1::Clinician> leaders) {
  int buffer = 0;
  for (const v1::Clinician& leader : leaders) buffer = std::max(buffer, leader.buffer_minutes());
  return time::ToTime(session.end_time()) + absl::Minutes(buffer);
}

}  // namespace rapport::scheduling
