#include "services/notes/domain/access_rules.h"

#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "gtest/gtest.h"

namespace rapport::notes {
namespace {

constexpr Role kRoles[] = {Role::kTherapist,      Role::kSupervisor,   Role::kClinicManager,
                           Role::kPrivacyOfficer, Role::kPatientProxy, Role::kGuardianProxy,
                           Role::kService,        Role::kOther};
constexpr Relation kRelations[] = {
    Relation::kOrganization,     Relation::kAuthor,     Relation::kTreats,    Relation::kSupervises,
    Relation::kSupervisesAuthor, Relation::kBrokeGlass, Relation::kRecipient, Relation::kSelf,
    Relation::kGuardian};
constexpr Object kObjects[] = {
    Object::kSuitability,       Object::kCase,        Object::kSignedNote,   Object::kDraft,
    Object::kPsychotherapyNote, Object::kDisclosure,  Object::kNoteDecision, Object::kBreakGlass,
    Object::kPatientView,       Object::kGuardianView};
constexpr Purpose kPurposes[] = {Purpose::kRead, Purpose::kChange, Purpose::kExport};

// Calls `check(role, relation, object, purpose, verdict)` for each cell of the table.
template <class Check>
void ForEachCell(Check check) {
  for (Role role : kRoles) {
    for (Relation relation : kRelations) {
      for (Object object : kObjects) {
        for (Purpose purpose : kPurposes) {
          SCOPED_TRACE(::testing::Message()
                       << "role " << static_cast<int>(role) << " relation "
                       << static_cast<int>(relation) << " object " << static_cast<int>(object)
                       << " purpose " << static_cast<int>(purpose));
          check(role, relation, object, purpose,
                Decide({role}, {Relation::kOrganization, relation}, object, purpose));
        }
      }
    }
  }
}

bool IsClinician(Role role) { return role == Role::kTherapist || role == Role::kSupervisor; }

// The allowed cells, written out again by the sentences of the security page.
bool IsAllowed(Role role, Relation relation, Object object, Purpose purpose) {
  const bool reads = purpose == Purpose::kRead;
  const bool changes = purpose == Purpose::kChange;
  switch (object) {
    case Object::kSuitability:
      return reads &&
             (role == Role::kService || (IsClinician(role) && (relation == Relation::kTreats ||
                                                               relation == Relation::kSupervises)));
    case Object::kCase:
      return IsClinician(role) &&
             (relation == Relation::kTreats || (relation == Relation::kSupervises && !changes) ||
              (relation == Relation::kBrokeGlass && reads));
    case Object::kSignedNote:
      return IsClinician(role) && (relation == Relation::kTreats || relation == Relation::kAuthor ||
                                   (relation == Relation::kSupervises && !changes) ||
                                   (relation == Relation::kSupervisesAuthor && reads) ||
                                   (relation == Relation::kBrokeGlass && reads));
    case Object::kDraft:
      return IsClinician(role) && relation == Relation::kAuthor && purpose != Purpose::kExport;
    case Object::kPsychotherapyNote:
      return role == Role::kTherapist &&
             ((relation == Relation::kAuthor && purpose != Purpose::kExport) ||
              (relation == Relation::kRecipient && reads));
    case Object::kDisclosure:
      return purpose != Purpose::kExport &&
             (role == Role::kPrivacyOfficer ||
              (IsClinician(role) &&
               (relation == Relation::kTreats || (relation == Relation::kSupervises && reads))));
    case Object::kNoteDecision:
      return (role == Role::kPrivacyOfficer && reads) ||
             (IsClinician(role) && purpose != Purpose::kExport &&
              (relation == Relation::kTreats || relation == Relation::kAuthor ||
               (reads &&
                (relation == Relation::kSupervises || relation == Relation::kSupervisesAuthor))));
    case Object::kBreakGlass:
      return purpose != Purpose::kExport && (role == Role::kPrivacyOfficer ||
                                             (IsClinician(role) && relation == Relation::kAuthor));
    case Object::kPatientView:
      return reads && role == Role::kPatientProxy && relation == Relation::kSelf;
    case Object::kGuardianView:
      return reads && role == Role::kGuardianProxy && relation == Relation::kGuardian;
  }
  return false;
}

TEST(AccessRulesTest, AllowsWhatTheSecurityPageSaysAndNothingElse) {
  int cells = 0;
  ForEachCell([&](Role role, Relation relation, Object object, Purpose purpose, Verdict verdict) {
    ++cells;
    EXPECT_EQ(verdict == Verdict::kAllow, IsAllowed(role, relation, object, purpose));
  });
  EXPECT_EQ(cells, 8 * 9 * 10 * 3);
}

TEST(AccessRulesTest, WhoeverIsDeniedMayKnowOfIt) {
  ForEachCell([&](Role role, Relation relation, Object object, Purpose, Verdict verdict) {
    if (verdict != Verdict::kDenied) return;
    const bool reads = Decide({role}, {relation}, object, Purpose::kRead) == Verdict::kAllow;
    const bool broke = relation == Relation::kBrokeGlass &&
                       Decide({role}, {relation}, Object::kCase, Purpose::kRead) == Verdict::kAllow;
    EXPECT_TRUE(reads || broke);
  });
}

TEST(AccessRulesTest, APsychotherapyNoteIsHiddenFromEveryRelationButItsAuthorsAndARecipients) {
  for (Role role : kRoles) {
    for (Relation relation : {Relation::kOrganization, Relation::kTreats, Relation::kSupervises,
                              Relation::kSupervisesAuthor, Relation::kBrokeGlass, Relation::kSelf,
                              Relation::kGuardian}) {
      for (Purpose purpose : kPurposes) {
        EXPECT_EQ(Decide({role}, {relation}, Object::kPsychotherapyNote, purpose),
                  Verdict::kHidden);
      }
    }
  }
  EXPECT_NE(
      Decide({Role::kTherapist}, {Relation::kAuthor}, Object::kPsychotherapyNote, Purpose::kExport),
      Verdict::kAllow)
      << "not even its author exports it";
}

TEST(AccessRulesTest, BrokenGlassReadsTheCaseAndItsSignedNotesOnly) {
  std::set<std::pair<Object, Purpose>> allowed;
  for (Object object : kObjects) {
    for (Purpose purpose : kPurposes) {
      if (Decide({Role::kTherapist}, {Relation::kBrokeGlass}, object, purpose) == Verdict::kAllow) {
        allowed.emplace(object, purpose);
      }
    }
  }
  EXPECT_EQ(allowed, (std::set<std::pair<Object, Purpose>>{{Object::kCase, Purpose::kRead},
                                                           {Object::kSignedNote, Purpose::kRead}}));
}

TEST(AccessRulesTest, APrivacyOfficerNeverReadsWhatIsWritten) {
  for (Relation relation : kRelations) {
    for (Object object :
         {Object::kCase, Object::kSignedNote, Object::kDraft, Object::kPsychotherapyNote}) {
      for (Purpose purpose : kPurposes) {
        EXPECT_EQ(Decide({Role::kPrivacyOfficer}, {relation}, object, purpose), Verdict::kHidden);
      }
    }
  }
}

TEST(AccessRulesTest, TheBestOfSeveralRolesAndRelationsCounts) {
  EXPECT_EQ(Decide({Role::kPrivacyOfficer, Role::kTherapist}, {Relation::kTreats}, Object::kCase,
                   Purpose::kChange),
            Verdict::kAllow);
  EXPECT_EQ(Decide({Role::kTherapist}, {Relation::kSupervises, Relation::kAuthor},
                   Object::kSignedNote, Purpose::kChange),
            Verdict::kAllow);
  EXPECT_EQ(
      Decide({Role::kTherapist}, {Relation::kSupervises}, Object::kSignedNote, Purpose::kChange),
      Verdict::kDenied);
  EXPECT_EQ(Decide({}, {Relation::kTreats}, Object::kCase, Purpose::kRead), Verdict::kHidden);
}

TEST(AccessRulesTest, NamesOfRolesAreThoseOfTheTokens) {
  EXPECT_EQ(RoleOf("therapist"), Role::kTherapist);
  EXPECT_EQ(RoleOf("supervisor"), Role::kSupervisor);
  EXPECT_EQ(RoleOf("clinic_manager"), Role::kClinicManager);
  EXPECT_EQ(RoleOf("privacy_officer"), Role::kPrivacyOfficer);
  EXPECT_EQ(RoleOf("patient_proxy"), Role::kPatientProxy);
  EXPECT_EQ(RoleOf("guardian_proxy"), Role::kGuardianProxy);
  EXPECT_EQ(RoleOf("service"), Role::kOther) << "no user is a service";
  EXPECT_EQ(RoleOf(""), Role::kOther);
}

}  // namespace
}  // namespace rapport::notes
