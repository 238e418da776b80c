#include "services/scheduling/rpc/follower.h"

#include "absl/strings/str_cat.h"
#include "common/call/own_act.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/time/convert.h"
#include "rapport/notes/v1/events.pb.h"
#include "services/scheduling/domain/courses.h"
#include "services/scheduling/domain/event_payloads.h"
#include "services/scheduling/store/course_store.h"

namespace rapport::scheduling {

absl::Status NotesFollower::Apply(sql::Transaction& tx, const common::v1::Event& event) const {
  notes::v1::CaseEvent payload;
  if (!event.payload().UnpackTo(&payload)) return errors::Internal("unreadable CaseEvent");
  const bool due = payload.determination_reopened();
  tx.Lock({payload.course()});
  ASSIGN_OR_RETURN(const bool newer, store::PutCase(tx, payload.course(), event.version(), due));
  if (!newer || (!due && !payload.eligible())) return absl::OkStatus();

  absl::StatusOr<store::CourseRow> row = store::GetCourse(tx, payload.course(), {});
  if (absl::IsNotFound(row.status())) return absl::OkStatus();
  RETURN_IF_ERROR(row.status());
  v1::Course& course = row->resource;
  if (!SetSuitabilityReviewDue(course, due)) return absl::OkStatus();

  const v1::Protocol* protocol = protocols_.Find(course.protocol());
  if (protocol == nullptr) {
    return errors::Internal(absl::StrCat("This release lacks ", course.protocol()));
  }
  const absl::Time now = clock_.Now();
  *course.mutable_update_time() = time::ToTimestamp(now);
  RETURN_IF_ERROR(store::UpdateCourse(tx, course, row->version));
  call::RecordOwnAct(tx, "scheduling", "SetSuitabilityReviewDue", course.name(), row->version + 1,
                     now, PayloadOf(course, *protocol), store::Document(course));
  return absl::OkStatus();
}

}  // namespace rapport::scheduling
