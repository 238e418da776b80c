#include "services/notes/domain/fhir.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "services/notes/domain/canonical.h"
#include "services/notes/domain/fhir_json.h"
#include "services/notes/domain/summary_fields.h"

namespace rapport::notes {
namespace {

using fhir::Coding;
using fhir::Concept;
using fhir::Instant;
using fhir::Json;
using fhir::PartialDate;
using fhir::PutArray;
using fhir::PutText;
using fhir::Reference;
namespace sv1 = scheduling::v1;

constexpr char kBase[] = "https://rapport.invalid/fhir/";
constexpr char kNames[] = "https://rapport.invalid/names";
constexpr char kLoinc[] = "http://loinc.org";
constexpr char kActCode[] = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
constexpr char kConfidentiality[] = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";
constexpr char kConditionClinical[] = "http://terminology.hl7.org/CodeSystem/condition-clinical";
constexpr char kConditionVerification[] =
    "http://terminology.hl7.org/CodeSystem/condition-ver-status";
constexpr char kConditionCategory[] = "http://terminology.hl7.org/CodeSystem/condition-category";
constexpr char kObservationCategory[] =
    "http://terminology.hl7.org/CodeSystem/observation-category";
constexpr char kAchievement[] = "http://terminology.hl7.org/CodeSystem/goal-achievement";
constexpr char kSignatureType[] = "urn:iso-astm:E1762-95:2013";
constexpr char kSnomed[] = "http://snomed.info/sct";
constexpr char kProgressNote[] = "28627-8";  // psychiatry progress note
constexpr char kCaseRecord[] = "11506-3";    // progress note
constexpr char kConsent[] = "59284-0";       // patient consent
constexpr int kMostNames = 100;              // of what was left out

const char* SystemOf(v1::CodeSystem system) {
  switch (system) {
    case v1::CODE_SYSTEM_ICD_10:
      return "http://hl7.org/fhir/sid/icd-10";
    case v1::CODE_SYSTEM_ICD_10_CM:
      return "http://hl7.org/fhir/sid/icd-10-cm";
    case v1::CODE_SYSTEM_ICD_11:
      return "http://id.who.int/icd/release/11/mms";
    default:
      return kSnomed;
  }
}

absl::Time At(const google::protobuf::Timestamp& timestamp) { return time::ToTime(timestamp); }

class Bundler {
 public:
  Bundler(const CaseFile& file, const FhirChoice& choice)
      : file_(file),
        choice_(choice),
        view_{file.conjoint() ? choice.patient : "", true},
        people_(choice.include_inventory ? People::kByName : People::kByKind),
        patient_id_(FhirId(choice.patient)),
        case_id_(FhirId(file.record.name())) {}

  FhirBundle Make() {
    // What refers to others is made first, so that all who are named are known.
    std::vector<Json> body;
    body.swap(resources_);
    Inventory();
    Conditions();
    Course();
    Goals();
    Sittings();
    Forms();
    Events();
    Risk();
    Impressions();
    Consents();
    CaseRecord();
    if (choice_.without_notes) {
      Omit(v1::OMISSION_REASON_NOT_ASKED_FOR, "");
    } else {
      Notes();
    }
    Omit(v1::OMISSION_REASON_PSYCHOTHERAPY_NOTES, "");
    if (choice_.patient != file_.record.patient()) Omit(v1::OMISSION_REASON_OTHER_SUBJECT, "");
    if (!file_.unavailable_sources.empty()) Omit(v1::OMISSION_REASON_UNAVAILABLE, "");
    body.swap(resources_);

    Json bundle = {{"resourceType", "Bundle"}};
    bundle["meta"] = {{"security", Labels()}};
    bundle["identifier"] = Identifier(file_.record.name());
    bundle["type"] = "collection";
    bundle["timestamp"] = Instant(file_.now);
    Json entries = Json::array();
    const auto add = [&](Json resource) {
      const std::string url = absl::StrCat(kBase, file_.organization_id, "/",
                                           resource["resourceType"].get<std::string>(), "/",
                                           resource["id"].get<std::string>());
      entries.push_back({{"fullUrl", url}, {"resource", std::move(resource)}});
    };
    Json organization = Resource("Organization", FhirId(file_.organization_id));
    organization["identifier"] =
        Json::array({Identifier(names::Organization(file_.organization_id))});
    add(std::move(organization));
    for (const std::string& name : practitioners_) {
      Json practitioner = Resource("Practitioner", FhirId(name));
      practitioner["identifier"] = Json::array({Identifier(name)});
      add(std::move(practitioner));
    }
    Json patient = Resource("Patient", patient_id_);
    patient["identifier"] = Json::array({Identifier(choice_.patient)});
    patient["managingOrganization"] = Reference("Organization", FhirId(file_.organization_id));
    add(std::move(patient));
    for (Json& resource : body) add(std::move(resource));

    FhirBundle made;
    made.resources = static_cast<int>(entries.size());
    bundle["entry"] = std::move(entries);
    made.json = bundle.dump(1, ' ', false, Json::error_handler_t::replace);
    for (auto& [reason, omission] : omissions_) made.omissions.push_back(std::move(omission));
    return made;
  }

 private:
  static Json Resource(const char* type, const std::string& id) {
    return {{"resourceType", type}, {"id", id}};
  }
  static Json Identifier(const std::string& name) { return {{"system", kNames}, {"value", name}}; }
  Json Subject() const { return Reference("Patient", patient_id_); }
  Json Practitioner(const std::string& clinician) {
    practitioners_.insert(clinician);
    return Reference("Practitioner", FhirId(clinician));
  }
  void PutPractitioner(Json& json, const char* key, const std::string& clinician) {
    if (!clinician.empty()) json[key] = Practitioner(clinician);
  }
  void Add(Json resource) { resources_.push_back(std::move(resource)); }

  // Of the case, for what leaves it; `restricted` for what was told alone.
  Json Labels(bool restricted = true) const {
    Json labels = Json::array();
    labels.push_back(Coding(kConfidentiality, restricted ? "R" : "N"));
    labels.push_back(Coding(kActCode, "PSY"));
    for (const int label : file_.labels.labels()) {
      if (label != v1::CASE_LABEL_PART_2) continue;
      labels.push_back(Coding(kActCode, "42CFRPart2"));
      labels.push_back(Coding(kActCode, "NORDSCLCD"));
    }
    if (file_.course.has_majority_on() &&
        time::ToCivilDay(file_.course.majority_on()) > file_.today()) {
      labels.push_back(Coding(kActCode, "ADOL"));
    }
    return labels;
  }
  void Label(Json& resource, const std::string& version, bool violence = false) const {
    Json meta = Json::object();
    PutText(meta, "versionId", version);
    Json labels = Labels();
    if (violence) labels.push_back(Coding(kActCode, "SDV"));
    meta["security"] = std::move(labels);
    resource["meta"] = std::move(meta);
  }

  // `name` empty: how many is not told.
  void Omit(v1::OmissionReason reason, absl::string_view name) {
    v1::ExportOmission& omission = omissions_[reason];
    omission.set_reason(reason);
    if (name.empty()) return;
    omission.set_count(omission.count() + 1);
    if (omission.names_size() < kMostNames) omission.add_names(std::string(name));
  }

  std::vector<const v1::Entry*> Of(v1::EntryKind kind) const {
    return EntriesIn(file_, view_, kind);
  }
  std::vector<fhir::Paragraph> Paragraphs(const google::protobuf::Message& record) const {
    std::vector<fhir::Paragraph> paragraphs;
    for (ToldField& field : FieldsOf(record, file_, people_)) {
      if (!fhir::Clean(field.text).empty()) {
        paragraphs.push_back({std::move(field.label), std::move(field.text)});
      }
    }
    return paragraphs;
  }

  void Inventory() {
    for (const v1::Entry* entry : Of(v1::ENTRY_KIND_RELATIONSHIP)) {
      if (!choice_.include_inventory) {
        Omit(v1::OMISSION_REASON_THIRD_PERSONS, entry->name());
        continue;
      }
      const v1::Relationship& person = entry->relationship();
      const std::string id = FhirId(entry->name());
      Json related = Resource("RelatedPerson", id);
      Label(related, absl::StrCat(entry->version()));
      related["active"] = person.status() == v1::RELATIONSHIP_STATUS_CURRENT;
      related["patient"] = Subject();
      related["relationship"] = Json::array(
          {Concept(InWords(v1::RelationshipKind_Name(person.kind()), "RELATIONSHIP_KIND_"))});
      related["name"] = Json::array({{{"text", fhir::Clean(person.person())}}});
      Add(std::move(related));

      Json told = Resource("QuestionnaireResponse", id);
      Label(told, absl::StrCat(entry->version()));
      told["status"] = "completed";
      told["subject"] = Subject();
      told["authored"] = Instant(At(entry->update_time()));
      PutPractitioner(told, "author", entry->clinician());
      Json items = Json::array();
      items.push_back(
          {{"linkId", "about"},
           {"text", "About"},
           {"answer", Json::array({{{"valueReference", Reference("RelatedPerson", id)}}})}});
      for (const ToldField& field : FieldsOf(person, file_, people_)) {
        const std::string text = fhir::Clean(field.text);
        if (text.empty()) continue;
        items.push_back({{"linkId", field.label},
                         {"text", field.label},
                         {"answer", Json::array({{{"valueString", text}}})}});
      }
      told["item"] = std::move(items);
      Add(std::move(told));
    }
  }

  void Conditions() {
    for (const v1::Entry* entry : Of(v1::ENTRY_KIND_DIAGNOSIS)) {
      const v1::Diagnosis& diagnosis = entry->diagnosis();
      const bool refuted = diagnosis.status() == v1::DIAGNOSIS_STATUS_REFUTED;
      const char* clinical = refuted                                           ? "inactive"
                             : diagnosis.episode() == v1::EPISODE_KIND_RELAPSE ? "relapse"
                             : diagnosis.episode() == v1::EPISODE_KIND_RECURRENCE ||
                                     diagnosis.episode() == v1::EPISODE_KIND_RECURRENT
                                 ? "recurrence"
                                 : "active";
      const char* verified = refuted                                                ? "refuted"
                             : diagnosis.status() == v1::DIAGNOSIS_STATUS_CONFIRMED ? "confirmed"
                                                                                    : "provisional";
      Json condition = Resource("Condition", FhirId(entry->name()));
      Label(condition, absl::StrCat(entry->version()));
      condition["clinicalStatus"] = Concept("", Coding(kConditionClinical, clinical));
      condition["verificationStatus"] = Concept("", Coding(kConditionVerification, verified));
      condition["category"] =
          Json::array({Concept("", Coding(kConditionCategory, "encounter-diagnosis"))});
      condition["code"] =
          Concept(diagnosis.label(), Coding(SystemOf(diagnosis.code_system()), diagnosis.code()));
      condition["subject"] = Subject();
      PutText(condition, "onsetDateTime", PartialDate(diagnosis.onset_date()));
      PutText(condition, "recordedDate", PartialDate(diagnosis.diagnosis_date()));
      PutPractitioner(condition, "recorder", entry->clinician());
      if (!refuted) diagnoses_.push_back(Reference("Condition", FhirId(entry->name())));
      Add(std::move(condition));
    }
    for (const v1::Entry* entry : Of(v1::ENTRY_KIND_ADDITIONAL_ISSUE)) {
      const v1::AdditionalIssue& issue = entry->additional_issue();
      constexpr const char* kSeverities[] = {"", "255604002", "6736007", "24484000"};
      Json condition = Resource("Condition", FhirId(entry->name()));
      Label(condition, absl::StrCat(entry->version()));
      condition["clinicalStatus"] =
          Concept("", Coding(kConditionClinical, issue.has_settle_date() ? "resolved" : "active"));
      condition["verificationStatus"] = Concept("", Coding(kConditionVerification, "unconfirmed"));
      condition["category"] =
          Json::array({Concept("", Coding(kConditionCategory, "problem-list-item"))});
      if (issue.severity() >= 1 && issue.severity() <= 3) {
        condition["severity"] =
            Concept(InWords(v1::IssueSeverity_Name(issue.severity()), "ISSUE_SEVERITY_"),
                    Coding(kSnomed, kSeverities[issue.severity()]));
      }
      condition["code"] = Concept(issue.text());
      condition["subject"] = Subject();
      if (issue.has_settle_date()) {
        PutText(condition, "abatementDateTime", PartialDate(issue.settle_date()));
      }
      condition["recordedDate"] = Instant(At(entry->create_time()));
      PutPractitioner(condition, "recorder", entry->clinician());
      if (issue.disposition() != v1::ISSUE_DISPOSITION_UNSPECIFIED) {
        condition["note"] = Json::array({fhir::Annotation(absl::StrCat(
            "Disposition: ",
            InWords(v1::IssueDisposition_Name(issue.disposition()), "ISSUE_DISPOSITION_")))});
      }
      Add(std::move(condition));
    }
  }

  Json Period() const {
    Json period = Json::object();
    absl::Time start = At(file_.record.create_time());
    if (file_.course.has_activate_time()) start = std::min(start, At(file_.course.activate_time()));
    absl::Time end = absl::InfinitePast();
    for (const Sitting& sitting : file_.sittings) {
      if (!WasHeld(sitting)) continue;
      start = std::min(start, sitting.start());
      end = std::max(end, sitting.end());
    }
    period["start"] = Instant(start);
    if (Ended() && end > start) period["end"] = Instant(end);
    return period;
  }
  bool Ended() const {
    return file_.course.state() == sv1::COURSE_STATE_COMPLETED ||
           file_.course.state() == sv1::COURSE_STATE_DISCONTINUED;
  }

  void Course() {
    const auto state = file_.course.state();
    const char* episode_status = state == sv1::COURSE_STATE_PROPOSED       ? "planned"
                                 : state == sv1::COURSE_STATE_PAUSED       ? "onhold"
                                 : state == sv1::COURSE_STATE_COMPLETED    ? "finished"
                                 : state == sv1::COURSE_STATE_DISCONTINUED ? "cancelled"
                                                                           : "active";
    Json episode = Resource("EpisodeOfCare", case_id_);
    episode["identifier"] = Json::array({Identifier(file_.record.course())});
    episode["status"] = episode_status;
    Json diagnosis = Json::array();
    for (const Json& condition : diagnoses_) diagnosis.push_back({{"condition", condition}});
    PutArray(episode, "diagnosis", std::move(diagnosis));
    episode["patient"] = Subject();
    episode["managingOrganization"] = Reference("Organization", FhirId(file_.organization_id));
    episode["period"] = Period();
    PutPractitioner(episode, "careManager", file_.record.clinician());
    episode["team"] = Json::array({Reference("CareTeam", case_id_)});
    Add(std::move(episode));

    Json team = Resource("CareTeam", case_id_);
    team["status"] = Ended() ? "inactive" : "active";
    team["subject"] = Subject();
    Json participants = Json::array();
    std::set<std::string> clinicians = {file_.record.clinician()};
    for (const Sitting& sitting : file_.sittings) {
      if (InView(sitting) && !sitting.state.clinician().empty()) {
        clinicians.insert(sitting.state.clinician());
      }
    }
    for (const std::string& clinician : clinicians) {
      if (clinician.empty()) continue;
      participants.push_back({{"role", Json::array({Concept(clinician == file_.record.clinician()
                                                                ? "Responsible therapist"
                                                                : "Therapist")})},
                              {"member", Practitioner(clinician)}});
    }
    PutArray(team, "participant", std::move(participants));
    Add(std::move(team));

    const char* plan_status = state == sv1::COURSE_STATE_PROPOSED       ? "draft"
                              : state == sv1::COURSE_STATE_PAUSED       ? "on-hold"
                              : state == sv1::COURSE_STATE_COMPLETED    ? "completed"
                              : state == sv1::COURSE_STATE_DISCONTINUED ? "revoked"
                                                                        : "active";
    Json plan = Resource("CarePlan", case_id_);
    Label(plan, "");
    plan["status"] = plan_status;
    plan["intent"] = "plan";
    plan["category"] = Json::array({Concept("Interpersonal psychotherapy")});
    plan["title"] = absl::StrCat("Interpersonal psychotherapy, protocol ",
                                 names::Id(file_.course.protocol(), "protocols"));
    plan["subject"] = Subject();
    plan["period"] = Period();
    PutPractitioner(plan, "author", file_.record.clinician());
    plan["careTeam"] = Json::array({Reference("CareTeam", case_id_)});
    Json addresses = Json::array();
    for (const Json& condition : diagnoses_) addresses.push_back(condition);
    PutArray(plan, "addresses", std::move(addresses));
    Json goals = Json::array();
    for (const v1::Goal& goal : file_.goals) {
      if (!goal.erased()) goals.push_back(Reference("Goal", FhirId(goal.name())));
    }
    PutArray(plan, "goal", std::move(goals));
    Json activity = Json::array();
    for (const v1::Entry* entry : Of(v1::ENTRY_KIND_ACTION)) {
      const v1::Action& action = entry->action();
      if (fhir::Clean(action.text()).empty()) continue;
      const char* status = action.status() == v1::ACTION_STATUS_DONE       ? "completed"
                           : action.status() == v1::ACTION_STATUS_TRIED    ? "in-progress"
                           : action.status() == v1::ACTION_STATUS_NOT_DONE ? "stopped"
                           : action.status() == v1::ACTION_STATUS_DROPPED  ? "cancelled"
                                                                           : "not-started";
      Json detail = Json::object();
      if (HasGoal(action.goal())) {
        detail["goal"] = Json::array({Reference("Goal", FhirId(action.goal()))});
      }
      detail["status"] = status;
      if (EarliestDay(action.due_date())) {
        detail["scheduledString"] = absl::StrCat("by ", PartialDate(action.due_date()));
      }
      PutText(detail, "description", action.text());
      activity.push_back({{"detail", std::move(detail)}});
    }
    PutArray(plan, "activity", std::move(activity));
    Json notes = Json::array();
    for (const v1::ProblemArea& area : file_.record.problem_areas()) {
      notes.push_back(fhir::Annotation(absl::StrCat(
          area.rank() == v1::FOCUS_RANK_PRIMARY ? "Primary" : "Secondary",
          " focus: ", InWords(v1::ProblemAreaKind_Name(area.kind()), "PROBLEM_AREA_KIND_"), ". ",
          area.statement())));
    }
    PutArray(plan, "note", std::move(notes));
    Add(std::move(plan));
  }

  bool HasGoal(const std::string& name) const {
    return std::any_of(file_.goals.begin(), file_.goals.end(),
                       [&](const v1::Goal& goal) { return goal.name() == name && !goal.erased(); });
  }

  void Goals() {
    for (const v1::Goal& goal : file_.goals) {
      if (goal.erased()) {
        Omit(v1::OMISSION_REASON_ERASED, goal.name());
        continue;
      }
      const bool reached = goal.status() == v1::GOAL_STATUS_ACHIEVED;
      const bool dropped = goal.status() == v1::GOAL_STATUS_DROPPED;
      const bool worked_on =
          goal.status() == v1::GOAL_STATUS_ACTIVE || goal.status() == v1::GOAL_STATUS_MODIFIED;
      Json made = Resource("Goal", FhirId(goal.name()));
      Label(made, goal.etag().empty() ? "" : absl::StrCat(goal.revisions_size() + 1));
      made["lifecycleStatus"] = reached     ? "completed"
                                : dropped   ? "cancelled"
                                : worked_on ? "active"
                                            : "proposed";
      if (reached || dropped || worked_on) {
        made["achievementStatus"] = Concept("", Coding(kAchievement, reached   ? "achieved"
                                                                     : dropped ? "not-achieved"
                                                                               : "in-progress"));
      }
      made["description"] = Concept(goal.text());
      made["subject"] = Subject();
      made["startDate"] = PartialDate(time::ToDate(file_.DayOf(At(goal.create_time()))));
      if (goal.has_target_date() || !fhir::Clean(goal.measure()).empty()) {
        Json target = Json::object();
        if (!fhir::Clean(goal.measure()).empty()) target["measure"] = Concept(goal.measure());
        PutText(target, "dueDate", PartialDate(goal.target_date()));
        if (!target.empty()) made["target"] = Json::array({std::move(target)});
      }
      made["statusDate"] = PartialDate(time::ToDate(file_.DayOf(At(goal.update_time()))));
      Json notes = Json::array();
      notes.push_back(fhir::Annotation(absl::StrCat(
          "Progress ", goal.progress_percent(),
          " %. Realism: ", InWords(v1::Realism_Name(goal.realism()), "REALISM_"),
          goal.realism_reason().empty() ? "" : absl::StrCat(", ", goal.realism_reason()))));
      for (const v1::GoalRevision& revision : goal.revisions()) {
        Json note = {{"time", Instant(At(revision.revise_time()))}};
        note["text"] = fhir::Clean(
            absl::StrCat("Was: ", revision.old_text(), ". Why it changed: ", revision.reason()));
        notes.push_back(std::move(note));
      }
      made["note"] = std::move(notes);
      Add(std::move(made));
    }
  }

  bool InView(const Sitting& sitting) const {
    return !file_.conjoint() || !sitting.state.private_session() ||
           sitting.state.patient() == choice_.patient;
  }

  void Sittings() {
    for (const Sitting& sitting : file_.sittings) {
      if (!InView(sitting)) continue;
      const char* status = nullptr;
      switch (sitting.state.state()) {
        case sv1::APPOINTMENT_STATE_BOOKED:
          status = "booked";
          break;
        case sv1::APPOINTMENT_STATE_CHECKED_IN:
          status = "checked-in";
          break;
        case sv1::APPOINTMENT_STATE_COMPLETED:
          status = "fulfilled";
          break;
        case sv1::APPOINTMENT_STATE_CANCELLED:
          status = "cancelled";
          break;
        case sv1::APPOINTMENT_STATE_NO_SHOW:
          status = "noshow";
          break;
        default:
          continue;  // a hold is no appointment yet
      }
      const std::string id = FhirId(sitting.appointment);
      Json appointment = Resource("Appointment", id);
      appointment["identifier"] = Json::array({Identifier(sitting.appointment)});
      appointment["status"] = status;
      appointment["start"] = Instant(sitting.start());
      appointment["end"] = Instant(sitting.end());
      Json participants = Json::array();
      participants.push_back({{"actor", Subject()}, {"status", "accepted"}});
      if (!sitting.state.clinician().empty()) {
        participants.push_back(
            {{"actor", Practitioner(sitting.state.clinician())}, {"status", "accepted"}});
      }
      appointment["participant"] = std::move(participants);
      Add(std::move(appointment));
      if (!WasHeld(sitting)) continue;

      const bool distant = sitting.state.modality() == sv1::MODALITY_VIDEO ||
                           sitting.state.modality() == sv1::MODALITY_TELEPHONE ||
                           sitting.state.modality() == sv1::MODALITY_ONLINE_UNIT;
      Json encounter = Resource("Encounter", id);
      encounter["status"] =
          sitting.state.state() == sv1::APPOINTMENT_STATE_COMPLETED ? "finished" : "in-progress";
      encounter["class"] = Coding(kActCode, distant ? "VR" : "AMB");
      encounter["type"] = Json::array({Concept(
          sitting.number > 0 ? absl::StrCat("Interpersonal psychotherapy, session ", sitting.number)
                             : "Interpersonal psychotherapy")});
      encounter["subject"] = Subject();
      encounter["episodeOfCare"] = Json::array({Reference("EpisodeOfCare", case_id_)});
      if (!sitting.state.clinician().empty()) {
        encounter["participant"] =
            Json::array({{{"individual", Practitioner(sitting.state.clinician())}}});
      }
      encounter["appointment"] = Json::array({Reference("Appointment", id)});
      encounter["period"] = {{"start", Instant(sitting.start())}, {"end", Instant(sitting.end())}};
      encounter["serviceProvider"] = Reference("Organization", FhirId(file_.organization_id));
      encounters_.insert(sitting.appointment);
      Add(std::move(encounter));
    }
  }

  void PutEncounter(Json& resource, const std::string& appointment) const {
    if (encounters_.contains(appointment)) {
      resource["encounter"] = Reference("Encounter", FhirId(appointment));
    }
  }

  void Forms() {
    for (const assessment::v1::Assessment& form : file_.assessments) {
      if (form.has_void_() || (!form.patient().empty() && form.patient() != choice_.patient)) {
        continue;
      }
      const auto known = file_.instruments.find(form.instrument());
      const assessment::v1::Instrument* instrument =
          known == file_.instruments.end() ? nullptr : &known->second;
      const std::string instrument_id(names::Id(form.instrument(), "instruments"));
      const std::string title = instrument == nullptr || instrument->display_name().empty()
                                    ? instrument_id
                                    : instrument->display_name();
      const std::string id = FhirId(form.name());
      if (!form.answers().empty()) {
        Json answered = Resource("QuestionnaireResponse", id);
        Label(answered, form.etag());
        answered["questionnaire"] =
            absl::StrCat(kBase, file_.organization_id, "/Questionnaire/", instrument_id, "|",
                         names::Id(form.instrument(), "revisions"));
        answered["status"] = "completed";
        answered["subject"] = Subject();
        PutEncounter(answered, form.appointment());
        answered["authored"] = Instant(At(form.answer_time()));
        answered["source"] = Subject();
        Json items = Json::array();
        for (const assessment::v1::Answer& answer : form.answers()) {
          Json item = {{"linkId", absl::StrCat(answer.item())}};
          if (instrument != nullptr && answer.item() <= instrument->items_size()) {
            PutText(item, "text", instrument->items(answer.item() - 1).label());
          }
          if (answer.has_value()) {
            item["answer"] = Json::array({{{"valueInteger", answer.value()}}});
          }
          items.push_back(std::move(item));
        }
        PutArray(answered, "item", std::move(items));
        Add(std::move(answered));
      }

      Json score = Resource("Observation", id);
      Label(score, form.etag());
      score["status"] = form.score().prorated() ? "preliminary" : "final";
      score["category"] = Json::array({Concept("", Coding(kObservationCategory, "survey"))});
      const std::string loinc = instrument == nullptr ? "" : instrument->loinc().total();
      score["code"] = Concept(absl::StrCat(title, " total score"),
                              loinc.empty() ? Json(nullptr) : Coding(kLoinc, loinc));
      score["subject"] = Subject();
      PutEncounter(score, form.appointment());
      score["effectiveDateTime"] = Instant(At(form.answer_time()));
      if (form.score().has_total()) {
        score["valueQuantity"] = {{"value", Value(form.score().total())},
                                  {"unit", "{score}"},
                                  {"system", "http://unitsofmeasure.org"},
                                  {"code", "{score}"}};
      } else {
        score["dataAbsentReason"] = Concept(
            "Too much was not answered",
            Coding("http://terminology.hl7.org/CodeSystem/data-absent-reason", "not-performed"));
      }
      if (!form.score().severity().empty()) {
        score["interpretation"] = Json::array({Concept(LabelOf(form.score().severity()))});
      }
      if (form.score().prorated()) {
        score["note"] = Json::array({fhir::Annotation("Estimated from the items answered.")});
      }
      if (!form.answers().empty()) {
        score["derivedFrom"] = Json::array({Reference("QuestionnaireResponse", id)});
      }
      Add(std::move(score));
    }
  }

  static Json Value(double number) {
    if (number == static_cast<double>(static_cast<int64_t>(number))) {
      return static_cast<int64_t>(number);
    }
    return number;
  }

  void Events() {
    for (const v1::Entry* entry : Of(v1::ENTRY_KIND_TIMELINE_EVENT)) {
      const v1::TimelineEvent& event = entry->timeline_event();
      Json made = Resource("Observation", FhirId(entry->name()));
      Label(made, absl::StrCat(entry->version()));
      made["status"] = "final";
      made["category"] = Json::array({Concept("", Coding(kObservationCategory, "social-history"))});
      made["code"] =
          Concept(event.kind() == v1::TIMELINE_EVENT_KIND_SYMPTOM ? "Symptom" : "Life event");
      made["subject"] = Subject();
      PutEncounter(made, entry->appointment());
      if (event.has_end_date() && event.end_date().year() != 0) {
        Json period = Json::object();
        PutText(period, "start", PartialDate(event.start_date()));
        PutText(period, "end", PartialDate(event.end_date()));
        made["effectivePeriod"] = std::move(period);
      } else {
        PutText(made, "effectiveDateTime", PartialDate(event.start_date()));
      }
      PutText(made, "valueString", event.text());
      Json notes = Json::array();
      if (event.date_uncertain()) notes.push_back(fhir::Annotation("The date is about right."));
      if (event.has_severity()) {
        notes.push_back(fhir::Annotation(absl::StrCat("Severity ", event.severity(), " of 10.")));
      }
      PutArray(made, "note", std::move(notes));
      Add(std::move(made));
    }
    for (const v1::Entry* entry : Of(v1::ENTRY_KIND_SAFETY_CHECK)) {
      const v1::SafetyCheck& check = entry->safety_check();
      Json made = Resource("Observation", FhirId(entry->name()));
      Label(made, absl::StrCat(entry->version()), true);
      made["status"] = "final";
      made["category"] = Json::array({Concept("", Coding(kObservationCategory, "survey"))});
      made["code"] = Concept("Safety with those close, asked alone");
      made["subject"] = Subject();
      PutEncounter(made, entry->appointment());
      made["effectiveDateTime"] = Instant(At(entry->create_time()));
      made["valueCodeableConcept"] =
          Concept(InWords(v1::SafetyResult_Name(check.result()), "SAFETY_RESULT_"));
      if (!fhir::Clean(check.text()).empty()) {
        made["note"] = Json::array({fhir::Annotation(check.text())});
      }
      Add(std::move(made));
    }
    for (const v1::PartnerScreen& screen : file_.screens) {
      if (screen.patient() != choice_.patient || screen.erased()) continue;
      Json made = Resource("Observation", FhirId(screen.name()));
      Label(made, "", true);
      made["status"] = "final";
      made["category"] = Json::array({Concept("", Coding(kObservationCategory, "survey"))});
      made["code"] = Concept("Screening before conjoint work, asked alone");
      made["subject"] = Subject();
      made["effectiveDateTime"] = Instant(At(screen.create_time()));
      made["valueCodeableConcept"] =
          Concept(InWords(v1::ScreenResult_Name(screen.violence()), "SCREEN_RESULT_"));
      if (!fhir::Clean(screen.text()).empty()) {
        made["note"] = Json::array({fhir::Annotation(screen.text())});
      }
      Add(std::move(made));
    }
    for (const v1::Entry* entry : Of(v1::ENTRY_KIND_TREATMENT_EVENT)) {
      const v1::TreatmentEvent& event = entry->treatment_event();
      if (!IsMedicine(event.treatment_class())) continue;
      const char* status = event.change() == v1::TREATMENT_CHANGE_STOPPED     ? "stopped"
                           : event.change() == v1::TREATMENT_CHANGE_NOT_TAKEN ? "not-taken"
                                                                              : "active";
      Json made = Resource("MedicationStatement", FhirId(entry->name()));
      Label(made, absl::StrCat(entry->version()));
      made["status"] = status;
      made["medicationCodeableConcept"] = Concept(event.treatment());
      made["subject"] = Subject();
      PutText(made, "effectiveDateTime", PartialDate(event.change_date()));
      made["dateAsserted"] = Instant(At(entry->update_time()));
      std::vector<std::string> words = {
          InWords(v1::TreatmentChange_Name(event.change()), "TREATMENT_CHANGE_")};
      if (!event.prescriber().empty()) words.push_back("prescriber " + event.prescriber());
      if (!event.text().empty()) words.push_back(event.text());
      made["note"] = Json::array({fhir::Annotation(absl::StrJoin(words, "; "))});
      Add(std::move(made));
    }
    for (const v1::Entry* entry : Of(v1::ENTRY_KIND_REFERRAL)) {
      const v1::Referral& referral = entry->referral();
      const char* status = referral.state() == v1::REFERRAL_STATE_FIRST_VISIT_KEPT ? "completed"
                           : referral.state() == v1::REFERRAL_STATE_FAILED         ? "revoked"
                                                                                   : "active";
      Json made = Resource("ServiceRequest", FhirId(entry->name()));
      Label(made, absl::StrCat(entry->version()));
      made["status"] = status;
      made["intent"] = "order";
      made["code"] = Concept(InWords(v1::ReferralKind_Name(referral.kind()), "REFERRAL_KIND_"));
      made["subject"] = Subject();
      PutText(made, "authoredOn", PartialDate(referral.send_date()));
      PutPractitioner(made, "requester", entry->clinician());
      Json reasons = Json::array();
      for (const int reason : referral.reasons()) {
        reasons.push_back(Concept(InWords(
            v1::ReferralReason_Name(static_cast<v1::ReferralReason>(reason)), "REFERRAL_REASON_")));
      }
      if (!fhir::Clean(referral.reason_text()).empty()) {
        reasons.push_back(Concept(referral.reason_text()));
      }
      PutArray(made, "reasonCode", std::move(reasons));
      std::vector<std::string> words;
      if (!referral.to().empty()) words.push_back("To " + referral.to());
      words.push_back(InWords(v1::ReferralState_Name(referral.state()), "REFERRAL_STATE_"));
      made["note"] = Json::array({fhir::Annotation(absl::StrJoin(words, ". "))});
      Add(std::move(made));
    }
  }

  static bool IsMedicine(v1::TreatmentClass of) {
    return of >= v1::TREATMENT_CLASS_ANTIDEPRESSANT && of <= v1::TREATMENT_CLASS_OTHER_MEDICINE;
  }

  // A plan whose steps are lists of words.
  Json PlanOf(const std::string& id, const char* title, const std::string& version,
              const google::protobuf::Message& record, bool current) {
    Json plan = Resource("CarePlan", id);
    Label(plan, version);
    plan["text"] = fhir::Narrative(Paragraphs(record));
    plan["status"] = current ? "active" : "draft";
    plan["intent"] = "plan";
    plan["category"] = Json::array({Concept(title)});
    plan["title"] = title;
    plan["subject"] = Subject();
    return plan;
  }

  void Risk() {
    for (const v1::RiskAssessment& risk : file_.risk_assessments) {
      if (risk.erased()) {
        Omit(v1::OMISSION_REASON_ERASED, risk.name());
        continue;
      }
      Json made = Resource("RiskAssessment", FhirId(risk.name()));
      Label(made, "");
      made["status"] = "final";
      made["code"] = Concept("Suicide risk, judged by a clinician");
      made["subject"] = Subject();
      made["occurrenceDateTime"] = Instant(At(risk.create_time()));
      PutPractitioner(made, "performer", risk.clinician());
      PutText(made, "mitigation", risk.protective_factors());
      Json notes = Json::array();
      for (const auto& [label, text] :
           {std::pair("Thoughts", &risk.ideation()), std::pair("Intent", &risk.intent()),
            std::pair("Plan", &risk.plan()), std::pair("Means", &risk.means()),
            std::pair("Behaviour", &risk.behaviour()),
            std::pair("Formulation", &risk.formulation())}) {
        if (!fhir::Clean(*text).empty()) {
          notes.push_back(fhir::Annotation(absl::StrCat(label, ": ", *text)));
        }
      }
      PutArray(made, "note", std::move(notes));
      Add(std::move(made));
    }
    if (file_.safety_plan && !file_.safety_plan->erased()) {
      v1::SafetyPlan words = *file_.safety_plan;
      words.clear_version();
      words.clear_clinician();
      Json plan = PlanOf(absl::StrCat(case_id_.substr(0, 52), "-safety"), "Safety plan",
                         absl::StrCat(file_.safety_plan->version()), words, true);
      plan["created"] = Instant(At(file_.safety_plan->create_time()));
      PutPractitioner(plan, "author", file_.safety_plan->clinician());
      Add(std::move(plan));
    }
    for (const v1::Entry* entry : Of(v1::ENTRY_KIND_RELAPSE_PLAN)) {
      Json plan = PlanOf(FhirId(entry->name()), "Relapse plan", absl::StrCat(entry->version()),
                         entry->relapse_plan(), entry->relapse_plan().has_agreement_date());
      plan["created"] = Instant(At(entry->create_time()));
      PutPractitioner(plan, "author", entry->clinician());
      Add(std::move(plan));
    }
  }

  void Impressions() {
    for (const v1::Determination& determination : file_.determinations) {
      if (determination.erased()) {
        Omit(v1::OMISSION_REASON_ERASED, determination.name());
        continue;
      }
      Json made = Resource("ClinicalImpression", FhirId(determination.name()));
      Label(made, "");
      made["status"] = "completed";
      made["code"] = Concept("Suitability for interpersonal psychotherapy");
      made["subject"] = Subject();
      made["effectiveDateTime"] = Instant(At(determination.sign_time()));
      made["date"] = Instant(At(determination.sign_time()));
      PutPractitioner(made, "assessor", determination.clinician());
      made["summary"] =
          InWords(v1::SuitabilityOutcome_Name(determination.outcome()), "SUITABILITY_OUTCOME_");
      Json findings = Json::array();
      for (const v1::SuitabilityReason& reason : determination.reasons()) {
        const char* direction = reason.direction() == v1::REASON_DIRECTION_FOR       ? "for"
                                : reason.direction() == v1::REASON_DIRECTION_AGAINST ? "against"
                                                                                     : "not known";
        findings.push_back({{"itemCodeableConcept", Concept(reason.text())}, {"basis", direction}});
      }
      PutArray(made, "finding", std::move(findings));
      Json notes = Json::array();
      for (const auto& [label, text] :
           {std::pair("The patient prefers", determination.patient_preference()),
            std::pair("Alternatives offered", determination.alternatives_offered()),
            std::pair("Why otherwise than most reasons say", determination.disagreement())}) {
        if (!fhir::Clean(text).empty()) {
          notes.push_back(fhir::Annotation(absl::StrCat(label, ": ", text)));
        }
      }
      if (determination.reopened()) {
        notes.push_back(fhir::Annotation(absl::StrCat(
            "Opened again ", Instant(At(determination.reopen_time())), "; not in force.")));
      }
      PutArray(made, "note", std::move(notes));
      Add(std::move(made));
    }
    for (const v1::Formulation& formulation : file_.formulations) {
      if (formulation.erased()) {
        Omit(v1::OMISSION_REASON_ERASED, file_.record.name());
        continue;
      }
      Json made = Resource("ClinicalImpression",
                           absl::StrCat(case_id_.substr(0, 48), "-f", formulation.version()));
      Label(made, "");
      made["status"] = "completed";
      made["code"] = Concept("Interpersonal formulation");
      PutText(made, "description", formulation.diagnosis());
      made["subject"] = Subject();
      made["date"] = Instant(At(formulation.create_time()));
      PutPractitioner(made, "assessor", formulation.clinician());
      PutText(made, "summary", formulation.link());
      Json notes = Json::array();
      for (const auto& [label, text] :
           {std::pair("Set off by", formulation.triggering_events()),
            std::pair("Factors", formulation.factors()),
            std::pair("Agreement",
                      InWords(v1::Agreement_Name(formulation.agreement()), "AGREEMENT_")),
            std::pair("What the patient changed", formulation.patient_changes())}) {
        if (!fhir::Clean(text).empty()) {
          notes.push_back(fhir::Annotation(absl::StrCat(label, ": ", text)));
        }
      }
      PutArray(made, "note", std::move(notes));
      Add(std::move(made));
    }
  }

  void Consents() {
    for (const v1::Consent& consent : file_.consents) {
      if (consent.patient() != choice_.patient || consent.erased()) continue;
      const bool ended = consent.has_revoke_time() ||
                         (consent.has_expire_time() && At(consent.expire_time()) <= file_.now);
      Json made = Resource("Consent", FhirId(consent.name()));
      Label(made, "");
      made["status"] = ended ? "inactive" : "active";
      const bool research = consent.purpose() == v1::CONSENT_PURPOSE_RESEARCH;
      made["scope"] = Concept("", Coding("http://terminology.hl7.org/CodeSystem/consentscope",
                                         research ? "research" : "patient-privacy"));
      made["category"] = Json::array({Concept("", Coding(kLoinc, kConsent))});
      made["patient"] = Subject();
      made["dateTime"] = Instant(At(consent.create_time()));
      made["organization"] =
          Json::array({Reference("Organization", FhirId(file_.organization_id))});
      made["policyRule"] =
          Concept(InWords(v1::ConsentPurpose_Name(consent.purpose()), "CONSENT_PURPOSE_"));
      Json provision = {{"type", "permit"}};
      Json period = {{"start", Instant(At(consent.create_time()))}};
      if (consent.has_revoke_time()) {
        period["end"] = Instant(At(consent.revoke_time()));
      } else if (consent.has_expire_time()) {
        period["end"] = Instant(At(consent.expire_time()));
      }
      provision["period"] = std::move(period);
      made["provision"] = std::move(provision);
      Add(std::move(made));
    }
  }

  static bool HasOwnResource(const v1::Entry& entry) {
    switch (entry.kind()) {
      case v1::ENTRY_KIND_RELATIONSHIP:
      case v1::ENTRY_KIND_DIAGNOSIS:
      case v1::ENTRY_KIND_ADDITIONAL_ISSUE:
      case v1::ENTRY_KIND_TIMELINE_EVENT:
      case v1::ENTRY_KIND_SAFETY_CHECK:
      case v1::ENTRY_KIND_REFERRAL:
      case v1::ENTRY_KIND_RELAPSE_PLAN:
        return true;
      case v1::ENTRY_KIND_TREATMENT_EVENT:
        return IsMedicine(entry.treatment_event().treatment_class());
      default:
        return false;
    }
  }

  void CaseRecord() {
    std::map<v1::EntryKind, Json> sections;
    absl::Time date = At(file_.record.update_time());
    for (const v1::Entry& entry : file_.entries) {
      if (!IsIn(file_, view_, entry)) continue;
      if (entry.erased()) {
        Omit(v1::OMISSION_REASON_ERASED, entry.name());
        continue;
      }
      const google::protobuf::Message* content = ContentOf(entry);
      if (content == nullptr || HasOwnResource(entry)) continue;
      std::vector<fhir::Paragraph> paragraphs = Paragraphs(*content);
      if (paragraphs.empty()) continue;
      paragraphs.insert(paragraphs.begin(),
                        {"Written", DateText(file_.DayOf(At(entry.update_time())))});
      Json& of_kind = sections[entry.kind()];
      if (of_kind.is_null()) {
        of_kind = {{"title", KindInWords(entry.kind())}, {"section", Json::array()}};
      }
      of_kind["section"].push_back(
          {{"title", KindInWords(entry.kind())}, {"text", fhir::Narrative(paragraphs)}});
      date = std::max(date, At(entry.update_time()));
    }
    if (sections.empty()) return;
    Json made = Resource("Composition", case_id_);
    Label(made, "");
    made["identifier"] = Identifier(file_.record.name());
    made["status"] = Ended() ? "final" : "preliminary";
    made["type"] =
        Concept("Case record of interpersonal psychotherapy", Coding(kLoinc, kCaseRecord));
    made["subject"] = Subject();
    made["date"] = Instant(date);
    made["author"] = Json::array({Practitioner(file_.record.clinician())});
    made["title"] = "Case record of interpersonal psychotherapy";
    made["confidentiality"] = "R";
    Json list = Json::array();
    for (auto& [kind, section] : sections) list.push_back(std::move(section));
    made["section"] = std::move(list);
    Add(std::move(made));
  }

  bool MayTell(const v1::Note& note) {
    if (note.erased()) {
      Omit(v1::OMISSION_REASON_ERASED, note.name());
      return false;
    }
    if (note.kind() == v1::NOTE_KIND_PRIVATE) return note.about() == choice_.patient;
    for (const std::string& subject : note.subjects()) {
      if (subject == choice_.patient) continue;
      if (std::find(file_.consented.begin(), file_.consented.end(), subject) ==
          file_.consented.end()) {
        Omit(v1::OMISSION_REASON_OTHER_SUBJECT, note.name());
        return false;
      }
    }
    return true;
  }

  void Notes() {
    std::vector<Json> provenances;
    for (const v1::Note& note : file_.notes) {
      if (!note.has_signature() || !MayTell(note)) continue;
      const std::string id = FhirId(note.name());
      const std::string version = absl::StrCat(std::max(1, note.version()));
      Json made = Resource("Composition", id);
      Label(made, version);
      made["identifier"] = Identifier(note.name());
      made["status"] = note.version() > 1 ? "amended" : "final";
      made["type"] = Concept("Session note", Coding(kLoinc, kProgressNote));
      made["subject"] = Subject();
      PutEncounter(made, note.appointment());
      made["date"] = Instant(At(note.signature().sign_time()));
      made["author"] = Json::array({Practitioner(note.author())});
      made["title"] = note.session_number() > 0
                          ? absl::StrCat("Session note, session ", note.session_number())
                          : "Session note";
      made["confidentiality"] = "R";
      Json attesters = Json::array();
      attesters.push_back(Attester(note.signature()));
      if (note.has_cosignature()) attesters.push_back(Attester(note.cosignature()));
      made["attester"] = std::move(attesters);
      if (note.version() > 1) {
        made["relatesTo"] = Json::array(
            {{{"code", "replaces"},
              {"targetIdentifier",
               Identifier(absl::StrCat(note.name(), "/versions/", note.version() - 1))}}});
      }
      Json sections = Json::array();
      for (const ToldField& field : FieldsOf(note.content(), file_, people_)) {
        if (fhir::Clean(field.text).empty()) continue;
        sections.push_back({{"title", field.label}, {"text", fhir::Narrative({{"", field.text}})}});
      }
      PutArray(made, "section", std::move(sections));
      Add(std::move(made));
      provenances.push_back(Signed(id + "-s", id, version, note.signature()));
      if (note.has_cosignature()) {
        provenances.push_back(Signed(id + "-c", id, version, note.cosignature()));
      }
      for (const v1::Addendum& addendum : note.addenda()) {
        if (fhir::Clean(addendum.text()).empty()) continue;
        const std::string added_id = absl::StrCat(id.substr(0, 50), "-a", addendum.number());
        Json added = Resource("Composition", added_id);
        Label(added, "1");
        added["status"] = "final";
        added["type"] = Concept("Addendum to a session note", Coding(kLoinc, kProgressNote));
        added["subject"] = Subject();
        PutEncounter(added, note.appointment());
        added["date"] = Instant(At(addendum.signature().sign_time()));
        added["author"] = Json::array({Practitioner(addendum.signature().clinician())});
        added["title"] = absl::StrCat("Addendum ", addendum.number());
        added["confidentiality"] = "R";
        added["attester"] = Json::array({Attester(addendum.signature())});
        added["relatesTo"] =
            Json::array({{{"code", "appends"}, {"targetReference", Reference("Composition", id)}}});
        added["section"] = Json::array(
            {{{"title", "Addendum"}, {"text", fhir::Narrative({{"", addendum.text()}})}}});
        Add(std::move(added));
        provenances.push_back(Signed(added_id + "-s", added_id, "1", addendum.signature()));
      }
    }
    for (Json& provenance : provenances) Add(std::move(provenance));
  }

  Json Attester(const v1::Signature& signature) {
    return {{"mode", "professional"},
            {"time", Instant(At(signature.sign_time()))},
            {"party", Practitioner(signature.clinician())}};
  }

  Json Signed(const std::string& id, const std::string& target, const std::string& version,
              const v1::Signature& signature) {
    const char* type = signature.meaning() == v1::SIGNATURE_MEANING_COSIGNER    ? "13"
                       : signature.meaning() == v1::SIGNATURE_MEANING_ADDENDUM  ? "15"
                       : signature.meaning() == v1::SIGNATURE_MEANING_AMENDMENT ? "16"
                                                                                : "1";
    Json made = Resource("Provenance", id);
    made["target"] =
        Json::array({{{"reference", absl::StrCat("Composition/", target, "/_history/", version)}}});
    made["recorded"] = Instant(At(signature.sign_time()));
    Json agent = Json::object();
    agent["who"] = Practitioner(signature.clinician());
    if (!signature.on_behalf_of().empty()) {
      agent["onBehalfOf"] = Practitioner(signature.on_behalf_of());
    }
    made["agent"] = Json::array({std::move(agent)});
    Json mark = Json::object();
    mark["type"] =
        Json::array({Coding(kSignatureType, absl::StrCat("1.2.840.10065.1.12.1.", type))});
    mark["when"] = Instant(At(signature.sign_time()));
    mark["who"] = Practitioner(signature.clinician());
    if (!signature.ed25519().empty()) {
      mark["sigFormat"] = "application/octet-stream";
      mark["data"] = fhir::Base64(signature.ed25519());
    }
    made["signature"] = Json::array({std::move(mark)});
    return made;
  }

  const CaseFile& file_;
  const FhirChoice& choice_;
  const View view_;
  const People people_;
  const std::string patient_id_;
  const std::string case_id_;
  std::vector<Json> resources_;
  std::set<std::string> practitioners_;
  std::set<std::string> encounters_;
  std::vector<Json> diagnoses_;  // references
  std::map<v1::OmissionReason, v1::ExportOmission> omissions_;
};

}  // namespace

std::string FhirId(absl::string_view name) {
  const absl::string_view id = names::Last(name).empty() ? name : names::Last(name);
  const bool fits = !id.empty() && id.size() <= 64 && std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.';
  });
  if (fits) return std::string(id);
  return absl::StrCat("h-", absl::BytesToHexString(Sha256(id)).substr(0, 40));
}

FhirBundle MakeFhirBundle(const CaseFile& file, const FhirChoice& choice) {
  const CaseFile of_patient = FileOf(file, choice.patient);
  return Bundler(of_patient, choice).Make();
}

}  // namespace rapport::notes
