#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/declare.h"
#include "absl/flags/flag.h"
#include "absl/flags/reflection.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "common/errors/status_macros.h"
#include "google/protobuf/message.h"
#include "google/protobuf/util/json_util.h"
#include "tools/rapportctl/commands.h"
#include "tools/rapportctl/resource/help.h"
#include "tools/rapportctl/resource/output.h"
#include "tools/rapportctl/resource/request.h"
#include "tools/rapportctl/resource/tree.h"

ABSL_DECLARE_FLAG(int, limit);
ABSL_DECLARE_FLAG(std::string, organization);
ABSL_FLAG(std::string, output, "table", "How answers are written: table, json or yaml.");
ABSL_FLAG(std::vector<std::string>, fields, {}, "Fields that are shown, as name,state.");
ABSL_FLAG(std::string, file, "",
          "JSON that the request begins with: a file, or - for standard input.");
ABSL_FLAG(std::string, at, "",
          "Service that is asked, for RPCs that all three serve: scheduling, assessment or notes.");
ABSL_FLAG(bool, all, false, "Of a list: all its pages; otherwise --limit of its items.");
ABSL_FLAG(absl::Duration, watch, absl::ZeroDuration(),
          "Ask again so often, as 2s, and write the answer whenever it has changed.");

namespace rapport::ctl {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr int kPage = 100;  // every list takes as many at once

absl::StatusOr<std::string> JsonFromFlags() {
  const std::string path = absl::GetFlag(FLAGS_file);
  if (path.empty()) return std::string();
  if (path == "-") return std::string(std::istreambuf_iterator<char>(std::cin), {});
  std::ifstream file(path);
  if (!file) return absl::InvalidArgumentError(absl::StrCat("--file: can not read '", path, "'"));
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// The service that answers `verb`: the package's, or that of --at.
absl::StatusOr<std::string> ServiceOf(const Verb& verb) {
  const std::vector<std::string> package = absl::StrSplit(verb.method->file()->package(), '.');
  const std::string at = absl::GetFlag(FLAGS_at);
  if (package[1] != "common") {
    if (at.empty() || at == package[1]) return package[1];
    return absl::InvalidArgumentError(
        absl::StrCat("--at: ", verb.MethodName(), " is of ", package[1]));
  }
  if (!at.empty()) return at;
  if (verb.method->service()->name() == "PrivacyService") return std::string("notes");
  return absl::InvalidArgumentError(
      "--at is needed, as all services answer this: scheduling, assessment or notes");
}

const FieldDescriptor* ListOf(const Message& response) {
  const auto& type = *response.GetDescriptor();
  if (type.FindFieldByName("next_page_token") == nullptr) return nullptr;
  for (int i = 0; i < type.field_count(); ++i) {
    if (type.field(i)->is_repeated() && type.field(i)->type() == FieldDescriptor::TYPE_MESSAGE) {
      return type.field(i);
    }
  }
  return nullptr;
}

std::string Text(const Message& message, const char* field) {
  const FieldDescriptor* descriptor = message.GetDescriptor()->FindFieldByName(field);
  return descriptor == nullptr ? "" : message.GetReflection()->GetString(message, descriptor);
}

// Asks for page after page until --limit items, or all, are there; `response` becomes their union.
absl::Status AskForAll(GrpcCaller& caller, const std::string& service, const Verb& verb,
                       Message& request, Message& response) {
  const FieldDescriptor* size = request.GetDescriptor()->FindFieldByName("page_size");
  if (size != nullptr && !absl::GetFlag(FLAGS_all) &&
      request.GetReflection()->GetInt32(request, size) == 0) {
    request.GetReflection()->SetInt32(&request, size,
                                      std::clamp(absl::GetFlag(FLAGS_limit), 1, kPage));
  }
  RETURN_IF_ERROR(
      caller.CallAt(service, IdentityFromFlags(), verb.MethodName(), request, response));
  const FieldDescriptor* list = ListOf(response);
  const FieldDescriptor* token = request.GetDescriptor()->FindFieldByName("page_token");
  if (list == nullptr || token == nullptr) return absl::OkStatus();
  while (!Text(response, "next_page_token").empty()) {
    const int count = response.GetReflection()->FieldSize(response, list);
    if (!absl::GetFlag(FLAGS_all) && count >= absl::GetFlag(FLAGS_limit)) break;
    request.GetReflection()->SetString(&request, token, Text(response, "next_page_token"));
    std::unique_ptr<Message> page = NewMessage(*response.GetDescriptor());
    RETURN_IF_ERROR(caller.CallAt(service, IdentityFromFlags(), verb.MethodName(), request, *page));
    // The items of both and the later page's token.
    response.MergeFrom(*page);
    if (Text(*page, "next_page_token").empty()) {
      response.GetReflection()->ClearField(
          &response, response.GetDescriptor()->FindFieldByName("next_page_token"));
    }
  }
  return absl::OkStatus();
}

absl::Status AskForMessages(GrpcCaller& caller, const std::string& service, const Verb& verb,
                            const Message& request) {
  bool sent = false;
  const bool reads = verb.method->client_streaming();
  return caller.ExchangeAt(
      service, IdentityFromFlags(), verb.MethodName(), request,
      [&](Message& next) -> absl::StatusOr<bool> {
        std::string line;
        if (!reads) {
          if (std::exchange(sent, true)) return false;
          next.CopyFrom(request);
          return true;
        }
        if (!std::getline(std::cin, line)) return false;
        const auto parsed = google::protobuf::util::JsonStringToMessage(line, &next);
        if (parsed.ok()) return true;
        return absl::InvalidArgumentError(
            absl::StrCat("a line is not JSON of ", next.GetDescriptor()->name()));
      },
      *NewMessage(*verb.method->output_type()),
      [](const Message& message) -> absl::Status {
        ASSIGN_OR_RETURN(const std::string line, JsonLine(message));
        std::fputs(line.c_str(), stdout);
        std::fflush(stdout);
        return absl::OkStatus();
      });
}

std::vector<OwnCommand> OwnCommands() {
  std::vector<OwnCommand> own;
  for (const Command& command : Commands()) {
    own.push_back(
        {std::string(command.name), std::string(command.words), std::string(command.help)});
  }
  return own;
}

// The flags of this program, without those of its libraries.
std::vector<FlagHelp> Flags() {
  std::vector<FlagHelp> flags;
  for (const auto& [name, flag] : absl::GetAllFlags()) {
    if (absl::StrContains(flag->Filename(), "rapportctl") ||
        absl::StrContains(flag->Filename(), "common/rpc") ||
        absl::StrContains(flag->Filename(), "common/sql")) {
      flags.push_back({std::string(name), flag->Help()});
    }
  }
  std::sort(flags.begin(), flags.end(),
            [](const FlagHelp& a, const FlagHelp& b) { return a.name < b.name; });
  return flags;
}

}  // namespace

absl::Status RunVerb(const Verb& verb, const Words& words) {
  ASSIGN_OR_RETURN(const Format format, ParseFormat(absl::GetFlag(FLAGS_output)));
  ASSIGN_OR_RETURN(const std::string service, ServiceOf(verb));
  ASSIGN_OR_RETURN(std::string json, JsonFromFlags());
  ASSIGN_OR_RETURN(std::unique_ptr<Message> request,
                   MakeRequest(*verb.method->input_type(),
                               {.words = words,
                                .json = std::move(json),
                                .organization_id = absl::GetFlag(FLAGS_organization)}));
  ASSIGN_OR_RETURN(auto caller, CallerFromFlags());
  if (verb.method->client_streaming() || verb.method->server_streaming()) {
    return AskForMessages(*caller, service, verb, *request);
  }
  const absl::Duration every = absl::GetFlag(FLAGS_watch);
  std::string last;
  while (true) {
    std::unique_ptr<Message> asked(request->New());
    asked->CopyFrom(*request);
    std::unique_ptr<Message> response = NewMessage(*verb.method->output_type());
    RETURN_IF_ERROR(AskForAll(*caller, service, verb, *asked, *response));
    ASSIGN_OR_RETURN(std::string text, Render(*response, format, absl::GetFlag(FLAGS_fields)));
    if (text != last) std::fputs(text.c_str(), stdout);
    if (format == Format::kTable && !Text(*response, "next_page_token").empty()) {
      std::fputs("... and more: --limit=N or --all\n", stderr);
    }
    if (every <= absl::ZeroDuration()) return absl::OkStatus();
    std::fflush(stdout);
    last = std::move(text);
    absl::SleepFor(every);
  }
}

absl::Status Help(const Words& words) {
  if (words.size() == 2) {
    if (const Verb* verb = FindVerb(words[0], words[1])) {
      std::fputs(HelpOfVerb(*verb).c_str(), stdout);
      return absl::OkStatus();
    }
  }
  if (words.size() == 1 && IsNoun(words[0])) {
    std::fputs(HelpOfNoun(words[0]).c_str(), stdout);
    return absl::OkStatus();
  }
  if (words.empty()) {
    std::fputs(absl::StrCat(Usage(), "\nEvery RPC, as NOUN VERB [NAME] [path=value …]:\n", Nouns(),
                            "\n`rapportctl help NOUN [VERB]` tells more.\n")
                   .c_str(),
               stdout);
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError("usage: rapportctl help [NOUN [VERB]]");
}

absl::Status PrintCompletion(const Words& words) {
  ASSIGN_OR_RETURN(const std::string script,
                   Completion(words.size() == 1 ? words[0] : "", OwnCommands(), Flags()));
  std::fputs(script.c_str(), stdout);
  return absl::OkStatus();
}

absl::Status PrintManual(const Words& words) {
  if (!words.empty()) return absl::InvalidArgumentError("usage: rapportctl manual");
  std::fputs(Manual(OwnCommands(), Flags()).c_str(), stdout);
  return absl::OkStatus();
}

}  // namespace rapport::ctl
