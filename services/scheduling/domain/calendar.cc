#include "services/scheduling/domain/calendar.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "common/time/zones.h"

namespace rapport::scheduling {
namespace {

constexpr size_t kMaxLineOctets = 75;
constexpr absl::string_view kLocal = "%Y%m%dT%H%M%S";
constexpr absl::string_view kUtc = "%Y%m%dT%H%M%SZ";
constexpr absl::string_view kRefreshInterval = "PT1H";

bool IsControl(char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; }

bool ContinuesCharacter(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// Appends a content line, without the characters that no line may hold.
void AppendLine(std::string& out, absl::string_view name, absl::string_view value) {
  std::string line = absl::StrCat(name, ":", value);
  line.erase(std::remove_if(line.begin(), line.end(), IsControl), line.end());
  absl::string_view rest = line;
  size_t room = kMaxLineOctets;
  while (rest.size() > room) {
    size_t cut = room;
    while (cut > 1 && ContinuesCharacter(rest[cut])) --cut;
    absl::StrAppend(&out, rest.substr(0, cut), "\r\n ");
    rest.remove_prefix(cut);
    room = kMaxLineOctets - 1;
  }
  absl::StrAppend(&out, rest, "\r\n");
}

std::string Escaped(absl::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\' || c == ';' || c == ',') out += '\\';
    if (c == '\n' || (c == '\r' && text.substr(i + 1, 1) != "\n")) {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

void AppendText(std::string& out, absl::string_view name, absl::string_view text) {
  AppendLine(out, name, Escaped(text));
}

std::string Utc(absl::Time time) { return absl::FormatTime(kUtc, time, absl::UTCTimeZone()); }

std::string Offset(int seconds) {
  const int size = std::abs(seconds);
  std::string text =
      absl::StrFormat("%c%02d%02d", seconds < 0 ? '-' : '+', size / 3600, size / 60 % 60);
  if (size % 60 != 0) absl::StrAppendFormat(&text, "%02d", size % 60);
  return text;
}

struct Observance {
  absl::CivilSecond onset;  // by the offset before
  int offset_from = 0;      // seconds east of UTC
  int offset_to = 0;
  bool summer = false;
  std::string abbreviation;
};

Observance ObservanceFrom(const absl::TimeZone& zone, absl::CivilSecond onset, absl::Time at) {
  const absl::TimeZone::CivilInfo before = zone.At(at - absl::Seconds(1));
  const absl::TimeZone::CivilInfo now = zone.At(at);
  // Ireland and Morocco call their winter the exception; other readers expect summers.
  const bool summer = before.is_dst == now.is_dst ? now.is_dst : now.offset > before.offset;
  return {onset, before.offset, now.offset, summer, now.zone_abbr};
}

void AppendObservance(std::string& out, const Observance& observance) {
  const absl::string_view kind = observance.summer ? "DAYLIGHT" : "STANDARD";
  AppendLine(out, "BEGIN", kind);
  AppendLine(out, "DTSTART",
             absl::FormatTime(kLocal, absl::FromCivil(observance.onset, absl::UTCTimeZone()),
                              absl::UTCTimeZone()));
  AppendLine(out, "TZOFFSETFROM", Offset(observance.offset_from));
  AppendLine(out, "TZOFFSETTO", Offset(observance.offset_to));
  AppendText(out, "TZNAME", observance.abbreviation);
  AppendLine(out, "END", kind);
}

struct Span {
  absl::TimeZone zone;
  absl::Time first;
  absl::Time last;
};

std::vector<Observance> ObservancesOf(const Span& span) {
  std::vector<Observance> observances;
  absl::TimeZone::CivilTransition change;
  // The last change by the first instant, and back to a standard time, which some readers demand.
  absl::Time at = span.first + absl::Seconds(1);
  while ((observances.empty() || observances.back().summer) &&
         span.zone.PrevTransition(at, &change)) {
    at = span.zone.At(change.to).trans;
    observances.push_back(ObservanceFrom(span.zone, change.from, at));
  }
  std::reverse(observances.begin(), observances.end());
  if (observances.empty()) {
    observances.push_back(ObservanceFrom(span.zone, absl::CivilSecond(1970, 1, 1), span.first));
  }
  at = span.first;
  while (span.zone.NextTransition(at, &change)) {
    at = span.zone.At(change.to).trans;
    if (at > span.last) break;
    observances.push_back(ObservanceFrom(span.zone, change.from, at));
  }
  return observances;
}

void AppendZone(std::string& out, absl::string_view name, const Span& span) {
  AppendLine(out, "BEGIN", "VTIMEZONE");
  AppendLine(out, "TZID", name);
  for (const Observance& observance : ObservancesOf(span)) AppendObservance(out, observance);
  AppendLine(out, "END", "VTIMEZONE");
}

// Whether the zone's clock says `time` in a way that is read as `time`.
bool ClockSays(absl::Time time, const absl::TimeZone& zone) {
  return time::ResolveLocal(absl::ToCivilSecond(time, zone), zone) == time;
}

absl::string_view StatusOf(CalendarState state) {
  switch (state) {
    case CalendarState::kTentative:
      return "TENTATIVE";
    case CalendarState::kConfirmed:
      return "CONFIRMED";
    case CalendarState::kCancelled:
      return "CANCELLED";
  }
  return "CONFIRMED";
}

// `zone` is null where times are to be given in UTC.
void AppendEntry(std::string& out, const CalendarEntry& entry, const absl::TimeZone* zone,
                 const std::string& stamp) {
  const auto append_time = [&](absl::string_view name, absl::Time time) {
    if (zone == nullptr) {
      AppendLine(out, name, Utc(time));
    } else {
      AppendLine(out, absl::StrCat(name, ";TZID=", entry.zone),
                 absl::FormatTime(kLocal, time, *zone));
    }
  };
  AppendLine(out, "BEGIN", "VEVENT");
  AppendText(out, "UID", entry.uid);
  AppendLine(out, "DTSTAMP", stamp);
  AppendLine(out, "SEQUENCE", absl::StrCat(entry.sequence));
  append_time("DTSTART", entry.start);
  append_time("DTEND", entry.end);
  AppendText(out, "SUMMARY", entry.summary);
  if (!entry.location.empty()) AppendText(out, "LOCATION", entry.location);
  if (!entry.url.empty()) AppendLine(out, "URL", entry.url);
  AppendLine(out, "STATUS", StatusOf(entry.state));
  AppendLine(out, "TRANSP", entry.state == CalendarState::kCancelled ? "TRANSPARENT" : "OPAQUE");
  AppendLine(out, "CLASS", "PRIVATE");
  AppendLine(out, "CREATED", Utc(entry.created));
  AppendLine(out, "LAST-MODIFIED", Utc(entry.last_modified));
  AppendLine(out, "END", "VEVENT");
}

}  // namespace

std::string ExportCalendar(const Calendar& calendar) {
  struct Placed {
    const CalendarEntry* entry;
    bool local;
  };
  std::vector<Placed> placed;
  std::map<std::string, Span> spans;
  for (const CalendarEntry& entry : calendar.entries) {
    const auto zone = time::LoadZone(entry.zone);
    const bool local = zone.ok() && ClockSays(entry.start, *zone) && ClockSays(entry.end, *zone);
    placed.push_back({&entry, local});
    if (!local) continue;
    Span& span = spans.emplace(entry.zone, Span{*zone, entry.start, entry.end}).first->second;
    span.first = std::min(span.first, entry.start);
    span.last = std::max(span.last, entry.end);
  }
  if (placed.empty()) {
    spans.emplace("Etc/UTC", Span{absl::UTCTimeZone(), calendar.now, calendar.now});
  }
  std::sort(placed.begin(), placed.end(), [](const Placed& a, const Placed& b) {
    return std::tie(a.entry->start, a.entry->uid) < std::tie(b.entry->start, b.entry->uid);
  });

  std::string out;
  AppendLine(out, "BEGIN", "VCALENDAR");
  AppendLine(out, "VERSION", "2.0");
  AppendText(out, "PRODID", calendar.product_id);
  AppendLine(out, "CALSCALE", "GREGORIAN");
  AppendLine(out, "METHOD", "PUBLISH");
  AppendText(out, "NAME", calendar.name);
  AppendText(out, "X-WR-CALNAME", calendar.name);
  AppendLine(out, "REFRESH-INTERVAL;VALUE=DURATION", kRefreshInterval);
  AppendLine(out, "X-PUBLISHED-TTL", kRefreshInterval);
  for (const auto& [name, span] : spans) AppendZone(out, name, span);
  const std::string stamp = Utc(calendar.now);
  for (const Placed& item : placed) {
    AppendEntry(out, *item.entry, item.local ? &spans.at(item.entry->zone).zone : nullptr, stamp);
  }
  AppendLine(out, "END", "VCALENDAR");
  return out;
}

}  // namespace rapport::scheduling
