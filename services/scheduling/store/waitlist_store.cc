#include "services/scheduling/store/waitlist_store.h"

#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "rapport/scheduling/v1/directory.pb.h"
#include "services/scheduling/domain/waitlist.h"

namespace rapport::scheduling::store {
namespace {

const sql::Statement kGet{
    "scheduling.waitlist.get",
    "SELECT w.document, w.version, w.clinic_id, " RAPPORT_SEES_TO("w", "$3", "$4") ", "
    RAPPORT_SUPERVISES("w", "$5", "$4")
    " FROM waitlist_entry w WHERE w.organization_id = $1 AND w.entry_id = $2"};

const sql::Statement kIsOn{"scheduling.waitlist.is_on", R"sql(
  SELECT 1 FROM waitlist_entry
  WHERE organization_id = $1 AND course_id = $2 AND state IN (1, 2))sql"};

const sql::Statement kCountWaiting{"scheduling.waitlist.count", R"sql(
  SELECT -urgency, count(*), min(create_time) FROM waitlist_entry
  WHERE organization_id = $1 AND state IN (1, 2) GROUP BY urgency)sql"};

const sql::Statement kInsert{"scheduling.waitlist.insert", R"sql(
  INSERT INTO waitlist_entry (organization_id, entry_id, version, course_id, clinician_id, clinic_id,
                              state, urgency, create_time, latest_at, offer_id, document)
  VALUES ($1, $2, 1, $3, $4, $5, $6, $7, $8, $9, '', $10))sql"};

const sql::Statement kUpdate{"scheduling.waitlist.update", R"sql(
  UPDATE waitlist_entry SET version = version + 1, state = $4, offer_id = $5, document = $6
  WHERE organization_id = $1 AND entry_id = $2 AND version = $3)sql"};

const sql::Statement kForgetPasses{"scheduling.waitlist.forget_passes", R"sql(
  DELETE FROM waitlist_pass WHERE organization_id = $1 AND entry_id = $2)sql"};

const sql::Statement kFollowCourse{"scheduling.waitlist.follow_course", R"sql(
  UPDATE waitlist_entry SET clinician_id = $3, clinic_id = $4
  WHERE organization_id = $1 AND course_id = $2 AND state IN (1, 2))sql"};

// One text for each index. $3: of this clinician, $4: of this course, where asked for; $5 whether
// all, $6 and $7 the clinics of a desk, $8 subject, $9 supervisor, $10 now; $11 to $13 the key
// before.
#define LIST_ENTRIES(condition) \
  "SELECT w.document, w.version FROM waitlist_entry w WHERE w.organization_id = $1 AND " \
  condition                                                                              \
  " AND ($2 = 1 OR w.state IN (1, 2))"                                                   \
  " AND ($5 = 1 OR ($6 = 1 AND " RAPPORT_IN_CLINICS("w", "$7") ")"                       \
  " OR " RAPPORT_SEES_TO("w", "$8", "$10")                                               \
  " OR " RAPPORT_SUPERVISES("w", "$9", "$10") ")"                                        \
  " AND (w.urgency, w.create_time, w.entry_id) > ($11, $12, $13)"                        \
  " ORDER BY w.urgency, w.create_time, w.entry_id LIMIT $14"

const sql::Statement kList{"scheduling.waitlist.list", LIST_ENTRIES("$3 = '' AND $4 = ''")};
const sql::Statement kListOfClinician{
    "scheduling.waitlist.list_of_clinician",
    LIST_ENTRIES("w.clinician_id = $3 AND ($4 = '' OR w.course_id = $4)")};
const sql::Statement kListOfCourse{"scheduling.waitlist.list_of_course",
                                   LIST_ENTRIES("w.course_id = $4 AND $3 = ''")};

// $2: up to when sessions are counted.
#define CANDIDATES                                                            \
  "SELECT w.document, w.version, c.document, k.document,"                     \
  " (SELECT COUNT(*) FROM appointment a WHERE a.organization_id = $1"         \
  " AND a.course_id = w.course_id AND a.counts = 1 AND a.segment = c.segment" \
  " AND a.starts_at < $2)"                                                    \
  " FROM waitlist_entry w"                                                    \
  " JOIN course c ON c.organization_id = $1 AND c.course_id = w.course_id"    \
  " JOIN clinic k ON k.organization_id = $1 AND k.clinic_id = c.clinic_id"    \
  " WHERE w.organization_id = $1 AND w.state = 1 AND "

const sql::Statement kCandidates{"scheduling.waitlist.candidates", CANDIDATES
                                 "w.clinician_id = $3 AND c.clinician_id = $3"
                                 " AND (w.urgency, w.create_time, w.entry_id) > ($4, $5, $6)"
                                 " ORDER BY w.urgency, w.create_time, w.entry_id LIMIT $7"};
const sql::Statement kCandidate{"scheduling.waitlist.candidate", CANDIDATES "w.entry_id = $3"};

const sql::Statement kOffered{"scheduling.waitlist.offered", R"sql(
  SELECT document, version FROM waitlist_entry
  WHERE organization_id = $1 AND offer_id = $2 AND offer_id <> '' AND state = 2)sql"};

const sql::Statement kPass{"scheduling.waitlist.pass", R"sql(
  INSERT INTO waitlist_pass (organization_id, entry_id, starts_at) VALUES ($1, $2, $3)
  ON CONFLICT (organization_id, entry_id, starts_at) DO NOTHING)sql"};

const sql::Statement kPasses{"scheduling.waitlist.passes", R"sql(
  SELECT p.entry_id, p.starts_at FROM waitlist_entry w
  JOIN waitlist_pass p ON p.organization_id = $1 AND p.entry_id = w.entry_id
  WHERE w.organization_id = $1 AND w.clinician_id = $2 AND w.state = 1
    AND p.starts_at >= $3 AND p.starts_at < $4)sql"};

absl::StatusOr<std::vector<Candidate>> AllCandidates(const absl::StatusOr<sql::Result>& rows) {
  RETURN_IF_ERROR(rows.status());
  std::vector<Candidate> candidates(rows->rows());
  for (size_t i = 0; i < candidates.size(); ++i) {
    Candidate& candidate = candidates[i];
    candidate.version = rows->Int(i, 1);
    RETURN_IF_ERROR(ParseDocument(rows->Bytes(i, 0), candidate.version, candidate.resource));
    RETURN_IF_ERROR(ParseDocument(rows->Bytes(i, 2), 0, candidate.course));
    v1::Clinic clinic;
    RETURN_IF_ERROR(ParseDocument(rows->Bytes(i, 3), 0, clinic));
    candidate.time_zone = clinic.time_zone();
    candidate.sessions_before = static_cast<int>(rows->Int(i, 4));
  }
  return candidates;
}

}  // namespace

absl::StatusOr<WaitlistRow> GetWaitlistEntry(sql::Session& session, absl::string_view name,
                                             const Scope& scope) {
  const absl::string_view organization_id = names::OrganizationId(name);
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kGet, {sql::Text(organization_id), sql::Text(names::Last(name)),
                                        sql::Text(scope.subject), sql::Micros(scope.now),
                                        sql::Text(scope.supervisor)}));
  if (rows.empty()) return errors::NotFound("WaitlistEntry");
  WaitlistRow row;
  row.version = rows.Int(0, 1);
  RETURN_IF_ERROR(ParseDocument(rows.Bytes(0, 0), row.version, row.resource));
  row.clinic = names::InOrganization(organization_id, "clinics", rows.Text(0, 2));
  row.treats = rows.Bool(0, 3);
  row.supervises = rows.Bool(0, 4);
  return row;
}

absl::StatusOr<bool> IsOnWaitlist(sql::Session& session, absl::string_view course) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kIsOn, {sql::Text(names::OrganizationId(course)),
                                         sql::Text(names::Last(course))}));
  return !rows.empty();
}

absl::Status InsertWaitlistEntry(sql::Transaction& tx, const v1::WaitlistEntry& entry,
                                 const v1::Course& course) {
  const WaitlistKey key = KeyOf(entry);
  return tx
      .Query(kInsert,
             {sql::Text(names::OrganizationId(entry.name())), sql::Text(key.id),
              sql::Text(names::Last(entry.course())), sql::Text(names::Last(course.clinician())),
              sql::Text(names::Last(course.clinic())), sql::Int(entry.state()),
              sql::Int(key.urgency), sql::Int(key.create_micros),
              sql::Micros(time::ToTime(entry.latest())), sql::Bytes(Document(entry))})
      .status();
}

absl::Status UpdateWaitlistEntry(sql::Transaction& tx, const v1::WaitlistEntry& entry,
                                 int64_t version) {
  const absl::string_view organization_id = names::OrganizationId(entry.name());
  ASSIGN_OR_RETURN(
      const sql::Result result,
      tx.Query(kUpdate, {sql::Text(organization_id), sql::Text(names::Last(entry.name())),
                         sql::Int(version), sql::Int(entry.state()),
                         sql::Text(names::Last(entry.offer())), sql::Bytes(Document(entry))}));
  RETURN_IF_ERROR(RequireOneRow(result));
  if (!IsWaiting(entry.state())) {
    tx.Defer(kForgetPasses, {sql::Text(organization_id), sql::Text(names::Last(entry.name()))});
  }
  return absl::OkStatus();
}

void DeferFollowCourse(sql::Transaction& tx, const v1::Course& course) {
  tx.Defer(kFollowCourse,
           {sql::Text(names::OrganizationId(course.name())), sql::Text(names::Last(course.name())),
            sql::Text(names::Last(course.clinician())), sql::Text(names::Last(course.clinic()))});
}

WaitlistKey KeyOf(const v1::WaitlistEntry& entry) {
  return {-static_cast<int64_t>(entry.urgency()),
          absl::ToUnixMicros(time::ToTime(entry.create_time())),
          std::string(names::Last(entry.name()))};
}

absl::StatusOr<std::vector<v1::WaitlistEntry>> ListWaitlistEntries(
    sql::Session& session, absl::string_view organization_id, const Scope& scope,
    const WaitlistFilter& filter, const WaitlistKey& after, int limit) {
  const sql::Statement& statement = !filter.clinician_id.empty() ? kListOfClinician
                                    : !filter.course_id.empty()  ? kListOfCourse
                                                                 : kList;
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(
          statement,
          {sql::Text(organization_id), sql::Bool(filter.include_closed),
           sql::Text(filter.clinician_id), sql::Text(filter.course_id), sql::Bool(scope.all),
           sql::Bool(scope.desk), sql::Text(scope.clinics), sql::Text(scope.subject),
           sql::Text(scope.supervisor), sql::Micros(scope.now), sql::Int(after.urgency),
           sql::Int(after.create_micros), sql::Text(after.id), sql::Int(limit)}));
  std::vector<v1::WaitlistEntry> entries(rows.rows());
  for (size_t i = 0; i < entries.size(); ++i) {
    RETURN_IF_ERROR(ParseDocument(rows.Bytes(i, 0), rows.Int(i, 1), entries[i]));
  }
  return entries;
}

absl::StatusOr<std::vector<Candidate>> ListCandidates(sql::Session& session,
                                                      absl::string_view organization_id,
                                                      absl::string_view clinician_id,
                                                      absl::Time start, const WaitlistKey& after,
                                                      int limit) {
  return AllCandidates(session.Query(
      kCandidates, {sql::Text(organization_id), sql::Micros(start), sql::Text(clinician_id),
                    sql::Int(after.urgency), sql::Int(after.create_micros), sql::Text(after.id),
                    sql::Int(limit)}));
}

absl::StatusOr<Candidate> GetCandidate(sql::Session& session, absl::string_view entry,
                                       absl::Time start) {
  ASSIGN_OR_RETURN(std::vector<Candidate> found,
                   AllCandidates(session.Query(
                       kCandidate, {sql::Text(names::OrganizationId(entry)), sql::Micros(start),
                                    sql::Text(names::Last(entry))})));
  if (found.empty()) return errors::NotFound("WaitlistEntry");
  return std::move(found.front());
}

absl::StatusOr<std::optional<Stored<v1::WaitlistEntry>>> FindOfferedEntry(
    sql::Session& session, absl::string_view appointment) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kOffered, {sql::Text(names::OrganizationId(appointment)),
                                            sql::Text(names::Last(appointment))}));
  if (rows.empty()) return std::nullopt;
  Stored<v1::WaitlistEntry> entry;
  entry.version = rows.Int(0, 1);
  RETURN_IF_ERROR(ParseDocument(rows.Bytes(0, 0), entry.version, entry.resource));
  return entry;
}

absl::StatusOr<std::vector<WaitingCount>> CountWaiting(sql::Session& session,
                                                       absl::string_view organization_id) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kCountWaiting, {sql::Text(organization_id)}));
  std::vector<WaitingCount> counts;
  for (size_t row = 0; row < rows.rows(); ++row) {
    counts.push_back({.urgency = static_cast<v1::WaitlistUrgency>(rows.Int(row, 0)),
                      .entries = rows.Int(row, 1),
                      .since = rows.Time(row, 2)});
  }
  return counts;
}

void DeferPass(sql::Transaction& tx, absl::string_view entry, absl::Time start) {
  tx.Defer(kPass, {sql::Text(names::OrganizationId(entry)), sql::Text(names::Last(entry)),
                   sql::Micros(start)});
}

absl::StatusOr<std::map<std::string, std::vector<absl::Time>>> ListPasses(
    sql::Session& session, absl::string_view organization_id, absl::string_view clinician_id,
    const Interval& range) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kPasses, {sql::Text(organization_id), sql::Text(clinician_id),
                                           sql::Micros(range.start), sql::Micros(range.end)}));
  std::map<std::string, std::vector<absl::Time>> passes;
  for (size_t i = 0; i < rows.rows(); ++i) passes[rows.Text(i, 0)].push_back(rows.Time(i, 1));
  return passes;
}

}  // namespace rapport::scheduling::store
