#include "services/assessment/rpc/measure_request_handlers.h"

#include <openssl/rand.h>

#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "common/auth/integrity.h"
#include "common/call/own_act.h"
#include "common/call/pages.h"
#include "common/care/care.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/ids/ulid.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "rapport/assessment/v1/events.pb.h"
#include "services/assessment/rpc/eraser.h"
#include "services/assessment/store/assessments.h"

namespace rapport::assessment {
namespace {

constexpr absl::string_view kType = "MeasureRequest";
constexpr size_t kLinkBytes = 32;

// 43 letters that nobody guesses.
std::string NewLinkToken() {
  std::string bytes(kLinkBytes, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), kLinkBytes) != 1) std::abort();
  return auth::Base64UrlEncode(bytes);
}

crypto::Place PlaceOf(const v1::MeasureRequest& request, int64_t save_number) {
  return {.organization_id = std::string(names::OrganizationId(request.name())),
          .subject = request.patient(),
          .resource = request.name(),
          .version = save_number,
          .field = "answers"};
}

absl::Status WrongState() {
  return errors::FailedPrecondition("MEASURE_REQUEST_STATE",
                                    "The request is answered, declined, taken back or over.");
}

absl::Status OutsideMonitoredHours(std::optional<absl::Time> next) {
  return errors::FailedPrecondition(
      "OUTSIDE_MONITORED_HOURS",
      "This form asks about safety, and can be answered only while somebody would see the answer.",
      {{"opens_at", next ? absl::FormatTime(absl::RFC3339_sec, *next, absl::UTCTimeZone()) : ""}});
}

absl::StatusOr<MonitoredHours> HoursOf(sql::Session& session, const care::CourseFacts& course) {
  ASSIGN_OR_RETURN(
      const care::Settings settings,
      care::GetSettings(session, names::OrganizationId(course.course), course.state.clinic()));
  return MonitoredHours::Of(settings.organization, settings.clinic);
}

bool AsksOfRisk(const InstrumentRules& rules) {
  return !rules.instrument().critical_items().empty() ||
         !rules.instrument().concern_rules().empty();
}

// Keeps the request as it is now, with what scheduled work its state leaves.
absl::Status Keep(call::Change& change, store::StoredRequest& stored) {
  RETURN_IF_ERROR(store::UpdateRequest(change.tx(), stored));
  if (!IsOpen(stored.request.state())) {
    work::Unschedule(change.tx(), change.context().organization_id, kExpiryWork,
                     stored.request.name());
  }
  change.Record(stored.request.name(), stored.version + 1, EventOf(stored.request),
                store::Document(stored.request));
  stored.request.set_etag(call::Etag(stored.version + 1));
  return absl::OkStatus();
}

}  // namespace

void MeasureRequestHandlers::Register(call::Registry& registry) {
  registry.Service("rapport.assessment.v1.MeasureRequestService", this)
      .Unary("CreateMeasureRequest", &MeasureRequestHandlers::CreateMeasureRequest)
      .Unary("GetMeasureRequest", &MeasureRequestHandlers::GetMeasureRequest)
      .Unary("ListMeasureRequests", &MeasureRequestHandlers::ListMeasureRequests)
      .Unary("CancelMeasureRequest", &MeasureRequestHandlers::CancelMeasureRequest)
      .Unary("OpenMeasureRequest", &MeasureRequestHandlers::OpenMeasureRequest)
      .Unary("SaveMeasureAnswers", &MeasureRequestHandlers::SaveMeasureAnswers)
      .Unary("SubmitMeasure", &MeasureRequestHandlers::SubmitMeasure)
      .Unary("DeclineMeasure", &MeasureRequestHandlers::DeclineMeasure);
}

void MeasureRequestHandlers::Register(work::Worker& worker) {
  worker.On(kExpiryWork,
            [](sql::Transaction& tx, const work::Item& item, absl::Time now) -> absl::Status {
              ASSIGN_OR_RETURN(store::StoredRequest stored, store::GetRequest(tx, item.key));
              if (!IsOpen(stored.request.state())) return absl::OkStatus();
              stored.request.set_state(v1::MEASURE_REQUEST_STATE_EXPIRED);
              RETURN_IF_ERROR(store::UpdateRequest(tx, stored));
              call::RecordOwnAct(tx, "assessment", "ExpireMeasureRequest", stored.request.name(),
                                 stored.version + 1, now, EventOf(stored.request),
                                 store::Document(stored.request));
              return absl::OkStatus();
            });
}

absl::StatusOr<v1::MeasureRequest> MeasureRequestHandlers::CreateMeasureRequest(
    const call::CallContext& context, const v1::CreateMeasureRequestRequest& request) {
  const v1::MeasureRequest& given = request.measure_request();
  return call::Mutate<v1::MeasureRequest>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) -> absl::StatusOr<v1::MeasureRequest> {
        ASSIGN_OR_RETURN(store::StoredRequest stored, store::GetRequest(session, name));
        RETURN_IF_ERROR(
            care::RequireCourse(session, context, stored.request.course(), kType).status());
        return std::move(stored.request);
      },
      [&](call::Change& change) -> absl::StatusOr<v1::MeasureRequest> {
        sql::Transaction& tx = change.tx();
        ASSIGN_OR_RETURN(const care::CourseFacts course,
                         care::RequireTreated(tx, context, given.course(), "Course"));
        ASSIGN_OR_RETURN(const std::shared_ptr<const InstrumentRules> rules,
                         catalogues_.Find(tx, context.organization_id, given.instrument()));
        if (rules == nullptr || rules->items() == 0) {
          return errors::InvalidArgument("measure_request.instrument",
                                         "must be an instrument with items that ListInstruments "
                                         "tells");
        }
        v1::MeasureRequest made = given;
        ASSIGN_OR_RETURN(*made.mutable_patient(), RespondentOf(context, course, given.patient(),
                                                               true, "measure_request.patient"));
        std::optional<absl::Time> start, end;
        if (!given.appointment().empty()) {
          ASSIGN_OR_RETURN(const care::AppointmentFacts appointment,
                           care::GetAppointment(tx, given.appointment()));
          if (appointment.state.course() != course.course) return errors::NotFound("Appointment");
          start = appointment.start();
          end = appointment.end();
        }
        RETURN_IF_ERROR(RequireNotErased(tx, made.patient()));
        RETURN_IF_ERROR(SettleTimes(made, start, end, context.now));
        RETURN_IF_ERROR(RequireRiskOwner(tx, course, made.patient(), *rules));
        if (AsksOfRisk(*rules)) {
          ASSIGN_OR_RETURN(const MonitoredHours hours, HoursOf(tx, course));
          const std::optional<absl::Time> next = hours.Next(time::ToTime(made.open_time()));
          if (!next || *next >= time::ToTime(made.expire_time())) {
            return OutsideMonitoredHours(next);
          }
        }
        made.set_name(
            names::InOrganization(context.organization_id, "measureRequests", ids::NewUlid()));
        made.set_instrument(rules->instrument().name());
        made.set_state(v1::MEASURE_REQUEST_STATE_OPEN);
        if (made.channel() == v1::REQUEST_CHANNEL_UNSPECIFIED) {
          made.set_channel(v1::REQUEST_CHANNEL_LINK);
        }
        *made.mutable_create_time() = time::ToTimestamp(context.now);
        const std::string link_token = NewLinkToken();
        store::InsertRequest(tx, made, rules->id(), link_token);
        work::Schedule(tx, context.organization_id, kExpiryWork, made.name(),
                       time::ToTime(made.expire_time()));
        change.Record(made.name(), 1, EventOf(made), store::Document(made));
        made.set_link_token(link_token);
        made.set_etag(call::Etag(1));
        return made;
      });
}

absl::StatusOr<v1::MeasureRequest> MeasureRequestHandlers::GetMeasureRequest(
    const call::CallContext& context, const v1::GetMeasureRequestRequest& request) {
  return call::Read<v1::MeasureRequest>(
      database_, context, [&](sql::Session& session) -> absl::StatusOr<v1::MeasureRequest> {
        ASSIGN_OR_RETURN(store::StoredRequest stored, store::GetRequest(session, request.name()));
        RETURN_IF_ERROR(
            care::RequireCourse(session, context, stored.request.course(), kType).status());
        return std::move(stored.request);
      });
}

absl::StatusOr<v1::ListMeasureRequestsResponse> MeasureRequestHandlers::ListMeasureRequests(
    const call::CallContext& context, const v1::ListMeasureRequestsRequest& request) {
  ASSIGN_OR_RETURN(const call::Page page, call::ReadPage(context, request));
  return call::Read<v1::ListMeasureRequestsResponse>(
      database_, context,
      [&](sql::Session& session) -> absl::StatusOr<v1::ListMeasureRequestsResponse> {
        RETURN_IF_ERROR(care::RequireCourse(session, context, request.course(), "Course").status());
        ASSIGN_OR_RETURN(store::RequestPage listed,
                         store::ListRequests(session, request.course(), page));
        v1::ListMeasureRequestsResponse response;
        for (v1::MeasureRequest& each : listed.requests) {
          *response.add_measure_requests() = std::move(each);
        }
        if (!listed.next_key.empty()) {
          response.set_next_page_token(call::NextPageToken(context, listed.next_key));
        }
        return response;
      });
}

absl::StatusOr<v1::MeasureRequest> MeasureRequestHandlers::CancelMeasureRequest(
    const call::CallContext& context, const v1::CancelMeasureRequestRequest& request) {
  return call::Mutate<v1::MeasureRequest>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) -> absl::StatusOr<v1::MeasureRequest> {
        ASSIGN_OR_RETURN(store::StoredRequest stored, store::GetRequest(session, name));
        RETURN_IF_ERROR(
            care::RequireCourse(session, context, stored.request.course(), kType).status());
        return std::move(stored.request);
      },
      [&](call::Change& change) -> absl::StatusOr<v1::MeasureRequest> {
        ASSIGN_OR_RETURN(store::StoredRequest stored,
                         store::GetRequest(change.tx(), request.name()));
        RETURN_IF_ERROR(
            RequireTherapist(change.tx(), context, stored.request.course(), kType).status());
        RETURN_IF_ERROR(call::CheckEtag(request.etag(), stored.version));
        if (!IsOpen(stored.request.state())) return WrongState();
        stored.request.set_state(v1::MEASURE_REQUEST_STATE_CANCELLED);
        RETURN_IF_ERROR(Keep(change, stored));
        return std::move(stored.request);
      });
}

absl::StatusOr<MeasureRequestHandlers::Answerable> MeasureRequestHandlers::FindLink(
    sql::Session& session, const call::CallContext& context, absl::string_view link_token) const {
  Answerable answerable;
  ASSIGN_OR_RETURN(answerable.stored,
                   store::GetRequestByLink(session, context.organization_id, link_token));
  const v1::MeasureRequest& request = answerable.stored.request;
  if (!IsOpen(request.state()) || time::ToTime(request.expire_time()) <= context.now) {
    return errors::NotFound(kType);
  }
  if (care::IsPatientProxy(*context.principal) &&
      names::Last(request.patient()) != context.principal->subject) {
    return errors::NotFound(kType);
  }
  ASSIGN_OR_RETURN(answerable.course,
                   care::RequireCourse(session, context, request.course(), kType));
  return answerable;
}

absl::StatusOr<MeasureRequestHandlers::Answerable> MeasureRequestHandlers::RequireLink(
    sql::Session& session, const call::CallContext& context, absl::string_view link_token) const {
  ASSIGN_OR_RETURN(Answerable answerable, FindLink(session, context, link_token));
  const v1::MeasureRequest& request = answerable.stored.request;
  ASSIGN_OR_RETURN(answerable.rules,
                   catalogues_.Find(session, context.organization_id, request.instrument()));
  if (answerable.rules == nullptr) {
    return errors::Internal("A measure request names a revision that is not there.");
  }
  if (time::ToTime(request.open_time()) > context.now) {
    return errors::FailedPrecondition(
        "NOT_OPEN_YET", "The form can not be answered yet.",
        {{"opens_at", absl::FormatTime(absl::RFC3339_sec, time::ToTime(request.open_time()),
                                       absl::UTCTimeZone())}});
  }
  if (AsksOfRisk(*answerable.rules)) {
    ASSIGN_OR_RETURN(const MonitoredHours hours, HoursOf(session, answerable.course));
    if (!hours.Holds(context.now)) return OutsideMonitoredHours(hours.Next(context.now));
  }
  return answerable;
}

absl::StatusOr<v1::OpenMeasure> MeasureRequestHandlers::Show(sql::Session& session,
                                                             const Answerable& answerable) const {
  const store::StoredRequest& stored = answerable.stored;
  v1::OpenMeasure open;
  open.set_instrument(stored.request.instrument());
  open.set_language(stored.request.language());
  *open.mutable_expire_time() = stored.request.expire_time();
  open.set_save_number(stored.save_number);
  if (!stored.sealed.empty()) {
    ASSIGN_OR_RETURN(
        const std::string plain,
        vault_.Open(session, PlaceOf(stored.request, stored.save_number), stored.sealed));
    v1::OpenMeasure saved;
    if (!saved.ParseFromString(plain)) {
      return errors::Internal("Saved answers can't be parsed.");
    }
    *open.mutable_answers() = saved.answers();
    const auto sheet = Sheet::Read(*answerable.rules, open.answers(), {});
    if (std::holds_alternative<Refusal>(sheet)) {
      return errors::Internal("Saved answers do not fit the revision of their request.");
    }
    open.set_respondent_guidance(
        GuidanceOf(ScoreSheet(*answerable.rules, std::get<Sheet>(sheet), /*explain=*/false)));
  }
  return open;
}

absl::StatusOr<v1::OpenMeasure> MeasureRequestHandlers::OpenMeasureRequest(
    const call::CallContext& context, const v1::OpenMeasureRequestRequest& request) {
  return call::Read<v1::OpenMeasure>(
      database_, context, [&](sql::Session& session) -> absl::StatusOr<v1::OpenMeasure> {
        ASSIGN_OR_RETURN(const Answerable answerable,
                         RequireLink(session, context, request.link_token()));
        return Show(session, answerable);
      });
}

absl::StatusOr<v1::OpenMeasure> MeasureRequestHandlers::SaveMeasureAnswers(
    const call::CallContext& context, const v1::SaveMeasureAnswersRequest& request) {
  // The save number makes it repeatable.
  const auto save = [&](call::Change& change) -> absl::StatusOr<v1::OpenMeasure> {
    sql::Transaction& tx = change.tx();
    ASSIGN_OR_RETURN(Answerable answerable, RequireLink(tx, context, request.link_token()));
    store::StoredRequest& stored = answerable.stored;
    if (request.save_number() != stored.save_number) {
      return errors::Aborted("STALE_SAVE",
                             "Another window has saved answers since; open the request again.");
    }
    const auto sheet = Sheet::Read(*answerable.rules, request.answers(), {});
    if (const auto* refusal = std::get_if<Refusal>(&sheet)) return ToStatus(*refusal, "");
    RETURN_IF_ERROR(recorder_
                        .RaisePartial(change, answerable.course, stored.request.patient(),
                                      *answerable.rules, std::get<Sheet>(sheet),
                                      stored.request.name())
                        .status());
    int answered = 0;
    for (const v1::Answer& answer : request.answers()) answered += answer.has_value();
    stored.request.set_answered_items(answered);
    stored.request.set_state(v1::MEASURE_REQUEST_STATE_PARTIAL);
    ++stored.save_number;
    v1::OpenMeasure saved;
    *saved.mutable_answers() = request.answers();
    ASSIGN_OR_RETURN(stored.sealed, vault_.Seal(tx, PlaceOf(stored.request, stored.save_number),
                                                saved.SerializeAsString(), context.now));
    RETURN_IF_ERROR(Keep(change, stored));
    return Show(tx, answerable);
  };
  return call::MutateUnnumbered<v1::OpenMeasure>(database_, context, save);
}

absl::StatusOr<v1::SubmitMeasureResponse> MeasureRequestHandlers::SubmitMeasure(
    const call::CallContext& context, const v1::SubmitMeasureRequest& request) {
  return call::Mutate<v1::SubmitMeasureResponse>(
      database_, context, request.request_id(),
      [&](sql::Session& session,
          absl::string_view name) -> absl::StatusOr<v1::SubmitMeasureResponse> {
        ASSIGN_OR_RETURN(const store::StoredAssessment stored,
                         store::GetAssessment(session, vault_, name));
        v1::SubmitMeasureResponse response;
        response.set_respondent_guidance(GuidanceOf(stored.assessment.score()));
        return response;
      },
      [&](call::Change& change) -> absl::StatusOr<v1::SubmitMeasureResponse> {
        sql::Transaction& tx = change.tx();
        ASSIGN_OR_RETURN(Answerable answerable, RequireLink(tx, context, request.link_token()));
        store::StoredRequest& stored = answerable.stored;
        if (request.answers().empty()) return errors::InvalidArgument("answers", "are needed");
        const auto sheet = Sheet::Read(*answerable.rules, request.answers(), request.context());
        if (const auto* refusal = std::get_if<Refusal>(&sheet)) return ToStatus(*refusal, "");
        v1::Assessment form;
        form.set_course(stored.request.course());
        form.set_patient(stored.request.patient());
        form.set_instrument(stored.request.instrument());
        *form.mutable_answers() = request.answers();
        *form.mutable_context() = request.context();
        form.set_administration(stored.request.channel() == v1::REQUEST_CHANNEL_LINK
                                    ? v1::ADMINISTRATION_SELF_REPORT
                                    : v1::ADMINISTRATION_INTERVIEW);
        form.set_language(stored.request.language());
        form.set_device(request.device());
        ASSIGN_OR_RETURN(const Recorder::Recorded recorded,
                         recorder_.Record(change, form,
                                          {.measure_request = stored.request.name(),
                                           .recorder = context.principal->subject}));
        stored.request.set_state(v1::MEASURE_REQUEST_STATE_COMPLETED);
        stored.request.set_assessment(recorded.assessment.name());
        stored.sealed.clear();
        RETURN_IF_ERROR(Keep(change, stored));
        v1::SubmitMeasureResponse response;
        response.set_respondent_guidance(recorded.guidance);
        return response;
      });
}

absl::StatusOr<v1::DeclineMeasureResponse> MeasureRequestHandlers::DeclineMeasure(
    const call::CallContext& context, const v1::DeclineMeasureRequest& request) {
  return call::MutateUnnumbered<v1::DeclineMeasureResponse>(
      database_, context, [&](call::Change& change) -> absl::StatusOr<v1::DeclineMeasureResponse> {
        sql::Transaction& tx = change.tx();
        ASSIGN_OR_RETURN(Answerable answerable, FindLink(tx, context, request.link_token()));
        store::StoredRequest& stored = answerable.stored;
        stored.request.set_state(v1::MEASURE_REQUEST_STATE_DECLINED);
        stored.request.set_decline_reason(request.reason());
        RETURN_IF_ERROR(Keep(change, stored));
        return v1::DeclineMeasureResponse();
      });
}

}  // namespace rapport::assessment
