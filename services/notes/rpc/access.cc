#include "services/notes/rpc/access.h"

#include "absl/time/clock.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "services/notes/domain/case_rules.h"

namespace rapport::notes {

absl::StatusOr<care::Reach> Access::ReachOf(sql::Session& session,
                                            const call::CallContext& context) const {
  ASSIGN_OR_RETURN(care::Reach reach, care::ReachOf(session, context));
  if (!reach.clinician.empty() && Lags()) {
    reach.clinicians = {reach.clinician};
    reach.supervised.clear();
  }
  return reach;
}

absl::StatusOr<care::CourseFacts> Access::RequireCourse(sql::Session& session,
                                                        const call::CallContext& context,
                                                        absl::string_view course,
                                                        absl::string_view type) const {
  ASSIGN_OR_RETURN(care::CourseFacts facts, care::RequireCourse(session, context, course, type));
  if (context.is_service() || !Lags()) return facts;
  ASSIGN_OR_RETURN(const care::Reach reach, ReachOf(session, context));
  if (reach.Reaches(facts.state.clinician())) return facts;
  return errors::Unavailable("CARE_RELATIONS_STALE",
                             "It is not known whether the caller still covers or supervises here, "
                             "as scheduling has not been heard of "
                             "for a minute. Repeat the call.",
                             "scheduling");
}

absl::StatusOr<CaseAccess> Access::RequireCase(sql::Session& session,
                                               const call::CallContext& context,
                                               absl::string_view name,
                                               absl::string_view type) const {
  CaseAccess access;
  access.case_id = std::string(names::Id(name, "cases"));
  access.name = names::InOrganization(context.organization_id, "cases", access.case_id);
  ASSIGN_OR_RETURN(access.course, RequireCourse(session, context,
                                                names::InOrganization(context.organization_id,
                                                                      "courses", access.case_id),
                                                type));
  ASSIGN_OR_RETURN(const care::Reach reach, care::ReachOf(session, context));
  if (reach.clinician.empty()) return errors::NotFound(type);
  access.clinician = reach.clinician;
  access.treats = reach.Treats(access.course.state.clinician());
  return access;
}

absl::StatusOr<CaseAccess> Access::RequireTreatedCase(sql::Session& session,
                                                      const call::CallContext& context,
                                                      absl::string_view name,
                                                      absl::string_view type) const {
  ASSIGN_OR_RETURN(CaseAccess access, RequireCase(session, context, name, type));
  if (!access.treats) return care::NotTheTherapist();
  return access;
}

absl::StatusOr<NoteAccess> Access::RequireTreatedNote(sql::Session& session,
                                                      const call::CallContext& context,
                                                      absl::string_view name) const {
  ASSIGN_OR_RETURN(NoteAccess access, RequireNote(session, context, name));
  if (!access.treats) return care::NotTheTherapist();
  return access;
}

absl::StatusOr<NoteAccess> Access::RequireNote(sql::Session& session,
                                               const call::CallContext& context,
                                               absl::string_view name) const {
  NoteAccess access;
  ASSIGN_OR_RETURN(access.note, GetNote(session, name));
  ASSIGN_OR_RETURN(const care::Reach reach, care::ReachOf(session, context));
  access.clinician = reach.clinician;
  access.treats = !reach.clinician.empty() && access.note.resource.author() == reach.clinician;
  if (access.treats) return access;
  if (access.note.resource.state() != v1::NOTE_STATE_SIGNED) return errors::NotFound("Note");
  ASSIGN_OR_RETURN(const CaseAccess known, RequireCase(session, context, name, "Note"));
  access.treats = known.treats;
  return access;
}

absl::Status RequireRecentAuthentication(const call::CallContext& context) {
  return CheckRecentAuthentication(context.principal->auth_time, absl::Now());
}

}  // namespace rapport::notes
