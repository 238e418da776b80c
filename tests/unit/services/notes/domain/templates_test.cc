#include "services/notes/domain/templates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/errors/errors.h"

namespace rapport::notes {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const v1::NoteTemplate& General(v1::NotePhase phase) {
  return ShippedTemplateFor("protocols/classic/revisions/1", phase);
}

TEST(TemplatesTest, AMiddleSessionNeedsFourEntries) {
  const v1::NoteTemplate& middle = General(v1::NOTE_PHASE_MIDDLE);
  v1::NoteContent content;
  EXPECT_THAT(MissingEntries(middle, content),
              ElementsAre("content.symptom_event_link", "content.focus_kept", "content.tried",
                          "content.plan"));
  content.set_symptom_event_link("none found");
  content.set_focus_kept(v1::FOCUS_KEPT_PARTLY);
  content.set_tried(" \n\t");
  content.set_plan("ask for Thursday");
  EXPECT_THAT(MissingEntries(middle, content), ElementsAre("content.tried"));
  content.set_tried("communication analysis");
  EXPECT_THAT(MissingEntries(middle, content), IsEmpty());
}

TEST(TemplatesTest, TheOtherPhasesNeedLess) {
  EXPECT_THAT(MissingEntries(General(v1::NOTE_PHASE_INITIAL), {}),
              ElementsAre("content.symptom_event_link", "content.plan"));
  EXPECT_THAT(MissingEntries(General(v1::NOTE_PHASE_TERMINATION), {}),
              ElementsAre("content.symptom_event_link", "content.tried", "content.plan"));
  EXPECT_THAT(MissingEntries(General(v1::NOTE_PHASE_MAINTENANCE), {}),
              ElementsAre("content.symptom_event_link", "content.plan"));
}

TEST(TemplatesTest, ARepeatedEntryIsGivenOnceItHoldsSomething) {
  v1::NoteTemplate demanding;
  demanding.add_required("techniques");
  v1::NoteContent content;
  EXPECT_THAT(MissingEntries(demanding, content), ElementsAre("content.techniques"));
  content.add_techniques(v1::TECHNIQUE_ROLE_PLAY);
  EXPECT_THAT(MissingEntries(demanding, content), IsEmpty());
}

TEST(TemplatesTest, ALinkIsGivenAsTextAsDataOrAsNoneFound) {
  const v1::NoteTemplate& initial = General(v1::NOTE_PHASE_INITIAL);
  v1::NoteContent content;
  content.set_plan("plan");
  EXPECT_THAT(MissingEntries(initial, content), ElementsAre("content.symptom_event_link"));
  content.set_no_link_found(true);
  EXPECT_THAT(MissingEntries(initial, content), IsEmpty());
  content.clear_no_link_found();
  content.add_links()->set_symptom("low");
  EXPECT_THAT(MissingEntries(initial, content), IsEmpty());
}

TEST(TemplatesTest, AProtocolsOwnTemplateComesBeforeTheGeneralOne) {
  EXPECT_EQ(ShippedTemplateFor("protocols/conjoint/revisions/3", v1::NOTE_PHASE_MIDDLE).id(),
            "conjoint-middle");
  EXPECT_EQ(ShippedTemplateFor("protocols/conjoint/revisions/3", v1::NOTE_PHASE_INITIAL).id(),
            "initial");
  EXPECT_EQ(General(v1::NOTE_PHASE_MIDDLE).id(), "middle");
  EXPECT_EQ(ShippedTemplateFor("", v1::NOTE_PHASE_TERMINATION).id(), "termination");
}

TEST(TemplatesTest, AShippedTemplateIsFoundByItsName) {
  ASSERT_NE(FindShippedTemplate("noteTemplates/middle/revisions/1"), nullptr);
  EXPECT_EQ(FindShippedTemplate("noteTemplates/middle/revisions/2"), nullptr);
}

TEST(TemplatesTest, OnesOwnNeedsAtLeastWhatTheShippedOneNeeds) {
  const auto fields = [](const v1::NoteTemplate& own) {
    std::vector<std::string> paths;
    for (const auto& each : errors::FieldViolations(CheckTemplate(own))) {
      paths.push_back(each.field);
    }
    return paths;
  };
  v1::NoteTemplate own;
  EXPECT_THAT(fields(own), ElementsAre("note_template.phase"));
  own.set_phase(v1::NOTE_PHASE_MAINTENANCE);
  own.add_required("plan");
  own.add_prompts()->set_field("mood");
  EXPECT_THAT(fields(own), ElementsAre("note_template.required", "note_template.prompts[0].field"));
  own.add_required("symptom_event_link");
  own.clear_prompts();
  EXPECT_THAT(fields(own), IsEmpty());
}

}  // namespace
}  // namespace rapport::notes
