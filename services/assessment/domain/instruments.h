#ifndef RAPPORT_SERVICES_ASSESSMENT_DOMAIN_INSTRUMENTS_H_
#define RAPPORT_SERVICES_ASSESSMENT_DOMAIN_INSTRUMENTS_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "rapport/assessment/v1/instrument.pb.h"

// Questionnaires as data: what makes an Instrument message sound, and the set that can be scored.
namespace rapport::assessment {

// Item numbers run from 1 to this at most; an instrument has at most so many figures and flags.
inline constexpr int kMaxItems = 200;
inline constexpr int kMaxFigures = 40;
inline constexpr int kMaxFlags = 40;

// Something wrong with an instrument.
struct Problem {
  std::string field;    // path, as "figures[0].formula"
  std::string message;  // what would be right
};

// What is wrong with `instrument`; empty: nothing. Checked besides what the proto says: items
// numbered from 1 without gap, ids unique and in snake_case, formulas parse and are of the right
// type and refer to what exists, each figure's min and max are just what its formula can reach,
// bands cover the range without gap or overlap in the figure's decimals, cut-offs lie within it and
// remission beyond caseness, LOINC codes bear their check digit, and every field that holds a fact
// is named by a source.
std::vector<Problem> Problems(const v1::Instrument& instrument);

// A problem and where it is in an instrument's file.
struct LocatedProblem {
  int line = 0;  // from 1; 0: nowhere in particular
  Problem problem;
};

// Reads an instrument's text form into `instrument` and says what is wrong with it: what does not
// parse, else what Problems() says.
std::vector<LocatedProblem> ReadInstrument(absl::string_view text, v1::Instrument& instrument);

class Program;  // program.h

// One sound instrument, ready to score with. Immutable, thread-safe.
class InstrumentRules {
 public:
  //   kInvalidArgument  what Problems() says, as field violations below "instrument."
  static absl::StatusOr<std::unique_ptr<const InstrumentRules>> Make(v1::Instrument instrument);
  ~InstrumentRules();

  const v1::Instrument& instrument() const { return instrument_; }
  absl::string_view id() const { return id_; }  // "phq-9"
  int revision() const { return revision_; }
  const Program& program() const { return *program_; }

  int items() const { return instrument_.items_size(); }
  const v1::InstrumentItem& item(int number) const { return instrument_.items(number - 1); }
  // Fewest answers of a form in item order: trailing items that have an id or are optional may be
  // left off.
  int required_items() const { return required_items_; }
  bool IsCode(int item, int code) const {
    const Codes& codes = codes_[item - 1];
    return code >= codes.least && code <= codes.greatest && (!codes.listed || IsListed(item, code));
  }
  // Index of the total among the figures; −1: none.
  int total_figure() const { return total_figure_; }
  // Severity ids in order: of the levels, or of the default bands of the total.
  const std::vector<std::string>& severities() const { return severities_; }
  // Index of the flag that tells the full syndrome; −1: none.
  int full_syndrome_flag() const { return full_syndrome_flag_; }
  // Whether it asks about suicide or harm to self.
  bool asks_about_suicide() const { return asks_about_suicide_; }

  // Of the total; NaN where there is none.
  double min_total() const;
  double max_total() const;
  // How much better `to` is than `from`; negative: worse. 0 where neither direction is better.
  double Gain(double from, double to) const;
  bool IsCase(double total) const;       // at or beyond the case cut-off; false without one
  bool AtRemission(double total) const;  // at remission level; false without one
  // Where the fact in `field` of the instrument comes from, as "Kroenke 2001 (verified)"; the most
  // particular source counts. Empty: not said.
  std::string SourceOf(absl::string_view field) const;

 private:
  struct Codes {
    int least;
    int greatest;
    bool listed;  // not every number between them is one
  };

  bool IsListed(int item, int code) const;
  std::string FindSource(absl::string_view field) const;
  InstrumentRules(v1::Instrument instrument, std::unique_ptr<const Program> program);

  v1::Instrument instrument_;
  std::string id_;
  int revision_ = 0;
  std::vector<Codes> codes_;  // by item
  int required_items_ = 0;
  int total_figure_ = -1;
  int full_syndrome_flag_ = -1;
  bool asks_about_suicide_ = false;
  std::vector<std::string> severities_;
  absl::flat_hash_map<std::string, std::string> sources_;  // of what scores are explained by
  std::unique_ptr<const Program> program_;
};

// The instruments that ship. Immutable, thread-safe.
class Catalogue {
 public:
  //   kInvalidArgument  an unsound instrument, or a revision twice
  static absl::StatusOr<Catalogue> Make(std::vector<v1::Instrument> instruments);

  // "instruments/phq-9" for the newest revision, or "instruments/phq-9/revisions/1"; null: none.
  const InstrumentRules* Find(absl::string_view name) const;
  // The newest revision of the instrument with `id`, as "phq-9"; null: none.
  const InstrumentRules* FindById(absl::string_view id) const;
  // The newest revision of each, by name.
  const std::vector<const InstrumentRules*>& newest() const { return newest_; }

 private:
  std::vector<std::unique_ptr<const InstrumentRules>> all_;
  std::vector<const InstrumentRules*> newest_;
  absl::flat_hash_map<std::string, const InstrumentRules*> by_name_;  // by each name and newest id
};

}  // namespace rapport::assessment

#endif  // RAPPORT_SERVICES_ASSESSMENT_DOMAIN_INSTRUMENTS_H_
