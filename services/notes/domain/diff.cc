#include "services/notes/domain/diff.h"

#include <algorithm>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/text_format.h"

namespace rapport::notes {
namespace {

constexpr int kMostEdits = 1'000;

using Words = std::vector<absl::string_view>;

// A word with the blanks after it.
Words Split(absl::string_view text) {
  Words words;
  size_t begin = 0;
  for (size_t i = 1; i <= text.size(); ++i) {
    if (i == text.size() || (absl::ascii_isspace(static_cast<unsigned char>(text[i - 1])) &&
                             !absl::ascii_isspace(static_cast<unsigned char>(text[i])))) {
      words.push_back(text.substr(begin, i - begin));
      begin = i;
    }
  }
  return words;
}

void Append(std::vector<v1::DiffRun>& runs, v1::DiffKind kind, absl::string_view text) {
  if (text.empty()) return;
  if (runs.empty() || runs.back().kind() != kind) runs.emplace_back().set_kind(kind);
  absl::StrAppend(runs.back().mutable_text(), text);
}

void AppendAll(std::vector<v1::DiffRun>& runs, v1::DiffKind kind, const Words& words) {
  for (const absl::string_view word : words) Append(runs, kind, word);
}

// Myers' greedy algorithm: one row of furthest points for each number of edits, walked back.
void Middle(const Words& from, const Words& to, std::vector<v1::DiffRun>& runs) {
  const int n = static_cast<int>(from.size());
  const int m = static_cast<int>(to.size());
  const int most = std::min(n + m, kMostEdits);
  std::vector<std::vector<int>> rows;
  std::vector<int> furthest(2 * static_cast<size_t>(most) + 3, 0);
  const auto at = [most](int k) { return static_cast<size_t>(k + most + 1); };
  int edits = -1;
  for (int d = 0; d <= most && edits < 0; ++d) {
    rows.push_back({furthest.begin() + most + 1 - d - 1, furthest.begin() + most + 1 + d + 2});
    for (int k = -d; k <= d; k += 2) {
      int x = k == -d || (k != d && furthest[at(k - 1)] < furthest[at(k + 1)])
                  ? furthest[at(k + 1)]
                  : furthest[at(k - 1)] + 1;
      int y = x - k;
      while (x < n && y < m && from[x] == to[y]) ++x, ++y;
      furthest[at(k)] = x;
      if (x >= n && y >= m) {
        edits = d;
        break;
      }
    }
  }
  if (edits < 0) {
    AppendAll(runs, v1::DIFF_KIND_REMOVED, from);
    AppendAll(runs, v1::DIFF_KIND_ADDED, to);
    return;
  }
  std::vector<std::pair<v1::DiffKind, absl::string_view>> backwards;
  int x = n, y = m;
  for (int d = edits; d >= 0; --d) {
    // Row d holds the furthest points before the step, of diagonals -d-1 to d+1.
    const auto before = [&](int k) { return rows[d][static_cast<size_t>(k + d + 1)]; };
    const int k = x - y;
    const bool down = d > 0 && (k == -d || (k != d && before(k - 1) < before(k + 1)));
    const int start_x = d == 0 ? 0 : down ? before(k + 1) : before(k - 1) + 1;
    while (x > start_x) {
      --x, --y;
      backwards.emplace_back(v1::DIFF_KIND_SAME, from[x]);
    }
    if (d == 0) break;
    if (down) {
      backwards.emplace_back(v1::DIFF_KIND_ADDED, to[--y]);
    } else {
      backwards.emplace_back(v1::DIFF_KIND_REMOVED, from[--x]);
    }
  }
  std::reverse(backwards.begin(), backwards.end());
  for (const auto& [kind, word] : backwards) Append(runs, kind, word);
}

std::string Printed(const v1::NoteContent& content,
                    const google::protobuf::FieldDescriptor& field) {
  const google::protobuf::Reflection& reflection = *content.GetReflection();
  std::string printed;
  const auto print = [&](int index) {
    std::string one;
    google::protobuf::TextFormat::Printer printer;
    printer.SetSingleLineMode(true);
    printer.PrintFieldValueToString(content, &field, index, &one);
    absl::StrAppend(&printed, one, "\n");
  };
  if (field.is_repeated()) {
    for (int i = 0; i < reflection.FieldSize(content, &field); ++i) print(i);
  } else if (field.cpp_type() == google::protobuf::FieldDescriptor::CPPTYPE_STRING) {
    return reflection.GetString(content, &field);
  } else if (reflection.HasField(content, &field)) {
    print(-1);
  }
  return printed;
}

}  // namespace

std::vector<v1::DiffRun> DiffText(absl::string_view from, absl::string_view to) {
  Words older = Split(from), newer = Split(to);
  std::vector<v1::DiffRun> runs;
  const auto differ = std::mismatch(older.begin(), older.end(), newer.begin(), newer.end());
  AppendAll(runs, v1::DIFF_KIND_SAME, Words(older.begin(), differ.first));
  older.erase(older.begin(), differ.first);
  newer.erase(newer.begin(), differ.second);
  Words tail;
  while (!older.empty() && !newer.empty() && older.back() == newer.back()) {
    tail.push_back(older.back());
    older.pop_back();
    newer.pop_back();
  }
  std::reverse(tail.begin(), tail.end());
  Middle(older, newer, runs);
  AppendAll(runs, v1::DIFF_KIND_SAME, tail);
  return runs;
}

std::vector<v1::FieldDiff> DiffContent(const v1::NoteContent& from, const v1::NoteContent& to) {
  std::vector<v1::FieldDiff> diffs;
  const google::protobuf::Descriptor& type = *v1::NoteContent::descriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    const std::string older = Printed(from, *type.field(i));
    const std::string newer = Printed(to, *type.field(i));
    if (older == newer) continue;
    v1::FieldDiff& diff = diffs.emplace_back();
    diff.set_field(absl::StrCat("content.", type.field(i)->name()));
    for (v1::DiffRun& run : DiffText(older, newer)) *diff.add_runs() = std::move(run);
  }
  return diffs;
}

}  // namespace rapport::notes
