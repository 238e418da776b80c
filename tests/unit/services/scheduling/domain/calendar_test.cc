#include "services/scheduling/domain/calendar.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "services/scheduling/domain/series.h"
#include "tests/unit/services/scheduling/builders.h"

namespace rapport::scheduling {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

CalendarEntry Entry(const std::string& uid, const std::string& zone, const std::string& start) {
  CalendarEntry entry;
  entry.uid = uid;
  entry.zone = zone;
  entry.start = At(start);
  entry.end = entry.start + absl::Minutes(50);
  entry.created = At("2026-01-05T09:00:00Z");
  entry.last_modified = At("2026-01-06T09:30:00Z");
  return entry;
}

Calendar Of(std::vector<CalendarEntry> entries) {
  return {"Sessions", "-//Rapport//Scheduling 1.0//EN", At("2026-02-01T08:00:00Z"),
          std::move(entries)};
}

// A reader that shares nothing with the writer, nor with Abseil's zones: it knows a zone only from
// its VTIMEZONE, and reckons in UTC.
struct Component {
  std::string kind;
  std::vector<std::pair<std::string, std::string>> lines;  // name with parameters, value
  std::vector<Component> parts;

  std::string operator[](const std::string& name) const {
    for (const auto& [key, value] : lines) {
      if (key == name) return value;
    }
    return "";
  }
};

std::vector<std::string> Unfold(const std::string& text) {
  std::vector<std::string> lines;
  for (absl::string_view line : absl::StrSplit(text, "\r\n")) {
    if (absl::StartsWith(line, " ")) {
      absl::StrAppend(&lines.back(), line.substr(1));
    } else {
      lines.emplace_back(line);
    }
  }
  EXPECT_EQ(lines.back(), "") << "the last line must be ended too";
  lines.pop_back();
  return lines;
}

Component Read(const std::string& text) {
  std::vector<Component> open(1);
  for (const std::string& line : Unfold(text)) {
    const auto colon = line.find(':');
    if (colon == std::string::npos) {
      ADD_FAILURE() << "no content line: " << line;
      continue;
    }
    const std::string name = line.substr(0, colon);
    const std::string value = line.substr(colon + 1);
    if (name == "BEGIN") {
      open.push_back({value, {}, {}});
    } else if (name == "END") {
      EXPECT_EQ(value, open.back().kind);
      Component done = open.back();
      open.pop_back();
      open.back().parts.push_back(done);
    } else {
      open.back().lines.emplace_back(name, value);
    }
  }
  EXPECT_EQ(open.size(), 1u);
  EXPECT_EQ(open[0].parts.size(), 1u);
  return open[0].parts.at(0);
}

// "20260308T100000", as if it were UTC.
absl::Time ReadDateTime(const std::string& text) {
  absl::CivilSecond civil;
  EXPECT_EQ(text.size(), 15u) << text;
  EXPECT_TRUE(absl::ParseCivilTime(
      absl::StrCat(text.substr(0, 4), "-", text.substr(4, 2), "-", text.substr(6, 5), ":",
                   text.substr(11, 2), ":", text.substr(13)),
      &civil))
      << text;
  return absl::FromCivil(civil, absl::UTCTimeZone());
}

absl::Duration ReadOffset(const std::string& text) {
  int hours = 0, minutes = 0, seconds = 0;
  EXPECT_TRUE(absl::SimpleAtoi(text.substr(1, 2), &hours)) << text;
  EXPECT_TRUE(absl::SimpleAtoi(text.substr(3, 2), &minutes)) << text;
  if (text.size() == 7) {
    EXPECT_TRUE(absl::SimpleAtoi(text.substr(5), &seconds)) << text;
  }
  const absl::Duration size = absl::Hours(hours) + absl::Minutes(minutes) + absl::Seconds(seconds);
  return text[0] == '-' ? -size : size;
}

// RFC 5545, 3.6.5: the observance with the latest onset at or before the local time applies.
absl::Time Resolve(const Component& calendar, const Component& event, const std::string& property) {
  if (const std::string utc = event[property]; !utc.empty()) {
    EXPECT_EQ(utc.back(), 'Z');
    return ReadDateTime(utc.substr(0, utc.size() - 1));
  }
  for (const auto& [key, value] : event.lines) {
    if (!absl::StartsWith(key, property + ";TZID=")) continue;
    const absl::Time local = ReadDateTime(value);
    for (const Component& zone : calendar.parts) {
      if (zone.kind != "VTIMEZONE" || zone["TZID"] != key.substr(property.size() + 6)) continue;
      absl::Time latest = absl::InfinitePast();
      absl::Duration offset;
      for (const Component& observance : zone.parts) {
        const absl::Time onset = ReadDateTime(observance["DTSTART"]);
        if (onset > local || onset < latest) continue;
        latest = onset;
        offset = ReadOffset(observance["TZOFFSETTO"]);
      }
      EXPECT_GT(latest, absl::InfinitePast()) << "no observance covers " << value;
      return local - offset;
    }
    ADD_FAILURE() << "no VTIMEZONE for " << key;
  }
  return absl::InfiniteFuture();
}

std::vector<Component> Events(const Component& calendar) {
  std::vector<Component> events;
  for (const Component& part : calendar.parts) {
    if (part.kind == "VEVENT") events.push_back(part);
  }
  return events;
}

TEST(CalendarTest, AppearsExactlySo) {
  CalendarEntry entry = Entry("01j1@example.org", "Europe/London", "2026-03-30T13:00:00Z");
  entry.sequence = 2;
  entry.location = "North Clinic; 1 High Street, London";
  entry.url = "https://example.org/s/01j1";
  EXPECT_EQ(ExportCalendar(Of({entry})), absl::StrReplaceAll(R"(BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Rapport//Scheduling 1.0//EN
CALSCALE:GREGORIAN
METHOD:PUBLISH
NAME:Sessions
X-WR-CALNAME:Sessions
REFRESH-INTERVAL;VALUE=DURATION:PT1H
X-PUBLISHED-TTL:PT1H
BEGIN:VTIMEZONE
TZID:Europe/London
BEGIN:STANDARD
DTSTART:20251026T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0000
TZNAME:GMT
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:20260329T010000
TZOFFSETFROM:+0000
TZOFFSETTO:+0100
TZNAME:BST
END:DAYLIGHT
END:VTIMEZONE
BEGIN:VEVENT
UID:01j1@example.org
DTSTAMP:20260201T080000Z
SEQUENCE:2
DTSTART;TZID=Europe/London:20260330T140000
DTEND;TZID=Europe/London:20260330T145000
SUMMARY:Session
LOCATION:North Clinic\; 1 High Street\, London
URL:https://example.org/s/01j1
STATUS:CONFIRMED
TRANSP:OPAQUE
CLASS:PRIVATE
CREATED:20260105T090000Z
LAST-MODIFIED:20260106T093000Z
END:VEVENT
END:VCALENDAR
)",
                                                             {{"\n", "\r\n"}}));
}

// "STANDARD 20251102T020000 -0400 -0500 EST" of the one zone of `entries`.
std::vector<std::string> Observances(const std::vector<CalendarEntry>& entries) {
  std::vector<std::string> observances;
  const Component calendar = Read(ExportCalendar(Of(entries)));
  for (const Component& part : calendar.parts.at(0).parts) {
    observances.push_back(absl::StrCat(part.kind, " ", part["DTSTART"], " ", part["TZOFFSETFROM"],
                                       " ", part["TZOFFSETTO"], " ", part["TZNAME"]));
  }
  return observances;
}

TEST(CalendarTest, AZoneSpellsOutEachChangeOfItsSpanAndWhatWasInForceBefore) {
  EXPECT_THAT(Observances({Entry("a", "America/New_York", "2026-02-03T14:00:00Z"),
                           Entry("b", "America/New_York", "2026-12-01T15:00:00Z")}),
              ElementsAre("STANDARD 20251102T020000 -0400 -0500 EST",
                          "DAYLIGHT 20260308T020000 -0500 -0400 EDT",
                          "STANDARD 20261101T020000 -0400 -0500 EST"));
  // The first begins as clocks go forward: the change is in force, not to come.
  EXPECT_THAT(Observances({Entry("a", "America/New_York", "2026-03-08T07:00:00Z")}),
              ElementsAre("STANDARD 20251102T020000 -0400 -0500 EST",
                          "DAYLIGHT 20260308T020000 -0500 -0400 EDT"));
  EXPECT_THAT(Observances({Entry("a", "Asia/Kathmandu", "2026-03-08T07:00:00Z")}),
              ElementsAre("STANDARD 19860101T000000 +0530 +0545 +0545"));
}

TEST(CalendarTest, SummerIsDaylightAlsoWhereTheLawCallsWinterTheException) {
  EXPECT_THAT(Observances({Entry("a", "Europe/Dublin", "2026-07-01T09:00:00Z"),
                           Entry("b", "Europe/Dublin", "2026-12-01T09:00:00Z")}),
              ElementsAre("STANDARD 20251026T020000 +0100 +0000 GMT",
                          "DAYLIGHT 20260329T010000 +0000 +0100 IST",
                          "STANDARD 20261025T020000 +0100 +0000 GMT"));
  EXPECT_THAT(Observances({Entry("a", "Africa/Casablanca", "2026-02-20T09:00:00Z"),
                           Entry("b", "Africa/Casablanca", "2026-04-01T09:00:00Z")}),
              ElementsAre("STANDARD 20260215T030000 +0100 +0000 +00",
                          "DAYLIGHT 20260322T020000 +0000 +0100 +01"));
}

TEST(CalendarTest, AZoneWithoutChangesHasOneStandard) {
  for (const auto& entries :
       {std::vector<CalendarEntry>{}, {Entry("a", "Etc/UTC", "2026-02-03T14:00:00Z")}}) {
    const Component calendar = Read(ExportCalendar(Of(entries)));
    ASSERT_EQ(calendar.parts[0].parts.size(), 1u);
    const Component& only = calendar.parts[0].parts[0];
    EXPECT_EQ(calendar.parts[0]["TZID"], "Etc/UTC");
    EXPECT_EQ(only.kind, "STANDARD");
    EXPECT_EQ(only["DTSTART"], "19700101T000000");
    EXPECT_EQ(only["TZOFFSETFROM"], "+0000");
    EXPECT_EQ(only["TZOFFSETTO"], "+0000");
  }
}

TEST(CalendarTest, ReadThroughItsZonesEveryEntryIsItsInstants) {
  struct Place {
    std::string zone;
    absl::CivilDay first;
  };
  std::vector<CalendarEntry> entries;
  std::map<std::string, const CalendarEntry*> by_uid;
  for (const Place& place : std::vector<Place>{{"America/New_York", absl::CivilDay(2026, 1, 4)},
                                               {"Europe/London", absl::CivilDay(2026, 1, 4)},
                                               {"Europe/Dublin", absl::CivilDay(2026, 1, 4)},
                                               {"Australia/Lord_Howe", absl::CivilDay(2026, 1, 4)},
                                               {"Asia/Kathmandu", absl::CivilDay(2026, 1, 4)},
                                               {"Africa/Casablanca", absl::CivilDay(2026, 1, 4)},
                                               {"America/Santiago", absl::CivilDay(2026, 1, 4)},
                                               {"America/Sao_Paulo", absl::CivilDay(2018, 7, 1)},
                                               {"America/Mexico_City", absl::CivilDay(2022, 1, 2)},
                                               {"Pacific/Apia", absl::CivilDay(2011, 7, 1)}}) {
    for (const int minute_of_day : {30, 90, 105, 150, 600, 1410}) {
      for (const SessionTime& session :
           SeriesTimes(place.first, minute_of_day, 53, 7, 50, Zone(place.zone))) {
        CalendarEntry entry = Entry(
            absl::StrCat(place.zone, " ", minute_of_day, " ", absl::FormatCivilTime(session.date)),
            place.zone, "2026-01-01T00:00:00Z");
        entry.start = session.start;
        entry.end = session.end;
        entries.push_back(entry);
      }
    }
  }
  for (const CalendarEntry& entry : entries) by_uid[entry.uid] = &entry;
  const Component calendar = Read(ExportCalendar(Of(entries)));
  const std::vector<Component> events = Events(calendar);
  ASSERT_EQ(events.size(), entries.size());
  int in_utc = 0;
  for (const Component& event : events) {
    const CalendarEntry* entry = by_uid.at(event["UID"]);
    EXPECT_EQ(Resolve(calendar, event, "DTSTART"), entry->start) << entry->uid;
    EXPECT_EQ(Resolve(calendar, event, "DTEND"), entry->end) << entry->uid;
    if (!event["DTSTART"].empty()) ++in_utc;
  }
  // 01:30 to 01:20 by the clock, 02:30 to 02:20, and the like: one night a year and zone.
  EXPECT_GT(in_utc, 0);
  EXPECT_LT(in_utc, 20);
}

TEST(CalendarTest, WhatTheClockCannotSayIsInUtc) {
  const std::string text = ExportCalendar(Of({
      Entry("over the fold", "America/New_York", "2026-11-01T05:30:00Z"),
      Entry("second pass", "America/New_York", "2026-11-01T06:05:00Z"),
      Entry("no such zone", "America/Nowhere", "2026-11-01T14:00:00Z"),
  }));
  EXPECT_THAT(text, HasSubstr("DTSTART:20261101T053000Z\r\nDTEND:20261101T062000Z\r\n"));
  EXPECT_THAT(text, HasSubstr("DTSTART:20261101T060500Z\r\nDTEND:20261101T065500Z\r\n"));
  EXPECT_THAT(text, HasSubstr("DTSTART:20261101T140000Z\r\nDTEND:20261101T145000Z\r\n"));
  EXPECT_THAT(text, Not(HasSubstr("TZID")));
}

TEST(CalendarTest, AGapShowsTheTimeThatClocksShow) {
  EXPECT_THAT(ExportCalendar(Of({Entry("gap", "America/New_York", "2026-03-08T07:30:00Z")})),
              HasSubstr("DTSTART;TZID=America/New_York:20260308T033000\r\n"
                        "DTEND;TZID=America/New_York:20260308T042000\r\n"));
}

TEST(CalendarTest, StatesOfEntries) {
  CalendarEntry hold = Entry("a", "Etc/UTC", "2026-02-03T14:00:00Z");
  hold.state = CalendarState::kTentative;
  CalendarEntry booked = Entry("b", "Etc/UTC", "2026-02-03T14:00:00Z");
  CalendarEntry cancelled = Entry("c", "Etc/UTC", "2026-02-03T14:00:00Z");
  cancelled.state = CalendarState::kCancelled;
  const auto events = Events(Read(ExportCalendar(Of({cancelled, booked, hold}))));
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(events[0]["STATUS"] + events[0]["TRANSP"], "TENTATIVEOPAQUE");
  EXPECT_EQ(events[1]["STATUS"] + events[1]["TRANSP"], "CONFIRMEDOPAQUE");
  EXPECT_EQ(events[2]["STATUS"] + events[2]["TRANSP"], "CANCELLEDTRANSPARENT");
}

TEST(CalendarTest, EntriesAreInTheOrderOfTheirTimesWhateverTheyWereGivenIn) {
  const CalendarEntry a = Entry("a", "Europe/London", "2026-02-03T14:00:00Z");
  const CalendarEntry b = Entry("b", "America/New_York", "2026-02-03T14:00:00Z");
  const CalendarEntry c = Entry("c", "Etc/UTC", "2026-02-02T14:00:00Z");
  const std::string text = ExportCalendar(Of({a, b, c}));
  EXPECT_EQ(text, ExportCalendar(Of({c, b, a})));
  std::vector<std::string> uids;
  for (const Component& event : Events(Read(text))) uids.push_back(event["UID"]);
  EXPECT_THAT(uids, ElementsAre("c", "a", "b"));
}

bool IsWholeUtf8(absl::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const size_t size = lead < 0x80 ? 1 : lead >> 5 == 6 ? 2 : lead >> 4 == 14 ? 3 : 4;
    if (lead >> 6 == 2 || i + size > text.size()) return false;
    for (size_t k = 1; k < size; ++k) {
      if (static_cast<unsigned char>(text[i + k]) >> 6 != 2) return false;
    }
    i += size;
  }
  return true;
}

TEST(CalendarTest, LinesFoldAt75OctetsBetweenCharactersAndUnfoldToTheSame) {
  for (const std::string unit : {"a", "é", "診", "🕊", "a🕊", "é診"}) {
    for (int length = 1; length <= 120; ++length) {
      std::string location;
      for (int i = 0; i < length; ++i) location += unit;
      CalendarEntry entry = Entry("a", "Etc/UTC", "2026-02-03T14:00:00Z");
      entry.location = location;
      const std::string text = ExportCalendar(Of({entry}));
      for (absl::string_view line : absl::StrSplit(text, "\r\n")) {
        ASSERT_LE(line.size(), 75u) << line;
        ASSERT_TRUE(IsWholeUtf8(line)) << line;
      }
      ASSERT_EQ(Events(Read(text)).at(0)["LOCATION"], location);
    }
  }
}

TEST(CalendarTest, LinesAreFilled) {
  CalendarEntry entry = Entry("a", "Etc/UTC", "2026-02-03T14:00:00Z");
  const std::string name = "LOCATION:";
  entry.location = std::string(75 - name.size() + 74 + 1, 'x');
  const std::string text = ExportCalendar(Of({entry}));
  EXPECT_THAT(text, HasSubstr(absl::StrCat("\r\n", name, std::string(75 - name.size(), 'x'),
                                           "\r\n ", std::string(74, 'x'), "\r\n x\r\n")));
  entry.location = std::string(75 - name.size(), 'x');
  EXPECT_THAT(ExportCalendar(Of({entry})),
              HasSubstr(absl::StrCat("\r\n", name, entry.location, "\r\n")));
}

TEST(CalendarTest, TextCannotBreakOutOfItsLine) {
  CalendarEntry entry = Entry("a", "Etc/UTC", "2026-02-03T14:00:00Z");
  entry.uid = "a,b;c";
  entry.summary = "back\\slash, semi; colon: \"quoted\"\r\nBEGIN:VEVENT\rone\ntwo";
  entry.location = std::string("bell\a nul\0 tab\t.", 16);
  entry.url = "https://example.org/?a=1,2;b\r\nATTENDEE:x";
  Calendar given = Of({entry});
  given.name = "A\nMETHOD:REQUEST";
  const std::string text = ExportCalendar(given);
  const Component calendar = Read(text);
  EXPECT_EQ(calendar["METHOD"], "PUBLISH");
  EXPECT_EQ(calendar["X-WR-CALNAME"], "A\\nMETHOD:REQUEST");
  const auto events = Events(calendar);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0]["UID"], "a\\,b\\;c");
  EXPECT_EQ(events[0]["SUMMARY"],
            "back\\\\slash\\, semi\\; colon: \"quoted\"\\nBEGIN:VEVENT\\none\\ntwo");
  EXPECT_EQ(events[0]["LOCATION"], "bell nul tab\t.");
  EXPECT_EQ(events[0]["URL"], "https://example.org/?a=1,2;bATTENDEE:x");
  EXPECT_EQ(events[0]["ATTENDEE"], "");
}

// The file that the Python client test reads with other people's libraries.
TEST(CalendarTest, TheSampleForOtherReadersIsWhatWeWrite) {
  const auto entry = [](const std::string& uid, const std::string& zone, const std::string& start) {
    return Entry(uid + "@example.org", zone, start);
  };
  std::vector<CalendarEntry> entries = {
      entry("winter", "America/New_York", "2026-03-01T15:00:00Z"),
      entry("spring", "America/New_York", "2026-03-08T14:00:00Z"),
      entry("gap", "America/New_York", "2026-03-08T07:30:00Z"),
      entry("before-fold", "America/New_York", "2026-11-01T04:30:00Z"),
      entry("over-fold", "America/New_York", "2026-11-01T05:30:00Z"),
      entry("autumn", "America/New_York", "2026-11-01T15:00:00Z"),
      entry("half", "Australia/Lord_Howe", "2026-04-04T14:00:00Z"),
      entry("half-winter", "Australia/Lord_Howe", "2026-05-31T23:30:00Z"),
      entry("half-later", "Australia/Lord_Howe", "2026-10-03T23:00:00Z"),
      entry("three-quarters", "Asia/Kathmandu", "2026-03-04T04:15:00Z"),
      entry("ramadan", "Africa/Casablanca", "2026-02-20T10:00:00Z"),
      entry("after-ramadan", "Africa/Casablanca", "2026-03-22T09:00:00Z"),
      entry("negative", "Europe/Dublin", "2026-10-25T09:00:00Z"),
  };
  entries[0].state = CalendarState::kCancelled;
  entries[0].sequence = 3;
  entries[1].state = CalendarState::kTentative;
  entries[1].location =
      "Klinik für Psychotherapie; Gebäude 3, Zimmer 12\n診療所 – bitte am Empfang melden "
      "🕊 "
      "🕊 "
      "🕊 🕊";
  entries[1].url = "https://example.org/s/a,b;c";
  const std::string text = ExportCalendar(Of(entries));
  std::ifstream file(RAPPORT_TESTDATA "/calendar.ics", std::ios::binary);
  std::stringstream sample;
  sample << file.rdbuf();
  EXPECT_EQ(sample.str(), text);
}

}  // namespace
}  // namespace rapport::scheduling
