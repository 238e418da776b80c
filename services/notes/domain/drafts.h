#ifndef RAPPORT_SERVICES_NOTES_DOMAIN_DRAFTS_H_
#define RAPPORT_SERVICES_NOTES_DOMAIN_DRAFTS_H_

#include <cstdint>

// How autosaves of several windows meet. Nothing that was kept is ever overwritten by a window that
// has not seen it.
namespace rapport::notes {

enum class DraftVerdict {
  kKeep,   // it builds on what is kept: take it
  kKnown,  // overtaken, or kept already: change nothing and answer with what is kept
  kStale,  // another window has saved since: refuse
};

// Judges a save numbered `sequence` that builds on `base_sequence`, where the save numbered
// `kept_sequence` is kept (0: none yet) and `same_content` says whether its text is the same. The
// answer's draft_sequence equals `sequence` exactly where the sent text is the kept one: a number
// equal to the kept one with another text is another window's.
DraftVerdict JudgeDraft(int64_t kept_sequence, bool same_content, int64_t sequence,
                        int64_t base_sequence);

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_DOMAIN_DRAFTS_H_
