#ifndef RAPPORT_SERVICES_NOTES_DOMAIN_SUMMARY_FIELDS_H_
#define RAPPORT_SERVICES_NOTES_DOMAIN_SUMMARY_FIELDS_H_

#include <string>
#include <vector>

#include "google/protobuf/message.h"
#include "services/notes/domain/case_file.h"

// Records in words, for readers: every field that is set, none forgotten when a record grows.
namespace rapport::notes {

struct ToldField {
  std::string label;  // "Wanted change"
  std::string text;   // "More time together"
};

// How people of the inventory are told of.
enum class People {
  kByName,
  kByKind,  // "a friend", as where other persons' data is to stay out
};

// The fields of a record in the order of their declaration; enums and dates in words. Names of
// entries become what they are about; of other resources nothing is told.
std::vector<ToldField> FieldsOf(const google::protobuf::Message& record, const CaseFile& file,
                                People people);

// The content of an entry; null: none.
const google::protobuf::Message* ContentOf(const v1::Entry& entry);

// "Wanted change" of wanted_change.
std::string LabelOf(absl::string_view field_name);

// "Grief record" of ENTRY_KIND_GRIEF and the like, as a heading over several.
std::string KindInWords(v1::EntryKind kind);

// The name of a relationship's person, or what they are.
std::string PersonText(const CaseFile& file, absl::string_view relationship, People people);

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_DOMAIN_SUMMARY_FIELDS_H_
