// How fast forms of the PHQ-9 are scored by the compiled program of its file, against a
// hand-written loop that fills the same result, in one process on one core: medians of interleaved
// rounds.
//
//   scoring_bench [--forms N] [--rounds N] [--json FILE]
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "services/assessment/data/shipped.h"
#include "services/assessment/domain/scoring.h"

namespace rapport::bench {
namespace {

using namespace assessment;  // NOLINT

constexpr int kItems = 9;

// Of the processor: other programs on the machine matter less.
double Nanoseconds(const std::function<void()>& work) {
  const auto now = [] {
    timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
  };
  const double start = now();
  work();
  return now() - start;
}

// Keeps the compiler from leaving work out.
volatile uint64_t sink;

uint64_t Digest(const Result& result) {
  const double total = std::isnan(result.total) ? -1 : result.total;
  return static_cast<uint64_t>(total + 1) * 1000 +
         static_cast<uint64_t>(result.severity + 1) * 100 + result.complete * 64 +
         result.prorated * 32 + result.flags[0] * 9 + result.flags[1] * 3 + result.flags[2];
}

// What the file says, written out; not inlined, as the program can't be.
__attribute__((noinline)) Result ScoreByHand(const Sheet& sheet) {
  Result result;
  int sum = 0;
  int missing = 0;
  int symptoms = 0;
  int cardinal = 0;
  for (int item = 1; item <= kItems; ++item) {
    const int code = sheet.code(item);
    if (code < 0) {
      ++missing;
      continue;
    }
    sum += code;
    const bool present = code >= (item == kItems ? 1 : 2);
    symptoms += present;
    cardinal += present && item <= 2;
  }
  result.complete = missing == 0;
  result.figure_prorated[0] = false;
  if (missing == 0) {
    result.total = sum;
    result.severity = sum < 5 ? 0 : sum < 10 ? 1 : sum < 15 ? 2 : sum < 20 ? 3 : 4;
    const bool major = symptoms >= 5 && cardinal >= 1;
    result.flags[0] = sum >= 10 ? Result::kTrue : Result::kFalse;
    result.flags[1] = major ? Result::kTrue : Result::kFalse;
    result.flags[2] = !major && symptoms >= 2 && cardinal >= 1 ? Result::kTrue : Result::kFalse;
  } else {
    if (missing <= 2) {
      const int answered = kItems - missing;
      result.total = (2 * sum * kItems + answered) / (2 * answered);
      result.prorated = result.figure_prorated[0] = true;
    } else {
      result.total = std::numeric_limits<double>::quiet_NaN();
    }
    for (int i = 0; i < 3; ++i) result.flags[i] = Result::kUnknown;
  }
  result.figures[0] = result.total;
  return result;
}

std::vector<std::vector<int32_t>> MakeForms(int n, int incomplete_percent) {
  std::mt19937 random(7);
  std::vector<std::vector<int32_t>> forms(n);
  for (auto& codes : forms) {
    for (int i = 0; i < kItems; ++i) codes.push_back(static_cast<int32_t>(random() % 4));
    if (static_cast<int>(random() % 100) >= incomplete_percent) continue;
    for (int i = 1 + static_cast<int>(random() % 3); i > 0; --i) codes[random() % kItems] = -1;
  }
  return forms;
}

struct Row {
  std::string name;
  std::function<void()> work;
  std::vector<double> times;  // ns a form

  double Median() const {
    std::vector<double> sorted = times;
    std::sort(sorted.begin(), sorted.end());
    return sorted[sorted.size() / 2];
  }
};

int Run(int forms, int rounds, const std::string& json_path) {
  const InstrumentRules& phq9 = *ShippedInstruments().FindById("phq-9");
  const Context no_context;
  std::vector<Row> rows;
  std::vector<std::vector<std::vector<int32_t>>> codes = {MakeForms(forms, 0), MakeForms(forms, 5)};
  std::vector<std::vector<Sheet>> sheets(2);
  for (int kind = 0; kind < 2; ++kind) {
    for (const auto& form : codes[kind]) {
      sheets[kind].push_back(std::get<Sheet>(Sheet::ReadInOrder(phq9, form, no_context)));
      if (Digest(ScoreByHand(sheets[kind].back())) != Digest(Evaluate(phq9, sheets[kind].back()))) {
        std::fprintf(stderr, "the loop and the program differ\n");
        return 1;
      }
    }
    const std::string which = kind == 0 ? "complete" : "5 % incomplete";
    const auto each = [&, kind](const auto& score) {
      return [&, kind, score] {
        uint64_t digest = 0;
        for (const Sheet& sheet : sheets[kind]) digest += Digest(score(sheet));
        sink = digest;
      };
    };
    rows.push_back({"by hand, " + which, each(ScoreByHand), {}});
    rows.push_back(
        {"program, " + which, each([&](const Sheet& sheet) { return Evaluate(phq9, sheet); }), {}});
  }
  rows.push_back({"read in order and program, complete",
                  [&] {
                    uint64_t digest = 0;
                    for (const auto& form : codes[0]) {
                      const auto read = Sheet::ReadInOrder(phq9, form, no_context);
                      digest += Digest(Evaluate(phq9, *std::get_if<Sheet>(&read)));
                    }
                    sink = digest;
                  },
                  {}});
  for (const bool explain : {false, true}) {
    rows.push_back({explain ? "the same as a message, explained" : "the same as a message",
                    [&, explain] {
                      uint64_t digest = 0;
                      for (const auto& form : codes[0]) {
                        const auto read = Sheet::ReadInOrder(phq9, form, no_context);
                        digest += static_cast<uint64_t>(
                            ScoreSheet(phq9, *std::get_if<Sheet>(&read), explain).total());
                      }
                      sink = digest;
                    },
                    {}});
  }

  for (int round = 0; round < rounds; ++round) {
    for (Row& row : rows) row.times.push_back(Nanoseconds(row.work) / forms);
  }
  std::printf("%-40s %10s %10s %14s\n", "", "ns a form", "least", "forms/s");
  std::string json = absl::StrCat("{\"forms\": ", forms, ", \"rows\": [");
  for (const Row& row : rows) {
    const double least = *std::min_element(row.times.begin(), row.times.end());
    std::printf("%-40s %10.1f %10.1f %14.0f\n", row.name.c_str(), row.Median(), least,
                1e9 / row.Median());
    absl::StrAppend(&json, &row == rows.data() ? "" : ", ", "{\"name\": \"", row.name,
                    "\", \"ns\": ", row.Median(), ", \"least_ns\": ", least, "}");
  }
  const double complete = rows[0].Median() / rows[1].Median();
  const double mixed = rows[2].Median() / rows[3].Median();
  std::printf("program's forms/s of the loop's: %.2f complete, %.2f mixed (at least 0.5)\n",
              complete, mixed);
  absl::StrAppend(&json, "], \"ratio_complete\": ", complete, ", \"ratio_mixed\": ", mixed, "}\n");
  if (!json_path.empty()) std::ofstream(json_path) << json;
  return 0;
}

}  // namespace
}  // namespace rapport::bench

int main(int argc, char** argv) {
  int forms = 100'000;
  int rounds = 21;
  std::string json;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::strcmp(argv[i], "--forms") == 0) forms = std::atoi(argv[i + 1]);
    if (std::strcmp(argv[i], "--rounds") == 0) rounds = std::atoi(argv[i + 1]);
    if (std::strcmp(argv[i], "--json") == 0) json = argv[i + 1];
  }
  if (forms < 1 || rounds < 1) return 2;
  return rapport::bench::Run(forms, rounds, json);
}
