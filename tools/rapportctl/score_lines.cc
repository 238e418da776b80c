#include "tools/rapportctl/score_lines.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <map>
#include <utility>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"

namespace rapport::ctl {
namespace {

namespace av1 = assessment::v1;
using Json = nlohmann::ordered_json;

constexpr int kUnanswered = -1;

// What a message of the service may hold.
constexpr size_t kMostInstrument = 240;
constexpr size_t kMostAnswers = 200;
constexpr size_t kMostContext = 20;
constexpr size_t kMostContextId = 63;
constexpr size_t kMostContextCode = 63;

av1::FormRefusal Refusal(absl::string_view reason, std::string field,
                         absl::string_view description) {
  av1::FormRefusal refusal;
  refusal.set_reason(std::string(reason));
  refusal.set_field(std::move(field));
  refusal.set_description(std::string(description));
  return refusal;
}

// A whole number that an answer may be; sets `refusal` where it is none.
int ReadWhole(const Json& value, const std::string& field, av1::FormRefusal& refusal) {
  if (value.is_boolean()) return value.get<bool>() ? 1 : 0;
  if (!value.is_number()) {
    refusal = Refusal("ANSWER_NOT_A_NUMBER", field, "must be a number, or null for no answer");
    return kUnanswered;
  }
  const double number = value.get<double>();
  if (number != std::floor(number)) {
    refusal = Refusal("ANSWER_NOT_WHOLE", field, "must be a whole number");
    return kUnanswered;
  }
  if (number < 0 || number > std::numeric_limits<int32_t>::max()) {
    refusal = Refusal("ANSWER_OUT_OF_RANGE", field, "must be one of the item's codes");
    return kUnanswered;
  }
  return static_cast<int>(number);
}

// Minutes after midnight.
int ReadTime(const Json& value, const std::string& field, av1::FormRefusal& refusal) {
  if (value.is_null()) return kUnanswered;
  if (value.is_string()) {
    const std::string text = value.get<std::string>();
    int hours = 0, minutes = 0, read = 0;
    const bool digits = text.find_first_not_of("0123456789:") == std::string::npos;
    if (digits && std::sscanf(text.c_str(), "%2d:%2d%n", &hours, &minutes, &read) == 2 &&
        static_cast<size_t>(read) == text.size() && hours < 24 && minutes < 60) {
      return hours * 60 + minutes;
    }
  }
  refusal = Refusal("ANSWER_OUT_OF_RANGE", field, "must be a time of day, as 07:05");
  return kUnanswered;
}

void ReadAnswers(const Json& answers, ScoreLine& line) {
  size_t width = 0;  // times of a diary's day
  const Json* kind = nullptr;
  for (size_t i = 0; i < answers.size(); ++i) {
    const Json& answer = answers[i];
    if (answer.is_null()) continue;
    if (kind == nullptr) kind = &answer;
    if (answer.is_array() != kind->is_array()) {
      line.refusal = Refusal("ANSWER_NOT_A_NUMBER", absl::StrCat("answers[", i, "]"),
                             "must be of one kind: numbers, or a diary's days");
      return;
    }
    if (answer.is_array()) width = std::max(width, answer.size());
  }
  if (answers.size() > kMostAnswers || answers.size() * width > kMostAnswers) {
    line.refusal = Refusal("WRONG_ANSWER_COUNT", "answers", "must be as many as the items");
    return;
  }
  for (size_t i = 0; i < answers.size() && line.refusal.reason().empty(); ++i) {
    const Json& answer = answers[i];
    const std::string field = absl::StrCat("answers[", i, "]");
    if (width > 0) {
      for (size_t j = 0; j < width && line.refusal.reason().empty(); ++j) {
        const bool there = answer.is_array() && j < answer.size();
        line.form.add_codes(
            there ? ReadTime(answer[j], absl::StrCat(field, "[", j, "]"), line.refusal)
                  : kUnanswered);
      }
    } else if (answer.is_null()) {
      line.form.add_codes(kUnanswered);
    } else {
      line.form.add_codes(ReadWhole(answer, field, line.refusal));
    }
  }
}

void ReadContext(const Json& context, ScoreLine& line) {
  if (!context.is_object() || context.size() > kMostContext) {
    line.refusal = Refusal("INVALID_CONTEXT", "context",
                           absl::StrCat("must be an object of at most ", kMostContext, " values"));
    return;
  }
  for (const auto& [id, value] : context.items()) {
    if (id.empty() || id.size() > kMostContextId) {
      line.refusal =
          Refusal("INVALID_CONTEXT", absl::StrCat("context.", id),
                  absl::StrCat("must have a name of at most ", kMostContextId, " bytes"));
      return;
    }
    if (value.is_null()) continue;
    av1::ContextValue& given = *line.form.add_context();
    given.set_id(id);
    if (value.is_boolean()) {
      given.set_yes(value.get<bool>());
    } else if (value.is_number()) {
      given.set_number(value.get<double>());
    } else {
      // No code is empty or so long, or a list: what is no value is sent as none of the codes.
      std::string code = value.is_string() ? value.get<std::string>() : "";
      if (code.size() > kMostContextCode) code.clear();
      given.set_code(std::move(code));
    }
  }
}

// Whole numbers are written without a fraction.
Json Number(double value) {
  if (value == std::floor(value) && std::abs(value) < 1e15) return static_cast<int64_t>(value);
  return value;
}

template <class Numbers>
Json List(const Numbers& numbers) {
  Json list = Json::array();
  for (const auto& number : numbers) list.push_back(number);
  return list;
}

}  // namespace

absl::StatusOr<ScoreLine> ReadScoreLine(absl::string_view json) {
  const Json read =
      Json::parse(json.begin(), json.end(), /*cb=*/nullptr, /*allow_exceptions=*/false);
  if (read.is_discarded() || !read.is_object()) {
    return absl::InvalidArgumentError("is no JSON object");
  }
  const auto instrument = read.find("instrument");
  if (instrument == read.end() || !instrument->is_string()) {
    return absl::InvalidArgumentError("has no \"instrument\"");
  }
  ScoreLine line;
  line.form.set_instrument(instrument->get<std::string>());
  if (line.form.instrument().size() > kMostInstrument) {
    line.refusal = Refusal("UNKNOWN_INSTRUMENT", "instrument", "must be an instrument's id");
    return line;
  }
  if (const auto answers = read.find("answers"); answers != read.end() && !answers->is_null()) {
    if (!answers->is_array()) {
      line.refusal = Refusal("WRONG_ANSWER_COUNT", "answers", "must be a list, in item order");
      return line;
    }
    ReadAnswers(*answers, line);
  }
  if (const auto total = read.find("total"); total != read.end() && !total->is_null()) {
    if (!total->is_number()) {
      line.refusal = Refusal("TOTAL_OUT_OF_RANGE", "total", "must be a number");
    } else {
      line.form.set_total_only(total->get<double>());
    }
  }
  if (const auto context = read.find("context");
      context != read.end() && !context->is_null() && line.refusal.reason().empty()) {
    ReadContext(*context, line);
  }
  return line;
}

std::string WriteScoreLine(absl::string_view instrument, const av1::ScoredForm& scored) {
  Json line;
  line["instrument"] = std::string(instrument);
  if (scored.has_refusal()) {
    line["error"] = {{"reason", scored.refusal().reason()}, {"field", scored.refusal().field()}};
    return line.dump();
  }
  const av1::Score& score = scored.score();
  line["complete"] = score.complete();
  line["missing"] = List(score.missing_items());
  line["total"] = score.has_total() ? Number(score.total()) : Json();
  line["severity"] = score.severity().empty() ? Json() : Json(score.severity());
  Json subscales = Json::object();
  for (const av1::FigureScore& figure : score.figures()) {
    subscales[figure.id()] = figure.has_value() ? Number(figure.value()) : Json();
  }
  line["subscales"] = std::move(subscales);
  Json flags = Json::object();
  for (const av1::FlagScore& flag : score.flags()) {
    flags[flag.id()] = flag.has_holds() ? Json(flag.holds()) : Json();
  }
  if (score.prorated()) flags["prorated"] = true;
  if (!score.unexpected_items().empty()) {
    flags["unexpected_items"] = List(score.unexpected_items());
  }
  if (!score.unknown_context().empty()) flags["unknown_context"] = List(score.unknown_context());
  if (score.age_outside_range()) flags["age_outside_range"] = true;
  for (const auto& [bands, severity] : std::map<std::string, std::string>(
           score.other_severities().begin(), score.other_severities().end())) {
    flags[absl::StrCat("severity_", bands)] = severity;
  }
  line["flags"] = std::move(flags);
  line["critical"] = List(score.critical_items());
  return line.dump();
}

}  // namespace rapport::ctl
