#ifndef RAPPORT_TOOLS_RAPPORTCTL_PAGE_TEXT_H_
#define RAPPORT_TOOLS_RAPPORTCTL_PAGE_TEXT_H_

#include <string>

#include "absl/strings/string_view.h"

namespace rapport::ctl {

// A page of HTML, as the notes service makes them, for reading in a terminal: headings underlined,
// paragraphs, lists and fields wrapped to `width` columns, tables aligned, pictures named. Scripts,
// styles and drawings are left out, and so are control characters, which a terminal would obey.
std::string TextOfPage(absl::string_view html, size_t width = 96);

}  // namespace rapport::ctl

#endif  // RAPPORT_TOOLS_RAPPORTCTL_PAGE_TEXT_H_
