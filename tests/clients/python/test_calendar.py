"""The calendar that we export, read with icalendar and dateutil. The file is the one that the unit
test of the export compares with; no service runs."""
import datetime
import io
import pathlib
import unittest
import zoneinfo

import icalendar
from dateutil import tz

SAMPLE = (pathlib.Path(__file__).resolve().parents[3]
          / "tests/unit/services/scheduling/domain/testdata/calendar.ics")

# When each session of the sample begins, in UTC.
STARTS = {
    "winter": "2026-03-01T15:00",
    "spring": "2026-03-08T14:00",
    "gap": "2026-03-08T07:30",
    "before-fold": "2026-11-01T04:30",
    "over-fold": "2026-11-01T05:30",
    "autumn": "2026-11-01T15:00",
    "half": "2026-04-04T14:00",
    "half-winter": "2026-05-31T23:30",
    "half-later": "2026-10-03T23:00",
    "three-quarters": "2026-03-04T04:15",
    "ramadan": "2026-02-20T10:00",
    "after-ramadan": "2026-03-22T09:00",
    "negative": "2026-10-25T09:00",
}
LENGTH = datetime.timedelta(minutes=50)


def utc(text):
    return datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.timezone.utc)


class CalendarTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.text = SAMPLE.read_bytes()
        cls.calendar = icalendar.Calendar.from_ical(cls.text)
        cls.events = {
            str(event["UID"]).removesuffix("@example.org"): event
            for event in cls.calendar.walk("VEVENT")}

    def check_instants(self, zone_of):
        self.assertEqual(self.events.keys(), STARTS.keys())
        for uid, start in STARTS.items():
            for name, instant in (("DTSTART", utc(start)), ("DTEND", utc(start) + LENGTH)):
                with self.subTest(uid=uid, property=name):
                    field = self.events[uid][name]
                    value = field.dt
                    if "TZID" in field.params:
                        value = value.replace(tzinfo=zone_of(field.params["TZID"]))
                    # Comparison in one zone would ignore the offset.
                    self.assertEqual(value.astimezone(datetime.timezone.utc), instant)

    def test_nothing_in_it_is_malformed(self):
        for component in self.calendar.walk():
            self.assertEqual(component.errors, [], component.name)
        self.assertEqual(self.calendar["METHOD"], "PUBLISH")
        self.assertEqual(self.calendar["X-WR-CALNAME"], "Sessions")
        self.assertEqual(self.calendar["REFRESH-INTERVAL"].dt, datetime.timedelta(hours=1))

    def test_instants_through_the_time_zones_of_the_file_as_dateutil_reads_them(self):
        zones = tz.tzical(io.StringIO(self.text.decode()))
        self.check_instants(zones.get)

    def test_instants_through_the_time_zones_of_the_file_as_icalendar_reads_them(self):
        zones = {
            str(zone["TZID"]): zone.to_tz(lookup_tzid=False)
            for zone in self.calendar.walk("VTIMEZONE")}
        self.check_instants(zones.__getitem__)

    def test_instants_for_readers_that_know_the_zones_by_name(self):
        self.check_instants(zoneinfo.ZoneInfo)

    def test_text_comes_back_whole(self):
        event = self.events["spring"]
        self.assertEqual(
            event["LOCATION"],
            "Klinik für Psychotherapie; Gebäude 3, Zimmer 12\n"
            "診療所 – bitte am Empfang melden 🕊 🕊 🕊 🕊")
        self.assertEqual(event["URL"], "https://example.org/s/a,b;c")
        self.assertEqual(event["SUMMARY"], "Session")

    def test_states(self):
        self.assertEqual(self.events["winter"]["STATUS"], "CANCELLED")
        self.assertEqual(self.events["winter"]["SEQUENCE"], 3)
        self.assertEqual(self.events["spring"]["STATUS"], "TENTATIVE")
        self.assertEqual(self.events["gap"]["STATUS"], "CONFIRMED")


if __name__ == "__main__":
    unittest.main()
