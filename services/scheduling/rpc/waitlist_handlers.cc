#include "services/scheduling/rpc/waitlist_handlers.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/call/mutate.h"
#include "common/call/pages.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "services/scheduling/domain/courses.h"
#include "services/scheduling/domain/waitlist.h"
#include "services/scheduling/rpc/access.h"
#include "services/scheduling/store/appointment_store.h"
#include "services/scheduling/store/course_store.h"
#include "services/scheduling/store/waitlist_store.h"

namespace rapport::scheduling {
namespace {

// Who may know of the course's times may know its entries; who schedules its sessions may `change`
// them.
absl::StatusOr<store::WaitlistRow> ReadRow(sql::Session& session, const call::CallContext& context,
                                           absl::string_view name, bool change = false) {
  const store::Scope scope = ScopeOf(context);
  ASSIGN_OR_RETURN(store::WaitlistRow row, store::GetWaitlistEntry(session, name, scope));
  const View view = ViewOf(context, scope, row.treats, row.clinic, row.supervises);
  if (view == View::kNone) return errors::NotFound("WaitlistEntry");
  if (change) RETURN_IF_ERROR(RequireScheduling(scope, view, row.clinic, "WaitlistEntry"));
  return row;
}

absl::StatusOr<v1::WaitlistEntry> ReadOne(sql::Session& session, const call::CallContext& context,
                                          absl::string_view name) {
  ASSIGN_OR_RETURN(store::WaitlistRow row, ReadRow(session, context, name));
  return std::move(row.resource);
}

// The start of the booked session of `course` that is to be replaced.
absl::StatusOr<absl::Time> StartOfReplaced(sql::Session& session, absl::string_view course,
                                           absl::string_view name) {
  const auto replaced = store::GetAppointment(session, name, {});
  if (!replaced.ok() && !absl::IsNotFound(replaced.status())) return replaced.status();
  if (!replaced.ok() || replaced->resource.course() != course ||
      replaced->resource.state() != v1::APPOINTMENT_STATE_BOOKED) {
    return errors::FailedPrecondition("APPOINTMENT_MISMATCH",
                                      "`replaces` is none of the course's booked sessions.",
                                      {{"appointment", std::string(name)}});
  }
  return time::ToTime(replaced->resource.start_time());
}

}  // namespace

void WaitlistHandlers::Register(call::Registry& registry) {
  registry.Service("rapport.scheduling.v1.WaitlistService", this)
      .Unary("JoinWaitlist", &WaitlistHandlers::JoinWaitlist)
      .Unary("GetWaitlistEntry", &WaitlistHandlers::GetWaitlistEntry)
      .Unary("ListWaitlistEntries", &WaitlistHandlers::ListWaitlistEntries)
      .Unary("LeaveWaitlist", &WaitlistHandlers::LeaveWaitlist)
      .Unary("AcceptWaitlistOffer", &WaitlistHandlers::AcceptWaitlistOffer)
      .Unary("DeclineWaitlistOffer", &WaitlistHandlers::DeclineWaitlistOffer);
}

absl::StatusOr<v1::WaitlistEntry> WaitlistHandlers::JoinWaitlist(
    const call::CallContext& context, const v1::JoinWaitlistRequest& request) {
  const v1::WaitlistEntry& asked = request.waitlist_entry();
  return call::Mutate<v1::WaitlistEntry>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) {
        return ReadOne(session, context, name);
      },
      [&](call::Change& change) -> absl::StatusOr<v1::WaitlistEntry> {
        sql::Transaction& tx = change.tx();
        const store::Scope scope = ScopeOf(context);
        ASSIGN_OR_RETURN(const store::CourseRow row, store::GetCourse(tx, asked.course(), scope));
        const v1::Course& course = row.resource;
        const View view = ViewOf(context, scope, row.sees_to, course.clinic(), row.supervises);
        RETURN_IF_ERROR(RequireScheduling(scope, view, course.clinic(), "Course"));
        RETURN_IF_ERROR(RequireUnderWay(course.state()));
        tx.Lock({absl::StrCat("waitlist/", asked.course())});
        ASSIGN_OR_RETURN(const bool waits, store::IsOnWaitlist(tx, asked.course()));
        if (waits) {
          return errors::FailedPrecondition(
              "ALREADY_WAITING", "The course has an entry that waits; leave with that one first.",
              {{"course", asked.course()}});
        }
        std::optional<absl::Time> replaced;
        if (!asked.replaces().empty()) {
          ASSIGN_OR_RETURN(replaced, StartOfReplaced(tx, asked.course(), asked.replaces()));
        }
        ASSIGN_OR_RETURN(v1::WaitlistEntry entry, NewWaitlistEntry(asked, replaced, context.now));
        entry.set_name(names::InOrganization(context.organization_id, "waitlistEntries", NewId()));
        *entry.mutable_create_time() = time::ToTimestamp(context.now);
        *entry.mutable_update_time() = entry.create_time();
        RETURN_IF_ERROR(store::InsertWaitlistEntry(tx, entry, course));
        Act act(change);
        act.Record(entry.name(), 1, PayloadOf(entry), store::Document(entry));
        change.SetResult(entry.name(), 1);
        work::Schedule(tx, context.organization_id, Waitlist::kLapseWork, names::Last(entry.name()),
                       time::ToTime(entry.latest()));
        entry.set_etag(call::Etag(1));
        if (!NeedsPromptOffer(entry)) return entry;
        ASSIGN_OR_RETURN(store::Candidate candidate,
                         store::GetCandidate(tx, entry.name(), context.now + kPromptWithin));
        RETURN_IF_ERROR(waitlist_.OfferNearest(act, candidate).status());
        return std::move(candidate.resource);
      });
}

absl::StatusOr<v1::WaitlistEntry> WaitlistHandlers::GetWaitlistEntry(
    const call::CallContext& context, const v1::GetWaitlistEntryRequest& request) {
  return call::Read<v1::WaitlistEntry>(database_, context, [&](sql::Session& session) {
    return ReadOne(session, context, request.name());
  });
}

absl::StatusOr<v1::ListWaitlistEntriesResponse> WaitlistHandlers::ListWaitlistEntries(
    const call::CallContext& context, const v1::ListWaitlistEntriesRequest& request) {
  ASSIGN_OR_RETURN(const call::Page page, call::ReadPage(context, request));
  store::WaitlistKey after;
  if (!page.after.empty()) {
    const auto [urgency, rest] = call::SplitKey(page.after);
    const auto [created, id] = call::SplitKey(rest);
    (void)absl::SimpleAtoi(urgency, &after.urgency);
    (void)absl::SimpleAtoi(created, &after.create_micros);
    after.id = id;
  }
  store::WaitlistFilter filter;
  filter.course_id = std::string(names::Id(request.course(), "courses"));
  filter.clinician_id = std::string(names::Id(request.clinician(), "clinicians"));
  filter.include_closed = request.include_closed();
  ASSIGN_OR_RETURN(
      auto entries,
      call::Read<std::vector<v1::WaitlistEntry>>(database_, context, [&](sql::Session& session) {
        return store::ListWaitlistEntries(session, context.organization_id, ScopeOf(context),
                                          filter, after, page.size + 1);
      }));
  v1::ListWaitlistEntriesResponse response;
  for (v1::WaitlistEntry& entry : entries) {
    if (response.waitlist_entries_size() == page.size) {
      const store::WaitlistKey last = store::KeyOf(response.waitlist_entries(page.size - 1));
      response.set_next_page_token(call::NextPageToken(
          context, call::JoinKey(absl::StrCat(last.urgency),
                                 call::JoinKey(absl::StrCat(last.create_micros), last.id))));
      break;
    }
    *response.add_waitlist_entries() = std::move(entry);
  }
  return response;
}

template <class Request>
absl::StatusOr<v1::WaitlistEntry> WaitlistHandlers::Transition(
    const call::CallContext& context, const Request& request,
    absl::FunctionRef<absl::Status(Act&, v1::WaitlistEntry&, int64_t)> step) {
  return call::Mutate<v1::WaitlistEntry>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) {
        return ReadOne(session, context, name);
      },
      [&](call::Change& change) -> absl::StatusOr<v1::WaitlistEntry> {
        ASSIGN_OR_RETURN(store::WaitlistRow row,
                         ReadRow(change.tx(), context, request.name(), /*change=*/true));
        RETURN_IF_ERROR(call::CheckEtag(request.etag(), row.version));
        Act act(change);
        RETURN_IF_ERROR(step(act, row.resource, row.version));
        change.SetResult(row.resource.name(), row.version + 1);
        return std::move(row.resource);
      });
}

absl::StatusOr<v1::WaitlistEntry> WaitlistHandlers::LeaveWaitlist(
    const call::CallContext& context, const v1::LeaveWaitlistRequest& request) {
  return Transition(context, request, [&](Act& act, v1::WaitlistEntry& entry, int64_t version) {
    return waitlist_.Leave(act, entry, version);
  });
}

absl::StatusOr<v1::AcceptWaitlistOfferResponse> WaitlistHandlers::AcceptWaitlistOffer(
    const call::CallContext& context, const v1::AcceptWaitlistOfferRequest& request) {
  v1::AcceptWaitlistOfferResponse response;
  ASSIGN_OR_RETURN(
      *response.mutable_waitlist_entry(),
      Transition(context, request,
                 [&](Act& act, v1::WaitlistEntry& entry, int64_t version) -> absl::Status {
                   ASSIGN_OR_RETURN(*response.mutable_appointment(),
                                    waitlist_.Accept(act, entry, version));
                   return absl::OkStatus();
                 }));
  if (!response.has_appointment()) {  // a repeat
    ASSIGN_OR_RETURN(*response.mutable_appointment(),
                     call::Read<v1::Appointment>(database_, context, [&](sql::Session& session) {
                       return Booker::Read(session, context, response.waitlist_entry().offer());
                     }));
  }
  return response;
}

absl::StatusOr<v1::WaitlistEntry> WaitlistHandlers::DeclineWaitlistOffer(
    const call::CallContext& context, const v1::DeclineWaitlistOfferRequest& request) {
  return Transition(context, request, [&](Act& act, v1::WaitlistEntry& entry, int64_t version) {
    return waitlist_.Decline(act, entry, version);
  });
}

}  // namespace rapport::scheduling
