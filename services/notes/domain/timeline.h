#ifndef RAPPORT_SERVICES_NOTES_DOMAIN_TIMELINE_H_
#define RAPPORT_SERVICES_NOTES_DOMAIN_TIMELINE_H_

#include <string>
#include <vector>

#include "rapport/notes/v1/review.pb.h"
#include "services/notes/domain/case_file.h"

namespace rapport::notes {

// Mood and events on one line, oldest first; what is known by the month stands before its first
// day, what is known by the day before what is known by the hour. Reads of the file: record,
// sittings, entries, notes, assessments. Of a couple without `about` nobody's forms are told, as
// they are private to each.
struct TimelineEntry {
  std::string key;  // unique, and in the order of the line, for keyset pages; tells no text
  v1::TimelinePoint point;
};
std::vector<TimelineEntry> TimelineOf(const CaseFile& file, const View& view);

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_DOMAIN_TIMELINE_H_
