#include "services/assessment/rpc/notes_follower.h"

#include "rapport/common/v1/privacy.pb.h"
#include "rapport/notes/v1/events.pb.h"
#include "rapport/scheduling/v1/protocol.pb.h"
#include "services/assessment/rpc/eraser.h"
#include "services/assessment/rpc/outcome_keeper.h"
#include "services/assessment/store/outcomes.h"

namespace rapport::assessment {
namespace {

// The areas have the same numbers in both vocabularies.
static_assert(static_cast<int>(notes::v1::PROBLEM_AREA_KIND_GRIEF) ==
              static_cast<int>(scheduling::v1::FOCUS_AREA_GRIEF));
static_assert(static_cast<int>(notes::v1::PROBLEM_AREA_KIND_ROLE_DISPUTE) ==
              static_cast<int>(scheduling::v1::FOCUS_AREA_ROLE_DISPUTE));
static_assert(static_cast<int>(notes::v1::PROBLEM_AREA_KIND_ROLE_TRANSITION) ==
              static_cast<int>(scheduling::v1::FOCUS_AREA_ROLE_TRANSITION));
static_assert(static_cast<int>(notes::v1::PROBLEM_AREA_KIND_INTERPERSONAL_DEFICITS) ==
              static_cast<int>(scheduling::v1::FOCUS_AREA_INTERPERSONAL_DEFICITS));
static_assert(static_cast<int>(notes::v1::PROBLEM_AREA_KIND_LOSS_OF_HEALTHY_SELF) ==
              static_cast<int>(scheduling::v1::FOCUS_AREA_LOSS_OF_HEALTHY_SELF));

}  // namespace

std::vector<std::string> NotesFollower::EventTypes() {
  return {notes::v1::CaseEvent::descriptor()->full_name(),
          common::v1::ErasureEvent::descriptor()->full_name()};
}

absl::Status NotesFollower::Apply(sql::Transaction& tx, const common::v1::Event& event) const {
  if (event.payload().Is<common::v1::ErasureEvent>()) {
    return Erase(tx, catalogues_, vault_, event, clock_.Now());
  }
  notes::v1::CaseEvent state;
  if (!event.payload().UnpackTo(&state) || state.course().empty()) return absl::OkStatus();
  store::PutFocus(tx, state.course(), event.version(),
                  state.problem_areas().empty() ? 0 : state.problem_areas(0));
  OutcomeChanged(tx, state.course(), clock_.Now());
  return absl::OkStatus();
}

}  // namespace rapport::assessment
