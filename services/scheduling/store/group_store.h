#ifndef RAPPORT_SERVICES_SCHEDULING_STORE_GROUP_STORE_H_
#define RAPPORT_SERVICES_SCHEDULING_STORE_GROUP_STORE_H_

#include <limits>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/sql/database.h"
#include "rapport/scheduling/v1/directory.pb.h"
#include "rapport/scheduling/v1/group.pb.h"
#include "services/scheduling/store/scope.h"
#include "services/scheduling/store/stored.h"

// Groups, who has a seat, their sessions and the places there, by the ids in their names. A seat
// number is taken once and never beyond the capacity, in a group as in a session: the database
// refuses it. Updates go to version + 1 and answer kAborted LOST_RACE.
namespace rapport::scheduling::store {

struct GroupRow : Stored<v1::Group> {
  bool leads = false;       // the scope's clinician leads it, or covers for who does
  bool supervises = false;  // the scope's clinician supervises who leads it
};

// Whoever asks: the caller decides by the row what may be known. kNotFound ("Group").
absl::StatusOr<GroupRow> GetGroup(sql::Session& session, absl::string_view name,
                                  const Scope& scope);
absl::Status InsertGroup(sql::Transaction& tx, const v1::Group& group);
absl::Status UpdateGroup(sql::Transaction& tx, const v1::Group& group, int64_t version);

// Newest first; the key of the last group of the page before.
struct GroupKey {
  int64_t create_micros = std::numeric_limits<int64_t>::max();
  std::string id;
};
// Those within the scope.
absl::StatusOr<std::vector<GroupRow>> ListGroups(sql::Session& session,
                                                 absl::string_view organization_id,
                                                 const Scope& scope, const GroupKey& after,
                                                 int limit);

// Its clinician and co-clinicians.
absl::StatusOr<std::vector<v1::Clinician>> ListLeaders(sql::Session& session,
                                                       absl::string_view group);

struct MemberRow {
  v1::GroupMember member;
  std::string patient;  // name
};
// By seat, those after `after_seat`.
absl::StatusOr<std::vector<MemberRow>> ListMembers(sql::Session& session, absl::string_view group,
                                                   int after_seat, int limit);
// Seats of members, and places that are kept in sessions to come.
absl::StatusOr<std::set<int>> TakenSeats(sql::Session& session, absl::string_view group,
                                         absl::Time now);
void InsertMember(sql::Transaction& tx, const v1::Group& group, const v1::GroupMember& member);
void DeleteMember(sql::Transaction& tx, absl::string_view group, absl::string_view course);

// Without the places. kNotFound ("GroupSession").
absl::StatusOr<Stored<v1::GroupSession>> GetGroupSession(sql::Session& session,
                                                         absl::string_view name);
void InsertGroupSession(sql::Transaction& tx, const v1::GroupSession& group_session,
                        absl::string_view series_id);
absl::Status UpdateGroupSession(sql::Transaction& tx, const v1::GroupSession& group_session,
                                int64_t version);

struct GroupSessionKey {
  int64_t start_micros = std::numeric_limits<int64_t>::min();
  std::string id;
};
// By start, with the places.
absl::StatusOr<std::vector<v1::GroupSession>> ListGroupSessions(sql::Session& session,
                                                                absl::string_view group,
                                                                const GroupSessionKey& after,
                                                                int limit);
// Those booked together, by start, with the places.
absl::StatusOr<std::vector<v1::GroupSession>> ListGroupSeries(sql::Session& session,
                                                              absl::string_view group,
                                                              absl::string_view series_id);
// Those that are BOOKED to begin after `now`, by start, without the places.
absl::StatusOr<std::vector<v1::GroupSession>> ListGroupSessionsToCome(sql::Session& session,
                                                                      absl::string_view group,
                                                                      absl::Time now);
// Those that are BOOKED, whenever.
absl::StatusOr<int> CountGroupSessions(sql::Session& session, absl::string_view group);

// The places in a session, by seat.
absl::StatusOr<std::vector<v1::GroupSeat>> ListSeats(sql::Session& session,
                                                     absl::string_view group_session);
// A course's places in sessions that are BOOKED to begin after `now`, by start.
absl::StatusOr<std::vector<v1::GroupSeat>> ListSeatsToCome(sql::Session& session,
                                                           absl::string_view group,
                                                           absl::string_view course,
                                                           absl::Time now);
// Both deferred.
void InsertSeat(sql::Transaction& tx, absl::string_view group_session, int capacity,
                const v1::GroupSeat& seat);
void DeleteSeat(sql::Transaction& tx, absl::string_view appointment);

}  // namespace rapport::scheduling::store

#endif  // RAPPORT_SERVICES_SCHEDULING_STORE_GROUP_STORE_H_
