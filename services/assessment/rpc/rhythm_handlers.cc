#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/call/mutate.h"
#include "common/call/pages.h"
#include "common/care/care.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "common/time/zones.h"
#include "rapport/assessment/v1/events.pb.h"
#include "services/assessment/rpc/assessment_handlers.h"
#include "services/assessment/store/rhythm.h"

namespace rapport::assessment {
namespace {

// The instrument that a diary is of.
constexpr absl::string_view kDiary = "srm-5";
constexpr int kDaysBack = 60;

absl::Status CheckDay(const v1::RhythmDay& day, const v1::SocialRhythmRule& rule,
                      absl::CivilDay today) {
  RETURN_IF_ERROR(time::CheckDate(day.date(), "day.date"));
  const absl::CivilDay date = time::ToCivilDay(day.date());
  if (date > today || date < today - kDaysBack) {
    return errors::InvalidArgument(
        "day.date",
        absl::StrCat("must not be in the future, nor more than ", kDaysBack, " days back"));
  }
  std::set<int> done;
  for (int i = 0; i < day.entries_size(); ++i) {
    const v1::RhythmEntry& entry = day.entries(i);
    const std::string field = absl::StrCat("day.entries[", i, "]");
    if (entry.activity() > rule.activities_size() || !done.insert(entry.activity()).second) {
      return errors::InvalidArgument(absl::StrCat(field, ".activity"),
                                     "must be one of the diary's activities, each once");
    }
    RETURN_IF_ERROR(time::CheckTimeOfDay(entry.time(), absl::StrCat(field, ".time")));
    if (time::ToMinutes(entry.time()) >= 24 * 60) {
      return errors::InvalidArgument(absl::StrCat(field, ".time"), "must be before 24:00");
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<absl::CivilDay> Today(const call::CallContext& context,
                                     const care::CourseFacts& course, absl::string_view patient) {
  ASSIGN_OR_RETURN(
      const absl::TimeZone zone,
      time::LoadZone(patient == course.state.patient() ? course.state.patient_time_zone()
                                                       : course.state.partner_time_zone()));
  return absl::ToCivilDay(context.now, zone);
}

// A patient's own device learns that the day is kept, no more.
v1::RhythmDay AnswerOf(const call::CallContext& context, v1::RhythmDay day) {
  if (care::IsPatientProxy(*context.principal)) {
    day.clear_entries();
    day.clear_mood();
    day.clear_energy();
  }
  return day;
}

}  // namespace

absl::StatusOr<v1::RhythmDay> AssessmentHandlers::RecordRhythmDay(
    const call::CallContext& context, const v1::RecordRhythmDayRequest& request) {
  return call::Mutate<v1::RhythmDay>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) -> absl::StatusOr<v1::RhythmDay> {
        RETURN_IF_ERROR(
            care::RequireCourse(session, context, request.day().course(), "Course").status());
        ASSIGN_OR_RETURN(v1::RhythmDay day, store::GetRhythmDay(session, vault_, name));
        return AnswerOf(context, std::move(day));
      },
      [&](call::Change& change) -> absl::StatusOr<v1::RhythmDay> {
        sql::Transaction& tx = change.tx();
        ASSIGN_OR_RETURN(const care::CourseFacts course,
                         care::RequireTreated(tx, context, request.day().course(), "Course"));
        v1::RhythmDay day = request.day();
        ASSIGN_OR_RETURN(*day.mutable_patient(),
                         RespondentOf(context, course, day.patient(), false, "day.patient"));
        ASSIGN_OR_RETURN(const std::shared_ptr<const InstrumentRules> rules,
                         catalogues_.FindById(tx, context.organization_id, kDiary));
        if (rules == nullptr) return errors::Internal("There is no instrument of the diary.");
        ASSIGN_OR_RETURN(const absl::CivilDay today, Today(context, course, day.patient()));
        RETURN_IF_ERROR(CheckDay(day, rules->instrument().social_rhythm(), today));
        *day.mutable_record_time() = time::ToTimestamp(context.now);
        ASSIGN_OR_RETURN(const store::StoredDay added, store::AddRhythmDay(tx, vault_, day));
        v1::RhythmDayEvent event;
        event.set_course(day.course());
        event.set_patient(day.patient());
        change.Record(store::RhythmDayName(day), added.version, event, added.stored);
        return AnswerOf(context, std::move(day));
      });
}

absl::StatusOr<v1::ListRhythmDaysResponse> AssessmentHandlers::ListRhythmDays(
    const call::CallContext& context, const v1::ListRhythmDaysRequest& request) {
  absl::CivilDay first(1, 1, 1);
  absl::CivilDay last(9999, 12, 31);
  if (request.has_start_date()) {
    RETURN_IF_ERROR(time::CheckDate(request.start_date(), "start_date"));
    first = time::ToCivilDay(request.start_date());
  }
  if (request.has_end_date()) {
    RETURN_IF_ERROR(time::CheckDate(request.end_date(), "end_date"));
    last = time::ToCivilDay(request.end_date());
  }
  ASSIGN_OR_RETURN(const call::Page page, call::ReadPage(context, request));
  if (absl::CivilDay told; absl::ParseCivilTime(page.after, &told)) first = told + 1;
  return call::Read<v1::ListRhythmDaysResponse>(
      database_, context, [&](sql::Session& session) -> absl::StatusOr<v1::ListRhythmDaysResponse> {
        ASSIGN_OR_RETURN(const care::CourseFacts course,
                         care::RequireCourse(session, context, request.course(), "Course"));
        ASSIGN_OR_RETURN(const std::string patient,
                         RespondentOf(context, course, request.patient(), false, "patient"));
        ASSIGN_OR_RETURN(std::vector<v1::RhythmDay> days,
                         store::ListRhythmDays(session, vault_, request.course(), patient, first,
                                               last, page.size + 1));
        v1::ListRhythmDaysResponse response;
        for (v1::RhythmDay& day : days) {
          if (response.days_size() == page.size) {
            const auto& end = response.days(page.size - 1).date();
            response.set_next_page_token(
                call::NextPageToken(context, absl::FormatCivilTime(time::ToCivilDay(end))));
            break;
          }
          *response.add_days() = std::move(day);
        }
        return response;
      });
}

}  // namespace rapport::assessment
