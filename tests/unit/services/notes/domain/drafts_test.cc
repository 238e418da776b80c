#include "services/notes/domain/drafts.h"

#include <gtest/gtest.h>

namespace rapport::notes {
namespace {

struct Row {
  const char* what;
  int64_t kept;
  bool same;
  int64_t sequence;
  int64_t base;
  DraftVerdict verdict;
};

TEST(DraftsTest, JudgesSavesOfSeveralWindows) {
  const Row rows[] = {
      {"the first save", 0, false, 1, 0, DraftVerdict::kKeep},
      {"the next of the same window", 1, false, 2, 1, DraftVerdict::kKeep},
      {"numbers may leave gaps", 2, false, 9, 2, DraftVerdict::kKeep},
      {"a repeat of the last", 2, true, 2, 1, DraftVerdict::kKnown},
      {"one that was overtaken", 3, false, 2, 1, DraftVerdict::kKnown},
      {"another window, same number", 1, false, 1, 0, DraftVerdict::kStale},
      {"another window, higher number", 1, false, 2, 0, DraftVerdict::kStale},
      {"another window with equal text on an old base", 1, true, 2, 0, DraftVerdict::kStale},
      {"a base that was never kept", 1, false, 6, 5, DraftVerdict::kStale},
      {"merged on top of the other's", 1, false, 2, 1, DraftVerdict::kKeep},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(JudgeDraft(row.kept, row.same, row.sequence, row.base), row.verdict) << row.what;
  }
}

}  // namespace
}  // namespace rapport::notes
