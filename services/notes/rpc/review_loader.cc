#include "services/notes/rpc/review_loader.h"

#include <algorithm>
#include <utility>

#include "common/care/care.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/telemetry/log.h"
#include "common/time/convert.h"
#include "common/time/zones.h"
#include "rapport/assessment/v1/alert_service.pb.h"
#include "rapport/assessment/v1/assessment_service.pb.h"
#include "rapport/assessment/v1/instrument_service.pb.h"
#include "rapport/assessment/v1/progress_service.pb.h"
#include "services/notes/store/case_store.h"
#include "services/notes/store/entries.h"
#include "services/notes/store/goal_store.h"
#include "services/notes/store/note_store.h"
#include "services/notes/store/release_store.h"
#include "services/notes/store/risk_store.h"
#include "services/notes/store/screen_store.h"

namespace rapport::notes {
namespace {

namespace as = assessment::v1;
using call::CallContext;

constexpr int kPage = 500;
constexpr int kMostNotePages = 2;
constexpr int kMostFormPages = 8;
constexpr int kMostAlertPages = 2;
constexpr size_t kMostEntries = 4000;
constexpr int64_t kMostRevisions = 4000;
constexpr size_t kMostInstruments = 40;

const call::Page kFirstPage{.size = kPage, .after = ""};

template <class Item>
void Keep(Listed<Item>&& listed, std::vector<Item>& into, CaseFile& file) {
  into = std::move(listed.items);
  file.shortened = file.shortened || !listed.next_key.empty();
}

}  // namespace

absl::Status ReviewLoader::ReadOwn(sql::Session& session, const CallContext& context,
                                   absl::string_view case_name, const FileParts& parts,
                                   Purpose purpose, LoadedFile& loaded) const {
  CaseFile& file = loaded.file;
  const std::string& organization = context.organization_id;
  ASSIGN_OR_RETURN(CaseAccess access,
                   access_.RequireCase(session, context, case_name, "Case", purpose));
  loaded.treats = access.treats;
  const std::string& id = access.case_id;
  file.organization_id = organization;
  file.now = context.now;
  file.course = std::move(access.course.state);
  ASSIGN_OR_RETURN(CaseRecord record, GetCase(session, vault_, organization, id));
  file.record = std::move(record.resource);
  ASSIGN_OR_RETURN(std::vector<care::AppointmentFacts> appointments,
                   care::ListAppointments(session, file.record.course()));
  for (care::AppointmentFacts& appointment : appointments) {
    file.sittings.push_back({std::move(appointment.appointment), std::move(appointment.state),
                             appointment.session_number});
  }
  ASSIGN_OR_RETURN(const std::vector<care::TimeOff> leave,
                   care::ListTimeOff(session, file.course.clinician(), context.now));
  for (const care::TimeOff& each : leave) file.leave.push_back({each.start, each.end});
  ASSIGN_OR_RETURN(file.entries, AllEntries(session, vault_, organization, id, {}));
  if (file.entries.size() > kMostEntries) {
    file.entries.erase(file.entries.begin(),
                       file.entries.end() - static_cast<std::ptrdiff_t>(kMostEntries));
    file.shortened = true;
  }
  if (parts.clinical) {
    ASSIGN_OR_RETURN(Listed<v1::Goal> goals,
                     ListGoals(session, vault_, organization, id, kFirstPage));
    Keep(std::move(goals), file.goals, file);
    ASSIGN_OR_RETURN(Listed<v1::Formulation> formulations,
                     ListFormulations(session, vault_, organization, id, kFirstPage));
    Keep(std::move(formulations), file.formulations, file);
    ASSIGN_OR_RETURN(Listed<v1::Determination> determinations,
                     ListDeterminations(session, vault_, organization, id, kFirstPage));
    Keep(std::move(determinations), file.determinations, file);
    ASSIGN_OR_RETURN(Listed<v1::RiskAssessment> risks,
                     ListRiskAssessments(session, vault_, organization, id, kFirstPage));
    Keep(std::move(risks), file.risk_assessments, file);
    absl::StatusOr<v1::SafetyPlan> plan = GetSafetyPlan(session, vault_, organization, id);
    if (plan.ok()) {
      file.safety_plan = *std::move(plan);
    } else if (!absl::IsNotFound(plan.status())) {
      return plan.status();
    }
    ASSIGN_OR_RETURN(file.screens, ListNewestPartnerScreens(session, vault_, organization, id));
  }
  if (parts.notes) {
    call::Page page = kFirstPage;
    for (int i = 0; i < kMostNotePages; ++i) {
      ASSIGN_OR_RETURN(Listed<v1::Note> notes,
                       ListNotes(session, vault_, organization, id, "", page));
      for (v1::Note& note : notes.items) {
        if (note.state() == v1::NOTE_STATE_SIGNED || note.state() == v1::NOTE_STATE_COSIGNED) {
          file.notes.push_back(std::move(note));
        }
      }
      page.after = std::move(notes.next_key);
      if (page.after.empty()) break;
    }
    file.shortened = file.shortened || !page.after.empty();
  }
  if (parts.disclosure) {
    ASSIGN_OR_RETURN(file.labels, GetCaseLabels(session, organization, id));
    ASSIGN_OR_RETURN(Listed<v1::Consent> consents,
                     ListConsents(session, vault_, organization, id, kFirstPage));
    Keep(std::move(consents), file.consents, file);
    ASSIGN_OR_RETURN(file.consented, ListConsented(session, organization, id,
                                                   v1::CONSENT_PURPOSE_JOINT_NOTES, context.now));
  }
  if (parts.relationships) {
    ASSIGN_OR_RETURN(loaded.relationships,
                     AllRevisions(session, vault_, organization, id, v1::ENTRY_KIND_RELATIONSHIP,
                                  kMostRevisions));
  }
  return absl::OkStatus();
}

absl::Status ReviewLoader::AskProgress(const CallContext& context, CaseFile& file) const {
  for (const std::string& patient : file.Patients()) {
    as::GetProgressRequest ask;
    ask.set_course(file.record.course());
    ask.set_patient(patient);
    ASSIGN_OR_RETURN(as::Progress progress,
                     assessment_.Call<as::Progress>(
                         context, "rapport.assessment.v1.ProgressService/GetProgress", ask));
    progress.set_patient(patient);
    file.progress.push_back(std::move(progress));
  }
  return absl::OkStatus();
}

absl::Status ReviewLoader::AskAlerts(const CallContext& context, CaseFile& file) const {
  as::ListAlertsRequest ask;
  ask.set_parent(names::Organization(context.organization_id));
  ask.set_course(file.record.course());
  ask.set_page_size(kPage);
  ask.add_states(as::ALERT_STATE_OPEN);
  ask.add_states(as::ALERT_STATE_ACKNOWLEDGED);
  for (int page = 0; page < kMostAlertPages; ++page) {
    ASSIGN_OR_RETURN(as::ListAlertsResponse answer,
                     assessment_.Call<as::ListAlertsResponse>(
                         context, "rapport.assessment.v1.AlertService/ListAlerts", ask));
    for (as::Alert& alert : *answer.mutable_alerts()) file.alerts.push_back(std::move(alert));
    ask.set_page_token(answer.next_page_token());
    if (answer.next_page_token().empty()) return absl::OkStatus();
  }
  file.shortened = true;
  return absl::OkStatus();
}

absl::Status ReviewLoader::AskForms(const CallContext& context, CaseFile& file) const {
  as::ListAssessmentsRequest ask;
  ask.set_parent(names::Organization(context.organization_id));
  ask.set_course(file.record.course());
  ask.set_page_size(kPage);
  for (int page = 0; page < kMostFormPages; ++page) {
    ASSIGN_OR_RETURN(as::ListAssessmentsResponse answer,
                     assessment_.Call<as::ListAssessmentsResponse>(
                         context, "rapport.assessment.v1.AssessmentService/ListAssessments", ask));
    for (as::Assessment& form : *answer.mutable_assessments()) {
      if (form.patient().empty()) form.set_patient(file.record.patient());
      file.assessments.push_back(std::move(form));
    }
    ask.set_page_token(answer.next_page_token());
    if (answer.next_page_token().empty()) break;
  }
  file.shortened = file.shortened || !ask.page_token().empty();
  std::sort(file.assessments.begin(), file.assessments.end(), [](const auto& a, const auto& b) {
    const absl::Time at = time::ToTime(a.answer_time()), bt = time::ToTime(b.answer_time());
    return at != bt ? at < bt : a.name() < b.name();
  });
  for (const as::Assessment& form : file.assessments) {
    if (file.instruments.contains(form.instrument())) continue;
    if (file.instruments.size() == kMostInstruments) break;
    as::GetInstrumentRequest which;
    which.set_name(form.instrument());
    ASSIGN_OR_RETURN(file.instruments[form.instrument()],
                     assessment_.Call<as::Instrument>(
                         context, "rapport.assessment.v1.InstrumentService/GetInstrument", which));
  }
  return absl::OkStatus();
}

absl::StatusOr<LoadedFile> ReviewLoader::Load(const CallContext& context,
                                              absl::string_view case_name, const FileParts& parts,
                                              Purpose purpose, absl::string_view patient,
                                              absl::string_view patient_field,
                                              bool patient_needed) const {
  LoadedFile loaded;
  CaseFile& file = loaded.file;
  RETURN_IF_ERROR(database_.Read(
      sql::Access::Tenant(context.organization_id), context.deadline, [&](sql::Session& session) {
        loaded = LoadedFile();
        return ReadOwn(session, context, case_name, parts, purpose, loaded);
      }));
  const std::vector<std::string> patients = file.Patients();
  const bool known = patient.empty()
                         ? !(patient_needed && file.conjoint())
                         : std::find(patients.begin(), patients.end(), patient) != patients.end();
  if (!known) return errors::InvalidArgument(patient_field, "must be a patient of the case");
  const bool of_partner = file.conjoint() && patient == file.record.partner();
  const auto zone = time::LoadZone(of_partner ? file.course.partner_time_zone()
                                              : file.course.patient_time_zone());
  file.zone = zone.ok() ? *zone : absl::UTCTimeZone();

  absl::Status asked;
  if (parts.progress) asked.Update(AskProgress(context, file));
  if (parts.alerts) asked.Update(AskAlerts(context, file));
  if (parts.forms) asked.Update(AskForms(context, file));
  if (!asked.ok()) {
    telemetry::Log(
        telemetry::Severity::kWarning, "review without scores",
        {{"code", absl::StatusCodeToString(asked.code())}, {"reason", errors::Reason(asked)}});
    file.unavailable_sources.emplace_back(assessment_.name());
  }
  return loaded;
}

}  // namespace rapport::notes
