#include "services/assessment/store/rhythm.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/time/convert.h"

namespace rapport::assessment::store {
namespace {

const sql::Statement kLast{"assessment.rhythm.last", R"sql(
  SELECT max(entry) FROM rhythm_day
  WHERE organization_id = $1 AND course = $2 AND patient = $3 AND date = $4)sql"};

const sql::Statement kAdd{"assessment.rhythm.add", R"sql(
  INSERT INTO rhythm_day (organization_id, course, patient, date, entry, record_time, sealed)
  VALUES ($1, $2, $3, $4, $5, $6, $7))sql"};

const sql::Statement kList{"assessment.rhythm.list", R"sql(
  SELECT d.date, d.entry, d.record_time, d.sealed FROM rhythm_day AS d
  WHERE d.organization_id = $1 AND d.course = $2 AND d.patient = $3
    AND d.date >= $4 AND d.date <= $5
    AND d.entry = (SELECT max(o.entry) FROM rhythm_day AS o
                   WHERE o.organization_id = d.organization_id AND o.course = d.course
                     AND o.patient = d.patient AND o.date = d.date)
  ORDER BY d.date LIMIT $6)sql"};

const sql::Statement kDaysOfCourse{"assessment.rhythm.days_of_course", R"sql(
  SELECT d.course, d.patient, d.date FROM rhythm_day AS d
  WHERE d.organization_id = $1 AND d.course = $2 AND d.date >= $3 AND d.date <= $4
    AND d.entry = 1
  ORDER BY d.course, d.patient, d.date)sql"};

const sql::Statement kDaysOfClinician{"assessment.rhythm.days_of_clinician", R"sql(
  SELECT d.course, d.patient, d.date
  FROM course_clinician AS mine JOIN rhythm_day AS d
    ON d.organization_id = mine.organization_id AND d.course = mine.course
  WHERE mine.organization_id = $1 AND mine.clinician = $2 AND d.date >= $3 AND d.date <= $4
    AND d.entry = 1
  ORDER BY d.course, d.patient, d.date)sql"};

std::string Iso(absl::CivilDay day) {
  return absl::StrFormat("%04d-%02d-%02d", day.year(), day.month(), day.day());
}

absl::StatusOr<absl::CivilDay> FromIso(const std::string& date) {
  absl::CivilDay day;
  if (absl::ParseCivilTime(date, &day)) return day;
  return errors::Internal("A stored date of a diary is none.");
}

std::string NameOf(absl::string_view course, absl::string_view patient, absl::string_view date) {
  return absl::StrCat(course, "/patients/", names::Last(patient), "/rhythmDays/", date);
}

crypto::Place PlaceOf(absl::string_view course, absl::string_view patient, absl::string_view date,
                      int64_t entry) {
  return {.organization_id = std::string(names::OrganizationId(course)),
          .subject = std::string(patient),
          .resource = NameOf(course, patient, date),
          .version = entry,
          .field = "entries"};
}

}  // namespace

std::string RhythmDayName(const v1::RhythmDay& day) {
  return NameOf(day.course(), day.patient(), Iso(time::ToCivilDay(day.date())));
}

absl::StatusOr<StoredDay> AddRhythmDay(sql::Transaction& tx, const crypto::Vault& vault,
                                       const v1::RhythmDay& day) {
  const sql::Value organization = sql::Text(names::OrganizationId(day.course()));
  const std::string date = Iso(time::ToCivilDay(day.date()));
  tx.Lock({absl::StrCat("assessment/rhythm/", RhythmDayName(day))});
  ASSIGN_OR_RETURN(const sql::Result last,
                   tx.Query(kLast, {organization, sql::Text(day.course()), sql::Text(day.patient()),
                                    sql::Text(date)}));
  StoredDay added{.version = (last.IsNull(0, 0) ? 0 : last.Int(0, 0)) + 1, .stored = {}};
  v1::RhythmDay told;
  *told.mutable_entries() = day.entries();
  if (day.has_mood()) told.set_mood(day.mood());
  if (day.has_energy()) told.set_energy(day.energy());
  const absl::Time record_time = time::ToTime(day.record_time());
  ASSIGN_OR_RETURN(added.stored,
                   vault.Seal(tx, PlaceOf(day.course(), day.patient(), date, added.version),
                              told.SerializeAsString(), record_time));
  tx.Defer(kAdd, {organization, sql::Text(day.course()), sql::Text(day.patient()), sql::Text(date),
                  sql::Int(added.version), sql::Micros(record_time), sql::Bytes(added.stored)});
  return added;
}

absl::StatusOr<v1::RhythmDay> GetRhythmDay(sql::Session& session, const crypto::Vault& vault,
                                           absl::string_view name) {
  const absl::string_view organization = names::OrganizationId(name);
  ASSIGN_OR_RETURN(const absl::CivilDay date, FromIso(std::string(names::Last(name))));
  ASSIGN_OR_RETURN(
      std::vector<v1::RhythmDay> days,
      ListRhythmDays(session, vault,
                     names::InOrganization(organization, "courses", names::Id(name, "courses")),
                     names::InOrganization(organization, "patients", names::Id(name, "patients")),
                     date, date, 1));
  if (days.empty()) return errors::NotFound("RhythmDay");
  return std::move(days.front());
}

absl::StatusOr<std::vector<v1::RhythmDay>> ListRhythmDays(
    sql::Session& session, const crypto::Vault& vault, absl::string_view course,
    absl::string_view patient, absl::CivilDay first, absl::CivilDay last, int limit) {
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(
          kList, {sql::Text(names::OrganizationId(course)), sql::Text(course), sql::Text(patient),
                  sql::Text(Iso(first)), sql::Text(Iso(last)), sql::Int(limit)}));
  crypto::Opener opener(vault, session);
  std::vector<v1::RhythmDay> days;
  days.reserve(rows.rows());
  for (size_t row = 0; row < rows.rows(); ++row) {
    const std::string& date = rows.Text(row, 0);
    const auto opened =
        opener.Open(PlaceOf(course, patient, date, rows.Int(row, 1)), rows.Bytes(row, 3));
    if (errors::Reason(opened.status()) == "ERASED") continue;
    RETURN_IF_ERROR(opened.status());
    v1::RhythmDay& day = days.emplace_back();
    if (!day.ParseFromString(*opened)) {
      return errors::Internal("What was sealed of a diary is no day of one.");
    }
    day.set_course(std::string(course));
    day.set_patient(std::string(patient));
    ASSIGN_OR_RETURN(const absl::CivilDay parsed, FromIso(date));
    *day.mutable_date() = time::ToDate(parsed);
    *day.mutable_record_time() = time::ToTimestamp(rows.Time(row, 2));
  }
  return days;
}

absl::StatusOr<std::vector<DiaryDay>> ListDiaryDays(sql::Session& session, const Whose& whose,
                                                    absl::CivilDay first, absl::CivilDay last) {
  const bool of_course = !whose.course.empty();
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(of_course ? kDaysOfCourse : kDaysOfClinician,
                                 {sql::Text(whose.organization_id),
                                  sql::Text(of_course ? whose.course : whose.clinician),
                                  sql::Text(Iso(first)), sql::Text(Iso(last))}));
  std::vector<DiaryDay> days;
  days.reserve(rows.rows());
  for (size_t row = 0; row < rows.rows(); ++row) {
    ASSIGN_OR_RETURN(const absl::CivilDay date, FromIso(rows.Text(row, 2)));
    days.push_back({rows.Text(row, 0), rows.Text(row, 1), date});
  }
  return days;
}

}  // namespace rapport::assessment::store
