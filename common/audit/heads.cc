#include "common/audit/heads.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "common/auth/integrity.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"

namespace rapport::audit {
namespace {

namespace fs = std::filesystem;

constexpr size_t kHashDigits = 64;
constexpr size_t kSignatureSize = 64;
constexpr size_t kHashesALine = 128;

std::string FileName(int64_t number) { return absl::StrFormat("%08d.log", number); }

bool IsHex(absl::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

// Passes over what is not a whole line of ours.
void ReadLine(absl::string_view line, Head head, Anchored& anchored) {
  const std::vector<absl::string_view> words = absl::StrSplit(line, ' ');
  int64_t number = 0;
  if (words.size() < 3 || !absl::SimpleAtoi(words[1], &number) || number < 0) return;
  if (words[0] == "leaves" && words.size() == 3 && words[2].size() % kHashDigits == 0 &&
      IsHex(words[2])) {
    for (size_t at = 0; at < words[2].size(); at += kHashDigits) {
      anchored.leaf_hashes.try_emplace(number++,
                                       absl::HexStringToBytes(words[2].substr(at, kHashDigits)));
    }
    return;
  }
  int64_t micros = 0;
  if (words[0] != "head" || words.size() != 6 || words[2].size() != kHashDigits ||
      !IsHex(words[2]) || !absl::SimpleAtoi(words[3], &micros)) {
    return;
  }
  std::optional<std::string> signature = auth::Base64UrlDecode(words[5]);
  if (!signature || signature->size() != kSignatureSize) return;
  head.tree_size = number;
  head.root_hash = absl::HexStringToBytes(words[2]);
  head.sign_time = absl::FromUnixMicros(micros);
  head.key_id = std::string(words[4]);
  head.signature = *std::move(signature);
  anchored.heads.push_back(std::move(head));
}

std::string LeafLines(int64_t first, const std::vector<std::string>& hashes, size_t begin,
                      size_t end) {
  std::string lines;
  while (begin < end) {
    const size_t stop = std::min(end, begin + kHashesALine);
    absl::StrAppend(&lines, "leaves ", first + static_cast<int64_t>(begin), " ");
    for (; begin < stop; ++begin) absl::StrAppend(&lines, absl::BytesToHexString(hashes[begin]));
    lines += '\n';
  }
  return lines;
}

std::string HeadLine(const Head& head) {
  return absl::StrCat("head ", head.tree_size, " ", absl::BytesToHexString(head.root_hash), " ",
                      absl::ToUnixMicros(head.sign_time), " ", head.key_id, " ",
                      auth::Base64UrlEncode(head.signature), "\n");
}

absl::Status Failed(absl::string_view what, const std::string& path) {
  return errors::Unavailable(
      "ANCHOR_UNAVAILABLE",
      absl::StrCat("The audit anchor '", path, "' can't be ", what, ": ", std::strerror(errno)),
      "anchor");
}

absl::Status SyncFolder(const std::string& path) {
  const int folder = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return Failed("opened", path);
  const bool synced = fsync(folder) == 0;
  close(folder);
  return synced ? absl::OkStatus() : Failed("synced", path);
}

// Appends and syncs. What a crash cut off at the end is first closed so that nobody reads it, even
// if only its newline is missing: it was passed over before.
absl::Status AppendSynced(const std::string& path, const std::string& text) {
  const int file = open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
  if (file < 0) return Failed("opened", path);
  const auto write_all = [&]() -> absl::Status {
    struct stat about;
    if (fstat(file, &about) != 0) return Failed("read", path);
    std::string bytes = text;
    char last = '\n';
    if (about.st_size > 0 && pread(file, &last, 1, about.st_size - 1) != 1) {
      return Failed("read", path);
    }
    if (last != '\n') bytes.insert(0, "~\n");
    for (absl::string_view left = bytes; !left.empty();) {
      const ssize_t count = write(file, left.data(), left.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return Failed("written", path);
      left.remove_prefix(static_cast<size_t>(count));
    }
    if (fsync(file) != 0) return Failed("synced", path);
    return about.st_size == 0 ? SyncFolder(fs::path(path).parent_path()) : absl::OkStatus();
  };
  absl::Status status = write_all();
  close(file);
  return status;
}

}  // namespace

std::string SignedText(const Head& head) {
  return absl::StrCat("rapport-audit-head-v1\n", head.organization_id, "\n", head.service, "\n",
                      head.tree_size, "\n", absl::BytesToHexString(head.root_hash), "\n",
                      absl::ToUnixMicros(head.sign_time), "\n", head.key_id, "\n");
}

absl::StatusOr<HeadSigner> HeadSigner::Make(absl::string_view service,
                                            std::shared_ptr<const auth::TokenSigner> key,
                                            std::shared_ptr<const auth::KeySet> trusted) {
  if (key->algorithm() != auth::Algorithm::kEdDsa) {
    return absl::InvalidArgumentError("the key that signs audit heads must be an Ed25519 key");
  }
  HeadSigner signer(service, std::move(key), std::move(trusted));
  if (!IsTrusted(signer.Sign("", 0, "", absl::UnixEpoch()), *signer.trusted_)) {
    return absl::InvalidArgumentError(
        absl::StrCat("the key that signs audit heads, ", signer.key_->key_id(),
                     ", is not in the set of public keys for this service"));
  }
  return signer;
}

Head HeadSigner::Sign(absl::string_view organization_id, int64_t tree_size, std::string root_hash,
                      absl::Time now) const {
  Head head{.organization_id = std::string(organization_id),
            .service = service_,
            .tree_size = tree_size,
            .root_hash = std::move(root_hash),
            .sign_time = absl::FromUnixMicros(absl::ToUnixMicros(now)),
            .key_id = key_->key_id(),
            .signature = ""};
  head.signature = key_->SignRaw(SignedText(head));
  return head;
}

bool IsTrusted(const Head& head, const auth::KeySet& trusted) {
  const auth::VerificationKey* key = trusted.Find(head.key_id);
  return key != nullptr && key->algorithm == auth::Algorithm::kEdDsa &&
         (key->service.empty() || key->service == head.service) &&
         key->Verify(SignedText(head), head.signature);
}

absl::StatusOr<std::unique_ptr<AnchorLog>> AnchorLog::Open(absl::string_view directory,
                                                           absl::string_view service) {
  const std::string path(directory);
  std::error_code error;
  fs::create_directories(path, error);
  if (error || access(path.c_str(), R_OK | W_OK | X_OK) != 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the audit anchor '", path,
        "' can't be written: ", error ? error.message() : std::string(std::strerror(errno))));
  }
  return std::unique_ptr<AnchorLog>(new AnchorLog(directory, service));
}

std::string AnchorLog::Folder(absl::string_view organization_id) const {
  return absl::StrCat(directory_, "/", service_, "-", organization_id);
}

absl::Status AnchorLog::ReadFile(const std::string& path, absl::string_view organization_id,
                                 Anchored& anchored) const {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  if (!file || !(text << file.rdbuf())) return Failed("read", path);
  const std::string bytes = text.str();
  const Head head{.organization_id = std::string(organization_id),
                  .service = service_,
                  .root_hash = "",
                  .sign_time = absl::UnixEpoch(),
                  .key_id = "",
                  .signature = ""};
  for (absl::string_view left = bytes;;) {
    const size_t end = left.find('\n');
    if (end == absl::string_view::npos) break;
    ReadLine(left.substr(0, end), head, anchored);
    left.remove_prefix(end + 1);
  }
  std::stable_sort(anchored.heads.begin(), anchored.heads.end(),
                   [](const Head& a, const Head& b) { return a.tree_size < b.tree_size; });
  return absl::OkStatus();
}

absl::StatusOr<AnchorLog::State> AnchorLog::Look(absl::string_view organization_id) {
  const std::string folder = Folder(organization_id);
  std::error_code error;
  std::vector<std::string> names;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (absl::EndsWith(name, ".log")) names.push_back(name);
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    errno = error.value();
    return Failed("read", folder);
  }
  std::sort(names.begin(), names.end());
  State state;
  // The last head may stand in the file before the last.
  for (size_t i = names.size() > 2 ? names.size() - 2 : 0; i < names.size(); ++i) {
    Anchored anchored;
    RETURN_IF_ERROR(ReadFile(absl::StrCat(folder, "/", names[i]), organization_id, anchored));
    if (!anchored.leaf_hashes.empty()) {
      state.leaves = std::max(state.leaves, anchored.leaf_hashes.rbegin()->first + 1);
    }
    if (!anchored.heads.empty()) state.last = anchored.heads.back();
  }
  return state;
}

absl::Status AnchorLog::Append(absl::string_view organization_id, int64_t first,
                               const std::vector<std::string>& leaf_hashes, const Head& head) {
  MutexLock lock(mutex_);
  const std::string folder = Folder(organization_id);
  if (mkdir(folder.c_str(), 0750) == 0) {
    RETURN_IF_ERROR(SyncFolder(directory_));
  } else if (errno != EEXIST) {
    return Failed("made", folder);
  }
  const int64_t end = first + static_cast<int64_t>(leaf_hashes.size());
  const int64_t last_file = (head.tree_size - 1) / kLeavesAFile;
  for (int64_t number = std::min(first / kLeavesAFile, last_file); number <= last_file; ++number) {
    const int64_t from = std::clamp(number * kLeavesAFile, first, end);
    const int64_t to = std::clamp((number + 1) * kLeavesAFile, first, end);
    std::string text = LeafLines(first, leaf_hashes, static_cast<size_t>(from - first),
                                 static_cast<size_t>(to - first));
    if (number == last_file) text += HeadLine(head);
    if (!text.empty()) {
      RETURN_IF_ERROR(AppendSynced(absl::StrCat(folder, "/", FileName(number)), text));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Anchored> AnchorLog::Read(absl::string_view organization_id, int64_t begin,
                                         int64_t end) {
  Anchored anchored;
  const std::string folder = Folder(organization_id);
  for (int64_t number = begin / kLeavesAFile; number * kLeavesAFile < end; ++number) {
    const std::string path = absl::StrCat(folder, "/", FileName(number));
    std::error_code error;
    if (!fs::exists(path, error)) break;
    RETURN_IF_ERROR(ReadFile(path, organization_id, anchored));
  }
  std::map<int64_t, std::string>& leaves = anchored.leaf_hashes;
  leaves.erase(leaves.begin(), leaves.lower_bound(begin));
  leaves.erase(leaves.lower_bound(end), leaves.end());
  std::erase_if(anchored.heads,
                [&](const Head& head) { return head.tree_size <= begin || head.tree_size > end; });
  return anchored;
}

}  // namespace rapport::audit
