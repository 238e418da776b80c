// Role × method × {own, same clinic, other clinic, other organisation, absent}, through the front
// door. A new method without an expectation fails.
#include <set>

#include "tests/conformance/notes/access_methods.h"

namespace rapport::notes::testing {
namespace {

enum class Expected { kAllowed, kDenied, kHidden, kAnything };

// What the caller is to the object.
enum class Tie { kTreats, kSupervises, kColleague, kForeign, kAbsent };

Expected ExpectedOf(Kind kind, absl::string_view role, Tie tie) {
  const bool exists = tie != Tie::kForeign && tie != Tie::kAbsent;
  const bool treats = tie == Tie::kTreats && role == "therapist";
  const bool supervises = tie == Tie::kSupervises && role == "supervisor";
  const auto by = [&](Expected of_therapist, Expected of_supervisor) {
    return treats ? of_therapist : supervises ? of_supervisor : Expected::kHidden;
  };
  switch (kind) {
    case Kind::kCase:
    case Kind::kNote:
    case Kind::kService:
      return by(Expected::kAllowed, Expected::kAllowed);
    case Kind::kCaseWrite:
    case Kind::kNoteWrite:
      return by(Expected::kAllowed, Expected::kDenied);
    case Kind::kDraft:
    case Kind::kPsychotherapy:
      return by(Expected::kAllowed, Expected::kHidden);
    case Kind::kCosign:
      return by(Expected::kDenied, Expected::kAllowed);
    case Kind::kDisclosure:
      if (role == "privacy_officer" && exists) return Expected::kAllowed;
      return by(Expected::kAllowed, Expected::kAllowed);
    case Kind::kDisclosureWrite:
      if (role == "privacy_officer" && exists) return Expected::kAllowed;
      return by(Expected::kAllowed, Expected::kDenied);
    case Kind::kPatientView:
      return tie == Tie::kTreats && role == "patient_proxy" ? Expected::kAllowed
                                                            : Expected::kHidden;
    case Kind::kGuardianView:
      return tie == Tie::kTreats && role == "guardian_proxy" ? Expected::kAllowed
                                                             : Expected::kHidden;
    case Kind::kGlassOpen:
      return exists ? Expected::kAllowed : Expected::kHidden;
    case Kind::kGlassEnd:
      return Expected::kHidden;
    case Kind::kOfficer:
      return exists ? Expected::kAllowed : Expected::kHidden;
    case Kind::kTherapistFirst:
      return by(Expected::kAllowed, Expected::kAnything);
    case Kind::kOrganization:
      return tie == Tie::kForeign ? Expected::kHidden : Expected::kAnything;
  }
  return Expected::kHidden;
}

// Methods that change what others of the matrix find come last.
bool ComesLast(absl::string_view method) {
  return absl::StrContains(method, "PrivacyService") || absl::EndsWith(method, "/OpenBreakGlass") ||
         absl::EndsWith(method, "/SignNote");
}

class MatrixTest : public FilledWorld {
 protected:
  struct Cell {
    std::string name;
    Tie tie;
    const Ids* ids;
  };

  // The one who bears `role`: Ada, who treats in `own`; Sue, who supervises her; its patient and
  // guardian; and for every other role someone without a tie.
  Caller CallerOf(absl::string_view role) {
    if (role == "therapist") return ada_;
    if (role == "supervisor") return sue_;
    if (role == "patient_proxy") return pat_;
    if (role == "guardian_proxy") return guardian_;
    if (role == "platform_operator") return {"operator", "platform_operator", ""};
    return {std::string(role), std::string(role)};
  }

  std::vector<Cell> CellsOf(const MethodRow& row, absl::string_view role) {
    return {{"own", role == "supervisor" ? Tie::kSupervises : Tie::kTreats,
             row.couple ? &couple_ : &own_},
            {"same clinic", Tie::kColleague, &same_clinic_},
            {"other clinic", Tie::kColleague, &other_clinic_},
            {"other organisation", Tie::kForeign, &other_organization_},
            {"absent", Tie::kAbsent, &absent_}};
  }
};

TEST_P(MatrixTest, EveryMethodHasAnExpectationAndEveryExpectationAMethod) {
  std::set<std::string> bound;
  for (const auto& [method, unused] : methods_) {
    const MethodRow* row = RowOf(method);
    EXPECT_NE(row, nullptr) << method << " needs a row in access_methods.h";
    if (row != nullptr) bound.insert(row->method);
  }
  std::set<std::string> services;
  for (const auto& [service, unused] : registry_.services()) services.insert(service->name());
  for (const MethodRow& row : MethodRows()) {
    if (services.count(row.method.substr(0, row.method.find('/'))) == 0) continue;
    EXPECT_EQ(bound.count(row.method), 1u) << row.method << " is no method";
  }
}

TEST_P(MatrixTest, EachRoleKnowsOfWhatItsRelationAllowsAndOfNothingElse) {
  std::vector<std::string> methods;
  for (bool last : {false, true}) {
    for (const auto& [method, unused] : methods_) {
      if (ComesLast(method) == last) methods.push_back(method);
    }
  }
  int cells = 0;
  for (const std::string& method : methods) {
    const MethodRow* row = RowOf(method);
    if (row == nullptr) continue;
    const call::Method& bound = *methods_.at(method);
    if (bound.unary == nullptr) continue;
    const std::string& permission = bound.policy.permission();
    std::vector<std::string> roles;
    for (absl::string_view role : auth::AllRoles()) roles.emplace_back(role);
    roles.push_back("service:scheduling");
    for (const std::string& role : roles) {
      const Caller caller = CallerOf(role);
      const bool granted = role == "service:scheduling"
                               ? auth::ServiceGrants("scheduling", permission)
                               : auth::RoleGrants(role, permission);
      std::map<std::string, absl::Status> hidden;
      for (const Cell& cell : CellsOf(*row, role)) {
        ++cells;
        SCOPED_TRACE(absl::StrCat(method, " by ", role, ", ", cell.name));
        const absl::Status status = Do(caller, method, *cell.ids, row->text).status;
        const bool not_found = absl::IsNotFound(status);
        const bool denied = absl::IsPermissionDenied(status);
        EXPECT_FALSE(absl::IsInternal(status) || absl::IsUnknown(status) ||
                     absl::IsUnauthenticated(status))
            << status;
        if (!granted) {
          EXPECT_TRUE(denied) << status;
          hidden[cell.name] = status;
          continue;
        }
        if (role == "service:scheduling") continue;  // in its own right: it may ask of any course
        switch (ExpectedOf(row->kind, role, cell.tie)) {
          case Expected::kAllowed:
            EXPECT_FALSE(not_found || denied) << status;
            break;
          case Expected::kDenied:
            EXPECT_TRUE(denied) << status;
            break;
          case Expected::kHidden:
            EXPECT_TRUE(not_found) << status << "\n" << Faults(status);
            hidden[cell.name] = status;
            break;
          case Expected::kAnything:
            break;
        }
      }
      // Code, message and details are the same to the byte, whatever it is that they hide.
      for (const auto& [cell, status] : hidden) {
        EXPECT_EQ(status, hidden.begin()->second)
            << method << " by " << role << " tells " << cell << " from " << hidden.begin()->first;
      }
    }
  }
  RecordProperty("cells", cells);
  EXPECT_GT(cells, 4000) << "the matrix has shrunk";
}

TEST_P(MatrixTest, ACallerWhoIsRevokedKnowsOfNothingFromThenOn) {
  const std::string get = kCases + "GetCase";
  ASSERT_TRUE(Do(ada_, get, own_).status.ok());
  verifier_->RevokeSubject("acme", "ada", absl::Now() + absl::Seconds(1));
  EXPECT_TRUE(absl::IsUnauthenticated(Do(ada_, get, own_).status));
  EXPECT_TRUE(Do(bob_, get, own_).status.ok());
}

INSTANTIATE_TEST_SUITE_P(Engines, MatrixTest, ::testing::ValuesIn(NotesEngines()),
                         sql::testing::EngineName);

}  // namespace
}  // namespace rapport::notes::testing
