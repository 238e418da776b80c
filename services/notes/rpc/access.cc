#include "services/notes/rpc/access.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "services/notes/domain/case_rules.h"
#include "services/notes/store/break_glass_store.h"
#include "services/notes/store/psychotherapy_store.h"
#include "services/notes/store/release_store.h"

namespace rapport::notes {
namespace {

using call::CallContext;

// What the caller acts as. A device bears its one role and nothing else.
std::vector<Role> RolesOf(const CallContext& context) {
  if (context.is_service()) return {Role::kService};
  std::vector<Role> roles;
  for (const std::string& name : context.principal->roles) {
    const Role role = RoleOf(name);
    const bool device = role == Role::kPatientProxy || role == Role::kGuardianProxy;
    roles.push_back(device && context.principal->roles.size() > 1 ? Role::kOther : role);
  }
  return roles;
}

absl::Status BreakGlassReadsOnly() {
  return errors::PermissionDenied(
      "BREAK_GLASS_READS_ONLY",
      "Emergency access reads the case and its signed notes, and nothing else.");
}

// The audit entry of what is read by an emergency access says so.
void TellOf(const std::string& break_glass, const CallContext& context) {
  if (!break_glass.empty()) context.purpose = absl::StrCat("break-glass: ", break_glass);
}

absl::Status Stale() {
  return errors::Unavailable("CARE_RELATIONS_STALE",
                             "It is not known whether the caller still covers or supervises here, "
                             "as scheduling has not been heard of "
                             "for a minute. Repeat the call.",
                             "scheduling");
}

absl::Status OfVerdict(Verdict verdict, absl::string_view type, const absl::Status& denied) {
  switch (verdict) {
    case Verdict::kAllow:
      return absl::OkStatus();
    case Verdict::kDenied:
      return denied;
    case Verdict::kHidden:
      break;
  }
  return errors::NotFound(type);
}

}  // namespace

struct Access::Known {
  CaseAccess access;
  care::Reach reach;
  std::vector<Relation> relations;
  bool stale = false;  // they would see to it or supervise it, were that sure
};

absl::StatusOr<care::Reach> Access::ReachOf(sql::Session& session,
                                            const CallContext& context) const {
  ASSIGN_OR_RETURN(care::Reach reach, care::ReachOf(session, context));
  if (!reach.clinician.empty() && Lags()) {
    reach.clinicians = {reach.clinician};
    reach.supervised.clear();
  }
  return reach;
}

absl::StatusOr<Access::Known> Access::RelationsTo(sql::Session& session, const CallContext& context,
                                                  absl::string_view name,
                                                  absl::string_view type) const {
  Known known;
  CaseAccess& access = known.access;
  access.case_id = std::string(names::Id(name, "cases"));
  access.name = names::InOrganization(context.organization_id, "cases", access.case_id);
  absl::StatusOr<care::CourseFacts> course = care::GetCourse(
      session, names::InOrganization(context.organization_id, "courses", access.case_id));
  if (absl::IsNotFound(course.status())) return errors::NotFound(type);
  ASSIGN_OR_RETURN(access.course, std::move(course));

  ASSIGN_OR_RETURN(known.reach, care::ReachOf(session, context));
  const care::Reach& reach = known.reach;
  access.clinician = reach.clinician;
  access.actor = reach.clinician.empty() ? context.principal->subject : reach.clinician;
  if (reach.clinician.empty()) return known;
  const std::string& responsible = access.course.state.clinician();
  const bool sure = reach.clinician == responsible || !Lags();
  access.treats = sure && reach.Treats(responsible);
  if (access.treats) {
    known.relations.push_back(Relation::kTreats);
  } else if (sure && reach.Reaches(responsible)) {
    known.relations.push_back(Relation::kSupervises);
  } else {
    known.stale = reach.Reaches(responsible);
    ASSIGN_OR_RETURN(access.break_glass,
                     FindBreakGlass(session, context.organization_id, access.case_id,
                                    access.clinician, context.now));
    if (!access.break_glass.empty()) known.relations.push_back(Relation::kBrokeGlass);
  }
  return known;
}

absl::StatusOr<CaseAccess> Access::DecideCase(sql::Session& session, const CallContext& context,
                                              absl::string_view name, absl::string_view type,
                                              Object object, Purpose purpose) const {
  ASSIGN_OR_RETURN(Known known, RelationsTo(session, context, name, type));
  const Verdict verdict = Decide(RolesOf(context), known.relations, object, purpose);
  if (verdict == Verdict::kHidden && known.stale) return Stale();
  RETURN_IF_ERROR(OfVerdict(
      verdict, type,
      known.access.break_glass.empty() ? care::NotTheTherapist() : BreakGlassReadsOnly()));
  TellOf(known.access.break_glass, context);
  return std::move(known.access);
}

absl::StatusOr<care::CourseFacts> Access::RequireCourse(sql::Session& session,
                                                        const CallContext& context,
                                                        absl::string_view course,
                                                        absl::string_view type) const {
  ASSIGN_OR_RETURN(
      CaseAccess access,
      DecideCase(session, context,
                 names::InOrganization(context.organization_id, "cases", names::Last(course)), type,
                 Object::kSuitability, Purpose::kRead));
  return std::move(access.course);
}

absl::StatusOr<CaseAccess> Access::RequireCase(sql::Session& session, const CallContext& context,
                                               absl::string_view name, absl::string_view type,
                                               Purpose purpose) const {
  return DecideCase(session, context, name, type, Object::kCase, purpose);
}

absl::StatusOr<CaseAccess> Access::RequireTreatedCase(sql::Session& session,
                                                      const CallContext& context,
                                                      absl::string_view name,
                                                      absl::string_view type) const {
  return DecideCase(session, context, name, type, Object::kCase, Purpose::kChange);
}

absl::StatusOr<NoteAccess> Access::DecideNote(sql::Session& session, const CallContext& context,
                                              absl::string_view name, Object object,
                                              Purpose purpose) const {
  NoteAccess access;
  ASSIGN_OR_RETURN(access.note, GetNote(session, name));
  ASSIGN_OR_RETURN(Known known, RelationsTo(session, context, name, "Note"));
  access.clinician = known.access.clinician;
  access.author = !access.clinician.empty() && access.note.resource.author() == access.clinician;
  const std::vector<std::string>& supervised = known.reach.supervised;
  if (access.author) {
    known.relations.push_back(Relation::kAuthor);
  } else if (std::find(supervised.begin(), supervised.end(), access.note.resource.author()) !=
             supervised.end()) {
    if (Lags()) {
      known.stale = true;
    } else {
      known.relations.push_back(Relation::kSupervisesAuthor);
    }
  }
  access.treats = access.author || known.access.treats;
  access.break_glass = std::move(known.access.break_glass);
  access.course = std::move(known.access.course);
  // Whatever is asked of a draft: it is there for those alone who may see drafts.
  if (access.note.resource.state() == v1::NOTE_STATE_DRAFT) object = Object::kDraft;
  const Verdict verdict = Decide(RolesOf(context), known.relations, object, purpose);
  if (verdict == Verdict::kHidden && known.stale && object != Object::kDraft) return Stale();
  RETURN_IF_ERROR(
      OfVerdict(verdict, "Note",
                access.break_glass.empty() ? care::NotTheTherapist() : BreakGlassReadsOnly()));
  if (!access.author) TellOf(access.break_glass, context);
  return access;
}

absl::StatusOr<NoteAccess> Access::RequireNote(sql::Session& session, const CallContext& context,
                                               absl::string_view name) const {
  return DecideNote(session, context, name, Object::kSignedNote, Purpose::kRead);
}

absl::StatusOr<NoteAccess> Access::RequireTreatedNote(sql::Session& session,
                                                      const CallContext& context,
                                                      absl::string_view name) const {
  return DecideNote(session, context, name, Object::kSignedNote, Purpose::kChange);
}

absl::StatusOr<NoteAccess> Access::RequireNoteDecision(sql::Session& session,
                                                       const CallContext& context,
                                                       absl::string_view name) const {
  return DecideNote(session, context, name, Object::kNoteDecision, Purpose::kChange);
}

absl::StatusOr<PsychotherapyAccess> Access::RequirePsychotherapyNote(sql::Session& session,
                                                                     const CallContext& context,
                                                                     absl::string_view name,
                                                                     Purpose purpose,
                                                                     absl::string_view type) const {
  PsychotherapyAccess access;
  ASSIGN_OR_RETURN(const care::Reach reach, care::ReachOf(session, context));
  if (reach.clinician.empty()) return errors::NotFound(type);
  access.clinician = reach.clinician;
  const absl::StatusOr<PsychotherapyFacts> facts =
      GetPsychotherapyFacts(session, name, access.clinician, context.now);
  if (absl::IsNotFound(facts.status())) return errors::NotFound(type);
  RETURN_IF_ERROR(facts.status());
  access.author = facts->author == access.clinician;
  std::vector<Relation> relations;
  if (access.author) relations.push_back(Relation::kAuthor);
  if (facts->released) relations.push_back(Relation::kRecipient);
  RETURN_IF_ERROR(
      OfVerdict(Decide(RolesOf(context), relations, Object::kPsychotherapyNote, purpose), type,
                errors::PermissionDenied("NOT_THE_AUTHOR", "Only its author may do this.")));
  if (!access.author) context.purpose = "release";
  return access;
}

absl::StatusOr<CaseAccess> Access::RequireDisclosure(sql::Session& session,
                                                     const CallContext& context,
                                                     absl::string_view name, absl::string_view type,
                                                     Purpose purpose) const {
  return DecideCase(session, context, name, type, Object::kDisclosure, purpose);
}

absl::StatusOr<CaseAccess> Access::RequirePatientDisclosure(sql::Session& session,
                                                            const CallContext& context,
                                                            absl::string_view patient,
                                                            absl::string_view type,
                                                            Purpose purpose) const {
  ASSIGN_OR_RETURN(const std::vector<std::string> cases, ListCasesOfPatient(session, patient));
  absl::Status best = errors::NotFound(type);
  for (const std::string& case_id : cases) {
    absl::StatusOr<CaseAccess> access = RequireDisclosure(
        session, context, names::InOrganization(context.organization_id, "cases", case_id), type,
        purpose);
    if (access.ok()) return access;
    if (absl::IsNotFound(best)) best = access.status();
  }
  return best;
}

absl::Status Access::RequireBreakGlass(sql::Session& session, const CallContext& context,
                                       absl::string_view opener, Purpose purpose) const {
  ASSIGN_OR_RETURN(const care::Reach reach, care::ReachOf(session, context));
  std::vector<Relation> relations;
  if (!reach.clinician.empty() && reach.clinician == opener) {
    relations.push_back(Relation::kAuthor);
  }
  return OfVerdict(Decide(RolesOf(context), relations, Object::kBreakGlass, purpose), "BreakGlass",
                   errors::NotFound("BreakGlass"));
}

absl::Status Access::RequirePatientView(const CallContext& context,
                                        absl::string_view patient) const {
  std::vector<Relation> relations;
  if (!context.is_service() && context.principal->subject == names::Last(patient)) {
    relations.push_back(Relation::kSelf);
  }
  return OfVerdict(Decide(RolesOf(context), relations, Object::kPatientView, Purpose::kRead),
                   "Patient", errors::NotFound("Patient"));
}

absl::Status Access::RequireGuardianView(const CallContext& context, bool open) const {
  std::vector<Relation> relations;
  if (open) relations.push_back(Relation::kGuardian);
  return OfVerdict(Decide(RolesOf(context), relations, Object::kGuardianView, Purpose::kRead),
                   "Patient", errors::NotFound("Patient"));
}

absl::Status RequireRecentAuthentication(const CallContext& context) {
  return CheckRecentAuthentication(context.principal->auth_time, absl::Now());
}

}  // namespace rapport::notes
