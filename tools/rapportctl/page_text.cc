#include "tools/rapportctl/page_text.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace rapport::ctl {
namespace {

constexpr size_t kLabel = 24;       // columns of a field's label
constexpr size_t kWidestCell = 44;  // of a table
constexpr size_t kLeast = 20;       // columns that a line has, however narrow the page

size_t Columns(absl::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

std::string Unescaped(absl::string_view text) {
  std::string plain = absl::StrReplaceAll(text, {{"&lt;", "<"},
                                                 {"&gt;", ">"},
                                                 {"&quot;", "\""},
                                                 {"&#39;", "'"},
                                                 {"&nbsp;", " "},
                                                 {"&amp;", "&"}});
  plain.erase(std::remove_if(plain.begin(), plain.end(),
                             [](char c) {
                               return (static_cast<unsigned char>(c) < 0x20 && c != '\n') ||
                                      c == '\x7F';
                             }),
              plain.end());
  return plain;
}

// The lines of `text`, each of at most `width` columns; line ends of its own stay.
std::vector<std::string> Wrapped(absl::string_view text, size_t width) {
  std::vector<std::string> lines;
  for (const absl::string_view given : absl::StrSplit(text, '\n')) {
    std::string line;
    for (const absl::string_view word : absl::StrSplit(given, ' ', absl::SkipEmpty())) {
      if (!line.empty() && Columns(line) + 1 + Columns(word) > width) {
        lines.push_back(std::move(line));
        line.clear();
      }
      absl::StrAppend(&line, line.empty() ? "" : " ", word);
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

class Writer {
 public:
  Writer(absl::string_view html, size_t width) : html_(html), width_(width) {}

  std::string Write() {
    while (!html_.empty()) {
      const size_t tag = html_.find('<');
      if (left_out_ == 0) absl::StrAppend(&text_, html_.substr(0, tag));
      if (tag == absl::string_view::npos) break;
      const size_t end = html_.find('>', tag);
      if (end == absl::string_view::npos) break;
      Tag(html_.substr(tag + 1, end - tag - 1));
      html_.remove_prefix(end + 1);
    }
    return std::move(out_);
  }

 private:
  std::string Take() {
    std::string plain(absl::StripAsciiWhitespace(Unescaped(text_)));
    text_.clear();
    return plain;
  }

  void Tag(absl::string_view tag) {
    const bool closes = absl::ConsumePrefix(&tag, "/");
    const std::string name = absl::AsciiStrToLower(tag.substr(0, tag.find_first_of(" /\n")));
    if (name == "head" || name == "svg" || name == "script" || name == "style") {
      left_out_ += closes ? -1 : 1;
      return;
    }
    if (left_out_ > 0) return;
    if (name == "br") {
      text_ += '\n';
    } else if (name == "table") {
      if (closes) WriteTable();
    } else if (name == "tr") {
      if (!closes) rows_.emplace_back();
    } else if (!closes) {
      Paragraph(Take(), "", "");  // what stood before, outside of a block of its own
    } else if (name == "h1" || name == "h2") {
      const std::string title = Take();
      absl::StrAppend(&out_, out_.empty() ? "" : "\n", title, "\n",
                      std::string(Columns(title), name == "h1" ? '=' : '-'), "\n");
    } else if (name == "h3") {
      absl::StrAppend(&out_, "\n", Take(), "\n");
    } else if (name == "li") {
      Paragraph(Take(), "  - ", "    ");
    } else if (name == "dt") {
      label_ = Take();
    } else if (name == "dd") {
      const std::string space(kLabel, ' ');
      std::string label = absl::StrCat("  ", std::exchange(label_, ""), " ");
      if (Columns(label) < kLabel) label.append(kLabel - Columns(label), ' ');
      Paragraph(Take(), label, space);
    } else if (name == "figcaption") {
      const std::string caption = Take();
      absl::StrAppend(&out_, "  [picture: ", caption, "]\n");
    } else if ((name == "td" || name == "th") && !rows_.empty()) {
      rows_.back().push_back(absl::StrReplaceAll(Take(), {{"\n", " "}}));
    } else {
      Paragraph(Take(), "", "");
    }
  }

  void Paragraph(const std::string& text, absl::string_view first, absl::string_view others) {
    if (text.empty()) return;
    const size_t room = width_ > Columns(others) + kLeast ? width_ - Columns(others) : kLeast;
    bool is_first = true;
    for (const std::string& line : Wrapped(text, room)) {
      absl::StrAppend(&out_, std::exchange(is_first, false) ? first : others, line, "\n");
    }
  }

  void WriteTable() {
    std::vector<size_t> widths;
    for (const auto& row : rows_) {
      widths.resize(std::max(widths.size(), row.size()));
      for (size_t i = 0; i < row.size(); ++i) {
        widths[i] = std::max(widths[i], std::min(kWidestCell, Columns(row[i])));
      }
    }
    for (const auto& row : rows_) {
      std::vector<std::vector<std::string>> cells;
      size_t lines = 1;
      for (const std::string& cell : row) {
        cells.push_back(Wrapped(cell, kWidestCell));
        lines = std::max(lines, cells.back().size());
      }
      for (size_t line = 0; line < lines; ++line) {
        std::string written = "  ";
        for (size_t i = 0; i < cells.size(); ++i) {
          const std::string part = line < cells[i].size() ? cells[i][line] : "";
          absl::StrAppend(&written, part,
                          std::string(widths[i] + 2 - std::min(widths[i], Columns(part)), ' '));
        }
        absl::StrAppend(&out_, absl::StripTrailingAsciiWhitespace(written), "\n");
      }
    }
    rows_.clear();
  }

  absl::string_view html_;
  const size_t width_;
  int left_out_ = 0;  // so many open tags whose content is no text
  std::string text_;  // since the last tag
  std::string label_;
  std::vector<std::vector<std::string>> rows_;  // of the table
  std::string out_;
};

}  // namespace

std::string TextOfPage(absl::string_view html, size_t width) { return Writer(html, width).Write(); }

}  // namespace rapport::ctl
