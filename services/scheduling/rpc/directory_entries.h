#ifndef RAPPORT_SERVICES_SCHEDULING_RPC_DIRECTORY_ENTRIES_H_
#define RAPPORT_SERVICES_SCHEDULING_RPC_DIRECTORY_ENTRIES_H_

#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/call/masks.h"
#include "common/call/mutate.h"
#include "common/errors/status_macros.h"
#include "common/sql/database.h"
#include "common/time/convert.h"
#include "rapport/scheduling/v1/directory.pb.h"
#include "services/scheduling/domain/event_payloads.h"
#include "services/scheduling/rpc/access.h"
#include "services/scheduling/store/directory_store.h"
#include "services/scheduling/store/stored.h"

// How an entry of the directory is checked and stored, whether it comes alone or in an import.
namespace rapport::scheduling {

// What a dry run would have stored before, by name.
struct Assumed {
  absl::flat_hash_set<std::string> clinics;
  absl::flat_hash_map<std::string, std::vector<std::string>> clinicians;  // with their clinics
};

// PERMISSION_DENIED OTHER_CLINIC unless the caller manages all of `clinics`: a token that is
// limited to clinics manages what lies wholly within them, as hours, leave and cover decide who
// sees a patient and who owns a risk. The organisation's admin manages all.
absl::Status RequireManages(const call::CallContext& context,
                            const std::vector<std::string>& clinics);
// The same for the clinics of a clinician. NOT_FOUND.
absl::Status RequireManagesClinician(sql::Session& session, const call::CallContext& context,
                                     absl::string_view clinician, const Assumed* assumed = nullptr);

// FAILED_PRECONDITION UNKNOWN_CLINICIAN, with the name in the metadata "clinician".
absl::Status RequireClinicians(sql::Session& session, const call::CallContext& context,
                               const std::vector<std::string>& clinicians,
                               const Assumed* assumed = nullptr);

// Whether `entry` may stand in the place of `before` (null: it is new): what holds between its
// fields, what it refers to, what the caller manages. Refusals as DirectoryService and
// SupervisionService list them. Takes the locks under which the answer holds until the commit.
absl::Status Check(call::Change& change, const store::Stored<v1::Clinic>* before,
                   const v1::Clinic& entry, const Assumed* assumed);
absl::Status Check(call::Change& change, const store::Stored<v1::Room>* before,
                   const v1::Room& entry, const Assumed* assumed);
absl::Status Check(call::Change& change, const store::Stored<v1::Clinician>* before,
                   const v1::Clinician& entry, const Assumed* assumed);
absl::Status Check(call::Change& change, const store::Stored<v1::Cover>* before,
                   const v1::Cover& entry, const Assumed* assumed);
absl::Status Check(call::Change& change, const store::Stored<v1::Supervision>* before,
                   const v1::Supervision& entry, const Assumed* assumed);

// What a caller says of an entry: all but what the service sets, the etag and the name.
template <class Entry>
absl::StatusOr<Entry> Said(const Entry& entry) {
  Entry said;
  RETURN_IF_ERROR(call::ApplyMask({}, entry, said));
  if constexpr (std::is_same_v<Entry, v1::Supervision>) {
    said.set_supervisor(entry.supervisor());  // immutable: no mask reaches them
    said.set_supervisee(entry.supervisee());
  }
  return said;
}

// What the store does with each kind.
template <class Entry>
struct Table;
template <>
struct Table<v1::Clinic> {
  static constexpr auto Get = store::GetClinic;
  static constexpr auto Insert = store::InsertClinic;
  static constexpr auto Update = store::UpdateClinic;
};
template <>
struct Table<v1::Room> {
  static constexpr auto Get = store::GetRoom;
  static constexpr auto Insert = store::InsertRoom;
  static constexpr auto Update = store::UpdateRoom;
};
template <>
struct Table<v1::Clinician> {
  static constexpr auto Get = store::GetClinician;
  static constexpr auto Insert = store::InsertClinician;
  static constexpr auto Update = store::UpdateClinician;
};
template <>
struct Table<v1::Cover> {
  static constexpr auto Get = store::GetCover;
  static constexpr auto Insert = store::InsertCover;
  static constexpr auto Update = store::UpdateCover;
};
template <>
struct Table<v1::Supervision> {
  static constexpr auto Get = store::GetSupervision;
  static constexpr auto Insert = store::InsertSupervision;
  static constexpr auto Update = store::UpdateSupervision;
};

template <>
struct Table<v1::TimeOff> {
  static constexpr auto Get = store::GetTimeOff;
};

// Reads one as the caller sees it, for gets and replays.
template <class Entry>
absl::StatusOr<Entry> GetEntry(sql::Session& session, absl::string_view name) {
  ASSIGN_OR_RETURN(auto stored, Table<Entry>::Get(session, name));
  return std::move(stored.resource);
}

// Stores `entry`, whose name is set, in the place of `before` (null: it is new) and records that.
// Returns what the caller sees of it.
template <class Entry>
absl::StatusOr<Entry> Save(call::Change& change, const store::Stored<Entry>* before, Entry entry) {
  RETURN_IF_ERROR(Check(change, before, entry, nullptr));
  const google::protobuf::Timestamp now = time::ToTimestamp(change.context().now);
  *entry.mutable_create_time() = before == nullptr ? now : before->resource.create_time();
  if constexpr (requires { entry.mutable_update_time(); }) *entry.mutable_update_time() = now;
  int64_t version = 0;
  if (before == nullptr) {
    ASSIGN_OR_RETURN(version, Table<Entry>::Insert(change.tx(), entry));
  } else {
    RETURN_IF_ERROR(Table<Entry>::Update(change.tx(), entry, before->version));
    version = before->version + 1;
  }
  change.Record(entry.name(), version, PayloadOf(entry), store::Document(entry));
  entry.set_etag(call::Etag(version));
  return entry;
}

// A call that creates `asked` under `name`.
template <class Entry>
absl::StatusOr<Entry> CreateEntry(sql::Database& database, const call::CallContext& context,
                                  absl::string_view request_id, const Entry& asked,
                                  const std::string& name) {
  return call::Mutate<Entry>(database, context, request_id, GetEntry<Entry>,
                             [&](call::Change& change) -> absl::StatusOr<Entry> {
                               ASSIGN_OR_RETURN(Entry entry, Said(asked));
                               entry.set_name(name);
                               return Save<Entry>(change, nullptr, std::move(entry));
                             });
}

// A call that changes what `mask` names; `field` is the entry's in the request.
template <class Entry>
absl::StatusOr<Entry> UpdateEntry(sql::Database& database, const call::CallContext& context,
                                  absl::string_view request_id, absl::string_view field,
                                  const Entry& asked, const google::protobuf::FieldMask& mask) {
  RETURN_IF_ERROR(RequireName(asked.name(), absl::StrCat(field, ".name")));
  return call::Mutate<Entry>(database, context, request_id, GetEntry<Entry>,
                             [&](call::Change& change) -> absl::StatusOr<Entry> {
                               change.tx().Lock({asked.name()});
                               ASSIGN_OR_RETURN(const store::Stored<Entry> before,
                                                Table<Entry>::Get(change.tx(), asked.name()));
                               RETURN_IF_ERROR(call::CheckEtag(asked.etag(), before.version));
                               Entry entry = before.resource;
                               RETURN_IF_ERROR(call::ApplyMask(mask, asked, entry));
                               return Save(change, &before, std::move(entry));
                             });
}

}  // namespace rapport::scheduling

#endif  // RAPPORT_SERVICES_SCHEDULING_RPC_DIRECTORY_ENTRIES_H_
