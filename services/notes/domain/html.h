#ifndef RAPPORT_SERVICES_NOTES_DOMAIN_HTML_H_
#define RAPPORT_SERVICES_NOTES_DOMAIN_HTML_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

// Pages of HTML that are complete in themselves. All text is escaped where it enters; only what was
// made by this file goes in as it is.
namespace rapport::notes {

// `text` for HTML, XML or an attribute in double quotes. Control characters that XML does not know
// are left out.
std::string Escaped(absl::string_view text);

class HtmlPage {
 public:
  // `language`: "en".
  HtmlPage(absl::string_view title, absl::string_view language = "en");

  void Heading(absl::string_view text);  // of a section
  void SubHeading(absl::string_view text);
  // Paragraphs, a new one at each blank line; nothing for a blank text.
  void Text(absl::string_view text);
  void Small(absl::string_view text);
  // Set apart, as what a reader must not miss.
  void Notice(absl::string_view text);
  // A word before and the text: nothing for a blank text.
  void Field(absl::string_view label, absl::string_view text);
  void List(const std::vector<std::string>& items);
  // Rows are as wide as `header`. Nothing without rows.
  void Table(const std::vector<std::string>& header,
             const std::vector<std::vector<std::string>>& rows);
  // A picture that was drawn by the suite: goes in as it is, if it begins with "<svg". Pictures
  // given together stand side by side.
  void Pictures(const std::vector<std::pair<std::string, std::string>>& captions_and_svgs);
  // The parts that follow are kept on one sheet, where they fit.
  void Begin();
  void End();

  std::string Finish(absl::string_view footer);

 private:
  std::string html_;
};

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_DOMAIN_HTML_H_
