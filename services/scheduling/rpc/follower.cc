#include "services/scheduling/rpc/follower.h"

#include "absl/strings/str_cat.h"
#include "common/call/own_act.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/events/event_log.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "rapport/common/v1/privacy.pb.h"
#include "rapport/notes/v1/events.pb.h"
#include "services/scheduling/domain/courses.h"
#include "services/scheduling/domain/event_payloads.h"
#include "services/scheduling/rpc/eraser.h"
#include "services/scheduling/store/course_store.h"

namespace rapport::scheduling {
namespace {

bool HasAgreed(notes::v1::Agreement agreement) {
  return agreement == notes::v1::AGREEMENT_AGREED || agreement == notes::v1::AGREEMENT_MODIFIED;
}

}  // namespace

std::vector<std::string> NotesFollower::EventTypes() {
  return {notes::v1::CaseEvent::descriptor()->full_name(),
          common::v1::ErasureEvent::descriptor()->full_name()};
}

absl::Status NotesFollower::Apply(sql::Transaction& tx, const common::v1::Event& event) const {
  if (event.payload().Is<common::v1::ErasureEvent>()) {
    return Erase(tx, protocols_, event, clock_.Now());
  }
  notes::v1::CaseEvent payload;
  if (!event.payload().UnpackTo(&payload)) return errors::Internal("unreadable CaseEvent");
  const bool due = payload.determination_reopened();
  const bool agreed = HasAgreed(payload.formulation_agreement());
  tx.Lock({payload.course()});
  absl::StatusOr<store::CourseRow> row = store::GetCourse(tx, payload.course(), {});
  if (!row.ok() && !absl::IsNotFound(row.status())) return row.status();
  ASSIGN_OR_RETURN(const bool newer,
                   store::PutCase(tx, payload.course(), event.version(), due, agreed));
  if (!newer || !row.ok()) return absl::OkStatus();

  v1::Course& course = row->resource;
  const bool review = (due || payload.eligible()) && SetSuitabilityReviewDue(course, due);
  if (!review && agreed == row->formulation_agreed) return absl::OkStatus();

  const auto protocol = protocols_.Find(tx, course.protocol());
  if (absl::IsNotFound(protocol.status())) {
    return errors::Internal(absl::StrCat("This release lacks ", course.protocol()));
  }
  RETURN_IF_ERROR(protocol.status());
  const absl::Time now = clock_.Now();
  if (!review) {
    // What is derived of the course changes, though the course does not: told again, at the same
    // version, for those who keep what they read.
    events::Append(tx, names::OrganizationId(course.name()), course.name(), row->version, now,
                   PayloadOf(course, **protocol));
    return absl::OkStatus();
  }
  *course.mutable_update_time() = time::ToTimestamp(now);
  RETURN_IF_ERROR(store::UpdateCourse(tx, course, row->version));
  call::RecordOwnAct(tx, "scheduling", "SetSuitabilityReviewDue", course.name(), row->version + 1,
                     now, PayloadOf(course, **protocol), store::Document(course));
  return absl::OkStatus();
}

}  // namespace rapport::scheduling
