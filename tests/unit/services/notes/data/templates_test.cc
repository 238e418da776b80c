#include "services/notes/data/templates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/notes/data/template_checks.h"

namespace rapport::notes {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<v1::NoteTemplate> With(void (*change)(v1::NoteTemplate&),
                                   const std::string& id = "initial") {
  std::vector<v1::NoteTemplate> templates = ShippedTemplates();
  for (v1::NoteTemplate& each : templates) {
    if (each.id() == id) change(each);
  }
  return templates;
}

TEST(TemplatesTest, TheShippedOnesAreWithoutFault) {
  EXPECT_THAT(TemplateFaults(ShippedTemplates()), IsEmpty());
}

TEST(TemplatesTest, AnUnknownOrRepeatedFieldIsAFault) {
  EXPECT_THAT(TemplateFaults(With([](auto& t) { t.set_required(0, "mood"); })),
              ElementsAre("initial: NoteContent has no field 'mood'"));
  EXPECT_THAT(TemplateFaults(With([](auto& t) { t.add_required("plan"); })),
              ElementsAre("initial: 'plan' is required twice"));
}

TEST(TemplatesTest, ATemplateThatRequiresNothingOrHasNoSourceIsAFault) {
  EXPECT_THAT(TemplateFaults(With([](auto& t) { t.clear_required(); })),
              ElementsAre("initial: requires nothing, so that an empty note could be signed"));
  EXPECT_THAT(TemplateFaults(With([](auto& t) { t.clear_source(); })),
              ElementsAre("initial: has no source"));
}

TEST(TemplatesTest, EachPhaseHasExactlyOneGeneralTemplate) {
  EXPECT_THAT(TemplateFaults(With([](auto& t) { t.set_phase(v1::NOTE_PHASE_MIDDLE); })),
              ElementsAre("middle: its phase has a general template already",
                          "no general template for NOTE_PHASE_INITIAL"));
}

TEST(TemplatesTest, AProtocolHasOneTemplateAPhase) {
  EXPECT_THAT(TemplateFaults(With([](auto& t) { t.add_protocols("conjoint"); }, "rhythm-middle")),
              ElementsAre("rhythm-middle: conjoint has a template for the phase already"));
}

TEST(TemplatesTest, TheyHaveNamesByIdAndRevision) {
  for (const v1::NoteTemplate& each : ShippedTemplates()) {
    EXPECT_EQ(each.name(), "noteTemplates/" + each.id() + "/revisions/1");
    EXPECT_FALSE(each.display_name().empty()) << each.id();
    EXPECT_GT(each.prompts_size(), 0) << each.id();
  }
}

}  // namespace
}  // namespace rapport::notes
