#include "services/notes/rpc/fidelity_handlers.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/call/mutate.h"
#include "common/care/care.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/ids/ulid.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "rapport/notes/v1/events.pb.h"
#include "services/notes/data/fidelity/fidelity_rules.h"
#include "services/notes/domain/fidelity.h"
#include "services/notes/rpc/fidelity_record.h"
#include "services/notes/store/fidelity_store.h"
#include "services/notes/store/note_store.h"
#include "services/notes/store/supervision_store.h"

namespace rapport::notes {
namespace {

using call::CallContext;
using call::Change;

absl::Status NotShared() {
  return errors::PermissionDenied(
      "FIDELITY_NOT_SHARED",
      "The therapist who held the session sees its fidelity first. It is not shared with the "
      "caller.");
}

absl::Status NotSigned() {
  return errors::FailedPrecondition("NOTE_NOT_SIGNED",
                                    "Nothing is known of the session before its note is signed.");
}

bool Supervises(const care::Reach& reach, absl::string_view clinician) {
  return std::find(reach.supervised.begin(), reach.supervised.end(), clinician) !=
         reach.supervised.end();
}

std::string CourseOf(const CallContext& context, absl::string_view name) {
  return names::InOrganization(context.organization_id, "courses", names::Id(name, "cases"));
}

v1::FidelityShare ShareOf(absl::string_view case_name, absl::string_view clinician,
                          const Shares& shares) {
  v1::FidelityShare share;
  share.set_case_(std::string(case_name));
  share.set_clinician(std::string(clinician));
  absl::Time first = absl::InfiniteFuture();
  if (shares.all) {
    first = *shares.all;
  } else {
    for (const auto& [note_id, when] : shares.notes) {
      share.add_notes(absl::StrCat(case_name, "/notes/", note_id));
      first = std::min(first, when);
    }
  }
  if (first != absl::InfiniteFuture()) *share.mutable_share_time() = time::ToTimestamp(first);
  return share;
}

}  // namespace

void FidelityHandlers::Register(call::Registry& registry) {
  registry.Service("rapport.notes.v1.FidelityService", this)
      .Unary("GetSessionFidelity", &FidelityHandlers::GetSessionFidelity)
      .Unary("GetCourseFidelity", &FidelityHandlers::GetCourseFidelity)
      .Unary("RateSession", &FidelityHandlers::RateSession)
      .Unary("ShareFidelity", &FidelityHandlers::ShareFidelity)
      .Unary("GetFidelityPolicy", &FidelityHandlers::GetFidelityPolicy)
      .Unary("SetFidelityPolicy", &FidelityHandlers::SetFidelityPolicy);
}

absl::StatusOr<v1::SessionFidelity> FidelityHandlers::GetSessionFidelity(
    const CallContext& context, const v1::GetSessionFidelityRequest& request) {
  return call::Read<v1::SessionFidelity>(
      database_, context, [&](sql::Session& session) -> absl::StatusOr<v1::SessionFidelity> {
        ASSIGN_OR_RETURN(const NoteAccess access,
                         access_.RequireNote(session, context, request.name()));
        const v1::Note& head = access.note.resource;
        if (head.signed_version() == 0) return NotSigned();
        ASSIGN_OR_RETURN(NoteRecord note, ReadNote(session, vault_, request.name(), /*author=*/""));
        if (!access.author) {
          ASSIGN_OR_RETURN(const care::Reach reach, access_.ReachOf(session, context));
          if (!Supervises(reach, head.author())) return NotShared();
          ASSIGN_OR_RETURN(const PolicyRecord policy,
                           notes::GetFidelityPolicy(session, context.organization_id));
          ASSIGN_OR_RETURN(const Shares shares,
                           GetShares(session, context.organization_id,
                                     names::Id(request.name(), "cases"), head.author()));
          if (!SupervisorSees(policy.resource, shares.Has(names::Last(request.name())),
                              time::ToTime(note.resource.signature().sign_time()), context.now)) {
            return NotShared();
          }
        }
        ASSIGN_OR_RETURN(const care::CourseFacts course,
                         care::GetCourse(session, CourseOf(context, request.name())));
        FidelityRecord record(session, vault_, course);
        ASSIGN_OR_RETURN(const FidelityCase of, record.Case());
        ASSIGN_OR_RETURN(const FidelitySession noted, record.Session(std::move(note.resource)));
        v1::SessionFidelity fidelity = SessionFidelityOf(ShippedFidelityRules(), of, noted);
        ASSIGN_OR_RETURN(std::vector<v1::SessionRating> ratings,
                         ListNewestRatings(session, vault_, request.name(), /*rater=*/""));
        for (v1::SessionRating& rating : ratings) *fidelity.add_ratings() = std::move(rating);
        return fidelity;
      });
}

absl::StatusOr<v1::CourseFidelity> FidelityHandlers::GetCourseFidelity(
    const CallContext& context, const v1::GetCourseFidelityRequest& request) {
  return call::Read<v1::CourseFidelity>(
      database_, context, [&](sql::Session& session) -> absl::StatusOr<v1::CourseFidelity> {
        ASSIGN_OR_RETURN(const CaseAccess access,
                         access_.RequireCase(session, context, request.name(), "Case"));
        std::string clinician = request.clinician();
        if (clinician.empty()) {
          clinician = access.treats ? access.clinician : access.course.state.clinician();
        }
        const bool own = clinician == access.clinician;
        if (!own) {
          ASSIGN_OR_RETURN(const care::Reach reach, access_.ReachOf(session, context));
          if (!Supervises(reach, clinician)) return NotShared();
        }
        FidelityRecord reader(session, vault_, access.course);
        ASSIGN_OR_RETURN(const CourseRecord record,
                         reader.Course(clinician, {.own = own, .now = context.now}));
        if (record.sessions.empty() && record.not_shared > 0) return NotShared();
        ASSIGN_OR_RETURN(const FidelityCase of, reader.Case());
        return CourseFidelityOf(ShippedFidelityRules(), of, record);
      });
}

absl::StatusOr<v1::SessionRating> FidelityHandlers::RateSession(
    const CallContext& context, const v1::RateSessionRequest& request) {
  return call::Mutate<v1::SessionRating>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) -> absl::StatusOr<v1::SessionRating> {
        RETURN_IF_ERROR(access_.RequireNote(session, context, request.parent()).status());
        return GetRating(session, vault_, name);
      },
      [&](Change& change) -> absl::StatusOr<v1::SessionRating> {
        sql::Transaction& tx = change.tx();
        ASSIGN_OR_RETURN(const NoteAccess access,
                         access_.RequireNote(tx, context, request.parent()));
        const v1::Note& note = access.note.resource;
        v1::RaterKind kind = v1::RATER_KIND_SELF;
        if (!access.author) {
          ASSIGN_OR_RETURN(const care::Reach reach, access_.ReachOf(tx, context));
          if (!Supervises(reach, note.author())) {
            return errors::PermissionDenied(
                "NOT_THE_RATER",
                "A session is rated by who held it and wrote its note, and by who supervises "
                "them.");
          }
          kind = v1::RATER_KIND_SUPERVISOR;
        }
        if (note.signed_version() == 0) return NotSigned();
        v1::SessionRating rating = request.rating();
        RETURN_IF_ERROR(CheckRating(ShippedFidelityRules(), rating));
        if (!rating.recording().empty()) {
          const absl::StatusOr<RecordingRecord> recording =
              GetRecording(tx, vault_, rating.recording());
          if (!recording.ok() && !absl::IsNotFound(recording.status())) return recording.status();
          if (!recording.ok() || recording->resource.appointment() != note.appointment() ||
              names::Id(rating.recording(), "cases") != names::Id(note.name(), "cases")) {
            return errors::InvalidArgument("rating.recording", "must be of this session");
          }
        }
        rating.set_name(absl::StrCat(request.parent(), "/ratings/", ids::NewUlid()));
        rating.set_rater(access.clinician);
        rating.set_kind(kind);
        rating.clear_erased();
        rating.clear_percent();
        if (const auto percent = PercentOf(ShippedFidelityRules(), rating)) {
          rating.set_percent(*percent);
        }
        *rating.mutable_create_time() = time::ToTimestamp(context.now);
        ASSIGN_OR_RETURN(const std::string stored,
                         InsertRating(tx, vault_, access.note.subject, rating));
        change.SetResult(rating.name(), 1);
        change.Audit(rating.name(), 1, stored);
        return rating;
      });
}

absl::StatusOr<v1::FidelityShare> FidelityHandlers::ShareFidelity(
    const CallContext& context, const v1::ShareFidelityRequest& request) {
  const absl::string_view case_id = names::Id(request.name(), "cases");
  return call::Mutate<v1::FidelityShare>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view) -> absl::StatusOr<v1::FidelityShare> {
        ASSIGN_OR_RETURN(const CaseAccess access,
                         access_.RequireCase(session, context, request.name(), "Case"));
        ASSIGN_OR_RETURN(const Shares shares,
                         GetShares(session, context.organization_id, case_id, access.clinician));
        return ShareOf(request.name(), access.clinician, shares);
      },
      [&](Change& change) -> absl::StatusOr<v1::FidelityShare> {
        sql::Transaction& tx = change.tx();
        tx.Lock({request.name()});
        ASSIGN_OR_RETURN(const CaseAccess access,
                         access_.RequireTreatedCase(tx, context, request.name(), "Case"));
        std::vector<std::string> note_ids;
        for (int i = 0; i < request.notes_size(); ++i) {
          const std::string& name = request.notes(i);
          const absl::StatusOr<NoteRecord> note = GetNote(tx, name);
          if (!note.ok() && !absl::IsNotFound(note.status())) return note.status();
          if (!note.ok() || names::Id(name, "cases") != case_id ||
              note->resource.author() != access.clinician) {
            return errors::InvalidArgument(absl::StrCat("notes[", i, "]"),
                                           "must be a note of the caller's own in this case");
          }
          note_ids.emplace_back(names::Last(name));
        }
        PutShares(tx, context.organization_id, case_id, access.clinician, note_ids, context.now);
        ASSIGN_OR_RETURN(const Shares shares,
                         GetShares(tx, context.organization_id, case_id, access.clinician));
        v1::FidelityShare share = ShareOf(request.name(), access.clinician, shares);
        const std::string name =
            absl::StrCat(request.name(), "/fidelityShares/", names::Last(access.clinician));
        const auto version =
            static_cast<int64_t>(shares.notes.size()) + (shares.all.has_value() ? 1 : 0);
        change.SetResult(name, version);
        change.Audit(name, version, share.SerializeAsString());
        return share;
      });
}

absl::StatusOr<v1::FidelityPolicy> FidelityHandlers::GetFidelityPolicy(
    const CallContext& context, const v1::GetFidelityPolicyRequest&) {
  return call::Read<v1::FidelityPolicy>(
      database_, context, [&](sql::Session& session) -> absl::StatusOr<v1::FidelityPolicy> {
        ASSIGN_OR_RETURN(PolicyRecord record,
                         notes::GetFidelityPolicy(session, context.organization_id));
        return std::move(record.resource);
      });
}

absl::StatusOr<v1::FidelityPolicy> FidelityHandlers::SetFidelityPolicy(
    const CallContext& context, const v1::SetFidelityPolicyRequest& request) {
  const v1::FidelityPolicy& asked = request.fidelity_policy();
  if (asked.delay_days() > 0 && asked.visibility() != v1::FIDELITY_VISIBILITY_AFTER_SIGNING) {
    return errors::InvalidArgument("fidelity_policy.delay_days", "is for AFTER_SIGNING alone");
  }
  return call::Mutate<v1::FidelityPolicy>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view) -> absl::StatusOr<v1::FidelityPolicy> {
        ASSIGN_OR_RETURN(PolicyRecord record,
                         notes::GetFidelityPolicy(session, context.organization_id));
        return std::move(record.resource);
      },
      [&](Change& change) -> absl::StatusOr<v1::FidelityPolicy> {
        sql::Transaction& tx = change.tx();
        const std::string name =
            absl::StrCat(names::Organization(context.organization_id), "/fidelityPolicy");
        tx.Lock({name});
        ASSIGN_OR_RETURN(PolicyRecord record,
                         notes::GetFidelityPolicy(tx, context.organization_id));
        RETURN_IF_ERROR(call::CheckEtag(asked.etag(), record.version));
        record.resource.set_visibility(asked.visibility() == v1::FIDELITY_VISIBILITY_UNSPECIFIED
                                           ? v1::FIDELITY_VISIBILITY_ON_SHARING
                                           : asked.visibility());
        record.resource.set_delay_days(asked.delay_days());
        ASSIGN_OR_RETURN(const std::string stored, PutFidelityPolicy(tx, record, context.now));
        v1::FidelityPolicyEvent event;
        event.set_visibility(record.resource.visibility());
        event.set_delay_days(record.resource.delay_days());
        change.Record(name, record.version, event, stored);
        return std::move(record.resource);
      });
}

}  // namespace rapport::notes
