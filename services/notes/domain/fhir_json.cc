#include "services/notes/domain/fhir_json.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "services/notes/domain/html.h"

namespace rapport::notes::fhir {

std::string Clean(absl::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  for (const char c : text) {
    if (static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t') clean += c;
  }
  return std::string(absl::StripAsciiWhitespace(clean));
}

void PutText(Json& json, const char* key, absl::string_view text) {
  std::string clean = Clean(text);
  if (!clean.empty()) json[key] = std::move(clean);
}

void PutArray(Json& json, const char* key, Json array) {
  if (array.is_array() && !array.empty()) json[key] = std::move(array);
}

std::string Instant(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", time, absl::UTCTimeZone());
}

std::string PartialDate(const google::type::Date& date) {
  if (date.year() == 0) return "";
  if (date.month() == 0) return absl::StrFormat("%04d", date.year());
  if (date.day() == 0) return absl::StrFormat("%04d-%02d", date.year(), date.month());
  return absl::StrFormat("%04d-%02d-%02d", date.year(), date.month(), date.day());
}

Json Coding(absl::string_view system, absl::string_view code, absl::string_view display) {
  Json coding = {{"system", std::string(system)}, {"code", std::string(code)}};
  PutText(coding, "display", display);
  return coding;
}

Json Concept(absl::string_view text, Json coding) {
  Json made = Json::object();
  if (!coding.is_null()) made["coding"] = Json::array({std::move(coding)});
  PutText(made, "text", text);
  if (made.empty()) made["text"] = "Not told";
  return made;
}

Json Reference(absl::string_view type, absl::string_view id) {
  return {{"reference", absl::StrCat(type, "/", id)}};
}

Json Annotation(absl::string_view text) { return {{"text", Clean(text)}}; }

Json Narrative(const std::vector<Paragraph>& paragraphs) {
  std::string div = "<div xmlns=\"http://www.w3.org/1999/xhtml\">";
  for (const Paragraph& paragraph : paragraphs) {
    const std::string text = absl::StrReplaceAll(Escaped(Clean(paragraph.text)), {{"\n", "<br/>"}});
    absl::StrAppend(
        &div, "<p>",
        paragraph.label.empty() ? "" : absl::StrCat("<b>", Escaped(paragraph.label), ":</b> "),
        text, "</p>");
  }
  absl::StrAppend(&div, "</div>");
  return {{"status", "generated"}, {"div", std::move(div)}};
}

std::string Base64(absl::string_view bytes) { return absl::Base64Escape(bytes); }

}  // namespace rapport::notes::fhir
