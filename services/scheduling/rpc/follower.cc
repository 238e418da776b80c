#include "services/scheduling/rpc/follower.h"

#include "absl/strings/str_cat.h"
#include "common/call/own_act.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
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
  tx.Lock({payload.course()});
  ASSIGN_OR_RETURN(const bool newer, store::PutCase(tx, payload.course(), event.version(), due,
                                                    HasAgreed(payload.formulation_agreement())));
  if (!newer || (!due && !payload.eligible())) return absl::OkStatus();

  absl::StatusOr<store::CourseRow> row = store::GetCourse(tx, payload.course(), {});
  if (absl::IsNotFound(row.status())) return absl::OkStatus();
  RETURN_IF_ERROR(row.status());
  v1::Course& course = row->resource;
  if (!SetSuitabilityReviewDue(course, due)) return absl::OkStatus();

  const auto protocol = protocols_.Find(tx, course.protocol());
  if (absl::IsNotFound(protocol.status())) {
    return errors::Internal(absl::StrCat("This release lacks ", course.protocol()));
  }
  RETURN_IF_ERROR(protocol.status());
  const absl::Time now = clock_.Now();
  *course.mutable_update_time() = time::ToTimestamp(now);
  RETURN_IF_ERROR(store::UpdateCourse(tx, course, row->version));
  call::RecordOwnAct(tx, "scheduling", "SetSuitabilityReviewDue", course.name(), row->version + 1,
                     now, PayloadOf(course, **protocol), store::Document(course));
  return absl::OkStatus();
}

}  // namespace rapport::scheduling
