#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/declare.h"
#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/concurrency/mutex.h"
#include "common/errors/status_macros.h"
#include "rapport/assessment/v1/scoring_service.pb.h"
#include "services/assessment/data/shipped.h"
#include "services/assessment/domain/forms.h"
#include "tools/rapportctl/commands.h"
#include "tools/rapportctl/facts.h"
#include "tools/rapportctl/progress_bar.h"
#include "tools/rapportctl/score_lines.h"

ABSL_DECLARE_FLAG(std::string, assessment_target);
ABSL_FLAG(bool, local, false, "Score in this process, with the instruments that ship.");
ABSL_FLAG(std::string, target, "", "Where the assessment service is; as --assessment_target.");

namespace rapport::ctl {
namespace {

namespace av1 = assessment::v1;

constexpr size_t kChunk = size_t{1} << 16;
constexpr size_t kMostForms = 500;  // in one message
constexpr absl::string_view kUnknownInstrument = "UNKNOWN_INSTRUMENT";

// Lines of standard input, as they come: what is there is taken, nothing waits for more.
class Input {
 public:
  // The next lines; none at the end.
  absl::StatusOr<std::vector<std::string>> Next(size_t most) {
    std::vector<std::string> lines;
    while (lines.empty()) {
      Take(most, lines);
      if (!lines.empty() || ended_) break;
      char chunk[kChunk];
      const ssize_t size = read(STDIN_FILENO, chunk, sizeof chunk);
      if (size < 0 && errno == EINTR) continue;
      if (size < 0) {
        return absl::UnavailableError(
            absl::StrCat("standard input can't be read: ", std::strerror(errno)));
      }
      if (size == 0) {
        ended_ = true;
        if (at_ < buffer_.size()) lines.push_back(buffer_.substr(at_));
        at_ = buffer_.size();
        break;
      }
      buffer_.erase(0, at_);
      at_ = 0;
      buffer_.append(chunk, static_cast<size_t>(size));
    }
    return lines;
  }

 private:
  void Take(size_t most, std::vector<std::string>& lines) {
    for (size_t end; lines.size() < most && (end = buffer_.find('\n', at_)) != std::string::npos;
         at_ = end + 1) {
      lines.push_back(buffer_.substr(at_, end - at_));
    }
  }

  std::string buffer_;
  size_t at_ = 0;
  bool ended_ = false;
};

// The size of standard input where that is a file; 0: not known.
int64_t InputSize() {
  struct stat input;
  return fstat(STDIN_FILENO, &input) == 0 && S_ISREG(input.st_mode) ? input.st_size : 0;
}

void Write(const std::string& instrument, const av1::ScoredForm& scored) {
  const std::string line = absl::StrCat(WriteScoreLine(instrument, scored), "\n");
  std::fwrite(line.data(), 1, line.size(), stdout);
}

bool IsBlank(const std::string& line) {
  return line.find_first_not_of(" \t\r") == std::string::npos;
}

absl::Status NotJson(int64_t number, const absl::Status& status) {
  return absl::DataLossError(absl::StrCat("line ", number, " ", status.message()));
}

av1::ScoredForm ScoreHere(const assessment::Catalogue& catalogue, const ScoreLine& line) {
  const std::string& id = line.form.instrument();
  const assessment::InstrumentRules* rules = catalogue.FindById(id);
  if (rules == nullptr) rules = catalogue.Find(id);
  if (rules == nullptr || line.refusal.reason().empty()) {
    return assessment::ScoreForm(rules, line.form);
  }
  av1::ScoredForm refused;
  *refused.mutable_refusal() = line.refusal;
  return refused;
}

absl::Status ScoreLocally() {
  const assessment::Catalogue& catalogue = assessment::ShippedInstruments();
  Input input;
  ProgressBar bar("forms", InputSize(), /*writes_results=*/true);
  int64_t number = 0;
  while (true) {
    ASSIGN_OR_RETURN(const std::vector<std::string> lines, input.Next(kMostForms));
    if (lines.empty()) return absl::OkStatus();
    for (const std::string& text : lines) {
      ++number;
      if (IsBlank(text)) continue;
      const absl::StatusOr<ScoreLine> line = ReadScoreLine(text);
      if (!line.ok()) {
        std::fflush(stdout);
        return NotJson(number, line.status());
      }
      Write(line->form.instrument(), ScoreHere(catalogue, *line));
      bar.Add(1, static_cast<int64_t>(text.size()) + 1);
    }
    std::fflush(stdout);
  }
}

// Of a line that is refused the instrument alone is sent: that it is unknown is told first, as
// when scored here.
bool IsSent(const ScoreLine& line) { return line.refusal.reason() != kUnknownInstrument; }

// What one message of the stream holds, so that answers find their lines.
struct Sent {
  std::vector<ScoreLine> lines;
  std::vector<size_t> sizes;  // of the lines, in bytes
};

absl::Status ScoreRemotely() {
  if (const std::string target = absl::GetFlag(FLAGS_target); !target.empty()) {
    absl::SetFlag(&FLAGS_assessment_target, target);
  }
  ASSIGN_OR_RETURN(auto caller, CallerFromFlags());
  Identity who = IdentityFromFlags();
  if (who.roles.empty()) who.roles = {"integration"};

  Input input;
  ProgressBar bar("forms", InputSize(), /*writes_results=*/true);
  int64_t number = 0;
  absl::Status not_json;
  Mutex mutex;
  std::deque<Sent> under_way;  // guarded by mutex
  const absl::Status ended = caller->Exchange<av1::StreamScoresRequest, av1::StreamScoresResponse>(
      who, "rapport.assessment.v1.ScoringService/StreamScores",
      [&](av1::StreamScoresRequest& request) -> absl::StatusOr<bool> {
        Sent sent;
        while (sent.lines.empty()) {
          if (!not_json.ok()) return false;
          ASSIGN_OR_RETURN(const std::vector<std::string> lines, input.Next(kMostForms));
          if (lines.empty()) return false;
          for (const std::string& text : lines) {
            ++number;
            if (IsBlank(text)) continue;
            absl::StatusOr<ScoreLine> line = ReadScoreLine(text);
            if (!line.ok()) {
              not_json = NotJson(number, line.status());
              break;
            }
            if (line->refusal.reason().empty()) {
              *request.add_forms() = line->form;
            } else if (IsSent(*line)) {
              request.add_forms()->set_instrument(line->form.instrument());
            }
            sent.sizes.push_back(text.size());
            sent.lines.push_back(*std::move(line));
          }
        }
        MutexLock lock(mutex);
        under_way.push_back(std::move(sent));
        return true;
      },
      [&](const av1::StreamScoresResponse& response) -> absl::Status {
        Sent sent;
        {
          MutexLock lock(mutex);
          sent = std::move(under_way.front());
          under_way.pop_front();
        }
        int next = 0;
        for (size_t i = 0; i < sent.lines.size(); ++i) {
          const ScoreLine& line = sent.lines[i];
          av1::ScoredForm scored;
          if (IsSent(line)) {
            if (next == response.forms_size()) {
              return absl::InternalError("the service answered with fewer forms than it was sent");
            }
            scored = response.forms(next++);
          }
          if (!line.refusal.reason().empty() && scored.refusal().reason() != kUnknownInstrument) {
            scored.Clear();
            *scored.mutable_refusal() = line.refusal;
          }
          Write(line.form.instrument(), scored);
          bar.Add(1, static_cast<int64_t>(sent.sizes[i]) + 1);
        }
        std::fflush(stdout);
        return absl::OkStatus();
      });
  RETURN_IF_ERROR(ended);
  return not_json;
}

}  // namespace

absl::Status InstrumentsUnconfirmed(const Words&) {
  std::fputs(UnconfirmedFacts(assessment::ShippedInstruments()).c_str(), stdout);
  return absl::OkStatus();
}

absl::Status ScoreForms(const Words&) {
  return absl::GetFlag(FLAGS_local) ? ScoreLocally() : ScoreRemotely();
}

}  // namespace rapport::ctl
