#include "tools/rapportctl/contexts.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/reflection.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/errors/status_macros.h"
#include "nlohmann/json.hpp"
#include "tools/rapportctl/commands.h"

ABSL_FLAG(std::string, context, "", "Context whose flags are used; see `context list`.");

namespace rapport::ctl {
namespace {

using Json = nlohmann::ordered_json;

std::string ConfigPath() {
  if (const char* path = std::getenv("RAPPORT_CONFIG")) return path;
  if (const char* home = std::getenv("XDG_CONFIG_HOME")) {
    return absl::StrCat(home, "/rapport/config.json");
  }
  const char* home = std::getenv("HOME");
  return home == nullptr ? "" : absl::StrCat(home, "/.config/rapport/config.json");
}

absl::StatusOr<Json> ReadConfig() {
  std::ifstream file(ConfigPath());
  if (!file) return Json{{"context", ""}, {"contexts", Json::object()}};
  Json config = Json::parse(file, nullptr, /*allow_exceptions=*/false);
  if (!config.is_object() || !config.value("contexts", Json::object()).is_object()) {
    return absl::InvalidArgumentError(
        absl::StrCat(ConfigPath(), " is not JSON with \"contexts\", an object"));
  }
  if (!config.contains("contexts")) config["contexts"] = Json::object();
  return config;
}

absl::Status WriteConfig(const Json& config) {
  const std::filesystem::path path = ConfigPath();
  std::error_code error;
  std::filesystem::create_directories(path.parent_path(), error);
  const std::filesystem::path next = path.string() + ".next";
  {
    std::ofstream file(next);
    file << config.dump(2) << "\n";
    if (!file.flush()) return absl::InternalError(absl::StrCat("can not write ", next.string()));
  }
  std::filesystem::rename(next, path, error);
  if (error) return absl::InternalError(absl::StrCat("can not write ", path.string()));
  return absl::OkStatus();
}

absl::Status NoSuch(const std::string& name, const Json& contexts) {
  std::vector<std::string> known;
  for (const auto& [each, flags] : contexts.items()) known.push_back(each);
  return absl::InvalidArgumentError(absl::StrCat(
      "there is no context '", name, "' in ", ConfigPath(), "; ",
      known.empty() ? "there are none" : absl::StrCat("there are ", absl::StrJoin(known, ", "))));
}

absl::Status SetFlagTo(const std::string& name, const std::string& text) {
  absl::CommandLineFlag* flag = absl::FindCommandLineFlag(name);
  if (flag == nullptr) return absl::InvalidArgumentError(absl::StrCat("there is no flag --", name));
  std::string error;
  if (flag->ParseFrom(text, &error)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("--", name, ": ", error));
}

}  // namespace

absl::Status ApplyContext(const std::set<std::string>& given) {
  ASSIGN_OR_RETURN(const Json config, ReadConfig());
  std::string name = absl::GetFlag(FLAGS_context);
  if (name.empty()) name = config.value("context", "");
  if (name.empty()) return absl::OkStatus();
  const Json& contexts = config["contexts"];
  if (!contexts.contains(name)) return NoSuch(name, contexts);
  for (const auto& [flag, value] : contexts[name].items()) {
    if (given.contains(flag)) continue;
    RETURN_IF_ERROR(SetFlagTo(flag, value.is_string() ? value.get<std::string>() : value.dump()));
  }
  return absl::OkStatus();
}

absl::Status ContextList(const Words&) {
  ASSIGN_OR_RETURN(const Json config, ReadConfig());
  for (const auto& [name, flags] : config["contexts"].items()) {
    std::printf("%s %s\n", name == config.value("context", "") ? "*" : " ", name.c_str());
    for (const auto& [flag, value] : flags.items()) {
      std::printf("    --%s=%s\n", flag.c_str(),
                  (value.is_string() ? value.get<std::string>() : value.dump()).c_str());
    }
  }
  return absl::OkStatus();
}

absl::Status ContextUse(const Words& words) {
  if (words.size() != 1) return absl::InvalidArgumentError("usage: rapportctl context use NAME");
  ASSIGN_OR_RETURN(Json config, ReadConfig());
  if (!config["contexts"].contains(words[0])) return NoSuch(words[0], config["contexts"]);
  config["context"] = words[0];
  return WriteConfig(config);
}

absl::Status ContextSet(const Words& words) {
  constexpr char kUsage[] = "usage: rapportctl context set NAME FLAG=VALUE …";
  if (words.size() < 2) return absl::InvalidArgumentError(kUsage);
  ASSIGN_OR_RETURN(Json config, ReadConfig());
  Json& context = config["contexts"][words[0]];
  for (size_t i = 1; i < words.size(); ++i) {
    const size_t equals = words[i].find('=');
    if (equals == std::string::npos) return absl::InvalidArgumentError(kUsage);
    const std::string flag = words[i].substr(0, equals), value = words[i].substr(equals + 1);
    RETURN_IF_ERROR(SetFlagTo(flag, value));
    context[flag] = value;
  }
  if (config.value("context", "").empty()) config["context"] = words[0];
  return WriteConfig(config);
}

}  // namespace rapport::ctl
