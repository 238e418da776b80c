#include "tools/rapportctl/resource/help.h"

#include <map>
#include <set>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "tools/rapportctl/resource/request.h"

namespace rapport::ctl {
namespace {

// Up to the first full stop that ends a sentence.
std::string FirstSentence(const std::string& comment) {
  std::string text = absl::StrReplaceAll(comment, {{"\n", " "}});
  const size_t end = text.find(". ");
  return end == std::string::npos ? text : text.substr(0, end + 1);
}

std::string Indented(const std::string& text, absl::string_view indent) {
  return absl::StrCat(indent, absl::StrReplaceAll(text, {{"\n", absl::StrCat("\n", indent)}}));
}

std::map<std::string, std::vector<const Verb*>> ByNoun() {
  std::map<std::string, std::vector<const Verb*>> nouns;
  for (const Verb& verb : Verbs()) nouns[verb.noun].push_back(&verb);
  return nouns;
}

std::string Streaming(const Verb& verb) {
  if (verb.method->client_streaming()) {
    return "Reads messages as lines of JSON from standard input and writes answers so.\n";
  }
  return verb.method->server_streaming() ? "Writes messages as lines of JSON until it ends.\n" : "";
}

std::string Roff(const std::string& text) {
  std::string escaped = absl::StrReplaceAll(text, {{"\\", "\\e"}, {"-", "\\-"}});
  // A line that begins with a control character would be a request.
  if (absl::StartsWith(escaped, ".") || absl::StartsWith(escaped, "'")) escaped.insert(0, "\\&");
  return absl::StrReplaceAll(escaped, {{"\n.", "\n\\&."}, {"\n'", "\n\\&'"}});
}

}  // namespace

std::string HelpOfNoun(absl::string_view noun) {
  std::string text = absl::StrCat("rapportctl ", noun, " VERB [NAME] [path=value …]\n\n");
  for (const Verb& verb : Verbs()) {
    if (verb.noun != noun) continue;
    absl::StrAppendFormat(&text, "  %-28s %s\n", verb.verb, FirstSentence(CommentOf(*verb.method)));
  }
  return absl::StrCat(text, "\n`rapportctl help ", noun, " VERB` tells of one with its fields.\n");
}

std::string HelpOfVerb(const Verb& verb) {
  const bool named = verb.method->input_type()->FindFieldByName("name") != nullptr;
  std::string text =
      absl::StrCat("rapportctl ", verb.noun, " ", verb.verb, named ? " NAME" : "",
                   " [path=value …]\n\n", Indented(CommentOf(*verb.method), "  "), "\n\n  calls ",
                   verb.MethodName(), "\n  ", PolicyOf(*verb.method), "\n");
  if (const std::string streaming = Streaming(verb); !streaming.empty()) {
    absl::StrAppend(&text, "  ", streaming);
  }
  absl::StrAppend(&text, "\nFields:\n");
  for (const FieldHelp& field : FieldsOf(*verb.method->input_type())) {
    absl::StrAppend(&text, "  ", field.path, "  (", field.kind, ")\n");
    if (!field.comment.empty()) absl::StrAppend(&text, Indented(field.comment, "      "), "\n");
  }
  return text;
}

std::string Nouns() {
  std::string text;
  for (const auto& [noun, verbs] : ByNoun()) {
    absl::StrAppendFormat(&text, "  %-24s %s\n", noun,
                          absl::StrJoin(verbs, " ", [](std::string* out, const Verb* verb) {
                            absl::StrAppend(out, verb->verb);
                          }));
  }
  return text;
}

absl::StatusOr<std::string> Completion(absl::string_view shell,
                                       const std::vector<OwnCommand>& commands,
                                       const std::vector<FlagHelp>& flags) {
  if (shell != "bash" && shell != "zsh") {
    return absl::InvalidArgumentError("usage: rapportctl completion bash|zsh");
  }
  std::map<std::string, std::set<std::string>> seconds;
  std::string fields;
  for (const Verb& verb : Verbs()) {
    seconds[verb.noun].insert(verb.verb);
    absl::StrAppend(&fields, "    '", verb.noun, " ", verb.verb, "') words='",
                    absl::StrJoin(FieldsOf(*verb.method->input_type()), " ",
                                  [](std::string* out, const FieldHelp& field) {
                                    absl::StrAppend(out, field.path, "=");
                                  }),
                    "' ;;\n");
  }
  for (const OwnCommand& command : commands) {
    const std::vector<std::string> words = absl::StrSplit(command.name, ' ');
    std::set<std::string>& second = seconds[words[0]];
    if (words.size() > 1) second.insert(words[1]);
  }
  std::vector<std::string> firsts;
  std::string verbs;
  for (const auto& [first, second] : seconds) {
    firsts.push_back(first);
    absl::StrAppend(&verbs, "    ", first, ") words='", absl::StrJoin(second, " "), "' ;;\n");
  }
  return absl::StrCat(
      shell == "zsh" ? "autoload -U +X bashcompinit && bashcompinit\n" : "",
      "_rapportctl() {\n"
      "  local current=${COMP_WORDS[COMP_CWORD]} words=''\n"
      "  if [[ $current == -* ]]; then\n    words='",
      absl::StrJoin(flags, " ",
                    [](std::string* out, const FlagHelp& flag) {
                      absl::StrAppend(out, "--", flag.name, "=");
                    }),
      "'\n  elif ((COMP_CWORD == 1)); then\n    words='", absl::StrJoin(firsts, " "),
      "'\n  elif ((COMP_CWORD == 2)); then\n    case ${COMP_WORDS[1]} in\n", verbs,
      "    esac\n  else\n    case \"${COMP_WORDS[1]} ${COMP_WORDS[2]}\" in\n", fields,
      "    esac\n  fi\n"
      "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
      "  [[ ${COMPREPLY[0]-} != *= ]] || compopt -o nospace 2>/dev/null\n"
      "}\n"
      "complete -o default -F _rapportctl rapportctl\n");
}

std::string Manual(const std::vector<OwnCommand>& commands, const std::vector<FlagHelp>& flags) {
  std::string text =
      ".TH RAPPORTCTL 1 \"\" \"Rapport\" \"Rapport\"\n"
      ".SH NAME\nrapportctl \\- the command line of Rapport, the backend for interpersonal "
      "psychotherapy\n"
      ".SH SYNOPSIS\n.B rapportctl\nNOUN VERB [NAME] [path=value ...] [\\-\\-flags]\n.br\n"
      ".B rapportctl\nCOMMAND [WORDS] [\\-\\-flags]\n"
      ".SH COMMANDS\n";
  for (const OwnCommand& command : commands) {
    absl::StrAppend(&text, ".TP\n.B ", Roff(command.name), " ", Roff(command.words), "\n",
                    Roff(command.help), "\n");
  }
  absl::StrAppend(&text, ".SH FLAGS\n");
  for (const FlagHelp& flag : flags) {
    absl::StrAppend(&text, ".TP\n.B \\-\\-", Roff(flag.name), "\n", Roff(flag.help), "\n");
  }
  absl::StrAppend(&text, ".SH NOUNS AND VERBS\nEvery RPC of the suite.\n");
  for (const auto& [noun, verbs] : ByNoun()) {
    absl::StrAppend(&text, ".SS ", Roff(noun), "\n");
    for (const Verb* verb : verbs) {
      absl::StrAppend(&text, ".TP\n.B ", Roff(absl::StrCat(noun, " ", verb->verb)), "\n",
                      Roff(FirstSentence(CommentOf(*verb->method))), "\n");
    }
  }
  return text;
}

}  // namespace rapport::ctl
