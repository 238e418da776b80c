#include "services/scheduling/rpc/group_handlers.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/call/mutate.h"
#include "common/call/pages.h"
#include "common/errors/errors.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "common/time/zones.h"
#include "services/scheduling/domain/courses.h"
#include "services/scheduling/domain/event_payloads.h"
#include "services/scheduling/domain/groups.h"
#include "services/scheduling/domain/protocols.h"
#include "services/scheduling/domain/series.h"
#include "services/scheduling/store/directory_store.h"

namespace rapport::scheduling {
namespace {

constexpr size_t kMostLocks = 64;

View GroupView(const call::CallContext& context, const store::Scope& scope,
               const store::GroupRow& row) {
  return ViewOf(context, scope, row.leads, row.resource.clinic(), row.supervises);
}

// For who may know of the group.
absl::StatusOr<v1::Group> ReadGroup(sql::Session& session, const call::CallContext& context,
                                    absl::string_view name) {
  const store::Scope scope = ScopeOf(context);
  ASSIGN_OR_RETURN(store::GroupRow row, store::GetGroup(session, name, scope));
  if (GroupView(context, scope, row) == View::kNone) return errors::NotFound("Group");
  return std::move(row.resource);
}

// Under its lock, for who may change it.
absl::StatusOr<store::GroupRow> LockGroup(call::Change& change, const std::string& name) {
  const store::Scope scope = ScopeOf(change.context());
  change.tx().Lock({name});
  ASSIGN_OR_RETURN(store::GroupRow row, store::GetGroup(change.tx(), name, scope));
  RETURN_IF_ERROR(RequireScheduling(scope, GroupView(change.context(), scope, row),
                                    row.resource.clinic(), "Group"));
  return row;
}

absl::Status UpdateGroup(call::Change& change, v1::Group& group, int64_t version) {
  *group.mutable_update_time() = time::ToTimestamp(change.context().now);
  RETURN_IF_ERROR(store::UpdateGroup(change.tx(), group, version));
  change.Record(group.name(), version + 1, PayloadOf(group), store::Document(group));
  return absl::OkStatus();
}

absl::Status UpdateCourse(call::Change& change, store::CourseRow& row,
                          const v1::Protocol& protocol) {
  v1::Course& course = row.resource;
  *course.mutable_update_time() = time::ToTimestamp(change.context().now);
  RETURN_IF_ERROR(store::UpdateCourse(change.tx(), course, row.version));
  ++row.version;
  change.Record(course.name(), row.version, PayloadOf(course, protocol), store::Document(course));
  change.SetResult(course.name(), row.version);
  course.set_etag(call::Etag(row.version));
  return absl::OkStatus();
}

std::vector<std::string> LeadersOf(const v1::Group& group) {
  std::vector<std::string> leaders = {group.clinician()};
  leaders.insert(leaders.end(), group.co_clinicians().begin(), group.co_clinicians().end());
  return leaders;
}

absl::Status Unknown(absl::Status status, absl::string_view reason, absl::string_view key,
                     const std::string& name) {
  if (!absl::IsNotFound(status)) return status;
  return errors::FailedPrecondition(reason, absl::StrCat("There is no such ", key, "."),
                                    {{std::string(key), name}});
}

// What comes out of a transaction in which time was taken.
template <class Resource>
absl::StatusOr<Resource> Explained(absl::StatusOr<Resource> result) {
  if (!result.ok()) return ExplainOverlap(result.status());
  return result;
}

// Where a member is else is not for those to know who lead the group.
absl::Status WithoutNames(const absl::Status& status) {
  if (errors::Reason(status) != "TIME_TAKEN") return status;
  return errors::FailedPrecondition(
      "TIME_TAKEN", "A session overlaps another appointment of a member; choose another time.",
      {{"date", errors::MetadataValue(status, "date")}});
}

// The locks of the members' courses, then, where the bound on locks leaves room, of all whose time
// is concerned: the booker, called several times, finds them taken in its own order.
void LockMembers(sql::Transaction& tx, const v1::Group& group,
                 const std::vector<store::MemberRow>& members) {
  std::vector<std::string> courses;
  std::vector<std::string> people = LeadersOf(group);
  people.push_back(absl::StrCat(group.clinic(), "/rooms"));
  for (const store::MemberRow& member : members) {
    courses.push_back(member.member.course());
    people.push_back(member.patient);
  }
  const bool all = 1 + courses.size() + people.size() <= kMostLocks;
  if (!courses.empty()) tx.Lock(std::move(courses));
  if (all) tx.Lock(std::move(people));
}

}  // namespace

void GroupHandlers::Register(call::Registry& registry) {
  registry.Service("rapport.scheduling.v1.GroupService", this)
      .Unary("CreateGroup", &GroupHandlers::CreateGroup)
      .Unary("GetGroup", &GroupHandlers::GetGroup)
      .Unary("ListGroups", &GroupHandlers::ListGroups)
      .Unary("ListGroupMembers", &GroupHandlers::ListGroupMembers)
      .Unary("JoinGroup", &GroupHandlers::JoinGroup)
      .Unary("LeaveGroup", &GroupHandlers::LeaveGroup)
      .Unary("BookGroupSessions", &GroupHandlers::BookGroupSessions)
      .Unary("ListGroupSessions", &GroupHandlers::ListGroupSessions)
      .Unary("CancelGroupSession", &GroupHandlers::CancelGroupSession);
}

absl::StatusOr<v1::Group> GroupHandlers::CreateGroup(const call::CallContext& context,
                                                     const v1::CreateGroupRequest& request) {
  const v1::Group& asked = request.group();
  return call::Mutate<v1::Group>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) {
        return ReadGroup(session, context, name);
      },
      [&](call::Change& change) -> absl::StatusOr<v1::Group> {
        sql::Transaction& tx = change.tx();
        const store::Scope scope = ScopeOf(context);
        const auto protocol = protocols_.Find(tx, asked.protocol());
        RETURN_IF_ERROR(
            Unknown(protocol.status(), "UNKNOWN_PROTOCOL", "protocol", asked.protocol()));
        RETURN_IF_ERROR(Unknown(store::GetClinic(tx, asked.clinic()).status(), "UNKNOWN_CLINIC",
                                "clinic", asked.clinic()));
        std::vector<v1::Clinician> leaders;
        bool leads = context.is_service();
        for (const std::string& leader : LeadersOf(asked)) {
          auto clinician = store::GetClinician(tx, leader);
          RETURN_IF_ERROR(Unknown(clinician.status(), "UNKNOWN_CLINICIAN", "clinician", leader));
          leaders.push_back(std::move(clinician->resource));
          if (!leads) {
            ASSIGN_OR_RETURN(leads, store::SeesTo(tx, leader, scope));
          }
        }
        if (!leads && !scope.CoversClinic(names::Last(asked.clinic()))) {
          return errors::PermissionDenied(
              "NOT_THE_THERAPIST",
              "Groups are made by who leads them, who covers for them, or their clinic's managers "
              "and schedulers.");
        }
        ASSIGN_OR_RETURN(v1::Group group, ProposeGroup(asked, leaders, **protocol));
        group.set_name(names::InOrganization(context.organization_id, "groups", NewId()));
        *group.mutable_create_time() = time::ToTimestamp(context.now);
        *group.mutable_update_time() = group.create_time();
        RETURN_IF_ERROR(store::InsertGroup(tx, group));
        change.Record(group.name(), 1, PayloadOf(group), store::Document(group));
        group.set_etag(call::Etag(1));
        return group;
      });
}

absl::StatusOr<v1::Group> GroupHandlers::GetGroup(const call::CallContext& context,
                                                  const v1::GetGroupRequest& request) {
  return call::Read<v1::Group>(database_, context, [&](sql::Session& session) {
    return ReadGroup(session, context, request.name());
  });
}

absl::StatusOr<v1::ListGroupsResponse> GroupHandlers::ListGroups(
    const call::CallContext& context, const v1::ListGroupsRequest& request) {
  ASSIGN_OR_RETURN(const call::Page page, call::ReadPage(context, request));
  store::GroupKey after;
  if (!page.after.empty()) {
    const auto [created, id] = call::SplitKey(page.after);
    (void)absl::SimpleAtoi(created, &after.create_micros);
    after.id = id;
  }
  ASSIGN_OR_RETURN(
      auto rows,
      call::Read<std::vector<store::GroupRow>>(database_, context, [&](sql::Session& session) {
        return store::ListGroups(session, context.organization_id, ScopeOf(context), after,
                                 page.size + 1);
      }));
  v1::ListGroupsResponse response;
  for (store::GroupRow& row : rows) {
    if (response.groups_size() == page.size) {
      const v1::Group& last = response.groups(page.size - 1);
      response.set_next_page_token(call::NextPageToken(
          context, call::JoinKey(absl::StrCat(absl::ToUnixMicros(time::ToTime(last.create_time()))),
                                 names::Last(last.name()))));
      break;
    }
    *response.add_groups() = std::move(row.resource);
  }
  return response;
}

absl::StatusOr<v1::ListGroupMembersResponse> GroupHandlers::ListGroupMembers(
    const call::CallContext& context, const v1::ListGroupMembersRequest& request) {
  ASSIGN_OR_RETURN(call::Page page, call::ReadPage(context, request));
  int after = 0;
  if (!page.after.empty()) (void)absl::SimpleAtoi(page.after, &after);
  ASSIGN_OR_RETURN(auto rows,
                   call::Read<std::vector<store::MemberRow>>(
                       database_, context,
                       [&](sql::Session& session) -> absl::StatusOr<std::vector<store::MemberRow>> {
                         ASSIGN_OR_RETURN(const v1::Group group,
                                          ReadGroup(session, context, request.parent()));
                         if (request.page_size() == 0) page.size = group.capacity();
                         return store::ListMembers(session, request.parent(), after, page.size + 1);
                       }));
  v1::ListGroupMembersResponse response;
  for (store::MemberRow& row : rows) {
    if (response.group_members_size() == page.size) {
      response.set_next_page_token(
          call::NextPageToken(context, absl::StrCat(response.group_members(page.size - 1).seat())));
      break;
    }
    *response.add_group_members() = std::move(row.member);
  }
  return response;
}

absl::StatusOr<v1::Course> GroupHandlers::Shown(sql::Session& session,
                                                const call::CallContext& context,
                                                store::CourseRow row) const {
  const store::Scope scope = ScopeOf(context);
  v1::Course& course = row.resource;
  ASSIGN_OR_RETURN(const auto protocol, protocols_.Find(session, course.protocol()));
  const v1::Course* const courses[] = {&course};
  ASSIGN_OR_RETURN(auto attended, store::ListAttended(session, context.organization_id, courses));
  FillProgress(course, *protocol,
               {row.sessions.used, row.formulation_agreed, std::move(attended.front())});
  if (ViewOf(context, scope, row.sees_to, course.clinic()) != View::kFull) {
    KeepExistenceAndTimes(course);
  }
  return std::move(course);
}

absl::StatusOr<v1::Course> GroupHandlers::ReadCourse(sql::Session& session,
                                                     const call::CallContext& context,
                                                     absl::string_view name) const {
  ASSIGN_OR_RETURN(store::CourseRow row, store::GetCourse(session, name, ScopeOf(context)));
  return Shown(session, context, std::move(row));
}

absl::Status GroupHandlers::TakeSeats(Act& act, const v1::Group& group, absl::string_view course,
                                      int seat, absl::Span<v1::GroupSession> sessions) const {
  if (sessions.empty()) return absl::OkStatus();
  SeatAsk ask;
  ask.course = std::string(course);
  ask.seat = seat;
  for (const v1::GroupSession& session : sessions) {
    SeatAsk::Session& one = ask.sessions.emplace_back();
    one.name = session.name();
    one.date = time::ToCivilDay(session.local_date());
    one.minute_of_day = time::ToMinutes(session.local_time());
    one.minutes = static_cast<int>(absl::ToInt64Minutes(time::ToTime(session.end_time()) -
                                                        time::ToTime(session.start_time())));
    one.modality = session.modality();
    one.clinician = group.clinician();
    one.clinic = group.clinic();
  }
  const auto booked = booker_.BookSeats(act, ask);
  RETURN_IF_ERROR(WithoutNames(booked.status()));
  const std::vector<v1::Appointment>& places = *booked;
  for (size_t i = 0; i < sessions.size(); ++i) {
    v1::GroupSeat& place = *sessions[i].add_seats();
    place.set_seat(seat);
    place.set_appointment(places.at(i).name());
    place.set_state(places[i].state());
    store::InsertSeat(act.tx(), sessions[i].name(), group.capacity(), place);
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::Course> GroupHandlers::JoinGroup(const call::CallContext& context,
                                                    const v1::JoinGroupRequest& request) {
  return Explained(call::Mutate<v1::Course>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) {
        return ReadCourse(session, context, name);
      },
      [&](call::Change& change) -> absl::StatusOr<v1::Course> {
        sql::Transaction& tx = change.tx();
        const store::Scope scope = ScopeOf(context);
        ASSIGN_OR_RETURN(store::GroupRow group, LockGroup(change, request.name()));
        tx.Lock({request.course()});
        ASSIGN_OR_RETURN(store::CourseRow row, store::GetCourse(tx, request.course(), scope));
        v1::Course& course = row.resource;
        RETURN_IF_ERROR(RequireScheduling(scope,
                                          ViewOf(context, scope, row.sees_to, course.clinic()),
                                          course.clinic(), "Course"));
        RETURN_IF_ERROR(CheckJoining(group.resource, course));
        ASSIGN_OR_RETURN(const std::set<int> taken,
                         store::TakenSeats(tx, request.name(), context.now));
        ASSIGN_OR_RETURN(const int seat, LowestFreeSeat(taken, group.resource.capacity()));
        ASSIGN_OR_RETURN(const auto protocol, protocols_.Find(tx, course.protocol()));
        ASSIGN_OR_RETURN(auto to_come,
                         store::ListGroupSessionsToCome(tx, request.name(), context.now));

        Act act = Act::Allowed(change);
        RETURN_IF_ERROR(
            TakeSeats(act, group.resource, course.name(), seat, absl::MakeSpan(to_come)));
        v1::GroupMember member;
        member.set_course(course.name());
        member.set_seat(seat);
        *member.mutable_join_time() = time::ToTimestamp(context.now);
        store::InsertMember(tx, group.resource, member);
        course.set_group(request.name());
        course.set_seat(seat);
        RETURN_IF_ERROR(UpdateCourse(change, row, *protocol));
        group.resource.set_seats_taken(group.resource.seats_taken() + 1);
        RETURN_IF_ERROR(UpdateGroup(change, group.resource, group.version));
        return Shown(tx, context, std::move(row));
      }));
}

absl::StatusOr<v1::Course> GroupHandlers::LeaveGroup(const call::CallContext& context,
                                                     const v1::LeaveGroupRequest& request) {
  return call::Mutate<v1::Course>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) {
        return ReadCourse(session, context, name);
      },
      [&](call::Change& change) -> absl::StatusOr<v1::Course> {
        sql::Transaction& tx = change.tx();
        ASSIGN_OR_RETURN(store::GroupRow group, LockGroup(change, request.name()));
        ASSIGN_OR_RETURN(const auto members,
                         store::ListMembers(tx, request.name(), 0, group.resource.capacity()));
        const auto found =
            std::find_if(members.begin(), members.end(), [&](const store::MemberRow& member) {
              return member.member.course() == request.course();
            });
        if (found == members.end()) {
          return errors::FailedPrecondition("NOT_A_MEMBER", "The course has no seat in the group.",
                                            {{"course", request.course()}});
        }
        tx.Lock({request.course()});
        ASSIGN_OR_RETURN(store::CourseRow row,
                         store::GetCourse(tx, request.course(), ScopeOf(context)));
        v1::Course& course = row.resource;
        ASSIGN_OR_RETURN(const auto protocol, protocols_.Find(tx, course.protocol()));
        ASSIGN_OR_RETURN(const auto places,
                         store::ListSeatsToCome(tx, request.name(), course.name(), context.now));

        Act act = Act::Allowed(change);
        for (const v1::GroupSeat& place : places) {
          // Who has come to a session early keeps the place.
          if (place.state() == v1::APPOINTMENT_STATE_CHECKED_IN ||
              place.state() == v1::APPOINTMENT_STATE_COMPLETED) {
            continue;
          }
          if (place.state() == v1::APPOINTMENT_STATE_BOOKED) {
            RETURN_IF_ERROR(
                booker_.Cancel(act, place.appointment(), v1::CANCEL_REASON_GROUP, "").status());
          }
          store::DeleteSeat(tx, place.appointment());
        }
        store::DeleteMember(tx, request.name(), course.name());
        course.clear_group();
        course.clear_seat();
        RETURN_IF_ERROR(UpdateCourse(change, row, *protocol));
        group.resource.set_seats_taken(group.resource.seats_taken() - 1);
        RETURN_IF_ERROR(UpdateGroup(change, group.resource, group.version));
        return Shown(tx, context, std::move(row));
      });
}

absl::StatusOr<v1::BookGroupSessionsResponse> GroupHandlers::BookGroupSessions(
    const call::CallContext& context, const v1::BookGroupSessionsRequest& request) {
  RETURN_IF_ERROR(
      CheckSessionStart(request.first_date(), "first_date", request.local_time(), "local_time"));
  return Explained(call::Mutate<v1::BookGroupSessionsResponse>(
      database_, context, request.request_id(),
      [&](sql::Session& session,
          absl::string_view series) -> absl::StatusOr<v1::BookGroupSessionsResponse> {
        RETURN_IF_ERROR(ReadGroup(session, context, request.name()).status());
        ASSIGN_OR_RETURN(auto sessions,
                         store::ListGroupSeries(session, request.name(), names::Last(series)));
        v1::BookGroupSessionsResponse response;
        for (v1::GroupSession& one : sessions) *response.add_group_sessions() = std::move(one);
        return response;
      },
      [&](call::Change& change) -> absl::StatusOr<v1::BookGroupSessionsResponse> {
        sql::Transaction& tx = change.tx();
        ASSIGN_OR_RETURN(const store::GroupRow row, LockGroup(change, request.name()));
        const v1::Group& group = row.resource;
        ASSIGN_OR_RETURN(const auto members,
                         store::ListMembers(tx, group.name(), 0, group.capacity()));
        LockMembers(tx, group, members);
        ASSIGN_OR_RETURN(const auto clinicians, store::ListLeaders(tx, group.name()));
        ASSIGN_OR_RETURN(const auto clinic, store::GetClinic(tx, group.clinic()));
        ASSIGN_OR_RETURN(const absl::TimeZone zone, time::LoadZone(clinic.resource.time_zone()));
        ASSIGN_OR_RETURN(const auto protocol, protocols_.Find(tx, group.protocol()));
        ASSIGN_OR_RETURN(const int booked, store::CountGroupSessions(tx, group.name()));

        const int first = FirstGroupSession(*protocol) + booked;
        const std::vector<int> offsets =
            DayOffsets(*protocol, first, request.count() + request.exceptions_size());
        SeriesRule rule;
        rule.first = time::ToCivilDay(request.first_date());
        rule.minute_of_day = time::ToMinutes(request.local_time());
        rule.count = request.count();
        rule.modality = request.modality();
        rule.day_offsets = offsets;
        ASSIGN_OR_RETURN(const std::vector<SeriesSession> times,
                         ExpandSeries(rule, request.exceptions()));

        std::vector<v1::GroupSession> sessions;
        std::vector<Booker::SharedSession> shared;
        for (const SeriesSession& time : times) {
          Booker::SharedSession& one = shared.emplace_back();
          one.booking = NewId();
          one.date = time.date;
          one.minute_of_day = time.minute_of_day;
          one.minutes = SessionPlanOf(*protocol, first + static_cast<int>(sessions.size())).minutes;
          one.modality =
              time.modality == v1::MODALITY_UNSPECIFIED ? v1::MODALITY_IN_PERSON : time.modality;
          one.room_need = request.room_need();
          const absl::Time start = time::ResolveLocal(
              absl::CivilSecond(absl::CivilMinute(time.date) + time.minute_of_day), zone);
          v1::GroupSession& session = sessions.emplace_back();
          session.set_name(absl::StrCat(group.name(), "/sessions/", one.booking));
          *session.mutable_start_time() = time::ToTimestamp(start);
          *session.mutable_end_time() = time::ToTimestamp(start + absl::Minutes(one.minutes));
          *session.mutable_local_date() = time::ToDate(time.date);
          *session.mutable_local_time() = time::ToTimeOfDay(time.minute_of_day);
          session.set_time_zone(clinic.resource.time_zone());
          session.set_modality(one.modality);
          session.set_state(v1::APPOINTMENT_STATE_BOOKED);
        }

        Act act(change);
        ASSIGN_OR_RETURN(const std::vector<std::string> rooms,
                         booker_.ClaimShared(act, LeadersOf(group), group.clinic(), shared));
        const std::string series = NewId();
        for (size_t i = 0; i < sessions.size(); ++i) {
          v1::GroupSession& session = sessions[i];
          session.set_room(rooms.at(i));
          store::InsertGroupSession(tx, session, series);
          change.Record(session.name(), 1,
                        PayloadOf(session, group, BusyUntil(session, clinicians)),
                        store::Document(session));
          session.set_etag(call::Etag(1));
        }
        Act allowed = Act::Allowed(change);
        for (const store::MemberRow& member : members) {
          RETURN_IF_ERROR(TakeSeats(allowed, group, member.member.course(), member.member.seat(),
                                    absl::MakeSpan(sessions)));
        }
        change.SetResult(names::InOrganization(context.organization_id, "series", series), 1);
        v1::BookGroupSessionsResponse response;
        for (v1::GroupSession& session : sessions) {
          *response.add_group_sessions() = std::move(session);
        }
        return response;
      }));
}

absl::StatusOr<v1::ListGroupSessionsResponse> GroupHandlers::ListGroupSessions(
    const call::CallContext& context, const v1::ListGroupSessionsRequest& request) {
  ASSIGN_OR_RETURN(const call::Page page, call::ReadPage(context, request));
  store::GroupSessionKey after;
  if (!page.after.empty()) {
    const auto [start, id] = call::SplitKey(page.after);
    (void)absl::SimpleAtoi(start, &after.start_micros);
    after.id = id;
  }
  ASSIGN_OR_RETURN(auto sessions,
                   call::Read<std::vector<v1::GroupSession>>(
                       database_, context,
                       [&](sql::Session& session) -> absl::StatusOr<std::vector<v1::GroupSession>> {
                         RETURN_IF_ERROR(ReadGroup(session, context, request.parent()).status());
                         return store::ListGroupSessions(session, request.parent(), after,
                                                         page.size + 1);
                       }));
  v1::ListGroupSessionsResponse response;
  for (v1::GroupSession& one : sessions) {
    if (response.group_sessions_size() == page.size) {
      const v1::GroupSession& last = response.group_sessions(page.size - 1);
      response.set_next_page_token(call::NextPageToken(
          context, call::JoinKey(absl::StrCat(absl::ToUnixMicros(time::ToTime(last.start_time()))),
                                 names::Last(last.name()))));
      break;
    }
    *response.add_group_sessions() = std::move(one);
  }
  return response;
}

absl::StatusOr<v1::GroupSession> GroupHandlers::CancelGroupSession(
    const call::CallContext& context, const v1::CancelGroupSessionRequest& request) {
  const std::string group_name =
      names::InOrganization(context.organization_id, "groups", names::Id(request.name(), "groups"));
  const auto with_seats =
      [&](sql::Session& session,
          store::Stored<v1::GroupSession> stored) -> absl::StatusOr<v1::GroupSession> {
    ASSIGN_OR_RETURN(const auto seats, store::ListSeats(session, stored.resource.name()));
    for (const v1::GroupSeat& seat : seats) *stored.resource.add_seats() = seat;
    return std::move(stored.resource);
  };
  return call::Mutate<v1::GroupSession>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) -> absl::StatusOr<v1::GroupSession> {
        RETURN_IF_ERROR(ReadGroup(session, context, group_name).status());
        ASSIGN_OR_RETURN(auto stored, store::GetGroupSession(session, name));
        return with_seats(session, std::move(stored));
      },
      [&](call::Change& change) -> absl::StatusOr<v1::GroupSession> {
        sql::Transaction& tx = change.tx();
        ASSIGN_OR_RETURN(const store::GroupRow group, LockGroup(change, group_name));
        ASSIGN_OR_RETURN(auto stored, store::GetGroupSession(tx, request.name()));
        v1::GroupSession& session = stored.resource;
        RETURN_IF_ERROR(call::CheckEtag(request.etag(), stored.version));
        RETURN_IF_ERROR(scheduling::CancelGroupSession(session, context.now));
        ASSIGN_OR_RETURN(const auto members,
                         store::ListMembers(tx, group_name, 0, group.resource.capacity()));
        LockMembers(tx, group.resource, members);
        ASSIGN_OR_RETURN(const auto clinicians, store::ListLeaders(tx, group_name));
        ASSIGN_OR_RETURN(const auto seats, store::ListSeats(tx, request.name()));

        Act act = Act::Allowed(change);
        RETURN_IF_ERROR(store::UpdateGroupSession(tx, session, stored.version));
        ++stored.version;
        change.Record(session.name(), stored.version,
                      PayloadOf(session, group.resource, BusyUntil(session, clinicians)),
                      store::Document(session));
        booker_.FreeShared(act, names::Last(session.name()));
        for (const v1::GroupSeat& seat : seats) {
          if (seat.state() != v1::APPOINTMENT_STATE_BOOKED) continue;
          RETURN_IF_ERROR(
              booker_.Cancel(act, seat.appointment(), v1::CANCEL_REASON_GROUP, "").status());
        }
        session.set_etag(call::Etag(stored.version));
        return with_seats(tx, std::move(stored));
      });
}

}  // namespace rapport::scheduling
