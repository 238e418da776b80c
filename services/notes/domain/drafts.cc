#include "services/notes/domain/drafts.h"

namespace rapport::notes {

DraftVerdict JudgeDraft(int64_t kept_sequence, bool same_content, int64_t sequence,
                        int64_t base_sequence) {
  if (sequence < kept_sequence) return DraftVerdict::kKnown;
  if (sequence == kept_sequence) return same_content ? DraftVerdict::kKnown : DraftVerdict::kStale;
  return base_sequence == kept_sequence ? DraftVerdict::kKeep : DraftVerdict::kStale;
}

}  // namespace rapport::notes
