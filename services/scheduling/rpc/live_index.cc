#include "services/scheduling/rpc/live_index.h"

#include <algorithm>
#include <set>
#include <shared_mutex>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/events/event_log.h"
#include "common/names/names.h"
#include "common/telemetry/log.h"
#include "common/telemetry/metric_names.h"
#include "common/time/convert.h"
#include "common/time/zones.h"
#include "rapport/scheduling/v1/events.pb.h"
#include "services/scheduling/domain/appointments.h"
#include "services/scheduling/domain/hours.h"
#include "services/scheduling/domain/openings/search.h"
#include "services/scheduling/store/directory_store.h"
#include "services/scheduling/store/index_store.h"

namespace rapport::scheduling {
namespace {

using openings::AvailabilityIndex;
using openings::Resource;
using openings::Span;

constexpr absl::Duration kPatience = absl::Minutes(5);
constexpr int kBatch = 1000;
// How long a search waits for the caller's own changes.
constexpr absl::Duration kOwnPatience = absl::Milliseconds(200);
constexpr absl::Duration kOwnPause = absl::Milliseconds(5);
// Hours are given for some weeks beyond the horizon, from which the index tells regular ones.
constexpr absl::Duration kBeyond = absl::Hours(24 * 28);

absl::CivilDay FirstDay(absl::Time now) { return absl::ToCivilDay(now, absl::UTCTimeZone()) - 1; }

Interval RangeFrom(absl::CivilDay first) {
  const absl::Time start = absl::FromCivil(first, absl::UTCTimeZone());
  return {start, start + absl::Hours(24 * AvailabilityIndex::kDefaultDays)};
}

std::string RoomId(absl::string_view name) {
  return absl::StrCat(names::Id(name, "clinics"), "/", names::Last(name));
}

openings::RoomAttributes AttributesOf(absl::string_view id, int capacity,
                                      std::vector<std::string> features) {
  openings::RoomAttributes room;
  room.id = std::string(id);
  room.clinic = std::string(id.substr(0, id.find('/')));
  room.capacity = capacity;
  room.features = std::move(features);
  return room;
}

template <class Strings>
std::vector<std::string> Copied(const Strings& strings) {
  return {strings.begin(), strings.end()};
}

std::vector<std::string> EventTypes() {
  return {v1::OrganizationEvent::descriptor()->full_name(),
          v1::ClinicEvent::descriptor()->full_name(),
          v1::RoomEvent::descriptor()->full_name(),
          v1::ClinicianEvent::descriptor()->full_name(),
          v1::TimeOffEvent::descriptor()->full_name(),
          v1::CourseEvent::descriptor()->full_name(),
          v1::AppointmentEvent::descriptor()->full_name(),
          v1::GroupSessionEvent::descriptor()->full_name()};
}

}  // namespace

// One organisation's index and what is needed to keep it. The index is read under a shared lock;
// all else belongs to who follows.
class LiveIndex::Organization {
 public:
  Organization(std::string id, absl::CivilDay first)
      : id_(std::move(id)), first_(first), range_(RangeFrom(first)), index_(first) {}

  absl::CivilDay first() const { return first_; }
  int64_t position() const { return position_; }

  void Read(absl::FunctionRef<void(const AvailabilityIndex&)> body) const {
    std::shared_lock lock(mutex_);
    body(index_);
  }

  absl::Status Load(sql::Session& session) {
    ASSIGN_OR_RETURN(const events::LogState log, events::ReadState(session));
    position_ = log.last_position;
    std::string after;
    while (true) {
      constexpr int kPage = 1000;
      ASSIGN_OR_RETURN(const std::vector<v1::Clinic> clinics,
                       store::ListClinics(session, id_, after, kPage));
      for (const v1::Clinic& clinic : clinics) PutClinic(clinic);
      if (clinics.size() < kPage) break;
      after = std::string(names::Last(clinics.back().name()));
    }
    RETURN_IF_ERROR(store::ForEachRoom(session, id_, [&](const v1::Room& room, int64_t version) {
      if (room.out_of_use()) return;
      index_.PutRoom(AttributesOf(RoomId(room.name()), room.capacity(), Copied(room.features())),
                     version);
    }));
    RETURN_IF_ERROR(store::ForEachClinician(
        session, id_, [&](const store::IndexedClinician& row) { PutClinician(row); }));
    RETURN_IF_ERROR(
        store::ForEachTimeOff(session, id_, range_, [&](const store::IndexedTimeOff& row) {
          index_.PutTimeOff(row.clinician_id, row.time_off_id, {row.time.start, row.time.end},
                            row.version);
        }));
    RETURN_IF_ERROR(store::ForEachClaim(session, id_, range_, [&](const store::IndexedClaim& row) {
      const Holder holder = HolderOf(row.resource);
      Claim(holder.resource, holder.id, row.booking, {row.time.start, row.time.end}, row.version);
    }));
    index_.Build();
    return absl::OkStatus();
  }

  // Of a batch of events, those after what was loaded. What it reads of the database it reads
  // before it keeps searches waiting.
  absl::Status Apply(sql::Session& session, absl::Span<const common::v1::Event* const> events) {
    Changed changed;
    for (const common::v1::Event* event : events) {
      if (event->position() > position_) Note(*event, changed);
    }
    Taken taken;
    for (const std::string& booking : changed.bookings) {
      ASSIGN_OR_RETURN(const std::vector<store::IndexedClaim> claims,
                       store::ListClaimsOf(session, id_, booking));
      std::vector<TakenTime>& times = taken[booking];
      for (const store::IndexedClaim& claim : claims) {
        times.push_back({HolderOf(claim.resource), {claim.time.start, claim.time.end}});
      }
    }
    std::vector<std::pair<std::string, std::optional<v1::Clinic>>> clinics;
    for (const std::string& name : changed.clinics) {
      const std::string id(names::Last(name));
      if (const AvailabilityIndex::Clinic* known = index_.FindClinic(id)) {
        for (const auto& row : known->rows) {
          changed.clinicians.insert(index_.clinicians()[row.clinician].attributes.id);
        }
      }
      absl::StatusOr<store::Stored<v1::Clinic>> clinic = store::GetClinic(session, name);
      if (!clinic.ok() && !absl::IsNotFound(clinic.status())) return clinic.status();
      clinics.emplace_back(id,
                           clinic.ok() ? std::optional(std::move(clinic->resource)) : std::nullopt);
    }
    std::vector<std::pair<std::string, std::optional<store::IndexedClinician>>> clinicians;
    for (const std::string& id : changed.clinicians) {
      absl::StatusOr<store::IndexedClinician> row = store::GetIndexedClinician(session, id_, id);
      if (!row.ok() && !absl::IsNotFound(row.status())) return row.status();
      clinicians.emplace_back(id, row.ok() ? std::optional(*std::move(row)) : std::nullopt);
    }

    std::unique_lock lock(mutex_);
    for (const common::v1::Event* event : events) {
      if (event->position() > position_) Apply(*event, taken);
    }
    for (const auto& [id, clinic] : clinics) {
      if (clinic) {
        PutClinic(*clinic);
      } else {
        clinics_.erase(id);
        index_.RemoveClinic(id, ++puts_);
      }
    }
    for (const auto& [id, row] : clinicians) {
      if (row) {
        PutClinician(*row);
      } else {
        index_.RemoveClinician(id, ++puts_);
      }
    }
    position_ = std::max(position_, events.back()->position());
    return absl::OkStatus();
  }

 private:
  struct Holder {
    Resource resource;
    std::string id;
    friend bool operator==(const Holder&, const Holder&) = default;
  };
  // Of a key as claims have it.
  static Holder HolderOf(absl::string_view key) {
    const Resource resource =
        absl::ConsumePrefix(&key, "rooms/") ? Resource::kRoom : Resource::kClinician;
    absl::ConsumePrefix(&key, "clinicians/");
    return {resource, std::string(key)};
  }
  struct TakenTime {
    Holder holder;
    Span time;
  };
  using Taken = std::map<std::string, std::vector<TakenTime>>;  // by booking

  // Whose rows are to be read again; clinics by name, clinicians by id, bookings by id.
  struct Changed {
    std::set<std::string> clinics;
    std::set<std::string> clinicians;
    std::set<std::string> bookings;
  };
  static void Note(const common::v1::Event& event, Changed& changed) {
    auto& [clinics, clinicians, bookings] = changed;
    const google::protobuf::Any& payload = event.payload();
    if (v1::AppointmentEvent appointment; payload.UnpackTo(&appointment)) {
      // Its event tells the buffer of its own clinician alone, and of a private one nobody else.
      const auto& others = appointment.participants();
      if (TakesTime(appointment.state()) &&
          (appointment.private_session() ||
           std::any_of(others.begin(), others.end(), [](const v1::Participant& other) {
             return !names::Id(other.person(), "clinicians").empty();
           }))) {
        bookings.emplace(names::Last(event.resource()));
      }
    } else if (payload.Is<v1::GroupSessionEvent>()) {
      bookings.emplace(names::Last(event.resource()));
    } else if (v1::CourseEvent course; payload.UnpackTo(&course)) {
      clinicians.emplace(names::Last(course.clinician()));
      if (!course.former_clinician().empty()) {
        clinicians.emplace(names::Last(course.former_clinician()));
      }
    } else if (payload.Is<v1::ClinicianEvent>()) {
      clinicians.emplace(names::Last(event.resource()));
    } else if (payload.Is<v1::ClinicEvent>()) {
      clinics.insert(event.resource());
    }
  }

  void Apply(const common::v1::Event& event, const Taken& looked_up) {
    const google::protobuf::Any& payload = event.payload();
    const std::string& name = event.resource();
    const std::string last(names::Last(name));
    if (const auto rows = looked_up.find(last); rows != looked_up.end()) {
      Settle(last, rows->second, event.version());
    } else if (v1::AppointmentEvent appointment; payload.UnpackTo(&appointment)) {
      std::vector<TakenTime> taken;
      if (TakesTime(appointment.state()) && appointment.group_session().empty()) {
        const Span time = {time::ToTime(appointment.start_time()),
                           time::ToTime(appointment.end_time())};
        taken.push_back({{Resource::kClinician, std::string(names::Last(appointment.clinician()))},
                         {time.start, std::max(time.end, time::ToTime(appointment.busy_until()))}});
        if (!appointment.room().empty()) {
          taken.push_back({{Resource::kRoom, RoomId(appointment.room())}, time});
        }
      }
      Settle(last, taken, event.version());
    } else if (v1::TimeOffEvent time_off; payload.UnpackTo(&time_off)) {
      const absl::string_view clinician = names::Last(time_off.clinician());
      if (time_off.deleted()) {
        index_.RemoveTimeOff(clinician, last, event.version());
      } else {
        index_.PutTimeOff(clinician, last,
                          {time::ToTime(time_off.start_time()), time::ToTime(time_off.end_time())},
                          event.version());
      }
    } else if (v1::RoomEvent room; payload.UnpackTo(&room)) {
      if (room.deleted() || room.out_of_use()) {
        index_.RemoveRoom(RoomId(name), event.version());
      } else {
        index_.PutRoom(AttributesOf(RoomId(name), room.capacity(), Copied(room.features())),
                       event.version());
      }
    }
  }

  // The booking takes that time, and no other any more.
  void Settle(const std::string& booking, const std::vector<TakenTime>& taken, int64_t version) {
    if (const auto known = holders_.find(booking); known != holders_.end()) {
      for (const Holder& before : known->second) {
        if (std::none_of(taken.begin(), taken.end(),
                         [&](const TakenTime& now) { return now.holder == before; })) {
          index_.RemoveClaim(before.resource, before.id, booking, version);
        }
      }
      if (taken.empty()) holders_.erase(known);
    }
    for (const TakenTime& now : taken) {
      Claim(now.holder.resource, now.holder.id, booking, now.time, version);
    }
  }

  void Claim(Resource resource, absl::string_view id, const std::string& booking, Span time,
             int64_t version) {
    index_.PutClaim(resource, id, booking, time, version);
    auto& known = holders_[booking];
    const Holder holder{resource, std::string(id)};
    if (std::find(known.begin(), known.end(), holder) == known.end()) known.push_back(holder);
  }

  void PutClinic(const v1::Clinic& clinic) {
    const absl::StatusOr<absl::TimeZone> zone = time::LoadZone(clinic.time_zone());
    if (!zone.ok()) return;  // refused when it was entered
    const std::string id(names::Last(clinic.name()));
    index_.PutClinic(id, *zone, ++puts_);
    clinics_[id] = {clinic, *zone};
  }

  void PutClinician(const store::IndexedClinician& row) {
    const v1::Clinician& clinician = row.clinician;
    openings::ClinicianAttributes attributes;
    attributes.id = std::string(names::Last(clinician.name()));
    attributes.protocols = Copied(clinician.certified_protocols());
    attributes.languages = Copied(clinician.languages());
    if (clinician.modalities().empty()) {
      attributes.modalities = {v1::Modality_Name(v1::MODALITY_IN_PERSON)};
    }
    for (const int modality : clinician.modalities()) {
      attributes.modalities.push_back(v1::Modality_Name(static_cast<v1::Modality>(modality)));
    }
    attributes.jurisdictions = Copied(clinician.licensed_jurisdictions());
    if (!clinician.licence_number().empty() && clinician.has_licence_expire_date()) {
      attributes.licence_expires = time::ToCivilDay(clinician.licence_expire_date());
    }
    attributes.accepts_new_courses =
        !clinician.closed_to_new_courses() &&
        (clinician.caseload_cap() == 0 || row.open_courses < clinician.caseload_cap());
    attributes.max_sessions_per_day = clinician.max_sessions_per_day();
    attributes.buffer_after = absl::Minutes(clinician.buffer_minutes());

    std::vector<openings::ClinicHours> hours;
    for (const std::string& name : clinician.clinics()) {
      const auto known = clinics_.find(std::string(names::Last(name)));
      if (known == clinics_.end()) continue;
      // Where they are licensed goes with the clinic, too.
      attributes.jurisdictions.push_back(known->second.clinic.jurisdiction());
      openings::ClinicHours& at = hours.emplace_back();
      at.clinic = known->first;
      for (const Interval& open : OpenHours(clinician, known->second.clinic, known->second.zone,
                                            {range_.start, range_.end + kBeyond})) {
        at.open.push_back({open.start, open.end});
      }
    }
    index_.PutClinician(attributes, hours, ++puts_);
  }

  struct KnownClinic {
    v1::Clinic clinic;
    absl::TimeZone zone;
  };

  const std::string id_;
  const absl::CivilDay first_;
  const Interval range_;
  // Rows are read again in the order of the log, so that each is newer than the one before.
  int64_t puts_ = 0;
  int64_t position_ = 0;
  absl::flat_hash_map<std::string, KnownClinic> clinics_;
  absl::flat_hash_map<std::string, absl::InlinedVector<Holder, 1>> holders_;  // by booking
  mutable std::shared_mutex mutex_;
  AvailabilityIndex index_;
};

LiveIndex::LiveIndex(sql::Database& database, time::Clock& clock, telemetry::Metrics& metrics,
                     absl::Duration bound)
    : database_(database),
      clock_(clock),
      bound_(bound),
      lag_(metrics.Gauges(telemetry::metric::kIndexLag, "How far the index of free time is behind.")
               .With({})) {}

LiveIndex::~LiveIndex() { Stop(); }

void LiveIndex::Start(absl::Duration period) {
  thread_ = std::make_unique<PeriodicThread>("openings", period, [this] {
    const absl::Status status = CatchUp();
    if (!status.ok()) {
      telemetry::Log(telemetry::Severity::kWarning, "openings_index_behind",
                     {{"code", absl::StatusCodeToString(status.code())}});
    }
    lag_.Set(absl::ToDoubleSeconds(absl::Now() - as_of()));
  });
}

void LiveIndex::Stop() { thread_.reset(); }

std::shared_ptr<LiveIndex::Organization> LiveIndex::Find(absl::string_view organization_id) const {
  MutexLock lock(mutex_);
  const auto found = organizations_.find(organization_id);
  return found == organizations_.end() ? nullptr : found->second;
}

absl::Status LiveIndex::Read(
    absl::string_view organization_id,
    absl::FunctionRef<void(const openings::AvailabilityIndex&)> body) const {
  const std::shared_ptr<Organization> organization = Find(organization_id);
  if (organization == nullptr) {
    return errors::Unavailable(
        "INDEX_NOT_READY", "The index of free time is being built; repeat the call.", "openings");
  }
  organization->Read(body);
  return absl::OkStatus();
}

absl::StatusOr<absl::Time> LiveIndex::ReadCurrent(
    const call::CallContext& context,
    absl::FunctionRef<void(const openings::AvailabilityIndex&)> body) const {
  const absl::Time asked = absl::Now();
  ASSIGN_OR_RETURN(const bool seen, Await(context));
  if (seen && asked - as_of() <= bound_) {
    const absl::Time as_of = this->as_of();
    RETURN_IF_ERROR(Read(context.organization_id, body));
    return as_of;
  }
  // One that is not loaded at all is being loaded right now.
  if (Find(context.organization_id) == nullptr) {
    RETURN_IF_ERROR(Read(context.organization_id, body));
    return as_of();
  }
  // Without a change of the caller's own to be seen, one as old as the bound will do.
  ASSIGN_OR_RETURN(
      const std::shared_ptr<Organization> fresh,
      LoadFresh(context.organization_id, seen ? asked - bound_ : asked, context.deadline));
  fresh->Read(body);
  return asked;
}

// Whether the index holds the caller's changes, for which it waits a little.
absl::StatusOr<bool> LiveIndex::Await(const call::CallContext& context) const {
  std::vector<call::Position> wanted;
  for (const call::Position& position : context.positions) {
    if (names::OrganizationId(position.resource) == context.organization_id) {
      wanted.push_back(position);
    }
  }
  if (wanted.empty()) return true;
  const absl::Time give_up = absl::Now() + kOwnPatience;
  int64_t last = 0;
  while (true) {
    // Numbers are given to what is committed a little later.
    while (!wanted.empty()) {
      std::optional<int64_t> number;
      RETURN_IF_ERROR(database_.Read(
          sql::Access::Tenant(context.organization_id), context.deadline,
          [&](sql::Session& session) -> absl::Status {
            ASSIGN_OR_RETURN(number,
                             store::FindPosition(session, context.organization_id,
                                                 wanted.back().resource, wanted.back().version));
            return absl::OkStatus();
          }));
      if (!number) break;
      last = std::max(last, *number);
      wanted.pop_back();
    }
    if (wanted.empty() && applied_.load() >= last) return true;
    if (absl::Now() + kOwnPause > give_up) return false;
    absl::SleepFor(kOwnPause);
  }
}

absl::StatusOr<std::shared_ptr<LiveIndex::Organization>> LiveIndex::LoadFresh(
    const std::string& organization_id, absl::Time not_before, absl::Time deadline) const {
  std::shared_ptr<Fresh> fresh;
  {
    MutexLock lock(fresh_mutex_);
    std::shared_ptr<Fresh>& slot = fresh_[organization_id];
    if (slot == nullptr) slot = std::make_shared<Fresh>();
    fresh = slot;
  }
  // Who comes while one is read waits, and takes it if it began late enough.
  MutexLock lock(fresh->mutex);
  if (fresh->organization == nullptr || fresh->begun < not_before) {
    const absl::Time begun = absl::Now();
    ASSIGN_OR_RETURN(fresh->organization, ReadNow(organization_id, deadline));
    fresh->begun = begun;
  }
  return fresh->organization;
}

std::optional<absl::Time> LiveIndex::NearestFree(absl::string_view clinician,
                                                 absl::string_view clinic, absl::Time around,
                                                 int minutes) const {
  openings::NearestQuery query;
  query.clinician = std::string(names::Last(clinician));
  query.clinic = std::string(names::Last(clinic));
  query.around = around;
  query.not_before = clock_.Now();
  query.minutes = minutes;
  std::optional<absl::Time> nearest;
  (void)Read(names::OrganizationId(clinician), [&](const openings::AvailabilityIndex& index) {
    nearest = openings::NearestFree(index, query);
  });
  return nearest;
}

absl::Status LiveIndex::CatchUp() {
  MutexLock lock(follow_mutex_);
  do {
    if (!loaded_) {
      RETURN_IF_ERROR(LoadAll());
      loaded_ = true;
    }
    RETURN_IF_ERROR(Renew());
    RETURN_IF_ERROR(Follow());
  } while (!loaded_);
  return absl::OkStatus();
}

absl::Status LiveIndex::LoadAll() {
  std::vector<std::string> ids;
  RETURN_IF_ERROR(database_.Read(
      sql::Access::Feed(), absl::Now() + kPatience, [&](sql::Session& session) -> absl::Status {
        ASSIGN_OR_RETURN(const events::LogState log, events::ReadState(session));
        epoch_ = log.epoch;
        position_ = log.last_position;
        ASSIGN_OR_RETURN(ids, store::ListOrganizationIds(session));
        return absl::OkStatus();
      }));
  for (const std::string& id : ids) RETURN_IF_ERROR(Load(id));
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<LiveIndex::Organization>> LiveIndex::ReadNow(
    const std::string& organization_id, absl::Time deadline) const {
  auto loaded = std::make_shared<Organization>(organization_id, FirstDay(clock_.Now()));
  RETURN_IF_ERROR(database_.Read(sql::Access::Tenant(organization_id), deadline,
                                 [&](sql::Session& session) { return loaded->Load(session); }));
  return loaded;
}

absl::Status LiveIndex::Load(const std::string& organization_id) {
  ASSIGN_OR_RETURN(std::shared_ptr<Organization> loaded,
                   ReadNow(organization_id, absl::Now() + kPatience));
  MutexLock lock(mutex_);
  organizations_[organization_id] = std::move(loaded);
  return absl::OkStatus();
}

// The horizon moves with the day: what has another first day is loaded again.
absl::Status LiveIndex::Renew() {
  std::vector<std::string> stale;
  {
    const absl::CivilDay first = FirstDay(clock_.Now());
    MutexLock lock(mutex_);
    for (const auto& [id, organization] : organizations_) {
      if (organization->first() != first) stale.push_back(id);
    }
  }
  for (const std::string& id : stale) RETURN_IF_ERROR(Load(id));
  return absl::OkStatus();
}

absl::Status LiveIndex::Follow() {
  while (true) {
    const absl::Time looked = absl::Now();
    std::vector<common::v1::Event> events;
    events::LogState log;
    RETURN_IF_ERROR(database_.Read(
        sql::Access::Feed(), looked + kPatience, [&](sql::Session& session) -> absl::Status {
          ASSIGN_OR_RETURN(log, events::ReadState(session));
          if (log.epoch != epoch_ || log.last_position <= position_) return absl::OkStatus();
          ASSIGN_OR_RETURN(events, events::ReadEvents(session, {.organization_id = "",
                                                                .types = EventTypes(),
                                                                .after = position_,
                                                                .up_to = log.last_position,
                                                                .limit = kBatch}));
          return absl::OkStatus();
        }));
    if (log.epoch != epoch_) {  // another log: a restored database
      loaded_ = false;
      return absl::OkStatus();
    }
    if (!events.empty()) RETURN_IF_ERROR(Apply(events));
    if (events.size() < kBatch) {
      position_ = std::max(position_, log.last_position);
      applied_ = position_;
      as_of_ = absl::ToUnixMicros(looked);
      return absl::OkStatus();
    }
    position_ = events.back().position();
  }
}

absl::Status LiveIndex::Apply(const std::vector<common::v1::Event>& events) {
  std::map<std::string, std::vector<const common::v1::Event*>> by_organization;
  for (const common::v1::Event& event : events) {
    by_organization[std::string(names::Last(event.organization()))].push_back(&event);
  }
  for (const auto& [id, own] : by_organization) {
    const std::shared_ptr<Organization> organization = Find(id);
    if (organization == nullptr) {
      RETURN_IF_ERROR(Load(id));
      continue;
    }
    RETURN_IF_ERROR(
        database_.Read(sql::Access::Tenant(id), absl::Now() + kPatience,
                       [&](sql::Session& session) { return organization->Apply(session, own); }));
  }
  return absl::OkStatus();
}

}  // namespace rapport::scheduling
