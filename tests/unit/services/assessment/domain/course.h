#ifndef RAPPORT_TESTS_UNIT_SERVICES_ASSESSMENT_DOMAIN_COURSE_H_
#define RAPPORT_TESTS_UNIT_SERVICES_ASSESSMENT_DOMAIN_COURSE_H_

#include <algorithm>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "common/time/zones.h"
#include "services/assessment/data/rules/shipped_rules.h"
#include "services/assessment/data/shipped.h"
#include "services/assessment/domain/progress.h"
#include "services/assessment/domain/scoring.h"

namespace rapport::assessment::testing {

inline const InstrumentRules& Rules(absl::string_view id) {
  const InstrumentRules* rules = ShippedInstruments().FindById(id);
  EXPECT_NE(rules, nullptr) << id;
  return *rules;
}

// Answers as digits, items from 1; '-' leaves the item out.
inline Sheet SheetOfDigits(const InstrumentRules& rules, absl::string_view digits) {
  Answers answers;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (digits[i] == '-') continue;
    v1::Answer& answer = *answers.Add();
    answer.set_item(static_cast<int>(i) + 1);
    answer.set_value(digits[i] - '0');
  }
  return std::get<Sheet>(Sheet::Read(rules, answers, {}));
}

// A course with a session each week, at one local time, whose plan asks for the PHQ-9 at each. No
// rule watches it.
class Course {
 public:
  explicit Course(int sessions, absl::CivilSecond first = absl::CivilSecond(2026, 3, 2, 10, 0, 0),
                  absl::string_view zone = "America/New_York") {
    input_.course = "organizations/acme/courses/c";
    input_.protocol = "classic";
    input_.zone = *time::LoadZone(zone);
    input_.plan = {"phq-9", "gad-7"};
    for (int i = 0; i < sessions; ++i) {
      const absl::Time start = absl::FromCivil(first + 7 * 24 * 3600 * i, input_.zone);
      input_.sessions.push_back({.appointment = absl::StrCat("a", i + 1),
                                 .number = i + 1,
                                 .start = start,
                                 .end = start + absl::Minutes(50)});
      input_.primary_due.push_back(i);
    }
  }

  Course& Add(absl::string_view id, absl::Time at, absl::string_view digits) {
    const InstrumentRules& rules = Rules(id);
    const v1::Score score = ScoreSheet(rules, SheetOfDigits(rules, digits));
    Form form = FormAt(id, at);
    form.has_total = score.has_total();
    form.total = score.total();
    form.complete = score.complete();
    form.prorated = score.prorated();
    form.severity = score.severity();
    form.full_syndrome = score.full_syndrome();
    return Keep(std::move(form));
  }
  // A day before session `number`.
  Course& Before(absl::string_view id, int number, absl::string_view digits) {
    return Add(id, start(number) - absl::Hours(24), digits);
  }
  // A complete form of that total, a day before session `number`.
  Course& Total(absl::string_view id, int number, double total) {
    return TotalAt(id, start(number) - absl::Hours(24), total);
  }
  Course& TotalAt(absl::string_view id, absl::Time at, double total) {
    Form form = FormAt(id, at);
    form.has_total = true;
    form.total = total;
    form.complete = true;
    return Keep(std::move(form));
  }
  // A screen that is positive or not, without a total.
  Course& Screen(absl::string_view id, int number, bool positive) {
    Form form = FormAt(id, start(number) - absl::Hours(24));
    form.complete = true;
    form.positive = positive;
    return Keep(std::move(form));
  }

  absl::Time start(int number) const { return input_.sessions[number - 1].start; }
  ProgressInput& input() { return input_; }
  v1::Progress Compute() const { return ComputeProgress(input_); }

 private:
  Form FormAt(absl::string_view id, absl::Time at) {
    Form form;
    form.assessment = absl::StrCat("f", ++forms_);
    form.instrument = std::string(id);
    form.answer_time = at;
    return form;
  }
  Course& Keep(Form form) {
    input_.now = std::max(input_.now, form.answer_time);
    const auto later = [](const Series& series, const std::string& id) {
      return series.rules->id() < id;
    };
    auto series =
        std::lower_bound(input_.series.begin(), input_.series.end(), form.instrument, later);
    if (series == input_.series.end() || series->rules->id() != form.instrument) {
      series = input_.series.insert(series, {&Rules(form.instrument), {}});
    }
    series->forms.insert(std::upper_bound(series->forms.begin(), series->forms.end(), form,
                                          [](const Form& a, const Form& b) {
                                            return a.answer_time < b.answer_time;
                                          }),
                         std::move(form));
    return *this;
  }

  ProgressInput input_;
  int forms_ = 0;
};

// A course that the shipped rules watch.
inline Course Watched(int sessions) {
  Course course(sessions);
  course.input().rules = ShippedTrackRules();
  return course;
}

inline const v1::InstrumentProgress& Of(const v1::Progress& progress, absl::string_view id) {
  for (const auto& instrument : progress.instruments()) {
    if (instrument.instrument() == absl::StrCat("instruments/", id)) return instrument;
  }
  ADD_FAILURE() << "no " << id;
  return v1::InstrumentProgress::default_instance();
}

template <class From>
const v1::Milestone* Find(const From& from, v1::Term term) {
  for (const auto& milestone : from.milestones()) {
    if (milestone.term() == term) return &milestone;
  }
  return nullptr;
}

// Terms and the sessions at which they were reached.
template <class From>
std::vector<std::pair<v1::Term, int>> Reached(const From& from) {
  std::vector<std::pair<v1::Term, int>> reached;
  for (const auto& milestone : from.milestones()) {
    reached.emplace_back(milestone.term(), milestone.session_number());
  }
  return reached;
}

inline const v1::ProgressFlag* FindFlag(const v1::Progress& progress, v1::ProgressFlagKind kind,
                                        absl::string_view instrument) {
  for (const auto& flag : progress.flags()) {
    if (flag.kind() == kind && flag.instrument() == instrument) return &flag;
  }
  return nullptr;
}

inline std::vector<std::string> Words(absl::string_view text) {
  return absl::StrSplit(text, ' ', absl::SkipEmpty());
}

// Stories of the clinical rules, section 7.
inline Course StoryS1(int until = 16) {
  static const auto& phq = *new std::vector<std::string>(
      Words("232322210 233322210 232312210 222312210 222212210 333323212 233222211 222212211 "
            "222212110 122211110 112211100 111211100 111111100 111101100 111100000 011100000"));
  Course course = Watched(16);
  for (int session = 1; session <= until; ++session) {
    course.Before("phq-9", session, phq[session - 1]);
    for (const auto& [at, digits] : std::vector<std::pair<int, const char*>>{
             {1, "2222211"}, {5, "2222111"}, {9, "1211111"}, {13, "1111100"}, {16, "1110000"}}) {
      if (at == session) course.Before("gad-7", session, digits);
    }
  }
  return course;
}

inline Course StoryS3(int until = 14, absl::string_view protocol = "classic") {
  static const auto& phq = *new std::vector<std::string>(
      Words("232332210 222332210 002000110 012111110 122221110 122221110 121221110 121211110 "
            "111211100 111111100 111111000 111110000 111010000 110010000"));
  Course course = Watched(14);
  course.input().protocol = std::string(protocol);
  for (int session = 1; session <= until; ++session) {
    course.Before("phq-9", session, phq[session - 1]);
  }
  return course;
}

}  // namespace rapport::assessment::testing

#endif  // RAPPORT_TESTS_UNIT_SERVICES_ASSESSMENT_DOMAIN_COURSE_H_
