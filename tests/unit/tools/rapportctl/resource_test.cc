// How words become requests and answers become text: over the suite's own RPCs.
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "google/protobuf/util/json_util.h"
#include "gtest/gtest.h"
#include "tools/rapportctl/resource/help.h"
#include "tools/rapportctl/resource/output.h"
#include "tools/rapportctl/resource/request.h"
#include "tools/rapportctl/resource/tree.h"

namespace rapport::ctl {
namespace {

using ::google::protobuf::Message;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const google::protobuf::Descriptor& RequestOf(absl::string_view noun, absl::string_view verb) {
  return *FindVerb(noun, verb)->method->input_type();
}

std::string Json(const Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string json;
  EXPECT_TRUE(google::protobuf::util::MessageToJsonString(message, &json, options).ok());
  return json;
}

// The request as JSON, or what was wrong.
std::string Made(absl::string_view noun, absl::string_view verb, std::vector<std::string> words,
                 std::string organization = "", std::string json = "") {
  const auto request = MakeRequest(
      RequestOf(noun, verb),
      {.words = std::move(words), .json = std::move(json), .organization_id = organization});
  return request.ok() ? Json(**request) : std::string(request.status().message());
}

std::unique_ptr<Message> Answer(absl::string_view noun, absl::string_view verb,
                                const std::string& json) {
  std::unique_ptr<Message> message = NewMessage(*FindVerb(noun, verb)->method->output_type());
  EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(json, message.get()).ok()) << json;
  return message;
}

constexpr char kClinics[] = R"({"clinics": [
  {"name": "organizations/acme/clinics/north", "display_name": "Nörth", "time_zone": "Europe/London"},
  {"name": "organizations/acme/clinics/s", "display_name": "South"}], "next_page_token": "t"})";

TEST(TreeTest, EveryRpcHasANounAndAVerbOfItsOwn) {
  std::set<std::pair<std::string, std::string>> seen;
  for (const Verb& verb : Verbs()) {
    EXPECT_TRUE(seen.emplace(verb.noun, verb.verb).second) << verb.noun << " " << verb.verb;
    EXPECT_FALSE(verb.verb.empty()) << verb.MethodName();
    EXPECT_FALSE(CommentOf(*verb.method).empty()) << verb.MethodName();
    EXPECT_THAT(PolicyOf(*verb.method), StartsWith("permission ")) << verb.MethodName();
  }
  EXPECT_GT(seen.size(), 200u);
}

TEST(TreeTest, NamesAreThoseOfTheField) {
  const std::pair<std::pair<const char*, const char*>, const char*> kNames[] = {
      {{"course", "get"}, "rapport.scheduling.v1.CourseService/GetCourse"},
      {{"course", "activate"}, "rapport.scheduling.v1.CourseService/ActivateCourse"},
      {{"clinic", "list"}, "rapport.scheduling.v1.DirectoryService/ListClinics"},
      {{"directory", "import"}, "rapport.scheduling.v1.DirectoryService/ImportDirectory"},
      {{"appointment", "book-series"}, "rapport.scheduling.v1.AppointmentService/BookSeries"},
      {{"opening", "search"}, "rapport.scheduling.v1.OpeningService/SearchOpenings"},
      {{"scoring", "score"}, "rapport.assessment.v1.ScoringService/Score"},
      {{"event", "watch"}, "rapport.common.v1.EventService/Watch"}};
  for (const auto& [words, method] : kNames) {
    const Verb* verb = FindVerb(words.first, words.second);
    ASSERT_NE(verb, nullptr) << words.first << " " << words.second;
    EXPECT_EQ(verb->MethodName(), method);
  }
}

TEST(RequestTest, ANameIsCompletedWithTheOrganisation) {
  EXPECT_EQ(Made("course", "get", {"courses/c1"}, "acme"),
            R"({"name":"organizations/acme/courses/c1"})");
  EXPECT_EQ(Made("course", "get", {"organizations/other/courses/c1"}, "acme"),
            R"({"name":"organizations/other/courses/c1"})");
  EXPECT_EQ(Made("clinic", "list", {}, "acme"), R"({"parent":"organizations/acme"})");
}

TEST(RequestTest, AnUpdateNamesWhatItChanges) {
  const std::string made =
      Made("clinic", "update", {"clinics/north", "display_name=North"}, "acme");
  EXPECT_THAT(made, AllOf(HasSubstr(R"("name":"organizations/acme/clinics/north")"),
                          HasSubstr(R"("display_name":"North")"),
                          HasSubstr(R"("update_mask":"displayName")")));
}

TEST(RequestTest, AChangeCanBeRepeated) {
  EXPECT_THAT(Made("course", "activate", {"organizations/acme/courses/c1"}),
              HasSubstr(R"("request_id":"rapportctl-)"));
  EXPECT_THAT(Made("course", "activate", {"organizations/acme/courses/c1", "request_id=mine"}),
              HasSubstr(R"("request_id":"mine")"));
}

TEST(RequestTest, WordsAreOfTheirFieldsKind) {
  EXPECT_THAT(Made("scoring", "score",
                   {"instrument=instruments/phq-9", R"(answers=[{"item": 1, "value": 2}])"}),
              AllOf(HasSubstr(R"("item":1)"), HasSubstr(R"("instrument":"instruments/phq-9")")));
  EXPECT_THAT(Made("opening", "search",
                   {"parent=organizations/acme", "filter.modality=in-person", "filter.languages=en",
                    "filter.languages=de", "latest=2026-03-02T10:00:00Z"}),
              AllOf(HasSubstr(R"("modality":"MODALITY_IN_PERSON")"),
                    HasSubstr(R"("languages":["en","de"])"),
                    HasSubstr(R"("latest":"2026-03-02T10:00:00Z")")));
}

TEST(RequestTest, WordsArePutIntoTheJson) {
  EXPECT_EQ(Made("clinic", "list", {"page_size=7"}, "",
                 R"({"parent": "organizations/acme", "page_size": 3})"),
            R"({"parent":"organizations/acme","page_size":7})");
}

TEST(RequestTest, WhatIsWrongIsNamedWithWhatWouldBeRight) {
  EXPECT_THAT(Made("opening", "search", {"filter.modality=carrier-pigeon"}),
              AllOf(HasSubstr("'filter.modality=carrier-pigeon'"), HasSubstr("IN_PERSON")));
  EXPECT_THAT(Made("clinic", "list", {"pagesize=7"}),
              AllOf(HasSubstr("'pagesize=7'"), HasSubstr("page_size")));
  EXPECT_THAT(Made("clinic", "list", {"page_size=many"}), HasSubstr("is a number"));
  EXPECT_THAT(Made("clinic", "list", {"a", "b"}), HasSubstr("'b': is a second name"));
  EXPECT_THAT(Made("clinic", "list", {}, "", "[1]"), HasSubstr("not an object"));
  EXPECT_THAT(Made("opening", "search", {"filter.modality.x=1"}), HasSubstr("has no fields"));
}

TEST(OutputTest, AListIsATableOfShortNames) {
  EXPECT_EQ(*Render(*Answer("clinic", "list", kClinics), Format::kTable, {}),
            "NAME   DISPLAY_NAME  TIME_ZONE\n"
            "north  Nörth         Europe/London\n"
            "s      South\n");
  EXPECT_EQ(*Render(*Answer("clinic", "list", "{}"), Format::kTable, {}), "none\n");
}

TEST(OutputTest, AResourceIsALineForEachField) {
  const auto clinic = Answer("clinic", "get", R"({
    "name": "organizations/acme/clinics/north", "display_name": "North",
    "create_time": "2026-03-02T10:15:30Z"})");
  EXPECT_EQ(*Render(*clinic, Format::kTable, {}),
            "name          north\n"
            "display_name  North\n"
            "create_time   2026-03-02 10:15Z\n");
  EXPECT_EQ(*Render(*clinic, Format::kTable, {"display_name"}), "display_name  North\n");
}

TEST(OutputTest, FieldsAreChosen) {
  const auto clinics = Answer("clinic", "list", kClinics);
  EXPECT_EQ(*Render(*clinics, Format::kTable, {"time_zone", "name"}),
            "TIME_ZONE      NAME\n"
            "Europe/London  north\n"
            "               s\n");
  EXPECT_EQ(*Render(*clinics, Format::kYaml, {"display_name"}),
            "clinics:\n"
            "  - display_name: \"Nörth\"\n"
            "  - display_name: \"South\"\n"
            "next_page_token: \"t\"\n");
  EXPECT_THAT(std::string(Render(*clinics, Format::kTable, {"zone"}).status().message()),
              AllOf(HasSubstr("'zone'"), HasSubstr("time_zone")));
}

TEST(OutputTest, JsonIsWhole) {
  const auto clinics = Answer("clinic", "list", kClinics);
  const std::string json = *Render(*clinics, Format::kJson, {});
  EXPECT_EQ(Json(*Answer("clinic", "list", json)), Json(*clinics));
  EXPECT_EQ(*JsonLine(*Answer("clinic", "list", "{}")), "{}\n");
}

TEST(HelpTest, AVerbTellsWhatItDemands) {
  EXPECT_THAT(HelpOfVerb(*FindVerb("opening", "search")),
              AllOf(HasSubstr("rapport.scheduling.v1.OpeningService/SearchOpenings"),
                    HasSubstr("permission "), HasSubstr("latest  (a time, as ")));
  EXPECT_THAT(HelpOfNoun("course"),
              AllOf(HasSubstr("  activate "), Not(HasSubstr("  book-series"))));
}

TEST(HelpTest, CompletionKnowsNounsVerbsFieldsAndFlags) {
  const std::string script =
      *Completion("bash", {{"story play", "FILE", "play"}}, {{"output", "how"}});
  EXPECT_THAT(script, AllOf(HasSubstr("    story) words='play' ;;"), HasSubstr("--output="),
                            HasSubstr("'clinic list') words='parent= ")));
  EXPECT_FALSE(Completion("fish", {}, {}).ok());
}

TEST(HelpTest, TheManualHasNoLineThatManWouldTakeForARequest) {
  const std::string manual = Manual({{"story play", "FILE", ".hidden"}}, {{"output", "'how'"}});
  EXPECT_THAT(manual,
              AllOf(HasSubstr("\\&.hidden"), HasSubstr("\\&'how'"), HasSubstr(".SS course\n")));
}

}  // namespace
}  // namespace rapport::ctl
