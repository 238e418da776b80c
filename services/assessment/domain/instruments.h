#ifndef RAPPORT_SERVICES_ASSESSMENT_DOMAIN_INSTRUMENTS_H_
#define RAPPORT_SERVICES_ASSESSMENT_DOMAIN_INSTRUMENTS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "rapport/assessment/v1/instrument.pb.h"

// Questionnaires as data: what makes an Instrument message sound, and the set that can be scored.
namespace rapport::assessment {

// Item numbers run from 1 to this at most.
inline constexpr int kMaxItems = 200;

// What is wrong with `instrument`, each with the field that it is about; empty: nothing. Checked:
// items numbered from 1 without gap; scored, critical, cardinal items exist; bands cover the range
// of the total without gap or overlap; cut-offs lie within it, remission beyond caseness; direction
// and licence given; LOINC codes bear their check digit; every clinical fact names its source.
std::vector<std::string> Problems(const v1::Instrument& instrument);

// One sound instrument, ready to score with. Immutable.
class InstrumentRules {
 public:
  //   kInvalidArgument  what Problems() says
  static absl::StatusOr<std::unique_ptr<const InstrumentRules>> Make(v1::Instrument instrument);

  const v1::Instrument& instrument() const { return instrument_; }
  absl::string_view id() const { return id_; }  // "phq-9"
  int revision() const { return revision_; }

  int items() const { return instrument_.items_size(); }
  const v1::InstrumentItem& item(int number) const { return instrument_.items(number - 1); }
  // The least and the greatest total.
  int min_total() const { return min_total_; }
  int max_total() const { return max_total_; }
  // Id of the band of a total within the range; empty where there are no bands.
  absl::string_view BandOf(int total) const;
  const std::string& sum_rule() const { return sum_rule_; }  // "sum of 9 items"

  // How much better `to` is than `from`; negative: worse. 0 where neither direction is better.
  double Gain(double from, double to) const;
  bool IsCase(double total) const;       // at or beyond the case cut-off; false without one
  bool AtRemission(double total) const;  // at remission level; false without one
  // Where the fact in `field` of the instrument comes from; empty: not said.
  absl::string_view SourceOf(absl::string_view field) const;

 private:
  explicit InstrumentRules(v1::Instrument instrument);

  v1::Instrument instrument_;
  std::string id_;
  int revision_ = 0;
  int min_total_ = 0;
  int max_total_ = 0;
  std::string sum_rule_;
};

// The instruments that can be scored. Immutable.
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
  std::vector<std::unique_ptr<const InstrumentRules>> all_;  // by id, newest revision first
  std::vector<const InstrumentRules*> newest_;
};

}  // namespace rapport::assessment

#endif  // RAPPORT_SERVICES_ASSESSMENT_DOMAIN_INSTRUMENTS_H_
