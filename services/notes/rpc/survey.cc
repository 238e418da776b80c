#include "services/notes/rpc/survey.h"

#include "common/care/care.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/telemetry/metric_names.h"
#include "services/notes/domain/phases.h"
#include "services/notes/store/session_store.h"

namespace rapport::notes {
namespace {

namespace metric = telemetry::metric;

const char* KindName(v1::DueKind kind) {
  switch (kind) {
    case v1::DUE_KIND_COSIGN:
      return "cosign";
    case v1::DUE_KIND_REVISE:
      return "revise";
    default:
      return "sign";
  }
}

}  // namespace

std::vector<work::Figure> SurveyFigures() {
  const std::vector<std::string> labels = {"kind"};
  const std::vector<work::Tally::Labels> kinds = {{"sign"}, {"cosign"}, {"revise"}};
  return {{metric::kNotesDue, "Notes that wait for a signature.", labels, kinds},
          {metric::kNotesOverdue, "Notes whose time to be signed has passed.", labels, kinds},
          {metric::kNotesOverdueAge, "How long ago the time of the latest of them has passed.",
           labels, kinds}};
}

absl::Status LookAtDueNotes(sql::Session& session, const std::string& organization_id,
                            absl::Time now, work::Tally& tally) {
  ASSIGN_OR_RETURN(const care::Settings settings,
                   care::GetSettings(session, names::Organization(organization_id), ""));
  const absl::Duration due_after =
      NoteDueTime(settings.organization, absl::UnixEpoch()) - absl::UnixEpoch();
  ASSIGN_OR_RETURN(const std::vector<DueCount> counts,
                   CountDue(session, organization_id, now - due_after));
  for (const DueCount& count : counts) {
    const work::Tally::Labels kind = {KindName(count.kind)};
    tally.Add(metric::kNotesDue, kind, static_cast<double>(count.due));
    tally.Add(metric::kNotesOverdue, kind, static_cast<double>(count.overdue));
    if (count.overdue > 0) {
      tally.Largest(metric::kNotesOverdueAge, kind,
                    absl::ToDoubleSeconds(now - (count.oldest_session_end + due_after)));
    }
  }
  return absl::OkStatus();
}

}  // namespace rapport::notes
