#include "services/assessment/domain/instruments.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/text_format.h"
#include "services/assessment/domain/program.h"

namespace rapport::assessment {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::TextFormat;

constexpr int kMaxContext = 10;
constexpr int kMaxLevels = 20;
constexpr int kMaxConcernRules = 20;
constexpr int kMaxCode = 10000;
constexpr double kSlack = 1e-9;

struct ParsedName {
  absl::string_view id;
  int revision = 0;  // 0: not given
};

// Of shipped instruments and, after "organizations/{organization}/", of an organisation's own.
bool ParseName(absl::string_view name, ParsedName& parsed) {
  std::vector<absl::string_view> parts = absl::StrSplit(name, '/');
  if (parts.size() > 2 && parts[0] == "organizations" && !parts[1].empty()) {
    parts.erase(parts.begin(), parts.begin() + 2);
  }
  if ((parts.size() != 2 && parts.size() != 4) || parts[0] != "instruments" || parts[1].empty()) {
    return false;
  }
  parsed.id = parts[1];
  if (parts.size() == 2) return true;
  return parts[2] == "revisions" && !parts[3].empty() && absl::ascii_isdigit(parts[3][0]) &&
         parts[3][0] != '0' && absl::SimpleAtoi(parts[3], &parsed.revision) && parsed.revision > 0;
}

bool IsId(absl::string_view id) {
  return !id.empty() && id.size() <= 63 && absl::ascii_islower(id.front()) && id.back() != '-' &&
         absl::c_all_of(id, [](char c) {
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

// One step of a path, as "figures[total]".
struct Step {
  absl::string_view field;
  absl::string_view keys;  // what is in brackets; empty: any
};

// "figures[total].max_missing" taken apart.
std::vector<Step> Steps(absl::string_view path) {
  std::vector<Step> steps;
  while (!path.empty()) {
    const size_t end = path.find_first_of(".[");
    Step step{path.substr(0, end), ""};
    path.remove_prefix(step.field.size());
    if (!path.empty() && path[0] == '[') {
      const size_t close = path.find(']');
      if (close == path.npos) return {};
      step.keys = path.substr(1, close - 1);
      path.remove_prefix(close + 1);
    }
    if (!path.empty() && path[0] != '.') return {};
    if (!path.empty()) path.remove_prefix(1);
    steps.push_back(step);
  }
  return steps;
}

// The paths of a list of facts, which commas keep apart outside of brackets.
std::vector<absl::string_view> Facts(absl::string_view facts) {
  std::vector<absl::string_view> paths;
  size_t begin = 0;
  bool inside = false;
  for (size_t i = 0; i <= facts.size(); ++i) {
    if (i < facts.size() && (facts[i] == '[' || facts[i] == ']')) inside = facts[i] == '[';
    if (i < facts.size() && (facts[i] != ',' || inside)) continue;
    const absl::string_view path = absl::StripAsciiWhitespace(facts.substr(begin, i - begin));
    if (!path.empty()) paths.push_back(path);
    begin = i + 1;
  }
  return paths;
}

// "positive, item 9" has "positive" and "9".
bool HasKey(absl::string_view keys, absl::string_view key) {
  absl::ConsumePrefix(&key, "item ");
  for (absl::string_view each : absl::StrSplit(keys, ',')) {
    each = absl::StripAsciiWhitespace(each);
    absl::ConsumePrefix(&each, "item ");
    if (each == key) return true;
  }
  return false;
}

// Whether a source for `fact` supports the field at `path` too: itself or something that holds it.
bool Covers(const std::vector<Step>& fact, const std::vector<Step>& path) {
  if (fact.empty() || fact.size() > path.size()) return false;
  for (size_t i = 0; i < fact.size(); ++i) {
    if (fact[i].field != path[i].field) return false;
    if (!fact[i].keys.empty() && !HasKey(fact[i].keys, path[i].keys)) return false;
  }
  return true;
}

// How the entry at `index` of a list is called in brackets: by its number, item or id.
std::string KeyOf(const Message& entry, int index) {
  const Descriptor& type = *entry.GetDescriptor();
  const auto& reflection = *entry.GetReflection();
  for (const char* name : {"number", "item"}) {
    const FieldDescriptor* field = type.FindFieldByName(name);
    if (field != nullptr) return absl::StrCat(reflection.GetInt32(entry, field));
  }
  const FieldDescriptor* id = type.FindFieldByName("id");
  return id != nullptr ? reflection.GetString(entry, id) : absl::StrCat(index);
}

class Checker {
 public:
  explicit Checker(const v1::Instrument& instrument) : instrument_(instrument) {}

  // Null where there are problems.
  std::unique_ptr<const Program> Run(std::vector<Problem>& problems) {
    Name();
    Items();
    Ids();
    Figures();
    Critical();
    Rhythm();
    Terms();
    Sources();
    std::unique_ptr<const Program> program;
    if (compilable_) program = Program::Compile(instrument_, problems_);
    for (int i = 0; i < instrument_.figures_size(); ++i) {
      Bands(i, program == nullptr || program->figures()[i].whole);
    }
    Change();
    problems = std::move(problems_);
    return problems.empty() ? std::move(program) : nullptr;
  }

 private:
  template <class... Args>
  bool Expect(bool holds, std::string field, const Args&... message) {
    if (!holds) problems_.push_back({std::move(field), absl::StrCat(message...)});
    return holds;
  }
  // Of what the compiler relies on.
  template <class... Args>
  void Need(bool holds, std::string field, const Args&... message) {
    if (!Expect(holds, std::move(field), message...)) compilable_ = false;
  }
  template <class... Args>
  static std::string At(absl::string_view list, int index, const Args&... rest) {
    return absl::StrCat(list, "[", index, "]", rest...);
  }

  void Name() {
    ParsedName name;
    Expect(ParseName(instrument_.name(), name) && IsId(name.id) && name.revision > 0, "name",
           "must be instruments/{instrument}/revisions/{revision}");
    Expect(!instrument_.display_name().empty(), "display_name", "is missing");
  }

  void Items() {
    Need(instrument_.items_size() <= kMaxItems, "items", "are at most ", kMaxItems);
    bool named = false;
    for (int i = 0; i < instrument_.items_size(); ++i) {
      const v1::InstrumentItem& item = instrument_.items(i);
      Expect(item.number() == i + 1, At("items", i, ".number"), "must be ", i + 1);
      Expect(!item.label().empty(), At("items", i, ".label"), "is missing");
      int codes = item.max() - item.min() + 1;
      if (item.codes().empty()) {
        Need(0 <= item.min() && item.min() < item.max() && item.max() <= kMaxCode, At("items", i),
             "needs 0 ≤ min < max ≤ ", kMaxCode);
      } else {
        codes = item.codes_size();
        Expect(item.min() == 0 && item.max() == 0, At("items", i),
               "has codes, min and max are left out");
        Need(codes >= 2 &&
                 std::adjacent_find(item.codes().begin(), item.codes().end(),
                                    std::greater_equal<int>()) == item.codes().end() &&
                 item.codes(0) >= 0 && item.codes(codes - 1) <= kMaxCode,
             At("items", i, ".codes"), "must be two or more, rise, and lie within 0 and ",
             kMaxCode);
      }
      Need(item.values().empty() || item.values_size() == codes, At("items", i, ".values"),
           "must be one for each of the ", codes, " codes");
      Need(absl::c_all_of(item.values(), [](int v) { return v >= 0 && v <= kMaxCode; }),
           At("items", i, ".values"), "must lie within 0 and ", kMaxCode);
      Expect(instrument_.answers() != v1::ANSWER_MEANING_ITEM_SCORE ||
                 (!item.reversed() && item.values().empty()),
             At("items", i), "answers are item scores: nothing is turned or converted");
      Expect(item.id().empty() || (IsName(item.id()) && item.id() != "age"), At("items", i, ".id"),
             "must be in snake_case, and no word of formulas nor age");
      Expect(!named || !item.id().empty(), At("items", i),
             "follows one with an id; items with an id come last");
      named = !item.id().empty();
      Expect(item.loinc().empty() || IsLoinc(item.loinc()), At("items", i, ".loinc"), item.loinc(),
             " is not a LOINC code");
    }
  }

  // Entries of `list` have ids of their own, which are not in `taken`.
  template <class List>
  void IdsOf(absl::string_view name, const List& list, std::set<std::string>& taken) {
    for (int i = 0; i < list.size(); ++i) {
      const std::string& id = list[i].id();
      if (Expect(IsName(id), At(name, i, ".id"),
                 "must be in snake_case, and no word of formulas")) {
        Expect(taken.insert(id).second, At(name, i, ".id"), "'", id, "' is taken");
      }
    }
  }
  template <class List>
  void Labels(absl::string_view name, const List& list) {
    for (int i = 0; i < list.size(); ++i) {
      Expect(!list[i].label().empty(), At(name, i, ".label"), "is missing");
    }
  }

  void Ids() {
    std::set<std::string> taken;
    IdsOf("figures", instrument_.figures(), taken);
    IdsOf("flags", instrument_.flags(), taken);
    IdsOf("context", instrument_.context(), taken);
    std::set<std::string> others;
    IdsOf("levels", instrument_.levels(), others);
    others.clear();
    IdsOf("tables", instrument_.tables(), others);
    others = {"age"};
    for (const v1::ContextField& field : instrument_.context()) {
      Expect(field.id() != "age", "context", "'age' is known to every instrument");
      others.insert(field.id());
    }
    for (int i = 0; i < instrument_.items_size(); ++i) {
      const std::string& id = instrument_.items(i).id();
      Expect(id.empty() || others.insert(id).second, At("items", i, ".id"), "'", id, "' is taken");
    }
    Labels("figures", instrument_.figures());
    Labels("flags", instrument_.flags());
    Labels("levels", instrument_.levels());
    Labels("context", instrument_.context());
    for (int i = 0; i < instrument_.context_size(); ++i) {
      const auto& codes = instrument_.context(i).codes();
      const std::set<std::string> different(codes.begin(), codes.end());
      Need(codes.size() != 1 && different.size() == static_cast<size_t>(codes.size()) &&
               codes.size() <= 100 && absl::c_all_of(codes, IsName),
           At("context", i, ".codes"), "must be two or more different ones in snake_case, or none");
    }
    for (int i = 0; i < instrument_.tables_size(); ++i) {
      Need(!instrument_.tables(i).values().empty(), At("tables", i, ".values"), "are missing");
    }
  }

  int FigureOf(absl::string_view id) const {
    for (int i = 0; i < instrument_.figures_size(); ++i) {
      if (instrument_.figures(i).id() == id) return i;
    }
    return -1;
  }

  void Figures() {
    Need(instrument_.figures_size() <= kMaxFigures, "figures", "are at most ", kMaxFigures);
    Need(instrument_.flags_size() <= kMaxFlags, "flags", "are at most ", kMaxFlags);
    Need(instrument_.context_size() <= kMaxContext, "context", "has at most ", kMaxContext);
    Need(instrument_.levels_size() <= kMaxLevels, "levels", "are at most ", kMaxLevels);
    Need(instrument_.concern_rules_size() <= kMaxConcernRules, "concern_rules", "are at most ",
         kMaxConcernRules);
    Expect(instrument_.total().empty() || FigureOf(instrument_.total()) >= 0, "total",
           "there is no figure '", instrument_.total(), "'");
    const bool rhythm = instrument_.has_social_rhythm();
    const bool items = !instrument_.items().empty();
    Expect(items || rhythm || !instrument_.total().empty(), "total",
           "is missing; without items only the total is recorded");
    Expect(items || instrument_.skips().empty(), "skips", "there are no items");
    for (int i = 0; i < instrument_.figures_size(); ++i) {
      const v1::Figure& figure = instrument_.figures(i);
      Expect(items == !figure.formula().empty(), At("figures", i, ".formula"),
             items ? "is missing" : "there are no items");
      Expect(figure.min() < figure.max(), At("figures", i), "needs min < max");
      Expect(figure.max_missing() >= 0, At("figures", i, ".max_missing"), "must not be negative");
      Need(figure.band_decimals() >= 0 && figure.band_decimals() <= 6,
           At("figures", i, ".band_decimals"), "must be 0 to 6");
    }
  }

  // `whole`: the figure is known to be whole numbers, or nothing is known of it.
  void Bands(int i, bool whole) {
    const v1::Figure& figure = instrument_.figures(i);
    const double step = std::pow(10, -figure.band_decimals());
    const std::string at = At("figures", i);
    bool always = false;  // a default set without condition
    std::set<std::string> here;
    for (int k = 0; k < figure.band_sets_size(); ++k) {
      const v1::BandSet& set = figure.band_sets(k);
      const std::string at_set = absl::StrCat(at, ".", At("band_sets", k));
      if (set.id().empty()) {
        Expect(!always, at_set, "is never used: a set before it holds always");
        always |= set.when().empty();
        Expect(instrument_.levels().empty() || figure.id() != instrument_.total(), at_set,
               "severity is told by levels or by bands of the total, not both");
      } else {
        Expect(IsName(set.id()), at_set + ".id", "must be in snake_case");
        Expect(here.count(set.id()) > 0 || alternative_sets_.insert(set.id()).second,
               at_set + ".id", "'", set.id(), "' is taken");
        here.insert(set.id());
      }
      if (!Expect(!set.bands().empty(), at_set + ".bands", "are missing")) continue;
      std::set<std::string> ids;
      for (int j = 0; j < set.bands_size(); ++j) {
        const v1::SeverityBand& band = set.bands(j);
        const std::string at_band = absl::StrCat(at_set, ".", At("bands", j));
        Expect(IsName(band.id()) && ids.insert(band.id()).second, at_band + ".id",
               "must be in snake_case and there once");
        Expect(!band.label().empty(), at_band + ".label", "is missing");
        Expect(band.min() <= band.max(), at_band, "needs min ≤ max");
        if (j == 0) {
          Expect(std::abs(band.min() - figure.min()) <= kSlack, at_band + ".min", "must be ",
                 figure.min(), ", the figure's min");
        } else {
          const double gap = band.min() - set.bands(j - 1).max();
          Expect(std::abs(gap - step) <= kSlack || (whole && std::abs(gap - 1) <= kSlack),
                 at_band + ".min", "must follow ", set.bands(j - 1).max(), " by ", step,
                 ": no gap and no overlap in the figure's decimals");
        }
      }
      Expect(std::abs(set.bands().rbegin()->max() - figure.max()) <= kSlack,
             absl::StrCat(at_set, ".", At("bands", set.bands_size() - 1), ".max"), "must be ",
             figure.max(), ", the figure's max");
    }
  }

  bool IsCode(const v1::InstrumentItem& item, int code) const {
    return item.codes().empty() ? code >= item.min() && code <= item.max()
                                : absl::c_linear_search(item.codes(), code);
  }

  void Critical() {
    std::set<std::pair<int, int>> seen;
    for (int i = 0; i < instrument_.critical_items_size(); ++i) {
      const v1::CriticalItem& critical = instrument_.critical_items(i);
      if (!Expect(critical.item() >= 1 && critical.item() <= instrument_.items_size(),
                  At("critical_items", i, ".item"), "there is no item ", critical.item())) {
        continue;
      }
      Expect(seen.insert({critical.item(), critical.concern()}).second,
             At("critical_items", i, ".item"), "is there twice");
      const v1::InstrumentItem& item = instrument_.items(critical.item() - 1);
      const int least = item.codes().empty() ? item.min() : item.codes(0);
      Expect(IsCode(item, critical.at_least()) && critical.at_least() > least,
             At("critical_items", i, ".at_least"), "must be a code of the item above ", least);
      Expect(critical.immediate_at() == 0 || (IsCode(item, critical.immediate_at()) &&
                                              critical.immediate_at() >= critical.at_least()),
             At("critical_items", i, ".immediate_at"),
             "must be 0 or a code of the item from at_least on");
      Expect(v1::Concern_IsValid(critical.concern()), At("critical_items", i, ".concern"),
             "is unknown");
    }
    for (int i = 0; i < instrument_.concern_rules_size(); ++i) {
      const v1::Concern concern = instrument_.concern_rules(i).concern();
      Expect(v1::Concern_IsValid(concern) && concern != v1::CONCERN_UNSPECIFIED,
             At("concern_rules", i, ".concern"), "is missing");
    }
  }

  void Rhythm() {
    if (!instrument_.has_social_rhythm()) return;
    const v1::SocialRhythmRule& rule = instrument_.social_rhythm();
    Expect(instrument_.items().empty() && instrument_.figures().empty(), "social_rhythm",
           "has neither items nor figures beside it");
    Expect(!rule.activities().empty() && rule.activities_size() <= 20, "social_rhythm.activities",
           "must be 1 to 20");
    Expect(rule.diary_days() >= 1 && rule.diary_days() <= 7, "social_rhythm.diary_days",
           "must be 1 to 7");
    Expect(rule.min_days() >= 1 && rule.min_days() <= rule.diary_days(), "social_rhythm.min_days",
           "must be 1 to diary_days");
    Expect(rule.outlier_sd() > 0, "social_rhythm.outlier_sd", "must be above 0");
    Expect(rule.hit_minutes() >= 0 && rule.hit_minutes() < 720, "social_rhythm.hit_minutes",
           "must be 0 to 719");
    Expect(v1::HitScope_IsValid(rule.hit_scope()), "social_rhythm.hit_scope", "is unknown");
    Expect(rule.max_score() == rule.diary_days(), "social_rhythm.max_score",
           "must be diary_days: every day a hit");
    Expect(rule.stable_from() > 0 && rule.stable_from() <= rule.max_score(),
           "social_rhythm.stable_from", "must be above 0 and at most max_score");
  }

  void Change() {
    const v1::Direction direction = instrument_.direction();
    Expect(v1::Direction_IsValid(direction) && direction != v1::DIRECTION_UNSPECIFIED, "direction",
           "is missing");
    if (!instrument_.has_change()) return;
    const v1::ChangeFacts& change = instrument_.change();
    const int index = FigureOf(instrument_.total());
    if (!Expect(index >= 0, "change", "there is no total that could change")) return;
    if (!Expect(direction != v1::DIRECTION_NONE, "change", "neither direction is better")) return;
    const double min = instrument_.figures(index).min();
    const double max = instrument_.figures(index).max();
    const bool lower = direction == v1::DIRECTION_LOWER_BETTER;
    const auto within = [&](bool set, double value, const char* field) {
      Expect(!set || (value >= min && value <= max), absl::StrCat("change.", field),
             "is outside of ", min, " to ", max);
    };
    within(change.has_case_cutoff(), change.case_cutoff(), "case_cutoff");
    within(change.has_remission_cutoff(), change.remission_cutoff(), "remission_cutoff");
    if (change.has_case_cutoff() && change.has_remission_cutoff()) {
      Expect(lower ? change.remission_cutoff() < change.case_cutoff()
                   : change.remission_cutoff() > change.case_cutoff(),
             "change.remission_cutoff", "must be better than case_cutoff");
    }
    Expect(change.response_percent() >= 0 && change.response_percent() <= 100,
           "change.response_percent", "must be 0 to 100");
    Expect(!change.has_reliable_change() ||
               (change.reliable_change() > 0 && change.reliable_change() <= max - min),
           "change.reliable_change", "must be above 0 and at most ", max - min);
    Expect(change.sd() >= 0, "change.sd", "must not be negative");
    for (int i = 0; i < change.reliability_size(); ++i) {
      const v1::Reliability& reliability = change.reliability(i);
      Expect(reliability.coefficient() > 0 && reliability.coefficient() < 1,
             absl::StrCat("change.", At("reliability", i, ".coefficient")),
             "must be between 0 and 1");
      Expect(v1::ReliabilityKind_IsValid(reliability.kind()) &&
                 reliability.kind() != v1::RELIABILITY_KIND_UNSPECIFIED,
             absl::StrCat("change.", At("reliability", i, ".kind")), "is missing");
    }
    for (const auto& [set, norm, field] :
         {std::make_tuple(change.has_clinical_norm(), &change.clinical_norm(), "clinical_norm"),
          std::make_tuple(change.has_general_norm(), &change.general_norm(), "general_norm")}) {
      within(set, norm->mean(), field);
      Expect(!set || norm->sd() > 0, absl::StrCat("change.", field, ".sd"), "must be above 0");
    }
    Expect(change.minimal_important_change() >= 0 && change.minimal_important_change() <= max - min,
           "change.minimal_important_change", "must be 0 to ", max - min);
    Expect(!change.true_zero() || min == 0, "change.true_zero", "the total begins at ", min);
    Expect(change.full_syndrome_flag().empty() ||
               absl::c_any_of(
                   instrument_.flags(),
                   [&](const v1::Flag& flag) { return flag.id() == change.full_syndrome_flag(); }),
           "change.full_syndrome_flag", "there is no flag '", change.full_syndrome_flag(), "'");
  }

  void Terms() {
    Expect(v1::Measured_IsValid(instrument_.measures()), "measures", "is unknown");
    Expect(v1::AnswerMeaning_IsValid(instrument_.answers()), "answers", "is unknown");
    Expect(v1::Respondent_IsValid(instrument_.respondent()), "respondent", "is unknown");
    Expect(instrument_.recall_days() >= 0, "recall_days", "must not be negative");
    Expect(instrument_.min_age() >= 0, "min_age", "must not be negative");
    Expect(instrument_.max_age() == 0 || instrument_.min_age() <= instrument_.max_age(), "max_age",
           "must be at least min_age");
    Expect(v1::Licence_IsValid(instrument_.licence()) &&
               instrument_.licence() != v1::LICENCE_UNSPECIFIED,
           "licence", "is missing");
    for (const auto& [code, field] :
         {std::make_pair(&instrument_.loinc().panel(), "loinc.panel"),
          std::make_pair(&instrument_.loinc().total(), "loinc.total")}) {
      Expect(code->empty() || IsLoinc(*code), field, *code, " is not a LOINC code");
    }
  }

  // Whether what `path` says of the instrument is there; else why not.
  std::string Missing(const std::vector<Step>& path) const {
    if (path.empty()) return "is no list of fields";
    std::vector<const Message*> holders = {&instrument_};
    const Descriptor* type = v1::Instrument::descriptor();
    for (const Step& step : path) {
      const FieldDescriptor* field =
          type == nullptr ? nullptr : type->FindFieldByName(std::string(step.field));
      if (field == nullptr) return absl::StrCat("there is no field '", step.field, "'");
      type = field->message_type();
      std::vector<const Message*> next;
      std::set<std::string> keys;
      for (const Message* holder : holders) {
        if (type == nullptr) continue;
        const auto& reflection = *holder->GetReflection();
        if (!field->is_repeated()) {
          next.push_back(&reflection.GetMessage(*holder, field));
          continue;
        }
        for (int i = 0; i < reflection.FieldSize(*holder, field); ++i) {
          const Message& entry = reflection.GetRepeatedMessage(*holder, field, i);
          const std::string key = KeyOf(entry, i);
          keys.insert(key);
          if (step.keys.empty() || HasKey(step.keys, key)) next.push_back(&entry);
        }
      }
      if (!step.keys.empty()) {
        for (absl::string_view key : absl::StrSplit(step.keys, ',')) {
          key = absl::StripAsciiWhitespace(key);
          absl::ConsumePrefix(&key, "item ");
          if (keys.count(std::string(key)) == 0) {
            return absl::StrCat("there is no ", step.field, "[", key, "]");
          }
        }
      }
      holders = std::move(next);
    }
    return "";
  }

  void Sources() {
    for (int i = 0; i < instrument_.sources_size(); ++i) {
      const v1::Source& source = instrument_.sources(i);
      Expect(!source.source().empty(), At("sources", i, ".source"), "is missing");
      Expect(v1::FactConfidence_IsValid(source.confidence()) &&
                 source.confidence() != v1::FACT_CONFIDENCE_UNSPECIFIED,
             At("sources", i, ".confidence"), "is missing");
      Expect(!source.facts().empty(), At("sources", i, ".facts"), "are missing");
      for (const absl::string_view fact : Facts(source.facts())) {
        sourced_.push_back(Steps(fact));
        const std::string missing = Missing(sourced_.back());
        Expect(missing.empty(), At("sources", i, ".facts"), "'", fact, "': ", missing);
      }
    }
    for (const char* list : {"items", "context", "skips", "figures", "flags", "levels",
                             "critical_items", "concern_rules", "tables"}) {
      const auto& reflection = *instrument_.GetReflection();
      const FieldDescriptor* field = v1::Instrument::descriptor()->FindFieldByName(list);
      for (int i = 0; i < reflection.FieldSize(instrument_, field); ++i) {
        const std::string key = KeyOf(reflection.GetRepeatedMessage(instrument_, field, i), i);
        if (!Sourced(At(list, i), absl::StrCat(list, "[", key, "]"))) break;
      }
    }
    for (int i = 0; i < instrument_.figures_size(); ++i) {
      if (instrument_.figures(i).max_missing() == 0) continue;
      Sourced(At("figures", i, ".max_missing"),
              absl::StrCat("figures[", instrument_.figures(i).id(), "].max_missing"));
    }
    for (int i = 0; i < instrument_.items_size(); ++i) {
      if (instrument_.items(i).loinc().empty()) continue;
      if (!Sourced(At("items", i, ".loinc"), absl::StrCat("items[", i + 1, "].loinc"))) break;
    }
    std::vector<const FieldDescriptor*> set;
    instrument_.GetReflection()->ListFields(instrument_, &set);
    for (const FieldDescriptor* field : set) {
      for (const char* name : {"direction", "measures", "answers", "respondent", "recall_days",
                               "min_age", "max_age", "licence", "loinc", "social_rhythm"}) {
        if (field->name() == name) Sourced(name, name);
      }
    }
    set.clear();
    instrument_.change().GetReflection()->ListFields(instrument_.change(), &set);
    for (const FieldDescriptor* field : set) {
      const std::string path = absl::StrCat("change.", field->name());
      Sourced(path, path);
    }
  }

  // Whether some source supports `path`; else a problem of `field` is told.
  bool Sourced(std::string field, const std::string& path) {
    const std::vector<Step> steps = Steps(path);
    return Expect(absl::c_any_of(sourced_, [&](const auto& fact) { return Covers(fact, steps); }),
                  std::move(field), "no entry of sources names ", path);
  }

  const v1::Instrument& instrument_;
  bool compilable_ = true;
  std::set<std::string> alternative_sets_;  // ids, of any figure
  std::vector<std::vector<Step>> sourced_;
  std::vector<Problem> problems_;
};

class CollectErrors : public google::protobuf::io::ErrorCollector {
 public:
  explicit CollectErrors(std::vector<LocatedProblem>& problems) : problems_(problems) {}
  void AddError(int line, int column, const std::string& message) override {
    problems_.push_back({line + 1, {"", absl::StrCat("at column ", column + 1, ": ", message)}});
  }

 private:
  std::vector<LocatedProblem>& problems_;
};

// Line of `path` ("figures[0].formula") in what `tree` was written for, or of what holds it; 0:
// none.
int LineOf(absl::string_view path, const TextFormat::ParseInfoTree& root) {
  int line = 0;
  const TextFormat::ParseInfoTree* tree = &root;
  const Descriptor* type = v1::Instrument::descriptor();
  for (const Step& step : Steps(path)) {
    const FieldDescriptor* field =
        type == nullptr ? nullptr : type->FindFieldByName(std::string(step.field));
    if (field == nullptr || tree == nullptr) break;
    int index = field->is_repeated() ? 0 : -1;
    if (!step.keys.empty()) (void)absl::SimpleAtoi(step.keys, &index);
    const TextFormat::ParseLocation location = tree->GetLocation(field, index);
    if (location.line < 0) break;
    line = location.line + 1;
    type = field->message_type();
    tree = type == nullptr ? nullptr : tree->GetTreeForNested(field, index);
  }
  return line;
}

}  // namespace

std::vector<Problem> Problems(const v1::Instrument& instrument) {
  std::vector<Problem> problems;
  Checker(instrument).Run(problems);
  return problems;
}

std::vector<LocatedProblem> ReadInstrument(absl::string_view text, v1::Instrument& instrument) {
  std::vector<LocatedProblem> located;
  CollectErrors errors(located);
  TextFormat::ParseInfoTree tree;
  TextFormat::Parser parser;
  parser.RecordErrorsTo(&errors);
  parser.WriteLocationsTo(&tree);
  if (!parser.ParseFromString(std::string(text), &instrument)) return located;
  for (Problem& problem : Problems(instrument)) {
    const int line = LineOf(problem.field, tree);
    located.push_back({line, std::move(problem)});
  }
  return located;
}

absl::StatusOr<std::unique_ptr<const InstrumentRules>> InstrumentRules::Make(
    v1::Instrument instrument) {
  std::vector<Problem> problems;
  std::unique_ptr<const Program> program = Checker(instrument).Run(problems);
  if (!problems.empty()) {
    std::vector<errors::FieldViolation> violations;
    for (Problem& problem : problems) {
      violations.push_back(
          {absl::StrCat("instrument.", problem.field), std::move(problem.message)});
    }
    return errors::InvalidArgument(std::move(violations));
  }
  return std::unique_ptr<const InstrumentRules>(
      new InstrumentRules(std::move(instrument), std::move(program)));
}

InstrumentRules::InstrumentRules(v1::Instrument instrument, std::unique_ptr<const Program> program)
    : instrument_(std::move(instrument)), program_(std::move(program)) {
  ParsedName name;
  ParseName(instrument_.name(), name);
  id_ = std::string(name.id);
  revision_ = name.revision;
  for (const v1::InstrumentItem& item : instrument_.items()) {
    if (item.codes().empty()) {
      codes_.push_back({item.min(), item.max(), false});
    } else {
      const auto [least, greatest] = std::minmax_element(item.codes().begin(), item.codes().end());
      codes_.push_back({*least, *greatest, true});
    }
  }
  required_items_ = items();
  while (required_items_ > 0 &&
         (!item(required_items_).id().empty() || item(required_items_).optional())) {
    --required_items_;
  }
  for (int i = 0; i < instrument_.figures_size(); ++i) {
    if (instrument_.figures(i).id() == instrument_.total()) total_figure_ = i;
  }
  for (int i = 0; i < instrument_.flags_size(); ++i) {
    if (instrument_.flags(i).id() == instrument_.change().full_syndrome_flag()) {
      full_syndrome_flag_ = i;
    }
  }
  const auto about_suicide = [](const auto& entry) {
    return entry.concern() == v1::CONCERN_SELF_HARM || entry.concern() == v1::CONCERN_UNSPECIFIED;
  };
  asks_about_suicide_ = absl::c_any_of(instrument_.critical_items(), about_suicide) ||
                        absl::c_any_of(instrument_.concern_rules(), about_suicide);
  severities_ = Program::Severities(instrument_);
  const auto add = [this](std::string field) {
    std::string source = FindSource(field);
    sources_.emplace(std::move(field), std::move(source));
  };
  for (const v1::Figure& figure : instrument_.figures()) {
    add(absl::StrCat("figures[", figure.id(), "]"));
    add(absl::StrCat("figures[", figure.id(), "].max_missing"));
  }
  for (const v1::Flag& flag : instrument_.flags()) add(absl::StrCat("flags[", flag.id(), "]"));
  for (const v1::Level& level : instrument_.levels()) {
    add(absl::StrCat("levels[", level.id(), "]"));
  }
}

InstrumentRules::~InstrumentRules() = default;

bool InstrumentRules::IsListed(int number, int code) const {
  return absl::c_linear_search(item(number).codes(), code);
}

double InstrumentRules::min_total() const {
  return total_figure_ < 0 ? std::numeric_limits<double>::quiet_NaN()
                           : instrument_.figures(total_figure_).min();
}

double InstrumentRules::max_total() const {
  return total_figure_ < 0 ? std::numeric_limits<double>::quiet_NaN()
                           : instrument_.figures(total_figure_).max();
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
  return instrument_.change().has_case_cutoff() &&
         Gain(instrument_.change().case_cutoff(), total) <= 0;
}

bool InstrumentRules::AtRemission(double total) const {
  return instrument_.change().has_remission_cutoff() &&
         Gain(instrument_.change().remission_cutoff(), total) >= 0;
}

std::string InstrumentRules::SourceOf(absl::string_view field) const {
  const auto found = sources_.find(field);
  return found == sources_.end() ? FindSource(field) : found->second;
}

std::string InstrumentRules::FindSource(absl::string_view field) const {
  const std::vector<Step> path = Steps(field);
  const v1::Source* best = nullptr;
  size_t most = 0;
  for (const v1::Source& source : instrument_.sources()) {
    for (const absl::string_view fact : Facts(source.facts())) {
      const std::vector<Step> steps = Steps(fact);
      if (!Covers(steps, path)) continue;
      size_t particular = steps.size() * 10;
      for (const Step& step : steps) particular += step.keys.empty() ? 0 : 1;
      if (particular > most) {
        most = particular;
        best = &source;
      }
    }
  }
  if (best == nullptr) return "";
  const char* sure = "verified";
  if (best->confidence() == v1::FACT_CONFIDENCE_FROM_MEMORY) sure = "from memory, unconfirmed";
  if (best->confidence() == v1::FACT_CONFIDENCE_DISPUTED) sure = "disputed";
  if (best->confidence() == v1::FACT_CONFIDENCE_OWN) sure = "the suite's own";
  return absl::StrCat(best->source(), " (", sure, ")");
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
    const std::string newest = absl::StrCat("instruments/", rules->id());
    if (catalogue.by_name_.try_emplace(newest, rules.get()).second) {
      catalogue.newest_.push_back(rules.get());
    }
    if (!catalogue.by_name_.try_emplace(rules->instrument().name(), rules.get()).second) {
      return errors::InvalidArgument("instrument.name",
                                     absl::StrCat(rules->instrument().name(), " is there twice"));
    }
  }
  return catalogue;
}

const InstrumentRules* Catalogue::Find(absl::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

const InstrumentRules* Catalogue::FindById(absl::string_view id) const {
  return Find(absl::StrCat("instruments/", id));
}

}  // namespace rapport::assessment
