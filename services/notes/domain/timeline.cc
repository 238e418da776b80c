#include "services/notes/domain/timeline.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/names/names.h"
#include "common/time/convert.h"

namespace rapport::notes {
namespace {

using Kind = v1::TimelinePointKind;

class Line {
 public:
  Line(const CaseFile& file, const View& view) : file_(file), view_(view) {}

  std::vector<TimelineEntry> Draw() {
    for (const v1::Entry& entry : file_.entries) {
      if (!entry.erased() && IsIn(file_, view_, entry)) Tell(entry);
    }
    for (const Sitting& sitting : file_.sittings) Tell(sitting);
    for (const v1::Note& note : file_.notes) Tell(note);
    for (const assessment::v1::Assessment& form : file_.assessments) Tell(form);
    std::vector<TimelineEntry> line;
    line.reserve(points_.size());
    std::map<std::pair<int, std::string>, int> told;  // of one source, in order
    for (v1::TimelinePoint& point : points_) {
      const int ordinal = told[{point.kind(), point.source()}]++;
      line.push_back({KeyOf(point, ordinal), std::move(point)});
    }
    std::sort(line.begin(), line.end(),
              [](const TimelineEntry& a, const TimelineEntry& b) { return a.key < b.key; });
    return line;
  }

 private:
  v1::TimelinePoint& Add(Kind kind, std::string source, std::string text) {
    v1::TimelinePoint& point = points_.emplace_back();
    point.set_kind(kind);
    point.set_source(std::move(source));
    point.set_text(std::move(text));
    return point;
  }
  v1::TimelinePoint& Add(Kind kind, const v1::Entry& entry, std::string text,
                         const google::type::Date& date) {
    v1::TimelinePoint& point = Add(kind, entry.name(), std::move(text));
    *point.mutable_date() = date;
    if (file_.conjoint()) point.set_about(entry.about());
    if (!entry.appointment().empty()) {
      if (const Sitting* sitting = FindSitting(file_, entry.appointment())) {
        point.set_session_number(sitting->number);
      }
    }
    return point;
  }
  void SetTime(v1::TimelinePoint& point, absl::Time time) const {
    *point.mutable_time() = time::ToTimestamp(time);
    *point.mutable_date() = time::ToDate(file_.DayOf(time));
  }

  void Tell(const v1::Entry& entry) {
    if (entry.has_timeline_event()) {
      const v1::TimelineEvent& event = entry.timeline_event();
      v1::TimelinePoint& point =
          Add(event.kind() == v1::TIMELINE_EVENT_KIND_SYMPTOM ? v1::TIMELINE_POINT_KIND_SYMPTOM
                                                              : v1::TIMELINE_POINT_KIND_LIFE_EVENT,
              entry, event.text(), event.start_date());
      if (event.has_end_date()) *point.mutable_end_date() = event.end_date();
      point.set_date_uncertain(event.date_uncertain());
      if (event.has_severity()) point.set_value(event.severity());
      point.set_relationship(event.relationship());
    } else if (entry.has_incident()) {
      Add(v1::TIMELINE_POINT_KIND_INCIDENT, entry, entry.incident().text(),
          entry.incident().incident_date())
          .set_relationship(entry.incident().relationship());
    } else if (entry.has_treatment_event()) {
      const v1::TreatmentEvent& event = entry.treatment_event();
      Add(v1::TIMELINE_POINT_KIND_TREATMENT, entry,
          absl::StrCat(event.treatment(), ": ",
                       InWords(v1::TreatmentChange_Name(event.change()), "TREATMENT_CHANGE_")),
          event.change_date());
    } else if (entry.has_diagnosis()) {
      const v1::Diagnosis& diagnosis = entry.diagnosis();
      Add(v1::TIMELINE_POINT_KIND_DIAGNOSIS, entry,
          absl::StrCat(InWords(v1::DiagnosisStatus_Name(diagnosis.status()), "DIAGNOSIS_STATUS_"),
                       ": ", diagnosis.label(), " (", diagnosis.code(), ")"),
          diagnosis.diagnosis_date());
    } else if (entry.has_relationship()) {
      const v1::Relationship& person = entry.relationship();
      if (person.death_date().year() != 0) {
        Add(v1::TIMELINE_POINT_KIND_DEATH, entry, absl::StrCat("Death of ", person.person()),
            person.death_date())
            .set_relationship(entry.name());
      }
      if (person.recent_change_date().year() != 0) {
        Add(v1::TIMELINE_POINT_KIND_RELATIONSHIP_CHANGE, entry,
            absl::StrCat(person.person(), ": ", person.recent_change()),
            person.recent_change_date())
            .set_relationship(entry.name());
      }
    }
  }

  void Tell(const Sitting& sitting) {
    if (sitting.state.private_session() && file_.conjoint() &&
        sitting.state.patient() != view_.about) {
      return;
    }
    if (!WasHeld(sitting) && !WasMissed(sitting)) return;
    v1::TimelinePoint& point = Add(
        WasHeld(sitting) ? v1::TIMELINE_POINT_KIND_SESSION : v1::TIMELINE_POINT_KIND_MISSED_SESSION,
        sitting.appointment,
        sitting.number > 0 ? absl::StrCat("Session ", sitting.number) : "Session");
    SetTime(point, sitting.start());
    point.set_session_number(sitting.number);
  }

  void Tell(const v1::Note& note) {
    if (note.erased()) return;
    if (note.kind() == v1::NOTE_KIND_PRIVATE && file_.conjoint() &&
        (view_.about.empty() || note.about() != view_.about || !view_.with_private)) {
      return;
    }
    for (const v1::SymptomEventLink& link : note.content().links()) {
      v1::TimelinePoint& point = Add(v1::TIMELINE_POINT_KIND_LINK, note.name(),
                                     absl::StrCat(link.symptom(), " ↔ ", link.event()));
      if (link.date().year() != 0) {
        *point.mutable_date() = link.date();
      } else {
        *point.mutable_date() = time::ToDate(file_.DayOf(time::ToTime(note.session_time())));
        point.set_date_uncertain(true);
      }
      point.set_relationship(link.relationship());
      point.set_session_number(note.session_number());
    }
  }

  void Tell(const assessment::v1::Assessment& form) {
    if (form.has_void_()) return;
    if (file_.conjoint() && form.patient() != view_.about) return;
    const std::string instrument(names::Id(form.instrument(), "instruments"));
    v1::TimelinePoint& point = Add(
        v1::TIMELINE_POINT_KIND_SCORE, form.name(),
        form.score().has_total() ? absl::StrCat(instrument, " ", NumberText(form.score().total()))
                                 : instrument);
    SetTime(point, time::ToTime(form.answer_time()));
    point.set_instrument(instrument);
    if (form.score().has_total()) point.set_value(form.score().total());
    point.set_incomplete(!form.score().complete());
    if (file_.conjoint()) point.set_about(form.patient());
    for (const assessment::v1::Answer& answer : form.answers()) {
      if (!answer.has_value()) continue;
      v1::TimelineItem& item = *point.add_items();
      item.set_item(answer.item());
      item.set_value(answer.value());
    }
    if (const Sitting* sitting = FindSitting(file_, form.appointment())) {
      point.set_session_number(sitting->number);
    }
  }

  std::string KeyOf(const v1::TimelinePoint& point, int ordinal) const {
    const google::type::Date& date = point.date();
    int64_t second = 0;  // of the day, from 1; 0: not known
    if (point.has_time()) {
      const absl::CivilSecond at = absl::ToCivilSecond(time::ToTime(point.time()), file_.zone);
      second = at - absl::CivilSecond(absl::CivilDay(at)) + 1;
    }
    return absl::StrFormat("%04d%02d%02d%05d%02d%s/%03d", date.year(), date.month(), date.day(),
                           second, point.kind(), point.source(), ordinal);
  }

  const CaseFile& file_;
  const View& view_;
  std::vector<v1::TimelinePoint> points_;
};

}  // namespace

std::vector<TimelineEntry> TimelineOf(const CaseFile& file, const View& view) {
  return Line(file, view).Draw();
}

}  // namespace rapport::notes
