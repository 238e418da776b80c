#include "tools/rapportctl/agenda.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "common/time/zones.h"

namespace rapport::ctl {
namespace {

namespace sv1 = scheduling::v1;

struct Stretch {
  absl::Time from;
  absl::Time to;
};

std::string Words(absl::string_view name, absl::string_view prefix) {
  absl::ConsumePrefix(&name, prefix);
  return absl::StrReplaceAll(absl::AsciiStrToLower(name), {{"_", " "}});
}

bool TakesTime(const sv1::Appointment& appointment) {
  switch (appointment.state()) {
    case sv1::APPOINTMENT_STATE_BOOKED:
    case sv1::APPOINTMENT_STATE_CHECKED_IN:
    case sv1::APPOINTMENT_STATE_COMPLETED:
    case sv1::APPOINTMENT_STATE_HELD:
      return true;
    default:
      return false;
  }
}

// `from` without what `taken` has of it.
std::vector<Stretch> Without(std::vector<Stretch> from, Stretch taken) {
  std::vector<Stretch> left;
  for (const Stretch& each : from) {
    if (taken.to <= each.from || taken.from >= each.to) {
      left.push_back(each);
      continue;
    }
    if (each.from < taken.from) left.push_back({each.from, taken.from});
    if (taken.to < each.to) left.push_back({taken.to, each.to});
  }
  return left;
}

std::vector<Stretch> Joined(std::vector<Stretch> stretches) {
  std::sort(stretches.begin(), stretches.end(),
            [](const Stretch& a, const Stretch& b) { return a.from < b.from; });
  std::vector<Stretch> joined;
  for (const Stretch& each : stretches) {
    if (!joined.empty() && each.from <= joined.back().to) {
      joined.back().to = std::max(joined.back().to, each.to);
    } else {
      joined.push_back(each);
    }
  }
  return joined;
}

std::string Length(absl::Duration length) {
  const int64_t minutes = absl::ToInt64Minutes(length);
  if (minutes < 60) return absl::StrCat(minutes, " min");
  if (minutes % 60 == 0) return absl::StrCat(minutes / 60, " h");
  return absl::StrCat(minutes / 60, " h ", minutes % 60, " min");
}

class Writer {
 public:
  explicit Writer(const Agenda& agenda) : agenda_(agenda) {}

  std::string Write() {
    out_ =
        absl::StrCat(agenda_.clinician.display_name(), " (", names::Last(agenda_.clinician.name()),
                     "), times of ", agenda_.zone.name(), "\n");
    int sessions = 0;
    absl::Duration free;
    for (int i = 0; i < agenda_.days; ++i) Day(agenda_.first + i, sessions, free);
    if (agenda_.days > 1) {
      absl::StrAppend(&out_, "\n", sessions, sessions == 1 ? " session, " : " sessions, ",
                      free > absl::ZeroDuration() ? Length(free) : "nothing", " free\n");
    }
    return std::move(out_);
  }

 private:
  // The hours on `day`, by each clinic's own clock.
  std::vector<Stretch> HoursOf(absl::CivilDay day) const {
    std::vector<Stretch> hours;
    const auto add = [&](const std::string& clinic, const auto& rule) {
      const absl::TimeZone zone = ZoneOf(clinic);
      const auto at = [&](const google::type::TimeOfDay& time) {
        return time::ResolveLocal(absl::CivilSecond(day) + 60 * time::ToMinutes(time), zone);
      };
      hours.push_back({at(rule.start_time()), at(rule.end_time())});
    };
    const auto is_dated = [&](const std::string& clinic) {
      return std::any_of(agenda_.clinician.dated_hours().begin(),
                         agenda_.clinician.dated_hours().end(), [&](const sv1::DatedHours& dated) {
                           return dated.clinic() == clinic && time::ToCivilDay(dated.date()) == day;
                         });
    };
    for (const sv1::WorkingHours& rule : agenda_.clinician.weekly_hours()) {
      if (static_cast<int>(rule.day_of_week()) != static_cast<int>(absl::GetWeekday(day)) + 1 ||
          (rule.has_effective_from() && day < time::ToCivilDay(rule.effective_from())) ||
          (rule.has_effective_until() && day > time::ToCivilDay(rule.effective_until())) ||
          is_dated(rule.clinic()) || !HolidayAt(rule.clinic(), day).empty()) {
        continue;
      }
      add(rule.clinic(), rule);
    }
    for (const sv1::DatedHours& rule : agenda_.clinician.dated_hours()) {
      if (time::ToCivilDay(rule.date()) == day && rule.has_end_time()) add(rule.clinic(), rule);
    }
    return Joined(std::move(hours));
  }

  absl::TimeZone ZoneOf(const std::string& clinic) const {
    const auto found = agenda_.clinics.find(clinic);
    if (found == agenda_.clinics.end()) return agenda_.zone;
    return time::LoadZone(found->second.time_zone()).value_or(agenda_.zone);
  }

  // What the holiday is called; empty: the clinic is open.
  std::string HolidayAt(const std::string& clinic, absl::CivilDay day) const {
    const auto found = agenda_.clinics.find(clinic);
    if (found == agenda_.clinics.end()) return "";
    for (const sv1::Holiday& holiday : found->second.holidays()) {
      if (time::ToCivilDay(holiday.date()) != day) continue;
      return holiday.label().empty() ? "holiday" : holiday.label();
    }
    return "";
  }

  std::string Clock(absl::Time from, absl::Time to) const {
    if (to - from >= absl::Hours(22)) return "all day    ";
    return absl::StrCat(absl::FormatTime("%H:%M", from, agenda_.zone), agenda_.ascii ? "-" : "–",
                        absl::FormatTime("%H:%M", to, agenda_.zone));
  }

  void Line(absl::Time from, absl::Time to, absl::string_view what) {
    const bool now = from <= agenda_.now && agenda_.now < to;
    absl::StrAppend(&out_, now ? (agenda_.ascii ? "> " : "▸ ") : "  ", Clock(from, to), "  ", what,
                    "\n");
  }

  std::string Session(const sv1::Appointment& appointment) const {
    std::string who = std::string(names::Last(appointment.patient()));
    if (!appointment.group_session().empty()) {
      who = absl::StrCat("group ", names::Id(appointment.group_session(), "groups"));
    } else if (who.empty()) {
      who = appointment.private_session() ? "(private)" : "(nobody yet)";
    }
    const std::string number = appointment.session_number() > 0
                                   ? absl::StrCat("session ", appointment.session_number())
                                   : "";
    const std::string state =
        appointment.state() == sv1::APPOINTMENT_STATE_BOOKED
            ? ""
            : Words(sv1::AppointmentState_Name(appointment.state()), "APPOINTMENT_STATE_");
    std::string where = Words(sv1::Modality_Name(appointment.modality()), "MODALITY_");
    if (!appointment.room().empty()) where = std::string(names::Last(appointment.room()));
    if (agenda_.clinician.clinics_size() > 1) {
      absl::StrAppend(&where, ", ", names::Last(appointment.clinic()));
    }
    std::string line = absl::StrFormat("%-22s %-11s %-20s %s", who, number, where, state);
    for (const int warning : appointment.warnings()) {
      absl::StrAppend(
          &line, " !",
          Words(sv1::AppointmentWarning_Name(static_cast<sv1::AppointmentWarning>(warning)),
                "APPOINTMENT_WARNING_"));
    }
    if (appointment.has_time_at_risk()) absl::StrAppend(&line, " !clock change");
    return std::string(absl::StripTrailingAsciiWhitespace(line));
  }

  void Day(absl::CivilDay day, int& sessions, absl::Duration& free) {
    const absl::Time begin = absl::FromCivil(day, agenda_.zone);
    const absl::Time end = absl::FromCivil(day + 1, agenda_.zone);
    absl::StrAppend(
        &out_, "\n",
        absl::FormatTime("%A %-d %B %Y", absl::FromCivil(day, agenda_.zone), agenda_.zone));
    for (const std::string& clinic : agenda_.clinician.clinics()) {
      const std::string holiday = HolidayAt(clinic, day);
      if (!holiday.empty()) {
        absl::StrAppend(&out_, ", ", names::Last(clinic), " closed: ", holiday);
      }
    }
    absl::StrAppend(&out_, "\n");

    std::vector<Stretch> open = HoursOf(day);
    std::vector<std::pair<absl::Time, std::pair<absl::Time, std::string>>> lines;
    std::vector<const sv1::Appointment*> fallen;
    for (const sv1::TimeOff& off : agenda_.time_off) {
      const Stretch away{std::max(begin, time::ToTime(off.start_time())),
                         std::min(end, time::ToTime(off.end_time()))};
      if (away.from >= away.to) continue;
      open = Without(std::move(open), away);
      lines.push_back({away.from, {away.to, "away"}});
    }
    for (const sv1::Appointment& appointment : agenda_.appointments) {
      const Stretch taken{time::ToTime(appointment.start_time()),
                          time::ToTime(appointment.end_time())};
      if (taken.from < begin || taken.from >= end) continue;
      if (!TakesTime(appointment)) {
        fallen.push_back(&appointment);
        continue;
      }
      open = Without(std::move(open), taken);
      lines.push_back({taken.from, {taken.to, Session(appointment)}});
      ++sessions;
    }
    for (const Stretch& each : open) {
      lines.push_back({each.from, {each.to, absl::StrCat("free  ", Length(each.to - each.from))}});
      free += each.to - each.from;
    }
    std::stable_sort(lines.begin(), lines.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    for (const auto& [from, rest] : lines) Line(from, rest.first, rest.second);
    if (lines.empty()) absl::StrAppend(&out_, "  no hours\n");
    for (const sv1::Appointment* each : fallen) {
      absl::StrAppend(&out_, "  (",
                      Clock(time::ToTime(each->start_time()), time::ToTime(each->end_time())), "  ",
                      Session(*each), ")\n");
    }
  }

  const Agenda& agenda_;
  std::string out_;
};

}  // namespace

std::string RenderAgenda(const Agenda& agenda) { return Writer(agenda).Write(); }

}  // namespace rapport::ctl
