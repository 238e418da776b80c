#include "services/notes/domain/html.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

namespace rapport::notes {
namespace {

constexpr absl::string_view kStyle = R"css(
@page { size: A4; margin: 18mm 16mm 20mm; }
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 52rem; padding: 2rem 1.5rem; background: #fff; color: #1d2733;
  font: 11pt/1.5 Georgia, "Liberation Serif", "Times New Roman", serif; }
h1, h2, h3, th, dt, figcaption, .notice, footer, .small {
  font-family: "Helvetica Neue", Arial, "Liberation Sans", sans-serif; }
h1 { font-size: 21pt; line-height: 1.2; margin: 0 0 .75rem; color: #14324d; }
h2 { font-size: 14pt; margin: 2rem 0 .6rem; padding-bottom: .2rem;
  border-bottom: 1px solid #b9c6d2; color: #14324d; break-after: avoid; }
h3 { font-size: 11pt; margin: 1.1rem 0 .3rem; break-after: avoid; }
p { margin: 0 0 .6rem; overflow-wrap: anywhere; white-space: pre-line; orphans: 3; widows: 3; }
ul { margin: .2rem 0 .8rem; padding-left: 1.3rem; }
li { margin: .15rem 0; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: 11rem 1fr; gap: .25rem 1rem; margin: 0 0 .5rem; }
dt { font-size: 9.5pt; color: #4a5b6b; }
dd { margin: 0; overflow-wrap: anywhere; white-space: pre-line; }
table { border-collapse: collapse; width: 100%; margin: .3rem 0 1rem; font-size: 10pt; }
thead { display: table-header-group; }
tr { break-inside: avoid; }
th { text-align: left; font-size: 9pt; color: #4a5b6b; border-bottom: 1.5px solid #b9c6d2;
  white-space: nowrap; }
th, td { padding: .3rem .9rem .3rem 0; vertical-align: top; overflow-wrap: break-word; }
td { border-bottom: 1px solid #e3e9ee; }
.notice { border-left: 4px solid #b4552d; background: #fbf3ee; padding: .6rem .9rem;
  margin: 0 0 1rem; font-size: 10pt; white-space: pre-line; break-inside: avoid; }
.small { font-size: 9pt; color: #4a5b6b; }
.pictures { display: flex; flex-wrap: wrap; gap: 1rem; margin: .5rem 0 1rem; break-inside: avoid; }
figure { margin: 0; flex: 1 1 16rem; min-width: 0; break-inside: avoid; }
figure svg { display: block; width: 100%; height: auto; }
figcaption { font-size: 9pt; color: #4a5b6b; margin-bottom: .2rem; }
section { break-inside: avoid-page; }
footer { margin-top: 2.5rem; padding-top: .6rem; border-top: 1px solid #b9c6d2;
  font-size: 8.5pt; color: #4a5b6b; white-space: pre-line; }
@media print { body { max-width: none; padding: 0; } a { color: inherit; } }
@media (max-width: 36rem) { dl { grid-template-columns: 1fr; } dt { margin-top: .4rem; } }
)css";

std::string Tagged(absl::string_view tag, absl::string_view text) {
  return absl::StrCat("<", tag, ">", Escaped(text), "</", tag, ">");
}

bool Blank(absl::string_view text) { return absl::StripAsciiWhitespace(text).empty(); }

}  // namespace

std::string Escaped(absl::string_view text) {
  std::string escaped;
  escaped.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        if (static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t') escaped += c;
    }
  }
  // U+FFFE and U+FFFF are no characters of XML.
  return absl::StrReplaceAll(escaped, {{"\xEF\xBF\xBE", ""}, {"\xEF\xBF\xBF", ""}});
}

HtmlPage::HtmlPage(absl::string_view title, absl::string_view language) {
  html_ = absl::StrCat("<!DOCTYPE html>\n<html lang=\"", Escaped(language),
                       "\">\n<head>\n<meta charset=\"utf-8\">\n"
                       "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                       "<meta name=\"referrer\" content=\"no-referrer\">\n"
                       "<meta http-equiv=\"Content-Security-Policy\" "
                       "content=\"default-src 'none'; style-src 'unsafe-inline'\">\n",
                       Tagged("title", title), "\n<style>", kStyle, "</style>\n</head>\n<body>\n",
                       Tagged("h1", title), "\n");
}

void HtmlPage::Heading(absl::string_view text) {
  absl::StrAppend(&html_, Tagged("h2", text), "\n");
}

void HtmlPage::SubHeading(absl::string_view text) {
  absl::StrAppend(&html_, Tagged("h3", text), "\n");
}

void HtmlPage::Text(absl::string_view text) {
  for (absl::string_view paragraph : absl::StrSplit(text, "\n\n")) {
    if (!Blank(paragraph)) {
      absl::StrAppend(&html_, Tagged("p", absl::StripAsciiWhitespace(paragraph)), "\n");
    }
  }
}

void HtmlPage::Small(absl::string_view text) {
  if (!Blank(text)) absl::StrAppend(&html_, "<p class=\"small\">", Escaped(text), "</p>\n");
}

void HtmlPage::Notice(absl::string_view text) {
  if (!Blank(text)) absl::StrAppend(&html_, "<div class=\"notice\">", Escaped(text), "</div>\n");
}

void HtmlPage::Field(absl::string_view label, absl::string_view text) {
  if (Blank(text)) return;
  absl::StrAppend(&html_, "<dl>", Tagged("dt", label), Tagged("dd", text), "</dl>\n");
}

void HtmlPage::List(const std::vector<std::string>& items) {
  if (items.empty()) return;
  absl::StrAppend(&html_, "<ul>\n");
  for (const std::string& item : items) absl::StrAppend(&html_, Tagged("li", item), "\n");
  absl::StrAppend(&html_, "</ul>\n");
}

void HtmlPage::Table(const std::vector<std::string>& header,
                     const std::vector<std::vector<std::string>>& rows) {
  if (rows.empty()) return;
  absl::StrAppend(&html_, "<table>\n<thead><tr>");
  for (const std::string& cell : header) {
    absl::StrAppend(&html_, "<th scope=\"col\">", Escaped(cell), "</th>");
  }
  absl::StrAppend(&html_, "</tr></thead>\n<tbody>\n");
  for (const std::vector<std::string>& row : rows) {
    absl::StrAppend(&html_, "<tr>");
    for (const std::string& cell : row) absl::StrAppend(&html_, Tagged("td", cell));
    absl::StrAppend(&html_, "</tr>\n");
  }
  absl::StrAppend(&html_, "</tbody>\n</table>\n");
}

void HtmlPage::Pictures(const std::vector<std::pair<std::string, std::string>>& pictures) {
  std::string figures;
  for (const auto& [caption, svg] : pictures) {
    if (!absl::StartsWith(svg, "<svg")) continue;
    absl::StrAppend(&figures, "<figure>", caption.empty() ? "" : Tagged("figcaption", caption),
                    "\n", svg, "\n</figure>\n");
  }
  if (!figures.empty()) {
    absl::StrAppend(&html_, "<div class=\"pictures\">\n", figures, "</div>\n");
  }
}

void HtmlPage::Begin() { absl::StrAppend(&html_, "<section>\n"); }
void HtmlPage::End() { absl::StrAppend(&html_, "</section>\n"); }

std::string HtmlPage::Finish(absl::string_view footer) {
  if (!Blank(footer)) absl::StrAppend(&html_, Tagged("footer", footer), "\n");
  absl::StrAppend(&html_, "</body>\n</html>\n");
  return std::move(html_);
}

}  // namespace rapport::notes
