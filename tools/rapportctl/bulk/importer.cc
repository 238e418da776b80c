#include "tools/rapportctl/bulk/importer.h"

#include <algorithm>
#include <deque>
#include <fstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/concurrency/mutex.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "nlohmann/json.hpp"

namespace rapport::ctl {
namespace {

namespace sv1 = scheduling::v1;

constexpr char kMethod[] = "rapport.scheduling.v1.DirectoryService/ImportDirectory";
constexpr absl::Duration kLongestPause = absl::Seconds(2);

class Import {
 public:
  Import(Caller& caller, const Identity& who, const NextRow& next, const RowAnswered& answered,
         const ImportOptions& options)
      : caller_(caller), who_(who), next_(next), answered_(answered), options_(options) {}

  absl::StatusOr<ImportTally> Run() {
    absl::Time give_up = absl::Now() + options_.patience;
    absl::Duration pause = options_.first_pause;
    while (true) {
      const int64_t before = tally_.rows();
      const absl::Status status = Stream();
      TellFaults();
      if (IsOver()) return tally_;
      const bool moved = tally_.rows() > before;
      if (!status.ok() && !IsWorthAnother(status, moved)) return status;
      if (moved) {
        give_up = absl::Now() + options_.patience;
        pause = options_.first_pause;
      } else if (absl::Now() + pause > give_up) {
        return status.ok() ? absl::UnavailableError("the service ends each stream unanswered")
                           : status;
      }
      absl::SleepFor(pause);
      pause = std::min(pause * 2, kLongestPause);
    }
  }

 private:
  bool IsWorthAnother(const absl::Status& status, bool moved) const {
    if (options_.validate_only) return false;
    switch (status.code()) {
      case absl::StatusCode::kUnavailable:
      case absl::StatusCode::kDeadlineExceeded:  // the token's end is the stream's
      case absl::StatusCode::kResourceExhausted:
      case absl::StatusCode::kCancelled:  // it crossed the GOAWAY of a server that drains
        return true;
      case absl::StatusCode::kUnauthenticated:  // the token ended meanwhile; a new one is got
        return moved;
      default:
        return false;
    }
  }

  bool IsOver() {
    MutexLock lock(mutex_);
    return ended_ && waiting_.empty();
  }

  absl::Status Stream() {
    {
      MutexLock lock(mutex_);
      sent_ = 0;
    }
    return caller_.Exchange<sv1::ImportDirectoryRequest, sv1::ImportDirectoryResponse>(
        who_, kMethod, [this](sv1::ImportDirectoryRequest& request) { return NextToSend(request); },
        [this](const sv1::ImportDirectoryResponse& response) { return Receive(response); });
  }

  absl::StatusOr<bool> NextToSend(sv1::ImportDirectoryRequest& request) {
    while (true) {
      {
        MutexLock lock(mutex_);
        while (sent_ < waiting_.size()) {
          const DirectoryRow& row = waiting_[sent_++];
          if (!row.fault.ok()) continue;
          request = row.row;
          request.set_validate_only(options_.validate_only);
          return true;
        }
        if (ended_) return false;
      }
      ASSIGN_OR_RETURN(std::optional<DirectoryRow> row, next_());
      MutexLock lock(mutex_);
      if (row) {
        waiting_.push_back(*std::move(row));
      } else {
        ended_ = true;
      }
    }
  }

  absl::Status Receive(const sv1::ImportDirectoryResponse& response) {
    TellFaults();
    std::optional<DirectoryRow> row = Take([](const DirectoryRow&) { return true; });
    if (!row || row->row.row() != response.row()) {
      return absl::InternalError(
          absl::StrCat("the service answered row ", response.row(), " out of turn"));
    }
    Tell(*row, response);
    return absl::OkStatus();
  }

  // Rows at the front that can not be sent have had their turn.
  void TellFaults() {
    while (auto row = Take([](const DirectoryRow& first) { return !first.fault.ok(); })) {
      sv1::ImportDirectoryResponse refused;
      refused.set_row(row->line);
      refused.set_outcome(sv1::IMPORT_OUTCOME_FAILED);
      refused.set_reason("BAD_LINE");
      refused.set_message(std::string(row->fault.message()));
      Tell(*row, refused);
    }
  }

  // The row at the front, if it is one that `fits`.
  template <class Fits>
  std::optional<DirectoryRow> Take(Fits fits) {
    MutexLock lock(mutex_);
    if (waiting_.empty() || !fits(waiting_.front())) return std::nullopt;
    std::optional<DirectoryRow> row = std::move(waiting_.front());
    waiting_.pop_front();
    if (sent_ > 0) --sent_;
    return row;
  }

  void Tell(const DirectoryRow& row, const sv1::ImportDirectoryResponse& answer) {
    tally_.Count(answer.outcome());
    if (answered_ != nullptr) answered_(row, answer);
  }

  Caller& caller_;
  const Identity& who_;
  const NextRow& next_;
  const RowAnswered& answered_;
  const ImportOptions& options_;
  ImportTally tally_;

  Mutex mutex_;
  std::deque<DirectoryRow> waiting_;  // for their answers, in order
  size_t sent_ = 0;                   // of these, in this stream
  bool ended_ = false;                // no row comes after them
};

}  // namespace

void ImportTally::Count(sv1::ImportOutcome outcome) {
  switch (outcome) {
    case sv1::IMPORT_OUTCOME_CREATED:
      ++created;
      break;
    case sv1::IMPORT_OUTCOME_UPDATED:
      ++updated;
      break;
    case sv1::IMPORT_OUTCOME_UNCHANGED:
      ++unchanged;
      break;
    default:
      ++failed;
  }
}

absl::StatusOr<ImportTally> ImportRows(Caller& caller, const Identity& who, const NextRow& next,
                                       const RowAnswered& answered, const ImportOptions& options) {
  return Import(caller, who, next, answered, options).Run();
}

std::optional<ImportState> ReadImportState(const std::string& path) {
  std::ifstream file(path);
  const auto json = nlohmann::json::parse(file, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return std::nullopt;
  const auto number = [&json](const char* field) -> int64_t {
    const auto found = json.find(field);
    return found != json.end() && found->is_number_integer() ? found->get<int64_t>() : 0;
  };
  const auto text = [&json](const char* field) -> std::string {
    const auto found = json.find(field);
    return found != json.end() && found->is_string() ? found->get<std::string>() : "";
  };
  return ImportState{.organization_id = text("organization"),
                     .line = number("line"),
                     .bytes = number("bytes"),
                     .sha256 = text("sha256"),
                     .tally = {.created = number("created"),
                               .updated = number("updated"),
                               .unchanged = number("unchanged"),
                               .failed = number("failed")}};
}

absl::Status WriteImportState(const std::string& path, const ImportState& state) {
  const nlohmann::ordered_json json = {{"organization", state.organization_id},
                                       {"line", state.line},
                                       {"bytes", state.bytes},
                                       {"sha256", state.sha256},
                                       {"created", state.tally.created},
                                       {"updated", state.tally.updated},
                                       {"unchanged", state.tally.unchanged},
                                       {"failed", state.tally.failed}};
  return WriteFile(path, json.dump(2) + "\n");
}

}  // namespace rapport::ctl
