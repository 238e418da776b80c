#include "services/assessment/domain/instruments.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"

namespace rapport::assessment {
namespace {

struct ParsedName {
  absl::string_view id;
  int revision = 0;  // 0: not given
};

bool ParseName(absl::string_view name, ParsedName& parsed) {
  const std::vector<absl::string_view> parts = absl::StrSplit(name, '/');
  if ((parts.size() != 2 && parts.size() != 4) || parts[0] != "instruments" || parts[1].empty()) {
    return false;
  }
  parsed.id = parts[1];
  if (parts.size() == 2) return true;
  return parts[2] == "revisions" && !parts[3].empty() && parts[3][0] != '+' && parts[3][0] != '0' &&
         absl::SimpleAtoi(parts[3], &parsed.revision) && parsed.revision > 0;
}

bool IsId(absl::string_view id) {
  return !id.empty() && absl::ascii_islower(id.front()) && id.back() != '-' &&
         std::all_of(id.begin(), id.end(), [](char c) {
           return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '-';
         });
}

// LOINC codes end in a mod-10 (Luhn) check digit.
bool IsLoinc(absl::string_view code) {
  const std::vector<absl::string_view> parts = absl::StrSplit(code, '-');
  if (parts.size() != 2 || parts[0].empty() || parts[1].size() != 1) return false;
  int sum = 0;
  bool doubled = true;
  for (size_t i = parts[0].size(); i-- > 0; doubled = !doubled) {
    if (!absl::ascii_isdigit(parts[0][i])) return false;
    const int digit = (parts[0][i] - '0') * (doubled ? 2 : 1);
    sum += digit / 10 + digit % 10;
  }
  return parts[1][0] - '0' == (10 - sum % 10) % 10;
}

// Facts of the instrument that need no source: they are ours.
bool NeedsSource(absl::string_view field) {
  return field != "name" && field != "display_name" && field != "sources";
}

class Checker {
 public:
  explicit Checker(const v1::Instrument& instrument) : instrument_(instrument) {}

  std::vector<std::string> Run() {
    Name();
    Items();
    if (!problems_.empty()) return problems_;  // what follows reckons with the items
    Bands();
    CutOffs();
    CriticalItems();
    DiagnosticRule();
    Terms();
    Sources();
    return problems_;
  }

 private:
  template <class... Args>
  void Expect(bool holds, const Args&... what) {
    if (!holds) problems_.push_back(absl::StrCat(what...));
  }
  bool HasItem(int number) const { return number >= 1 && number <= instrument_.items_size(); }
  bool IsScored(int number) const {
    return absl::c_linear_search(instrument_.scored_items(), number);
  }

  void Name() {
    ParsedName name;
    Expect(ParseName(instrument_.name(), name) && IsId(name.id) && name.revision > 0,
           "name: must be instruments/{instrument}/revisions/{revision}");
    Expect(!instrument_.display_name().empty(), "display_name: is missing");
  }

  void Items() {
    Expect(instrument_.items_size() >= 1 && instrument_.items_size() <= kMaxItems,
           "items: must be 1 to ", kMaxItems);
    for (int i = 0; i < instrument_.items_size(); ++i) {
      const auto& item = instrument_.items(i);
      Expect(item.number() == i + 1, "items[", i, "].number: must be ", i + 1);
      Expect(!item.label().empty(), "items[", i, "].label: is missing");
      Expect(item.min() >= 0 && item.min() < item.max() && item.max() <= 100, "items[", i,
             "]: needs 0 ≤ min < max ≤ 100");
      Expect(item.loinc().empty() || IsLoinc(item.loinc()), "items[", i, "].loinc: ", item.loinc(),
             " is not a LOINC code");
    }
    Expect(instrument_.scored_items_size() > 0, "scored_items: is empty");
    std::set<int> seen;
    for (const int number : instrument_.scored_items()) {
      Expect(HasItem(number), "scored_items: there is no item ", number);
      Expect(seen.insert(number).second, "scored_items: item ", number, " is there twice");
      if (!HasItem(number)) continue;
      min_ += instrument_.items(number - 1).min();
      max_ += instrument_.items(number - 1).max();
    }
    Expect(instrument_.max_prorated_items() >= 0 &&
               instrument_.max_prorated_items() < instrument_.scored_items_size(),
           "max_prorated_items: must leave an answered item");
  }

  void Bands() {
    int next = min_;
    std::set<std::string> ids;
    for (int i = 0; i < instrument_.bands_size(); ++i) {
      const auto& band = instrument_.bands(i);
      Expect(!band.id().empty() && ids.insert(band.id()).second, "bands[", i,
             "].id: is missing or taken");
      Expect(!band.label().empty(), "bands[", i, "].label: is missing");
      Expect(band.min() == next, "bands[", i, "].min: must be ", next,
             ", so that bands have no gap and no overlap");
      Expect(band.max() >= band.min(), "bands[", i, "].max: is less than min");
      next = band.max() + 1;
    }
    Expect(instrument_.bands().empty() || next == max_ + 1, "bands: must end at ", max_,
           ", the greatest total");
  }

  bool InRange(int total) const { return total >= min_ && total <= max_; }

  void CutOffs() {
    Expect(v1::Direction_IsValid(instrument_.direction()) &&
               instrument_.direction() != v1::DIRECTION_UNSPECIFIED,
           "direction: is missing");
    const bool lower = instrument_.direction() == v1::DIRECTION_LOWER_BETTER;
    Expect(!instrument_.has_case_cutoff() || InRange(instrument_.case_cutoff()),
           "case_cutoff: is outside of ", min_, " to ", max_);
    Expect(!instrument_.has_remission_cutoff() || InRange(instrument_.remission_cutoff()),
           "remission_cutoff: is outside of ", min_, " to ", max_);
    if (instrument_.has_case_cutoff() && instrument_.has_remission_cutoff()) {
      Expect(lower ? instrument_.remission_cutoff() < instrument_.case_cutoff()
                   : instrument_.remission_cutoff() > instrument_.case_cutoff(),
             "remission_cutoff: must be better than case_cutoff");
    }
    const bool told = instrument_.response_percent() != 0 || instrument_.has_remission_cutoff();
    Expect(!told || instrument_.has_case_cutoff(),
           "case_cutoff: response and remission can't be told without it");
    Expect(instrument_.response_percent() >= 0 && instrument_.response_percent() <= 100,
           "response_percent: must be 0 to 100");
    Expect(!instrument_.has_reliable_change() ||
               (instrument_.reliable_change().points() > 0 &&
                instrument_.reliable_change().points() <= max_ - min_),
           "reliable_change.points: must be 1 to ", max_ - min_);
    Expect(instrument_.direction() != v1::DIRECTION_NONE ||
               (!told && !instrument_.has_case_cutoff() && !instrument_.has_reliable_change()),
           "direction: change can't be told where neither way is better");
  }

  void CriticalItems() {
    std::set<int> seen;
    for (int i = 0; i < instrument_.critical_items_size(); ++i) {
      const auto& critical = instrument_.critical_items(i);
      Expect(HasItem(critical.item()), "critical_items[", i, "].item: there is no item ",
             critical.item());
      Expect(seen.insert(critical.item()).second, "critical_items[", i, "].item: is there twice");
      if (!HasItem(critical.item())) continue;
      const auto& item = instrument_.items(critical.item() - 1);
      Expect(critical.at_least() > item.min() && critical.at_least() <= item.max(),
             "critical_items[", i, "].at_least: must be above ", item.min(), " and at most ",
             item.max());
      Expect(critical.immediate_at() == 0 || (critical.immediate_at() >= critical.at_least() &&
                                              critical.immediate_at() <= item.max()),
             "critical_items[", i, "].immediate_at: must be 0 or from at_least to ", item.max());
    }
  }

  void DiagnosticRule() {
    if (!instrument_.has_diagnostic_rule()) return;
    const auto& rule = instrument_.diagnostic_rule();
    Expect(!rule.cardinal_items().empty(), "diagnostic_rule.cardinal_items: is empty");
    for (const int number : rule.cardinal_items()) {
      Expect(IsScored(number), "diagnostic_rule.cardinal_items: item ", number, " isn't scored");
    }
    for (const int number : rule.present_at_one()) {
      Expect(IsScored(number), "diagnostic_rule.present_at_one: item ", number, " isn't scored");
    }
    Expect(rule.present_at() >= 1, "diagnostic_rule.present_at: must be at least 1");
    Expect(rule.other() >= 1 && rule.other() < rule.major() &&
               rule.major() <= instrument_.scored_items_size(),
           "diagnostic_rule: needs 1 ≤ other < major ≤ scored items");
  }

  void Terms() {
    Expect(instrument_.recall_days() >= 0, "recall_days: must not be negative");
    Expect(instrument_.min_age() >= 0 && instrument_.max_age() >= 0 &&
               (instrument_.max_age() == 0 || instrument_.min_age() <= instrument_.max_age()),
           "min_age: must be at most max_age");
    Expect(v1::Licence_IsValid(instrument_.licence()) &&
               instrument_.licence() != v1::LICENCE_UNSPECIFIED,
           "licence: is missing");
    Expect(instrument_.loinc_total().empty() || IsLoinc(instrument_.loinc_total()),
           "loinc_total: ", instrument_.loinc_total(), " is not a LOINC code");
  }

  void Sources() {
    const auto* descriptor = v1::Instrument::descriptor();
    std::set<std::string> sourced;
    for (int i = 0; i < instrument_.sources_size(); ++i) {
      const auto& source = instrument_.sources(i);
      Expect(!source.source().empty(), "sources[", i, "].source: is missing");
      Expect(v1::FactConfidence_IsValid(source.confidence()) &&
                 source.confidence() != v1::FACT_CONFIDENCE_UNSPECIFIED,
             "sources[", i, "].confidence: is missing");
      for (absl::string_view fact : absl::StrSplit(source.facts(), ',')) {
        const std::string field(absl::StripAsciiWhitespace(fact));
        Expect(descriptor->FindFieldByName(field) != nullptr, "sources[", i,
               "].facts: there is no field '", field, "'");
        sourced.insert(field);
      }
    }
    std::vector<const google::protobuf::FieldDescriptor*> set;
    v1::Instrument::GetReflection()->ListFields(instrument_, &set);
    for (const auto* field : set) {
      Expect(!NeedsSource(field->name()) || sourced.count(field->name()) > 0, field->name(),
             ": no entry of sources names it");
    }
  }

  const v1::Instrument& instrument_;
  int min_ = 0;
  int max_ = 0;
  std::vector<std::string> problems_;
};

}  // namespace

std::vector<std::string> Problems(const v1::Instrument& instrument) {
  return Checker(instrument).Run();
}

absl::StatusOr<std::unique_ptr<const InstrumentRules>> InstrumentRules::Make(
    v1::Instrument instrument) {
  if (const std::vector<std::string> problems = Problems(instrument); !problems.empty()) {
    return errors::InvalidArgument(
        "instrument", absl::StrCat(instrument.name(), ": ", absl::StrJoin(problems, "; ")));
  }
  return std::unique_ptr<const InstrumentRules>(new InstrumentRules(std::move(instrument)));
}

InstrumentRules::InstrumentRules(v1::Instrument instrument) : instrument_(std::move(instrument)) {
  ParsedName name;
  ParseName(instrument_.name(), name);
  id_ = std::string(name.id);
  revision_ = name.revision;
  for (const int number : instrument_.scored_items()) {
    min_total_ += item(number).min();
    max_total_ += item(number).max();
  }
  sum_rule_ = absl::StrCat("sum of ", instrument_.scored_items_size(), " items");
}

absl::string_view InstrumentRules::BandOf(int total) const {
  for (const auto& band : instrument_.bands()) {
    if (total <= band.max()) return band.id();
  }
  return "";
}

double InstrumentRules::Gain(double from, double to) const {
  switch (instrument_.direction()) {
    case v1::DIRECTION_LOWER_BETTER:
      return from - to;
    case v1::DIRECTION_HIGHER_BETTER:
      return to - from;
    default:
      return 0;
  }
}

bool InstrumentRules::IsCase(double total) const {
  return instrument_.has_case_cutoff() && Gain(instrument_.case_cutoff(), total) <= 0;
}

bool InstrumentRules::AtRemission(double total) const {
  return instrument_.has_remission_cutoff() && Gain(instrument_.remission_cutoff(), total) >= 0;
}

absl::string_view InstrumentRules::SourceOf(absl::string_view field) const {
  for (const auto& source : instrument_.sources()) {
    for (absl::string_view fact : absl::StrSplit(source.facts(), ',')) {
      if (absl::StripAsciiWhitespace(fact) == field) return source.source();
    }
  }
  return "";
}

absl::StatusOr<Catalogue> Catalogue::Make(std::vector<v1::Instrument> instruments) {
  Catalogue catalogue;
  for (v1::Instrument& instrument : instruments) {
    ASSIGN_OR_RETURN(auto rules, InstrumentRules::Make(std::move(instrument)));
    catalogue.all_.push_back(std::move(rules));
  }
  std::sort(catalogue.all_.begin(), catalogue.all_.end(), [](const auto& a, const auto& b) {
    return a->id() != b->id() ? a->id() < b->id() : a->revision() > b->revision();
  });
  for (const auto& rules : catalogue.all_) {
    const InstrumentRules* before =
        &rules == &catalogue.all_.front() ? nullptr : (&rules - 1)->get();
    if (before == nullptr || before->id() != rules->id()) {
      catalogue.newest_.push_back(rules.get());
    } else if (before->revision() == rules->revision()) {
      return errors::InvalidArgument("instrument",
                                     absl::StrCat(rules->instrument().name(), " is there twice"));
    }
  }
  return catalogue;
}

const InstrumentRules* Catalogue::Find(absl::string_view name) const {
  ParsedName parsed;
  if (!ParseName(name, parsed)) return nullptr;
  for (const auto& rules : all_) {
    if (rules->id() == parsed.id &&
        (parsed.revision == 0 || rules->revision() == parsed.revision)) {
      return rules.get();
    }
  }
  return nullptr;
}

const InstrumentRules* Catalogue::FindById(absl::string_view id) const {
  for (const InstrumentRules* rules : newest_) {
    if (rules->id() == id) return rules;
  }
  return nullptr;
}

}  // namespace rapport::assessment
