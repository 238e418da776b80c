#include "services/notes/domain/summary.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "services/notes/domain/html.h"
#include "services/notes/domain/summary_fields.h"

namespace rapport::notes {
namespace {

namespace as = assessment::v1;

std::string Day(const CaseFile& file, const google::protobuf::Timestamp& timestamp) {
  return DateText(file.DayOf(time::ToTime(timestamp)));
}

class Summary {
 public:
  Summary(const CaseFile& file, const SummaryChoice& choice, const v1::ExportWording& wording)
      : file_(file),
        choice_(choice),
        wording_(wording),
        view_{file.conjoint() ? choice.patient : "", choice.include_private},
        people_(choice.include_inventory ? People::kByName : People::kByKind),
        page_(wording.summary_title()) {}

  RenderedPage Render() {
    page_.Notice(choice_.redisclosure_notice);
    page_.Small(wording_.summary_notice());
    if (!file_.unavailable_sources.empty()) {
      page_.Notice(
          absl::StrCat("Could not be asked: ", absl::StrJoin(file_.unavailable_sources, ", "),
                       ". What is told there is missing below, and is not none."));
    }
    Course();
    Diagnoses();
    Focus();
    Scores();
    GoalTable();
    Work();
    Risk();
    Treatment();
    Inventory();
    Ending();
    Sessions();
    RenderedPage rendered;
    rendered.html = page_.Finish(absl::StrCat(
        "Patient ", names::Last(choice_.patient), " · case ", names::Last(file_.record.name()),
        " · ", names::OrganizationId(file_.record.name()), "\nMade ",
        Day(file_, time::ToTimestamp(file_.now)), ". Holds no psychotherapy notes, no drafts",
        choice_.include_inventory ? "" : ", no inventory of other persons",
        choice_.include_private ? "." : ", nothing that was told in private."));
    Omit(v1::OMISSION_REASON_PSYCHOTHERAPY_NOTES);
    if (!choice_.include_inventory) Omit(v1::OMISSION_REASON_THIRD_PERSONS);
    if (!choice_.include_private) Omit(v1::OMISSION_REASON_NOT_ASKED_FOR);
    if (!file_.unavailable_sources.empty()) Omit(v1::OMISSION_REASON_UNAVAILABLE);
    if (choice_.patient != file_.record.patient()) Omit(v1::OMISSION_REASON_OTHER_SUBJECT);
    rendered.omissions = std::move(omissions_);
    return rendered;
  }

 private:
  void Omit(v1::OmissionReason reason) { omissions_.emplace_back().set_reason(reason); }

  std::vector<const v1::Entry*> Of(v1::EntryKind kind) const {
    return EntriesIn(file_, view_, kind);
  }

  // Every field of the newest entries of a kind, under one heading.
  void Records(v1::EntryKind kind, absl::string_view heading) {
    const std::vector<const v1::Entry*> entries = Of(kind);
    if (entries.empty()) return;
    page_.SubHeading(heading);
    for (const v1::Entry* entry : entries) {
      page_.Begin();
      for (const ToldField& field : FieldsOf(*ContentOf(*entry), file_, people_)) {
        page_.Field(field.label, field.text);
      }
      page_.End();
    }
  }

  bool InView(const Sitting& sitting) const {
    return !file_.conjoint() || !sitting.state.private_session() ||
           (choice_.include_private && sitting.state.patient() == choice_.patient);
  }

  void Course() {
    page_.Begin();
    page_.Heading("The course");
    page_.Field("Protocol", names::Id(file_.course.protocol(), "protocols"));
    page_.Field("State",
                InWords(scheduling::v1::CourseState_Name(file_.course.state()), "COURSE_STATE_"));
    page_.Field("Therapist", names::Last(file_.record.clinician()));
    int held = 0, missed = 0;
    const Sitting* first = nullptr;
    const Sitting* last = nullptr;
    for (const Sitting& sitting : file_.sittings) {
      if (!InView(sitting)) continue;
      missed += WasMissed(sitting) ? 1 : 0;
      if (!WasHeld(sitting)) continue;
      ++held;
      if (first == nullptr) first = &sitting;
      last = &sitting;
    }
    page_.Field("Sessions",
                absl::StrCat(held, " held of ", file_.course.planned_sessions(), " agreed",
                             missed > 0 ? absl::StrCat(", ", missed, " missed") : ""));
    if (first != nullptr) {
      page_.Field("From, to", absl::StrCat(DateText(file_.DayOf(first->start())), " – ",
                                           DateText(file_.DayOf(last->start()))));
    }
    page_.End();
  }

  void Diagnoses() {
    std::vector<std::vector<std::string>> rows;
    for (const v1::Entry* entry : Of(v1::ENTRY_KIND_DIAGNOSIS)) {
      const v1::Diagnosis& diagnosis = entry->diagnosis();
      rows.push_back({diagnosis.label(), diagnosis.code(),
                      InWords(v1::DiagnosisStatus_Name(diagnosis.status()), "DIAGNOSIS_STATUS_"),
                      DateText(diagnosis.onset_date()), DateText(diagnosis.diagnosis_date())});
    }
    std::vector<std::vector<std::string>> issues;
    for (const v1::Entry* entry : Of(v1::ENTRY_KIND_ADDITIONAL_ISSUE)) {
      const v1::AdditionalIssue& issue = entry->additional_issue();
      const std::string disposition =
          InWords(v1::IssueDisposition_Name(issue.disposition()), "ISSUE_DISPOSITION_");
      issues.push_back(
          {issue.text(), InWords(v1::IssueSeverity_Name(issue.severity()), "ISSUE_SEVERITY_"),
           issue.has_settle_date() ? absl::StrCat("Settled ", DateText(issue.settle_date()))
           : disposition.empty()   ? "Not decided"
                                   : disposition});
    }
    const bool judged = file_.record.has_determination() && !file_.record.determination().erased();
    if (rows.empty() && issues.empty() && !judged) return;
    page_.Heading("Diagnosis and suitability");
    page_.Table({"Diagnosis", "Code", "Status", "Onset", "Made"}, rows);
    page_.Table({"Additional issue", "Severity", "What becomes of it"}, issues);
    if (!judged) return;
    const v1::Determination& determination = file_.record.determination();
    page_.Begin();
    page_.Field("Judgement", InWords(v1::SuitabilityOutcome_Name(determination.outcome()),
                                     "SUITABILITY_OUTCOME_"));
    page_.Field("Signed", absl::StrCat(names::Last(determination.clinician()), ", ",
                                       Day(file_, determination.sign_time())));
    page_.Field("The patient prefers", determination.patient_preference());
    page_.Field("Alternatives offered", determination.alternatives_offered());
    page_.End();
  }

  void Focus() {
    const bool formulated = file_.record.has_formulation() && !file_.record.formulation().erased();
    if (file_.record.problem_areas().empty() && !formulated) return;
    page_.Heading("Focus and formulation");
    for (const v1::ProblemArea& area : file_.record.problem_areas()) {
      page_.Begin();
      page_.SubHeading(absl::StrCat(
          InWords(v1::ProblemAreaKind_Name(area.kind()), "PROBLEM_AREA_KIND_"),
          area.rank() == v1::FOCUS_RANK_PRIMARY ? " (first focus)" : " (second focus)"));
      page_.Text(area.statement());
      if (area.dispute_stage() != v1::DISPUTE_STAGE_UNSPECIFIED) {
        page_.Field("Stage",
                    InWords(v1::DisputeStage_Name(area.dispute_stage()), "DISPUTE_STAGE_"));
      }
      page_.Field("Why no other", area.why_no_other());
      page_.End();
    }
    if (!formulated) return;
    const v1::Formulation& formulation = file_.record.formulation();
    page_.Begin();
    page_.SubHeading(absl::StrCat("Formulation, version ", formulation.version()));
    page_.Text(formulation.link());
    page_.Field("Set off by", formulation.triggering_events());
    page_.Field("Factors", formulation.factors());
    page_.Field("The patient",
                absl::StrCat(InWords(v1::Agreement_Name(formulation.agreement()), "AGREEMENT_"),
                             formulation.has_agreement_date()
                                 ? absl::StrCat(", ", DateText(formulation.agreement_date()))
                                 : ""));
    page_.Field("Changed the wording", formulation.patient_changes());
    page_.End();
  }

  void Scores() {
    std::vector<std::vector<std::string>> rows;
    std::vector<std::string> reached;
    for (const as::Progress& progress : file_.progress) {
      if (progress.patient() != choice_.patient) continue;
      for (const as::InstrumentProgress& series : progress.instruments()) {
        const as::ProgressPoint* newest = nullptr;
        for (const as::ProgressPoint& point : series.points()) {
          if (point.complete() && point.has_total()) newest = &point;
        }
        if (newest == nullptr) continue;
        const bool compared = series.has_baseline() && series.has_change();
        rows.push_back(
            {absl::AsciiStrToUpper(names::Id(series.instrument(), "instruments")),
             series.has_baseline() ? NumberText(series.baseline().total()) : "no baseline",
             NumberText(newest->total()), Day(file_, newest->answer_time()),
             compared ? absl::StrCat(series.change().points() > 0 ? "+" : "",
                                     NumberText(series.change().points()),
                                     series.change().reliable_improvement() ? ", reliably better"
                                     : series.change().reliable_deterioration() ? ", reliably worse"
                                                                                : "")
                      : "",
             absl::StrCat(series.points_size())});
      }
      for (const as::Milestone& milestone : progress.milestones()) {
        if (milestone.holds()) {
          reached.push_back(absl::StrCat(InWords(as::Term_Name(milestone.term()), "TERM_"), ", ",
                                         Day(file_, milestone.reach_time()), " (", milestone.rule(),
                                         ")"));
        }
      }
    }
    if (rows.empty() && choice_.chart_svg.empty()) return;
    page_.Heading("Scores");
    page_.Table({"Questionnaire", "Baseline", "Newest", "Of", "Change", "Forms"}, rows);
    page_.Pictures({{choice_.chart_caption, choice_.chart_svg}});
    if (!reached.empty()) {
      page_.SubHeading("Reached, and still so");
      page_.List(reached);
    }
  }

  void GoalTable() {
    std::vector<std::vector<std::string>> rows;
    for (const v1::Goal& goal : file_.goals) {
      if (goal.erased()) continue;
      std::string text = goal.text();
      if (goal.revisions_size() > 0 && goal.revisions(0).old_text() != goal.text()) {
        absl::StrAppend(&text, " (at first: ", goal.revisions(0).old_text(), ")");
      }
      rows.push_back({std::move(text), InWords(v1::Realism_Name(goal.realism()), "REALISM_"),
                      InWords(v1::GoalStatus_Name(goal.status()), "GOAL_STATUS_"),
                      absl::StrCat(goal.progress_percent(), " %"), DateText(goal.target_date())});
    }
    if (rows.empty()) return;
    page_.Heading("Goals, in the patient's words");
    page_.Table({"Goal", "Realistic", "Status", "How far", "By"}, rows);
  }

  void Work() {
    constexpr std::pair<v1::EntryKind, const char*> kKinds[] = {
        {v1::ENTRY_KIND_GRIEF, "Grief"},
        {v1::ENTRY_KIND_DISPUTE, "Dispute"},
        {v1::ENTRY_KIND_TRANSITION, "Change of role"},
        {v1::ENTRY_KIND_DEFICITS, "Isolation"},
        {v1::ENTRY_KIND_HEALTHY_SELF, "Loss of the healthy self"},
        {v1::ENTRY_KIND_PAST_INFLUENCE, "Past influences"},
        {v1::ENTRY_KIND_SICK_ROLE, "Sick role"},
        {v1::ENTRY_KIND_STRATEGY, "Strategies"},
    };
    bool any = !Of(v1::ENTRY_KIND_ACTION).empty() || !Of(v1::ENTRY_KIND_BARRIER).empty();
    for (const auto& [kind, heading] : kKinds) any = any || !Of(kind).empty();
    if (!any) return;
    page_.Heading("What was worked on");
    for (const auto& [kind, heading] : kKinds) Records(kind, heading);

    std::vector<std::vector<std::string>> actions;
    for (const v1::Entry* entry : Of(v1::ENTRY_KIND_ACTION)) {
      const v1::Action& action = entry->action();
      if (action.text().empty()) continue;
      actions.push_back({action.text(),
                         InWords(v1::ActionStatus_Name(action.status()), "ACTION_STATUS_"),
                         action.result().empty() ? action.obstacle() : action.result()});
    }
    if (!actions.empty()) page_.SubHeading("Changes tried");
    page_.Table({"What", "Status", "What came of it"}, actions);

    std::vector<std::vector<std::string>> barriers;
    for (const v1::Entry* entry : Of(v1::ENTRY_KIND_BARRIER)) {
      const v1::Barrier& barrier = entry->barrier();
      barriers.push_back(
          {barrier.text(),
           InWords(v1::BarrierCategory_Name(barrier.category()), "BARRIER_CATEGORY_"),
           barrier.has_resolve_date() ? absl::StrCat("Resolved ", DateText(barrier.resolve_date()))
                                      : "Open"});
    }
    if (!barriers.empty()) page_.SubHeading("What stood in the way");
    page_.Table({"What", "Of what sort", "State"}, barriers);
  }

  void Risk() {
    const bool assessed =
        !file_.risk_assessments.empty() && !file_.risk_assessments.front().erased();
    const bool planned = file_.safety_plan && !file_.safety_plan->erased();
    if (!assessed && !planned && Of(v1::ENTRY_KIND_SAFETY_CHECK).empty()) return;
    page_.Heading("Risk and safety");
    if (assessed) {
      const v1::RiskAssessment& risk = file_.risk_assessments.front();
      page_.Begin();
      page_.SubHeading(absl::StrCat("Newest assessment, ", Day(file_, risk.create_time())));
      page_.Field("Thoughts", risk.ideation());
      page_.Field("Intent", risk.intent());
      page_.Field("Plan", risk.plan());
      page_.Field("Means", risk.means());
      page_.Field("Behaviour", risk.behaviour());
      page_.Field("What protects", risk.protective_factors());
      page_.Field("What follows", risk.formulation());
      page_.End();
    }
    if (planned) {
      page_.Small(absl::StrCat("Safety plan: version ", file_.safety_plan->version(), ", ",
                               Day(file_, file_.safety_plan->create_time()),
                               "; the patient has a copy in the booklet."));
    }
    Records(v1::ENTRY_KIND_SAFETY_CHECK, "Safety with those close, asked alone");
  }

  void Treatment() {
    std::vector<std::vector<std::string>> rows;
    for (const v1::Entry* entry : Of(v1::ENTRY_KIND_TREATMENT_EVENT)) {
      const v1::TreatmentEvent& event = entry->treatment_event();
      rows.push_back({DateText(event.change_date()), event.treatment(),
                      InWords(v1::TreatmentChange_Name(event.change()), "TREATMENT_CHANGE_"),
                      event.prescriber()});
    }
    if (!rows.empty()) page_.Heading("Treatment besides");
    page_.Table({"When", "What", "Change", "Prescriber"}, rows);

    std::vector<std::vector<std::string>> events;
    for (const v1::Entry* entry : Of(v1::ENTRY_KIND_TIMELINE_EVENT)) {
      const v1::TimelineEvent& event = entry->timeline_event();
      events.push_back(
          {absl::StrCat(event.date_uncertain() ? "about " : "", DateText(event.start_date())),
           event.kind() == v1::TIMELINE_EVENT_KIND_SYMPTOM ? "Symptom" : "Life", event.text()});
    }
    if (!events.empty()) page_.Heading("Symptoms and events");
    page_.Table({"When", "", "What"}, events);
  }

  void Inventory() {
    const std::vector<const v1::Entry*> people = Of(v1::ENTRY_KIND_RELATIONSHIP);
    if (!choice_.include_inventory || people.empty()) return;
    page_.Heading("The interpersonal inventory");
    page_.Pictures({{Caption("At first", choice_.circles.first()), choice_.circles.first().svg()},
                    {Caption("Now", choice_.circles.last()), choice_.circles.last().svg()}});
    for (const v1::Entry* entry : people) {
      page_.Begin();
      page_.SubHeading(entry->relationship().person());
      for (const ToldField& field : FieldsOf(entry->relationship(), file_, people_)) {
        if (field.label != "Person") page_.Field(field.label, field.text);
      }
      page_.End();
    }
  }

  static std::string Caption(absl::string_view when, const v1::ClosenessCircle& circle) {
    return absl::StrCat(when, ", ", DateText(circle.date()));
  }

  void Ending() {
    const std::vector<const v1::Entry*> plans = Of(v1::ENTRY_KIND_RELAPSE_PLAN);
    const std::vector<const v1::Entry*> referrals = Of(v1::ENTRY_KIND_REFERRAL);
    const std::vector<const v1::Entry*> topics = Of(v1::ENTRY_KIND_OUT_OF_SCOPE_TOPIC);
    const std::vector<const v1::Entry*> tasks = Of(v1::ENTRY_KIND_TERMINATION_TASK);
    if (plans.empty() && referrals.empty() && topics.empty() && tasks.empty()) return;
    page_.Heading("The ending, and after");
    std::vector<std::vector<std::string>> rows;
    for (const v1::Entry* entry : tasks) {
      rows.push_back(
          {LabelOf(entry->termination_task().task()),
           InWords(v1::TaskStatus_Name(entry->termination_task().status()), "TASK_STATUS_"),
           entry->termination_task().text()});
    }
    page_.Table({"Task", "Status", ""}, rows);
    Records(v1::ENTRY_KIND_RELAPSE_PLAN, "Relapse plan");
    Records(v1::ENTRY_KIND_REFERRAL, "Referrals");
    Records(v1::ENTRY_KIND_OUT_OF_SCOPE_TOPIC, "What was left out");
  }

  void Sessions() {
    std::vector<std::vector<std::string>> rows;
    for (const Sitting& sitting : file_.sittings) {
      if (!InView(sitting) || (!WasHeld(sitting) && !WasMissed(sitting))) continue;
      const v1::Note* of = nullptr;
      for (const v1::Note& note : file_.notes) {
        const bool told = note.kind() != v1::NOTE_KIND_PRIVATE ||
                          (choice_.include_private && note.about() == choice_.patient);
        if (note.appointment() == sitting.appointment && told) of = &note;
      }
      rows.push_back(
          {sitting.number > 0 ? absl::StrCat(sitting.number) : "–",
           DateText(file_.DayOf(sitting.start())),
           WasMissed(sitting)
               ? "Missed"
               : InWords(scheduling::v1::Modality_Name(sitting.state.modality()), "MODALITY_"),
           of == nullptr ? ""
                         : absl::StrCat("signed ", Day(file_, of->signature().sign_time()),
                                        of->has_cosignature() ? ", cosigned" : "")});
    }
    if (!rows.empty()) page_.Heading("Sessions");
    page_.Table({"No.", "Date", "How", "Note"}, rows);
  }

  const CaseFile& file_;
  const SummaryChoice& choice_;
  const v1::ExportWording& wording_;
  const View view_;
  const People people_;
  HtmlPage page_;
  std::vector<v1::ExportOmission> omissions_;
};

}  // namespace

RenderedPage RenderSummary(const CaseFile& file, const SummaryChoice& choice,
                           const v1::ExportWording& wording) {
  const CaseFile of_patient = FileOf(file, choice.patient);
  return Summary(of_patient, choice, wording).Render();
}

}  // namespace rapport::notes
