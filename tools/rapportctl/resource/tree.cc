#include "tools/rapportctl/resource/tree.h"

#include <algorithm>
#include <cstdlib>
#include <tuple>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "google/protobuf/descriptor.pb.h"
#include "google/protobuf/io/gzip_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "rapport/common/v1/options.pb.h"

extern "C" {
extern const char rapport_descriptor_set[];
extern const char rapport_descriptor_set_end[];
}

namespace rapport::ctl {
namespace {

using google::protobuf::MethodDescriptor;
using Words = std::vector<std::string>;

const google::protobuf::FileDescriptorSet& Files() {
  static const auto* const files = [] {
    google::protobuf::io::ArrayInputStream bytes(
        rapport_descriptor_set,
        static_cast<int>(rapport_descriptor_set_end - rapport_descriptor_set));
    google::protobuf::io::GzipInputStream uncompressed(&bytes);
    auto* read = new google::protobuf::FileDescriptorSet;
    if (!read->ParseFromZeroCopyStream(&uncompressed)) std::abort();
    return read;
  }();
  return *files;
}

const google::protobuf::DescriptorPool& Pool() {
  static const auto* const pool = [] {
    auto* made = new google::protobuf::DescriptorPool;
    for (const auto& file : Files().file()) {
      if (made->BuildFile(file) == nullptr) std::abort();
    }
    return made;
  }();
  return *pool;
}

// "GetNoteTemplate" as {"get", "note", "template"}.
Words WordsOf(absl::string_view camel) {
  Words words;
  for (const char c : camel) {
    if (absl::ascii_isupper(static_cast<unsigned char>(c)) || words.empty()) words.emplace_back();
    words.back() += absl::ascii_tolower(static_cast<unsigned char>(c));
  }
  return words;
}

std::string Singular(std::string word) {
  if (absl::EndsWith(word, "ies") && word != "series") return word.substr(0, word.size() - 3) + "y";
  if (absl::EndsWith(word, "sses")) return word.substr(0, word.size() - 2);
  if (absl::EndsWith(word, "s") && word != "series") word.pop_back();
  return word;
}

Verb VerbOf(const MethodDescriptor& method) {
  Words words = WordsOf(method.name());
  const std::string first = words.front();
  static const auto* const kStandard =
      new std::vector<std::string>{"get", "list", "create", "update", "delete"};
  if (words.size() > 1 && std::count(kStandard->begin(), kStandard->end(), first) > 0) {
    words.erase(words.begin());
    if (first == "list") words.back() = Singular(words.back());
    return {absl::StrJoin(words, "-"), first, &method};
  }
  const Words resource =
      WordsOf(absl::StripSuffix(absl::string_view(method.service()->name()), "Service"));
  const size_t more = words.size() > resource.size() ? words.size() - resource.size() : 0;
  Words last(words.end() - static_cast<long>(words.size() - more), words.end());
  if (!last.empty()) last.back() = Singular(last.back());
  if (more > 0 && last == resource) words.resize(more);
  return {absl::StrJoin(resource, "-"), absl::StrJoin(words, "-"), &method};
}

template <class Descriptor>
std::string Comment(const Descriptor& descriptor) {
  google::protobuf::SourceLocation location;
  if (!descriptor.GetSourceLocation(&location)) return "";
  Words lines = absl::StrSplit(location.leading_comments, '\n');
  for (std::string& line : lines) {
    if (absl::StartsWith(line, " ")) line.erase(0, 1);
  }
  return std::string(absl::StripAsciiWhitespace(absl::StrJoin(lines, "\n")));
}

}  // namespace

std::string Verb::MethodName() const {
  return absl::StrCat(method->service()->full_name(), "/", method->name());
}

const std::vector<Verb>& Verbs() {
  static const auto* const verbs = [] {
    auto* made = new std::vector<Verb>;
    for (const auto& file : Files().file()) {
      if (!absl::StartsWith(file.package(), "rapport.")) continue;
      const auto* built = Pool().FindFileByName(file.name());
      for (int s = 0; s < built->service_count(); ++s) {
        for (int m = 0; m < built->service(s)->method_count(); ++m) {
          made->push_back(VerbOf(*built->service(s)->method(m)));
        }
      }
    }
    std::sort(made->begin(), made->end(), [](const Verb& a, const Verb& b) {
      return std::tie(a.noun, a.verb) < std::tie(b.noun, b.verb);
    });
    return made;
  }();
  return *verbs;
}

const Verb* FindVerb(absl::string_view noun, absl::string_view verb) {
  for (const Verb& each : Verbs()) {
    if (each.noun == noun && each.verb == verb) return &each;
  }
  return nullptr;
}

bool IsNoun(absl::string_view word) {
  return std::any_of(Verbs().begin(), Verbs().end(),
                     [word](const Verb& each) { return each.noun == word; });
}

std::string CommentOf(const MethodDescriptor& method) { return Comment(method); }
std::string CommentOf(const google::protobuf::FieldDescriptor& field) { return Comment(field); }

std::string PolicyOf(const MethodDescriptor& method) {
  // The options were parsed by the carried pool, which does not know the extension's C++ type.
  google::protobuf::MethodOptions options;
  options.ParseFromString(method.options().SerializeAsString());
  const common::v1::MethodPolicy& policy = options.GetExtension(common::v1::policy);
  return policy.permission().empty() ? "" : absl::StrCat("permission ", policy.permission());
}

}  // namespace rapport::ctl
