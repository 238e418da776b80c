#ifndef RAPPORT_SERVICES_ASSESSMENT_DOMAIN_DISCLOSURE_H_
#define RAPPORT_SERVICES_ASSESSMENT_DOMAIN_DISCLOSURE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/types/span.h"

// Which figures of many courses may be told, so that nobody can be made out. Pure.
namespace rapport::assessment {

// Fewest courses of a cell (the suite's own number).
inline constexpr int kLeastCell = 5;

// Decides which cells are told, once for an organisation and an instrument, so that what is told
// does not depend on how it is asked for: a filter picks a cell of the table with that dimension,
// and a window of months is told where it is a sum of years, quarters and months that are.
//
// A cell is given by any of clinic, protocol, problem area and time (year, quarter or month).
// Beside courses that began, the scored ones are judged by themselves, as are completers among
// them: of whom figures are told. Told cells hold nobody or at least 5. And what is left of a told
// cell after others are taken away holds nobody or at least 5, where these are
//  * cells that come of splitting it by one dimension after another, in whatever order, each part
//    by its own (nobody's cells are known to everyone)
//  * any sum of rows less any sum of columns of a table of two dimensions
// For that, where cells of a line (those that differ in one dimension, and whose sum is told) are
// suppressed, at least 2 are, of 5 courses together, the smallest first; a suppressed cell's parts
// are suppressed; and a cell whose only part is suppressed is so too.
class Disclosure {
 public:
  // How many courses share all of these.
  struct Group {
    std::string clinic;
    std::string protocol;
    int problem_area = 0;
    int month = 0;
    int64_t started = 0;
    int64_t scored = 0;      // of these
    int64_t completers = 0;  // of the scored
  };
  static std::shared_ptr<const Disclosure> Make(absl::Span<const Group> groups);

  enum class Of { kStarted, kScored, kCompleters };
  struct Box {
    std::optional<std::string> clinic = {};
    std::optional<std::string> protocol = {};
    std::optional<int> problem_area = {};
    std::optional<int> first_month = {};  // inclusive
    std::optional<int> last_month = {};   // inclusive
  };
  // False where nobody is in it.
  bool Told(Of of, const Box& box) const;

  ~Disclosure();

 private:
  struct State;
  explicit Disclosure(std::unique_ptr<const State> state);
  std::unique_ptr<const State> state_;
};

}  // namespace rapport::assessment

#endif  // RAPPORT_SERVICES_ASSESSMENT_DOMAIN_DISCLOSURE_H_
