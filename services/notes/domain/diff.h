#ifndef RAPPORT_SERVICES_NOTES_DOMAIN_DIFF_H_
#define RAPPORT_SERVICES_NOTES_DOMAIN_DIFF_H_

#include <vector>

#include "absl/strings/string_view.h"
#include "rapport/notes/v1/note.pb.h"

// How two versions of a note differ.
namespace rapport::notes {

// `from` and `to` as runs of words: those of SAME and REMOVED together are `from`, those of SAME
// and ADDED `to`, to the byte. The fewest words change, unless more than 1,000 do: then what lies
// between the common beginning and end counts as replaced.
std::vector<v1::DiffRun> DiffText(absl::string_view from, absl::string_view to);

// The fields of the content that differ, in its order.
std::vector<v1::FieldDiff> DiffContent(const v1::NoteContent& from, const v1::NoteContent& to);

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_DOMAIN_DIFF_H_
