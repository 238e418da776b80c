#include "services/notes/data/templates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/notes/data/template_checks.h"

namespace rapport::notes {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<v1::NoteTemplate> With(void (*change)(v1::NoteTemplate&)) {
  std::vector<v1::NoteTemplate> templates = ShippedTemplates();
  change(templates.front());
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

TEST(TemplatesTest, EachPhaseHasExactlyOneTemplate) {
  EXPECT_THAT(TemplateFaults(With([](auto& t) { t.set_phase(v1::NOTE_PHASE_MIDDLE); })),
              ElementsAre("middle: its phase has a template already",
                          "no template for NOTE_PHASE_INITIAL"));
}

}  // namespace
}  // namespace rapport::notes
