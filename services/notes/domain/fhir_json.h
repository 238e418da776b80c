#ifndef RAPPORT_SERVICES_NOTES_DOMAIN_FHIR_JSON_H_
#define RAPPORT_SERVICES_NOTES_DOMAIN_FHIR_JSON_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "google/type/date.pb.h"
#include "nlohmann/json.hpp"

// The data types of FHIR R4 as JSON. Properties keep the order in which they were put.
namespace rapport::notes::fhir {

using Json = nlohmann::ordered_json;

// As FHIR allows a string: valid UTF-8 without control characters, no blanks round it; empty where
// nothing is left.
std::string Clean(absl::string_view text);

// Puts a text under `key`, unless it is empty: FHIR knows no empty strings.
void PutText(Json& json, const char* key, absl::string_view text);
// Puts an array, unless it is empty.
void PutArray(Json& json, const char* key, Json array);

std::string Instant(absl::Time time);                     // "2026-03-04T16:00:00.000Z"
std::string PartialDate(const google::type::Date& date);  // "2026", "2026-03", "2026-03-04", ""

Json Coding(absl::string_view system, absl::string_view code, absl::string_view display = "");
// With the text alone where `coding` is null; "Not told" where there is neither.
Json Concept(absl::string_view text, Json coding = nullptr);
Json Reference(absl::string_view type, absl::string_view id);
Json Annotation(absl::string_view text);

// A narrative of paragraphs ("label: text" each), as generated.
struct Paragraph {
  std::string label;
  std::string text;
};
Json Narrative(const std::vector<Paragraph>& paragraphs);

std::string Base64(absl::string_view bytes);

}  // namespace rapport::notes::fhir

#endif  // RAPPORT_SERVICES_NOTES_DOMAIN_FHIR_JSON_H_
