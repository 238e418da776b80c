#include "services/notes/rpc/review_handlers.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/call/pages.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "services/notes/data/entries/entry_rules.h"
#include "services/notes/data/suitability/review_data.h"
#include "services/notes/domain/advice.h"
#include "services/notes/domain/brief.h"
#include "services/notes/domain/closeness.h"
#include "services/notes/domain/timeline.h"

namespace rapport::notes {
namespace {

using call::CallContext;

// Of a couple the partner that is meant; of others nobody in particular.
View ViewOf(const CaseFile& file, const std::string& about) {
  return {.about = file.conjoint() ? about : "", .with_private = true};
}

// Without the sessions that are private to the other of a couple, or to either where nobody is
// meant.
void KeepInView(CaseFile& file, const View& view) {
  if (!file.conjoint()) return;
  file.sittings.erase(std::remove_if(file.sittings.begin(), file.sittings.end(),
                                     [&](const Sitting& sitting) {
                                       return sitting.state.private_session() &&
                                              sitting.state.patient() != view.about;
                                     }),
                      file.sittings.end());
}

// Sessions held before `before` of which no note is signed.
std::vector<std::string> Unsigned(const CaseFile& file, absl::Time before) {
  std::vector<std::string> sessions;
  for (const Sitting& sitting : file.sittings) {
    if (!WasHeld(sitting) || sitting.end() > before) continue;
    const bool is_signed = std::any_of(
        file.notes.begin(), file.notes.end(),
        [&](const v1::Note& note) { return note.appointment() == sitting.appointment; });
    if (!is_signed) sessions.push_back(sitting.appointment);
  }
  return sessions;
}

}  // namespace

void ReviewHandlers::Register(call::Registry& registry) {
  registry.Service("rapport.notes.v1.CaseReviewService", this)
      .Unary("AdviseSuitability", &ReviewHandlers::AdviseSuitability)
      .Unary("GetSessionBrief", &ReviewHandlers::GetSessionBrief)
      .Unary("GetMoodEventTimeline", &ReviewHandlers::GetMoodEventTimeline)
      .Unary("GetClosenessCircles", &ReviewHandlers::GetClosenessCircles);
}

absl::StatusOr<v1::SuitabilityAdvice> ReviewHandlers::AdviseSuitability(
    const CallContext& context, const v1::AdviseSuitabilityRequest& request) {
  ASSIGN_OR_RETURN(
      const LoadedFile loaded,
      loader_.Load(context, request.name(), {.clinical = true, .progress = true, .alerts = true},
                   Purpose::kRead, "", "name", false));
  return AdviseOnSuitability(loaded.file, ShippedSuitabilityRules());
}

absl::StatusOr<v1::SessionBrief> ReviewHandlers::GetSessionBrief(
    const CallContext& context, const v1::GetSessionBriefRequest& request) {
  ASSIGN_OR_RETURN(LoadedFile loaded,
                   loader_.Load(context, request.name(),
                                {.clinical = true, .notes = true, .progress = true, .alerts = true},
                                Purpose::kRead, request.about(), "about", false));
  CaseFile& file = loaded.file;
  const View view = ViewOf(file, request.about());
  KeepInView(file, view);
  const Sitting* sitting = nullptr;
  if (request.appointment().empty()) {
    sitting = NextSitting(file);
  } else {
    sitting = FindSitting(file, request.appointment());
    if (sitting == nullptr) {
      return errors::InvalidArgument("appointment", "must be a session of this course");
    }
  }
  return BriefFor(
      file, view, sitting,
      Unsigned(file, sitting == nullptr ? file.now : std::min(file.now, sitting->start())),
      ShippedReviewRules(), ShippedEntryRules());
}

absl::StatusOr<v1::GetMoodEventTimelineResponse> ReviewHandlers::GetMoodEventTimeline(
    const CallContext& context, const v1::GetMoodEventTimelineRequest& request) {
  ASSIGN_OR_RETURN(const call::Page page, call::ReadPage(context, request));
  ASSIGN_OR_RETURN(LoadedFile loaded,
                   loader_.Load(context, request.name(), {.notes = true, .forms = true},
                                Purpose::kRead, request.about(), "about", false));
  CaseFile& file = loaded.file;
  const View view = ViewOf(file, request.about());
  KeepInView(file, view);
  const std::optional<absl::CivilDay> start = EarliestDay(request.start_date());
  const std::optional<absl::CivilDay> end = EarliestDay(request.end_date());

  v1::GetMoodEventTimelineResponse response;
  std::string last;
  for (TimelineEntry& entry : TimelineOf(file, view)) {
    const std::optional<absl::CivilDay> day = EarliestDay(entry.point.date());
    const bool wanted =
        request.kinds().empty() || std::find(request.kinds().begin(), request.kinds().end(),
                                             entry.point.kind()) != request.kinds().end();
    if (!wanted || entry.key <= page.after || (start && (!day || *day < *start)) ||
        (end && (!day || *day > *end))) {
      continue;
    }
    if (response.points_size() == page.size) {
      response.set_next_page_token(call::NextPageToken(context, last));
      break;
    }
    last = std::move(entry.key);
    *response.add_points() = std::move(entry.point);
  }
  for (const std::string& source : file.unavailable_sources) {
    response.add_unavailable_sources(source);
  }
  return response;
}

absl::StatusOr<v1::ClosenessCircles> ReviewHandlers::GetClosenessCircles(
    const CallContext& context, const v1::GetClosenessCirclesRequest& request) {
  ASSIGN_OR_RETURN(const LoadedFile loaded,
                   loader_.Load(context, request.name(), {.relationships = true}, Purpose::kRead,
                                request.about(), "about", false));
  return CirclesOf(loaded.file, ViewOf(loaded.file, request.about()), loaded.relationships,
                   ShippedReviewRules());
}

}  // namespace rapport::notes
