#include "services/notes/domain/booklet.h"

#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/names/names.h"
#include "services/notes/domain/html.h"

namespace rapport::notes {
namespace {

namespace as = assessment::v1;

template <class Texts>
std::vector<std::string> Lines(const Texts& texts) {
  return {texts.begin(), texts.end()};
}

class Booklet {
 public:
  Booklet(const CaseFile& file, const BookletChoice& choice, const v1::ExportWording& wording)
      : file_(file),
        choice_(choice),
        wording_(wording),
        view_{file.conjoint() ? choice.patient : "", false},
        page_(wording.booklet_title()) {}

  RenderedPage Render() {
    page_.Text(wording_.booklet_introduction());
    Understanding();
    Wants();
    Gains();
    Helped();
    Plan();
    Safety();
    page_.Heading("In closing");
    page_.Text(wording_.booklet_closing());
    RenderedPage rendered;
    rendered.html = page_.Finish(DateText(file_.today()));
    rendered.omissions.emplace_back().set_reason(v1::OMISSION_REASON_PSYCHOTHERAPY_NOTES);
    if (!file_.unavailable_sources.empty()) {
      rendered.omissions.emplace_back().set_reason(v1::OMISSION_REASON_UNAVAILABLE);
    }
    return rendered;
  }

 private:
  std::vector<const v1::Entry*> Of(v1::EntryKind kind) const {
    return EntriesIn(file_, view_, kind);
  }
  void Section(absl::string_view heading, const std::vector<std::string>& lines) {
    if (lines.empty()) return;
    page_.Begin();
    page_.Heading(heading);
    page_.List(lines);
    page_.End();
  }

  void Understanding() {
    const v1::Formulation& formulation = file_.record.formulation();
    const bool agreed = formulation.agreement() == v1::AGREEMENT_AGREED ||
                        formulation.agreement() == v1::AGREEMENT_MODIFIED;
    if (!agreed || formulation.erased() || formulation.link().empty()) return;
    page_.Begin();
    page_.Heading("How it hangs together");
    page_.Text(formulation.link());
    page_.End();
  }

  void Wants() {
    std::vector<std::string> hopes;
    for (const v1::Entry* entry : Of(v1::ENTRY_KIND_HOPE)) {
      if (entry->hope().state() != v1::HOPE_STATE_SET_ASIDE) hopes.push_back(entry->hope().words());
    }
    Section("What I hoped for", hopes);
    std::vector<std::string> reached, under_way;
    for (const v1::Goal& goal : file_.goals) {
      if (goal.erased() || goal.status() == v1::GOAL_STATUS_DROPPED) continue;
      if (goal.status() == v1::GOAL_STATUS_ACHIEVED) {
        reached.push_back(goal.text());
      } else {
        under_way.push_back(
            goal.progress_percent() > 0
                ? absl::StrCat(goal.text(), " – ", goal.progress_percent(), " % there")
                : goal.text());
      }
    }
    Section("Goals I reached", reached);
    Section("Goals I go on with", under_way);
  }

  void Gains() {
    std::vector<std::string> gains;
    for (const as::Progress& progress : file_.progress) {
      if (progress.patient() != choice_.patient) continue;
      for (const as::InstrumentProgress& series : progress.instruments()) {
        if (!series.has_baseline() || !series.has_change() ||
            !series.change().reliable_improvement()) {
          continue;
        }
        const as::ProgressPoint* newest = nullptr;
        for (const as::ProgressPoint& point : series.points()) {
          if (point.complete() && point.has_total()) newest = &point;
        }
        if (newest == nullptr) continue;
        gains.push_back(absl::StrCat(
            absl::AsciiStrToUpper(names::Id(series.instrument(), "instruments")), ": from ",
            NumberText(series.baseline().total()), " to ", NumberText(newest->total()), " (",
            series.direction() == as::DIRECTION_HIGHER_BETTER ? "higher" : "lower", " is better)"));
      }
    }
    const bool circles =
        !choice_.circles.first().svg().empty() && !choice_.circles.last().svg().empty();
    std::vector<std::string> own;
    for (const v1::Entry* entry : Of(v1::ENTRY_KIND_TERMINATION_TASK)) {
      const v1::TerminationTask& task = entry->termination_task();
      if (task.task() == "review-gains" && task.status() == v1::TASK_STATUS_DONE &&
          !task.text().empty()) {
        own.push_back(task.text());
      }
    }
    if (gains.empty() && own.empty() && !circles) return;
    page_.Heading("What changed");
    for (const std::string& text : own) page_.Text(text);
    page_.List(gains);
    if (!file_.unavailable_sources.empty()) {
      page_.Small("Scores could not be fetched when this was made, and are missing here.");
    }
    if (circles) {
      page_.Pictures(
          {{absl::StrCat("Who was close at first, ", DateText(choice_.circles.first().date())),
            choice_.circles.first().svg()},
           {absl::StrCat("Who is close now, ", DateText(choice_.circles.last().date())),
            choice_.circles.last().svg()}});
    }
  }

  void Helped() {
    std::vector<std::string> tried;
    for (const v1::Entry* entry : Of(v1::ENTRY_KIND_ACTION)) {
      const v1::Action& action = entry->action();
      const bool done =
          action.status() == v1::ACTION_STATUS_DONE || action.status() == v1::ACTION_STATUS_TRIED;
      if (!done || action.text().empty()) continue;
      tried.push_back(action.result().empty()
                          ? action.text()
                          : absl::StrCat(action.text(), " – ", action.result()));
    }
    for (const v1::Entry* entry : Of(v1::ENTRY_KIND_STRATEGY)) {
      if (entry->strategy().status() != v1::STRATEGY_STATUS_DROPPED) {
        tried.push_back(entry->strategy().text());
      }
    }
    Section("What I tried", tried);
    std::vector<std::string> wordings;
    for (const v1::Entry* entry : Of(v1::ENTRY_KIND_INCIDENT)) {
      const std::string& wording = entry->incident().communication_analysis().alternative_wording();
      if (!wording.empty()) wordings.push_back(wording);
    }
    Section("How I can say it", wordings);
  }

  void Plan() {
    const std::vector<const v1::Entry*> plans = Of(v1::ENTRY_KIND_RELAPSE_PLAN);
    if (plans.empty()) return;
    const v1::RelapsePlan& plan = plans.back()->relapse_plan();
    std::vector<std::string> signs;
    for (const v1::WarningSign& sign : plan.warning_signs()) signs.push_back(sign.words());
    Section("My warning signs", signs);
    Section("When to look out", Lines(plan.high_risk_events()));
    Section("What helps me", Lines(plan.coping()));
    Section("Who helps me", Lines(plan.supporters()));
    Section("Whom I get in touch with", Lines(plan.contacts()));
    std::vector<std::string> dates;
    for (const google::type::Date& date : plan.booster_dates()) dates.push_back(DateText(date));
    if (!plan.maintenance_schedule().empty()) dates.push_back(plan.maintenance_schedule());
    Section("How it goes on", dates);
  }

  void Safety() {
    if (!file_.safety_plan || file_.safety_plan->erased()) return;
    const v1::SafetyPlan& plan = *file_.safety_plan;
    page_.Begin();
    page_.Heading("My safety plan");
    const auto part = [&](absl::string_view heading, const auto& texts) {
      if (texts.empty()) return;
      page_.SubHeading(heading);
      page_.List(Lines(texts));
    };
    part("Signs that it is time", plan.warning_signs());
    part("What I do by myself", plan.own_coping());
    part("People and places that take my mind off it", plan.distractions());
    part("Whom I ask for help", plan.people_to_ask());
    part("Professionals and crisis lines", plan.professionals());
    part("Making my surroundings safer", plan.safer_surroundings());
    page_.End();
  }

  const CaseFile& file_;
  const BookletChoice& choice_;
  const v1::ExportWording& wording_;
  const View view_;
  HtmlPage page_;
};

}  // namespace

RenderedPage RenderBooklet(const CaseFile& file, const BookletChoice& choice,
                           const v1::ExportWording& wording) {
  const CaseFile of_patient = FileOf(file, choice.patient);
  return Booklet(of_patient, choice, wording).Render();
}

}  // namespace rapport::notes
