#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "common/care/care.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/revocation/revocation.h"
#include "common/time/convert.h"

namespace rapport::care {
namespace {

namespace proto = scheduling::v1;

const sql::Statement kPutOrganization{"care.organization.put", R"sql(
  INSERT INTO care_organization (organization_id, version, document) VALUES ($1, $2, $3)
  ON CONFLICT (organization_id) DO UPDATE
  SET version = excluded.version, document = excluded.document
  WHERE care_organization.version < excluded.version)sql"};

// What call::Mutate looks at; follows the newest event alone.
const sql::Statement kPutState{"care.organization.put_state", R"sql(
  INSERT INTO organization (organization_id, state, create_time)
  SELECT organization_id, $3, $4 FROM care_organization
  WHERE organization_id = $1 AND version = $2
  ON CONFLICT (organization_id) DO UPDATE SET state = excluded.state)sql"};

const sql::Statement kPutClinic{"care.clinic.put", R"sql(
  INSERT INTO care_clinic (organization_id, clinic, version, document) VALUES ($1, $2, $3, $4)
  ON CONFLICT (organization_id, clinic) DO UPDATE
  SET version = excluded.version, document = excluded.document
  WHERE care_clinic.version < excluded.version)sql"};

const sql::Statement kPutClinician{"care.clinician.put", R"sql(
  INSERT INTO care_clinician (organization_id, clinician, version, subject, licence_until,
                              trainee)
  VALUES ($1, $2, $3, $4, $5, $6)
  ON CONFLICT (organization_id, clinician) DO UPDATE
  SET version = excluded.version, subject = excluded.subject,
      licence_until = excluded.licence_until, trainee = excluded.trainee
  WHERE care_clinician.version < excluded.version)sql"};

const sql::Statement kPutTimeOff{"care.time_off.put", R"sql(
  INSERT INTO care_time_off (organization_id, time_off, version, clinician, start_time, end_time,
                             deleted)
  VALUES ($1, $2, $3, $4, $5, $6, $7)
  ON CONFLICT (organization_id, time_off) DO UPDATE
  SET version = excluded.version, clinician = excluded.clinician,
      start_time = excluded.start_time, end_time = excluded.end_time, deleted = excluded.deleted
  WHERE care_time_off.version < excluded.version)sql"};

const sql::Statement kPutCover{"care.cover.put", R"sql(
  INSERT INTO care_cover (organization_id, cover, version, clinician, covering_clinician,
                          start_time, end_time, deleted)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
  ON CONFLICT (organization_id, cover) DO UPDATE
  SET version = excluded.version, clinician = excluded.clinician,
      covering_clinician = excluded.covering_clinician, start_time = excluded.start_time,
      end_time = excluded.end_time, deleted = excluded.deleted
  WHERE care_cover.version < excluded.version)sql"};

const sql::Statement kPutSupervision{"care.supervision.put", R"sql(
  INSERT INTO care_supervision (organization_id, supervision, version, supervisor, supervisee,
                                start_time, end_time)
  VALUES ($1, $2, $3, $4, $5, $6, $7)
  ON CONFLICT (organization_id, supervision) DO UPDATE
  SET version = excluded.version, supervisor = excluded.supervisor,
      supervisee = excluded.supervisee, start_time = excluded.start_time,
      end_time = excluded.end_time
  WHERE care_supervision.version < excluded.version)sql"};

const sql::Statement kPutCourse{"care.course.put", R"sql(
  INSERT INTO care_course (organization_id, course, version, document) VALUES ($1, $2, $3, $4)
  ON CONFLICT (organization_id, course) DO UPDATE
  SET version = excluded.version, document = excluded.document
  WHERE care_course.version < excluded.version)sql"};

const sql::Statement kPutAppointment{"care.appointment.put", R"sql(
  INSERT INTO care_appointment (organization_id, appointment, version, course, segment, start_time,
                                counts, document)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
  ON CONFLICT (organization_id, appointment) DO UPDATE
  SET version = excluded.version, course = excluded.course, segment = excluded.segment,
      start_time = excluded.start_time, counts = excluded.counts, document = excluded.document
  WHERE care_appointment.version < excluded.version)sql"};

// An event apart from its payload.
struct Head {
  absl::string_view name;
  sql::Value organization;
  sql::Value resource;
  sql::Value version;
  sql::Value occur_time;
};

sql::Value Instant(const google::protobuf::Timestamp& timestamp) {
  return sql::Micros(time::ToTime(timestamp));
}

sql::Value Document(const google::protobuf::Message& state) {
  return sql::Bytes(state.SerializeAsString());
}

void Put(sql::Transaction& tx, const Head& head, const proto::OrganizationEvent& state) {
  tx.Defer(kPutOrganization, {head.organization, head.version, Document(state)});
  tx.Defer(kPutState, {head.organization, head.version,
                       sql::Text(state.state() == proto::ORGANIZATION_STATE_SUSPENDED ? "SUSPENDED"
                                                                                      : "ACTIVE"),
                       head.occur_time});
}

void Put(sql::Transaction& tx, const Head& head, const proto::ClinicEvent& state) {
  tx.Defer(kPutClinic, {head.organization, head.resource, head.version, Document(state)});
}

void Put(sql::Transaction& tx, const Head& head, const proto::ClinicianEvent& state) {
  const bool licensed = state.has_licence_expire_date() && !state.deleted();
  tx.Defer(
      kPutClinician,
      {head.organization, head.resource, head.version,
       sql::Text(state.deleted() ? "" : state.subject()),
       sql::Text(licensed ? absl::FormatCivilTime(time::ToCivilDay(state.licence_expire_date()))
                          : ""),
       sql::Bool(state.trainee())});
}

void Put(sql::Transaction& tx, const Head& head, const proto::SupervisionEvent& state) {
  tx.Defer(kPutSupervision,
           {head.organization, head.resource, head.version, sql::Text(state.supervisor()),
            sql::Text(state.supervisee()), Instant(state.start_time()),
            state.has_end_time() ? Instant(state.end_time())
                                 : sql::Int(std::numeric_limits<int64_t>::max())});
}

void Put(sql::Transaction& tx, const Head& head, const proto::TimeOffEvent& state) {
  tx.Defer(kPutTimeOff,
           {head.organization, head.resource, head.version, sql::Text(state.clinician()),
            Instant(state.start_time()), Instant(state.end_time()), sql::Bool(state.deleted())});
}

void Put(sql::Transaction& tx, const Head& head, const proto::CoverEvent& state) {
  tx.Defer(kPutCover, {head.organization, head.resource, head.version, sql::Text(state.clinician()),
                       sql::Text(state.covering_clinician()), Instant(state.start_time()),
                       Instant(state.end_time()), sql::Bool(state.deleted())});
}

void Put(sql::Transaction& tx, const Head& head, const proto::CourseEvent& state) {
  tx.Defer(kPutCourse, {head.organization, head.resource, head.version, Document(state)});
}

void PutAppointment(sql::Transaction& tx, const Head& head, const sql::Value& name,
                    const proto::AppointmentEvent& state) {
  tx.Defer(kPutAppointment, {head.organization, name, head.version, sql::Text(state.course()),
                             sql::Int(state.segment()), Instant(state.start_time()),
                             sql::Bool(state.counts_towards_course()), Document(state)});
}

// What a private one lacks comes with its PrivateAppointmentEvent; one without a course is a hold
// for a patient who has none yet.
void Put(sql::Transaction& tx, const Head& head, const proto::AppointmentEvent& state) {
  if (state.private_session() || state.course().empty()) return;
  PutAppointment(tx, head, head.resource, state);
}

void Put(sql::Transaction& tx, const Head& head, const proto::PrivateAppointmentEvent& state) {
  absl::string_view name = head.name;
  if (!absl::ConsumeSuffix(&name, "/private")) return;
  PutAppointment(tx, head, sql::Text(name), state.appointment());
}

// By the real clock, as the tokens are.
void Put(sql::Transaction& tx, const Head& head, const proto::RevocationEvent& state) {
  revocation::Put(tx, head.name,
                  {.subject = state.subject(),
                   .token_id = state.token_id(),
                   .not_before = time::ToTime(state.not_before()),
                   .expire_time = time::ToTime(state.expire_time())},
                  absl::Now());
}

using Applier = absl::Status (*)(sql::Transaction&, const Head&, const google::protobuf::Any&);

template <class State>
std::pair<std::string, Applier> For() {
  return {State::descriptor()->full_name(),
          [](sql::Transaction& tx, const Head& head,
             const google::protobuf::Any& payload) -> absl::Status {
            State state;
            if (!payload.UnpackTo(&state)) {
              return errors::Internal(absl::StrCat("A payload is no ", state.GetTypeName(), "."));
            }
            Put(tx, head, state);
            return absl::OkStatus();
          }};
}

const std::vector<std::pair<std::string, Applier>>& Appliers() {
  static const auto& appliers =
      *new std::vector<std::pair<std::string, Applier>>{For<proto::OrganizationEvent>(),
                                                        For<proto::ClinicEvent>(),
                                                        For<proto::ClinicianEvent>(),
                                                        For<proto::TimeOffEvent>(),
                                                        For<proto::CoverEvent>(),
                                                        For<proto::SupervisionEvent>(),
                                                        For<proto::CourseEvent>(),
                                                        For<proto::AppointmentEvent>(),
                                                        For<proto::PrivateAppointmentEvent>(),
                                                        For<proto::RevocationEvent>()};
  return appliers;
}

}  // namespace

std::vector<std::string> EventTypes() {
  std::vector<std::string> types;
  for (const auto& [type, applier] : Appliers()) types.push_back(type);
  return types;
}

absl::Status Apply(sql::Transaction& tx, const common::v1::Event& event) {
  const absl::string_view type = names::Last(event.payload().type_url());
  const Head head = {event.resource(), sql::Text(names::OrganizationId(event.organization())),
                     sql::Text(event.resource()), sql::Int(event.version()),
                     Instant(event.occur_time())};
  for (const auto& [known, apply] : Appliers()) {
    if (type == known) return apply(tx, head, event.payload());
  }
  return absl::OkStatus();
}

}  // namespace rapport::care
