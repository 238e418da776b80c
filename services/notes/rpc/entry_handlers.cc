#include "services/notes/rpc/entry_handlers.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/call/mutate.h"
#include "common/call/pages.h"
#include "common/care/care.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/ids/ulid.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "common/time/zones.h"
#include "services/notes/data/entries/entry_rules.h"
#include "services/notes/domain/entries.h"
#include "services/notes/domain/entry_agenda.h"
#include "services/notes/domain/entry_rules.h"
#include "services/notes/domain/entry_safety.h"
#include "services/notes/rpc/signing.h"
#include "services/notes/store/case_store.h"
#include "services/notes/store/entries.h"
#include "services/notes/store/risk_store.h"

namespace rapport::notes {
namespace {

using call::CallContext;
using call::Change;

bool IsConjoint(const scheduling::v1::CourseEvent& course) {
  return course.kind() == scheduling::v1::COURSE_KIND_CONJOINT;
}

absl::TimeZone ZoneOf(const scheduling::v1::CourseEvent& course, absl::string_view about) {
  const bool partner = IsConjoint(course) && about == course.partner();
  const auto zone =
      time::LoadZone(partner ? course.partner_time_zone() : course.patient_time_zone());
  return zone.ok() ? *zone : absl::UTCTimeZone();
}

bool IsJoint(const scheduling::v1::CourseEvent& course,
             const scheduling::v1::AppointmentEvent& appointment) {
  if (IsConjoint(course)) return !appointment.private_session();
  return !appointment.group_session().empty() ||
         std::any_of(appointment.participants().begin(), appointment.participants().end(),
                     [](const scheduling::v1::Participant& participant) {
                       switch (participant.role()) {
                         case scheduling::v1::PARTICIPANT_ROLE_PARTNER:
                         case scheduling::v1::PARTICIPANT_ROLE_PARENT_OR_GUARDIAN:
                         case scheduling::v1::PARTICIPANT_ROLE_CARER:
                           return true;
                         default:
                           return false;
                       }
                     });
}

// What the rules need to know to judge `wanted`, of which `self` is the name where it is not new.
absl::StatusOr<EntryFacts> FactsFor(sql::Session& session, const crypto::Vault& vault,
                                    const CallContext& context, const CaseAccess& access,
                                    const v1::Entry& wanted, absl::string_view self) {
  const scheduling::v1::CourseEvent& course = access.course.state;
  EntryFacts facts;
  facts.case_name = access.name;
  facts.patient = course.patient();
  if (IsConjoint(course)) facts.partner = course.partner();
  facts.protocol = course.protocol();
  facts.assigns_homework = course.assigns_homework();
  facts.zone = ZoneOf(course, wanted.about());
  facts.now = context.now;
  facts.young = wanted.about() != facts.partner && course.has_majority_on() &&
                facts.today() < time::ToCivilDay(course.majority_on());
  if (!wanted.appointment().empty()) {
    ASSIGN_OR_RETURN(const care::AppointmentFacts appointment,
                     care::GetAppointment(session, wanted.appointment()));
    if (appointment.state.course() != access.course.course) return errors::NotFound("Appointment");
    facts.joint_session = IsJoint(course, appointment.state);
  }
  const std::vector<v1::EntryKind> kinds = RelatedKinds(KindOf(wanted));
  if (!kinds.empty()) {
    ASSIGN_OR_RETURN(facts.others, AllEntries(session, vault, context.organization_id,
                                              access.case_id, {.kinds = kinds}));
    std::erase_if(facts.others, [&](const v1::Entry& other) { return other.name() == self; });
  }
  if (!GoalReferences(wanted).empty()) {
    ASSIGN_OR_RETURN(facts.goals, GoalTimes(session, context.organization_id, access.case_id));
  }
  if (IsSafetyFlagged(facts.others)) {
    const auto plan = GetSafetyPlan(session, vault, context.organization_id, access.case_id);
    if (!plan.ok() && !absl::IsNotFound(plan.status())) return plan.status();
    if (plan.ok()) facts.safety_plan_time = time::ToTime(plan->create_time());
  }
  return facts;
}

// Tells of the entry; of a private one the audit log alone.
void Tell(Change& change, const v1::Entry& entry, const std::string& stored) {
  change.SetResult(entry.name(), entry.version());
  if (entry.private_()) {
    change.Audit(entry.name(), entry.version(), stored);
  } else {
    change.Record(entry.name(), entry.version(), PayloadOf(entry), stored);
  }
}

// After a change of a safety check: whether the case bears the flag now.
absl::Status TellSafety(Change& change, const crypto::Vault& vault, const CaseAccess& access) {
  sql::Transaction& tx = change.tx();
  const std::string& organization_id = change.context().organization_id;
  ASSIGN_OR_RETURN(const std::vector<v1::Entry> checks,
                   AllEntries(tx, vault, organization_id, access.case_id,
                              {.kinds = {v1::ENTRY_KIND_SAFETY_CHECK}}));
  ASSIGN_OR_RETURN(const int64_t version, CountRevisions(tx, organization_id, access.case_id,
                                                         v1::ENTRY_KIND_SAFETY_CHECK));
  v1::CaseSafetyEvent event;
  event.set_case_(access.name);
  event.set_flagged(IsSafetyFlagged(checks));
  change.Record(absl::StrCat(access.name, "/safety"), version, event);
  return absl::OkStatus();
}

// Sets the warnings of `entries` as things stand now.
absl::Status Warn(sql::Session& session, const crypto::Vault& vault, const CallContext& context,
                  const CaseAccess& access,
                  google::protobuf::RepeatedPtrField<v1::Entry>& entries) {
  const scheduling::v1::CourseEvent& course = access.course.state;
  const bool conjoint = IsConjoint(course);
  std::vector<v1::Entry> others;
  const bool aimed = std::any_of(entries.begin(), entries.end(), [](const v1::Entry& entry) {
    return entry.has_action() || entry.has_dispute() || entry.has_incident();
  });
  if (aimed && !conjoint) {
    ASSIGN_OR_RETURN(
        others, AllEntries(session, vault, context.organization_id, access.case_id,
                           {.kinds = {v1::ENTRY_KIND_RELATIONSHIP, v1::ENTRY_KIND_SAFETY_CHECK}}));
  }
  for (v1::Entry& entry : entries) {
    const absl::CivilDay day = absl::ToCivilDay(context.now, ZoneOf(course, entry.about()));
    for (const v1::EntryWarning warning :
         WarningsOf(entry, others, conjoint, day, ShippedEntryRules())) {
      entry.add_warnings(warning);
    }
  }
  return absl::OkStatus();
}

// `entry` as it is answered to who wrote it: in a joint session nothing of safety is on the screen.
absl::StatusOr<v1::Entry> Answer(sql::Session& session, const crypto::Vault& vault,
                                 const CallContext& context, const CaseAccess& access,
                                 v1::Entry entry, bool joint_session) {
  if (joint_session) return entry;
  google::protobuf::RepeatedPtrField<v1::Entry> entries;
  *entries.Add() = std::move(entry);
  RETURN_IF_ERROR(Warn(session, vault, context, access, entries));
  return std::move(entries[0]);
}

// Whether the caller may put their signature under something now.
absl::Status RequireToSign(sql::Session& session, const CallContext& context,
                           const CaseAccess& access) {
  RETURN_IF_ERROR(RequireRecentAuthentication(context));
  return RequireLicensed(session, context, access.clinician, access.course.state).status();
}

absl::Status InUse() {
  return errors::FailedPrecondition(
      "ENTRY_IN_USE", "The focus of the therapy rests on it. Change the problem areas first.");
}

absl::Status Voided() {
  return errors::FailedPrecondition("ENTRY_VOIDED", "It was voided. Write a new entry.");
}

}  // namespace

void EntryHandlers::Register(call::Registry& registry) {
  registry.Service("rapport.notes.v1.CaseEntryService", this)
      .Unary("CreateEntry", &EntryHandlers::CreateEntry)
      .Unary("ReviseEntry", &EntryHandlers::ReviseEntry)
      .Unary("VoidEntry", &EntryHandlers::VoidEntry)
      .Unary("GetEntry", &EntryHandlers::GetEntry)
      .Unary("ListEntries", &EntryHandlers::ListEntries)
      .Unary("ListEntryRevisions", &EntryHandlers::ListEntryRevisions)
      .Unary("GetClosingObstacles", &EntryHandlers::GetClosingObstacles);
}

absl::StatusOr<v1::Entry> EntryHandlers::ReadEntry(sql::Session& session,
                                                   const CallContext& context,
                                                   absl::string_view name) const {
  ASSIGN_OR_RETURN(const CaseAccess access, access_.RequireCase(session, context, name, "Entry"));
  ASSIGN_OR_RETURN(EntryRecord record, notes::GetEntry(session, vault_, name));
  return Answer(session, vault_, context, access, std::move(record.resource), false);
}

absl::StatusOr<v1::Entry> EntryHandlers::CreateEntry(const CallContext& context,
                                                     const v1::CreateEntryRequest& request) {
  return call::Mutate<v1::Entry>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) {
        return ReadEntry(session, context, name);
      },
      [&](Change& change) -> absl::StatusOr<v1::Entry> {
        sql::Transaction& tx = change.tx();
        tx.Lock({request.parent()});
        ASSIGN_OR_RETURN(const CaseAccess access,
                         access_.RequireTreatedCase(tx, context, request.parent(), "Case"));
        ASSIGN_OR_RETURN(const CaseRecord record,
                         GetCase(tx, vault_, context.organization_id, access.case_id));
        ASSIGN_OR_RETURN(const EntryFacts facts,
                         FactsFor(tx, vault_, context, access, request.entry(), ""));
        v1::Entry entry = Prepared(request.entry(), nullptr, facts, ShippedEntryRules());
        RETURN_IF_ERROR(CheckEntry(entry, nullptr, facts, ShippedEntryRules()));
        if (entry.contract().has_sign_time()) {
          RETURN_IF_ERROR(RequireToSign(tx, context, access));
        }

        entry.set_name(absl::StrCat(access.name, "/entries/", ids::NewUlid()));
        entry.set_clinician(access.clinician);
        ASSIGN_OR_RETURN(const std::string stored, InsertEntry(tx, vault_, record.resource, entry));
        Tell(change, entry, stored);
        if (entry.has_safety_check()) RETURN_IF_ERROR(TellSafety(change, vault_, access));
        return Answer(tx, vault_, context, access, std::move(entry), facts.joint_session);
      });
}

absl::StatusOr<v1::Entry> EntryHandlers::ReviseEntry(const CallContext& context,
                                                     const v1::ReviseEntryRequest& request) {
  return call::Mutate<v1::Entry>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) {
        return ReadEntry(session, context, name);
      },
      [&](Change& change) -> absl::StatusOr<v1::Entry> {
        sql::Transaction& tx = change.tx();
        tx.Lock({names::InOrganization(context.organization_id, "cases",
                                       names::Id(request.name(), "cases"))});
        ASSIGN_OR_RETURN(const CaseAccess access,
                         access_.RequireTreatedCase(tx, context, request.name(), "Entry"));
        ASSIGN_OR_RETURN(const EntryRecord before, notes::GetEntry(tx, vault_, request.name()));
        if (before.resource.voided()) return Voided();
        RETURN_IF_ERROR(call::CheckEtag(request.etag(), before.version));
        if (!request.entry().about().empty() &&
            request.entry().about() != before.resource.about()) {
          return errors::InvalidArgument("entry.about", "never changes; void it and write another");
        }
        v1::Entry wanted = request.entry();
        wanted.set_about(before.resource.about());
        ASSIGN_OR_RETURN(const EntryFacts facts,
                         FactsFor(tx, vault_, context, access, wanted, request.name()));
        v1::Entry entry = Prepared(wanted, &before.resource, facts, ShippedEntryRules());
        RETURN_IF_ERROR(CheckEntry(entry, &before.resource, facts, ShippedEntryRules()));
        if (entry.contract().has_sign_time()) {
          RETURN_IF_ERROR(RequireToSign(tx, context, access));
        }
        if (entry.has_relationship()) {
          ASSIGN_OR_RETURN(const CaseRecord record,
                           GetCase(tx, vault_, context.organization_id, access.case_id));
          if (BreaksFocus(record.resource.problem_areas(), before.resource, &entry)) return InUse();
        }

        entry.set_clinician(access.clinician);
        entry.set_revision_reason(request.reason());
        ASSIGN_OR_RETURN(const std::string stored, UpdateEntry(tx, vault_, before, entry));
        Tell(change, entry, stored);
        if (entry.has_safety_check()) RETURN_IF_ERROR(TellSafety(change, vault_, access));
        return Answer(tx, vault_, context, access, std::move(entry), facts.joint_session);
      });
}

absl::StatusOr<v1::Entry> EntryHandlers::VoidEntry(const CallContext& context,
                                                   const v1::VoidEntryRequest& request) {
  return call::Mutate<v1::Entry>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) {
        return ReadEntry(session, context, name);
      },
      [&](Change& change) -> absl::StatusOr<v1::Entry> {
        sql::Transaction& tx = change.tx();
        tx.Lock({names::InOrganization(context.organization_id, "cases",
                                       names::Id(request.name(), "cases"))});
        ASSIGN_OR_RETURN(const CaseAccess access,
                         access_.RequireTreatedCase(tx, context, request.name(), "Entry"));
        ASSIGN_OR_RETURN(const EntryRecord before, notes::GetEntry(tx, vault_, request.name()));
        if (before.resource.voided()) return Voided();
        RETURN_IF_ERROR(call::CheckEtag(request.etag(), before.version));
        if (before.resource.has_relationship()) {
          ASSIGN_OR_RETURN(const CaseRecord record,
                           GetCase(tx, vault_, context.organization_id, access.case_id));
          if (BreaksFocus(record.resource.problem_areas(), before.resource, nullptr)) {
            return InUse();
          }
        }
        v1::Entry entry = before.resource;
        entry.set_voided(true);
        entry.set_open(false);
        entry.set_clinician(access.clinician);
        entry.set_revision_reason(request.reason());
        *entry.mutable_update_time() = time::ToTimestamp(context.now);
        ASSIGN_OR_RETURN(const std::string stored, UpdateEntry(tx, vault_, before, entry));
        Tell(change, entry, stored);
        if (entry.has_safety_check()) RETURN_IF_ERROR(TellSafety(change, vault_, access));
        return entry;
      });
}

absl::StatusOr<v1::Entry> EntryHandlers::GetEntry(const CallContext& context,
                                                  const v1::GetEntryRequest& request) {
  return call::Read<v1::Entry>(database_, context, [&](sql::Session& session) {
    return ReadEntry(session, context, request.name());
  });
}

absl::StatusOr<v1::ListEntriesResponse> EntryHandlers::ListEntries(
    const CallContext& context, const v1::ListEntriesRequest& request) {
  ASSIGN_OR_RETURN(const call::Page page, call::ReadPage(context, request));
  return call::Read<v1::ListEntriesResponse>(
      database_, context, [&](sql::Session& session) -> absl::StatusOr<v1::ListEntriesResponse> {
        ASSIGN_OR_RETURN(const CaseAccess access,
                         access_.RequireCase(session, context, request.parent(), "Case"));
        EntryQuery query{
            .view = request.about(), .open = request.open(), .voided = request.show_voided()};
        for (const int kind : request.kinds()) {
          query.kinds.push_back(static_cast<v1::EntryKind>(kind));
        }
        ASSIGN_OR_RETURN(Listed<v1::Entry> listed,
                         notes::ListEntries(session, vault_, context.organization_id,
                                            access.case_id, query, page));
        v1::ListEntriesResponse response;
        for (v1::Entry& entry : listed.items) *response.add_entries() = std::move(entry);
        if (request.about().empty()) {
          RETURN_IF_ERROR(Warn(session, vault_, context, access, *response.mutable_entries()));
        }
        if (!listed.next_key.empty()) {
          response.set_next_page_token(call::NextPageToken(context, listed.next_key));
        }
        return response;
      });
}

absl::StatusOr<v1::ListEntryRevisionsResponse> EntryHandlers::ListEntryRevisions(
    const CallContext& context, const v1::ListEntryRevisionsRequest& request) {
  ASSIGN_OR_RETURN(const call::Page page, call::ReadPage(context, request));
  return call::Read<v1::ListEntryRevisionsResponse>(
      database_, context,
      [&](sql::Session& session) -> absl::StatusOr<v1::ListEntryRevisionsResponse> {
        RETURN_IF_ERROR(access_.RequireCase(session, context, request.name(), "Entry").status());
        ASSIGN_OR_RETURN(Listed<v1::Entry> listed,
                         notes::ListEntryRevisions(session, vault_, request.name(), page));
        v1::ListEntryRevisionsResponse response;
        for (v1::Entry& entry : listed.items) *response.add_entries() = std::move(entry);
        if (!listed.next_key.empty()) {
          response.set_next_page_token(call::NextPageToken(context, listed.next_key));
        }
        return response;
      });
}

absl::StatusOr<v1::ClosingObstacles> EntryHandlers::GetClosingObstacles(
    const CallContext& context, const v1::GetClosingObstaclesRequest& request) {
  return call::Read<v1::ClosingObstacles>(
      database_, context, [&](sql::Session& session) -> absl::StatusOr<v1::ClosingObstacles> {
        ASSIGN_OR_RETURN(const CaseAccess access,
                         access_.RequireCase(session, context, request.name(), "Case"));
        ASSIGN_OR_RETURN(const std::vector<v1::Entry> entries,
                         AllEntries(session, vault_, context.organization_id, access.case_id,
                                    {.kinds = {v1::ENTRY_KIND_REFERRAL, v1::ENTRY_KIND_SICK_ROLE,
                                               v1::ENTRY_KIND_TERMINATION_TASK,
                                               v1::ENTRY_KIND_OUT_OF_SCOPE_TOPIC}}));
        return ClosingObstaclesOf(entries, ShippedEntryRules());
      });
}

}  // namespace rapport::notes
