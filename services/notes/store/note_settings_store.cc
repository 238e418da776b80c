#include "services/notes/store/note_settings_store.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/call/mutate.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "services/notes/store/documents.h"
#include "services/notes/store/sealed.h"

namespace rapport::notes {
namespace {

const sql::Statement kGetKey{"notes.signing_key.get", R"sql(
  SELECT key_id, public_key, create_time, sealed FROM signing_key
  WHERE organization_id = $1 AND clinician = $2)sql"};

const sql::Statement kInsertKey{"notes.signing_key.insert", R"sql(
  INSERT INTO signing_key (organization_id, clinician, key_id, public_key, create_time, subject,
                           sealed)
  VALUES ($1, $2, $3, $4, $5, $6, $7))sql"};

const sql::Statement kListKeys{"notes.signing_key.list", R"sql(
  SELECT key_id, public_key, create_time, clinician FROM signing_key
  WHERE organization_id = $1 AND ($2 = '' OR clinician = $2) AND (create_time, key_id) > ($3, $4)
  ORDER BY create_time, key_id
  LIMIT $5)sql"};

const sql::Statement kFacts{"notes.signing_facts.get", R"sql(
  SELECT c.licence_until, c.trainee, s.supervisor, k.document, n.document, p.sample_percent, p.seed
  FROM care_clinician AS c
  LEFT JOIN care_supervision AS s
    ON s.organization_id = $1 AND s.supervisee = $2 AND s.start_time <= $4 AND s.end_time > $4
  LEFT JOIN cosign_policy AS p
    ON p.organization_id = $1 AND p.supervisee = $2 AND p.supervisor = s.supervisor
  LEFT JOIN care_clinic AS k ON k.organization_id = $1 AND k.clinic = $3
  LEFT JOIN note_policy AS n ON n.organization_id = $1 AND n.clinic = $3
  WHERE c.organization_id = $1 AND c.clinician = $2
  ORDER BY s.supervisor)sql"};

const sql::Statement kGetPolicy{"notes.cosign_policy.get", R"sql(
  SELECT supervisee, supervisor, sample_percent, seed, set_by, version, update_time
  FROM cosign_policy WHERE organization_id = $1 AND supervisee = $2 AND supervisor = $3)sql"};

const sql::Statement kListPolicies{"notes.cosign_policy.list", R"sql(
  SELECT supervisee, supervisor, sample_percent, seed, set_by, version, update_time
  FROM cosign_policy
  WHERE organization_id = $1 AND ($2 = '' OR supervisee = $2 OR supervisor = $2)
    AND (supervisee, supervisor) > ($3, $4)
  ORDER BY supervisee, supervisor
  LIMIT $5)sql"};

const sql::Statement kPutPolicy{"notes.cosign_policy.put", R"sql(
  INSERT INTO cosign_policy (organization_id, supervisee, supervisor, sample_percent, seed, set_by,
                             version, update_time)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
  ON CONFLICT (organization_id, supervisee, supervisor) DO UPDATE
  SET sample_percent = excluded.sample_percent, seed = excluded.seed, set_by = excluded.set_by,
      version = excluded.version, update_time = excluded.update_time
  WHERE cosign_policy.version = excluded.version - 1)sql"};

const sql::Statement kGetNotePolicy{"notes.note_policy.get", R"sql(
  SELECT version, update_time, document FROM note_policy
  WHERE organization_id = $1 AND clinic = $2)sql"};

const sql::Statement kPutNotePolicy{"notes.note_policy.put", R"sql(
  INSERT INTO note_policy (organization_id, clinic, version, update_time, document)
  VALUES ($1, $2, $3, $4, $5)
  ON CONFLICT (organization_id, clinic) DO UPDATE
  SET version = excluded.version, update_time = excluded.update_time, document = excluded.document
  WHERE note_policy.version = excluded.version - 1)sql"};

const sql::Statement kNewestTemplate{"notes.note_template.newest", R"sql(
  SELECT coalesce(max(revision), 0) FROM note_template
  WHERE organization_id = $1 AND clinician = $2 AND template_id = $3)sql"};

const sql::Statement kInsertTemplate{"notes.note_template.insert", R"sql(
  INSERT INTO note_template (organization_id, clinician, template_id, revision, phase, document)
  VALUES ($1, $2, $3, $4, $5, $6))sql"};

const sql::Statement kGetTemplate{"notes.note_template.get", R"sql(
  SELECT document FROM note_template
  WHERE organization_id = $1 AND clinician = $2 AND template_id = $3 AND revision = $4)sql"};

const sql::Statement kListTemplates{"notes.note_template.list", R"sql(
  SELECT t.document, t.template_id FROM note_template AS t
  WHERE t.organization_id = $1 AND t.clinician = $2 AND t.template_id > $3
    AND ($4 = 0 OR t.phase = $4)
    AND NOT EXISTS (SELECT 1 FROM note_template AS o
                    WHERE o.organization_id = $1 AND o.clinician = $2
                      AND o.template_id = t.template_id AND o.revision > t.revision)
  ORDER BY t.template_id
  LIMIT $5)sql"};

sql::Value OrganizationOf(absl::string_view name) { return sql::Text(names::OrganizationId(name)); }

// The organisation's own key, so that no patient's erasure takes it away.
SealedPlace KeyPlace(absl::string_view key) {
  return {names::Organization(names::OrganizationId(key)), std::string(key), 0};
}

v1::SigningKey ReadKey(const sql::Result& rows, size_t row, absl::string_view clinician) {
  v1::SigningKey key;
  key.set_name(absl::StrCat(clinician, "/signingKeys/", rows.Text(row, 0)));
  key.set_clinician(std::string(clinician));
  key.set_public_key(rows.Bytes(row, 1));
  *key.mutable_create_time() = time::ToTimestamp(rows.Time(row, 2));
  return key;
}

v1::CosignPolicy ReadPolicy(const sql::Result& rows, size_t row) {
  v1::CosignPolicy policy;
  policy.set_name(
      absl::StrCat(rows.Text(row, 0), "/cosignPolicies/", names::Last(rows.Text(row, 1))));
  policy.set_sample_percent(static_cast<int32_t>(rows.Int(row, 2)));
  policy.set_seed(rows.Bytes(row, 3));
  policy.set_set_by(rows.Text(row, 4));
  policy.set_etag(call::Etag(rows.Int(row, 5)));
  *policy.mutable_update_time() = time::ToTimestamp(rows.Time(row, 6));
  return policy;
}

std::string SuperviseeOf(absl::string_view policy) {
  return names::InOrganization(names::OrganizationId(policy), "clinicians",
                               names::Id(policy, "clinicians"));
}
std::string SupervisorOf(absl::string_view policy) {
  return names::InOrganization(names::OrganizationId(policy), "clinicians", names::Last(policy));
}

}  // namespace

absl::StatusOr<std::optional<HeldKey>> GetSigningKey(sql::Session& session,
                                                     const crypto::Vault& vault,
                                                     absl::string_view clinician) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kGetKey, {OrganizationOf(clinician), sql::Text(clinician)}));
  if (rows.empty()) return std::nullopt;
  HeldKey held{ReadKey(rows, 0, clinician), ""};
  crypto::Opener opener(vault, session);
  ASSIGN_OR_RETURN(held.private_key,
                   UnsealBytes(opener, KeyPlace(held.key.name()), rows.Bytes(0, 3)));
  return held;
}

absl::StatusOr<std::string> InsertSigningKey(sql::Transaction& tx, const crypto::Vault& vault,
                                             const HeldKey& held) {
  const SealedPlace place = KeyPlace(held.key.name());
  const absl::Time now = time::ToTime(held.key.create_time());
  ASSIGN_OR_RETURN(const sql::Value sealed, SealBytes(tx, vault, place, held.private_key, now));
  RETURN_IF_ERROR(
      tx.Query(kInsertKey,
               {OrganizationOf(held.key.name()), sql::Text(held.key.clinician()),
                sql::Text(names::Last(held.key.name())), sql::Bytes(held.key.public_key()),
                sql::Micros(now), sql::Text(place.subject), sealed})
          .status());
  return StoredBytes(sealed);
}

absl::StatusOr<Listed<v1::SigningKey>> ListSigningKeys(sql::Session& session,
                                                       absl::string_view organization_id,
                                                       absl::string_view clinician,
                                                       const call::Page& page) {
  const ListKey after = After(page, kFromFirst);
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kListKeys, {sql::Text(organization_id), sql::Text(clinician),
                                             sql::Int(after.number), sql::Text(after.id),
                                             sql::Int(page.size + 1)}));
  return TakePage<v1::SigningKey>(
      rows, page, [&](size_t row) { return ReadKey(rows, row, rows.Text(row, 3)); },
      [&](size_t row) {
        return ListKey{rows.Int(row, 2), rows.Text(row, 0)};
      });
}

absl::StatusOr<SigningFacts> GetSigningFacts(sql::Session& session, absl::string_view clinician,
                                             absl::string_view clinic, absl::Time now) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kFacts, {OrganizationOf(clinician), sql::Text(clinician),
                                          sql::Text(clinic), sql::Micros(now)}));
  SigningFacts facts;
  if (rows.empty()) return facts;
  absl::CivilDay until;
  if (absl::ParseCivilTime(rows.Text(0, 0), &until)) facts.standing.licence_until = until;
  facts.standing.trainee = rows.Bool(0, 1);
  if (!rows.IsNull(0, 3)) {
    facts.time_zone = Parsed<scheduling::v1::ClinicEvent>(rows.Bytes(0, 3)).time_zone();
  }
  if (!rows.IsNull(0, 4)) facts.note_policy = Parsed<v1::NotePolicy>(rows.Bytes(0, 4));
  std::vector<std::string>& supervisors = facts.standing.supervisors;
  for (size_t row = 0; row < rows.rows(); ++row) {
    if (rows.IsNull(row, 2)) continue;
    if (!supervisors.empty() && supervisors.back() == rows.Text(row, 2)) continue;
    supervisors.push_back(rows.Text(row, 2));
    if (rows.IsNull(row, 5)) continue;
    v1::CosignPolicy& policy = facts.policies.emplace_back();
    policy.set_name(absl::StrCat(clinician, "/cosignPolicies/", names::Last(rows.Text(row, 2))));
    policy.set_sample_percent(static_cast<int32_t>(rows.Int(row, 5)));
    policy.set_seed(rows.Bytes(row, 6));
  }
  return facts;
}

absl::StatusOr<std::optional<v1::CosignPolicy>> GetCosignPolicy(sql::Session& session,
                                                                absl::string_view name) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kGetPolicy, {OrganizationOf(name), sql::Text(SuperviseeOf(name)),
                                              sql::Text(SupervisorOf(name))}));
  if (rows.empty()) return std::nullopt;
  return ReadPolicy(rows, 0);
}

absl::StatusOr<Listed<v1::CosignPolicy>> ListCosignPolicies(sql::Session& session,
                                                            absl::string_view organization_id,
                                                            absl::string_view clinician,
                                                            const call::Page& page) {
  const auto [supervisee, supervisor] = call::SplitKey(page.after);
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kListPolicies, {sql::Text(organization_id), sql::Text(clinician),
                                                 sql::Text(supervisee), sql::Text(supervisor),
                                                 sql::Int(page.size + 1)}));
  Listed<v1::CosignPolicy> listed;
  const size_t size = static_cast<size_t>(page.size);
  for (size_t row = 0; row < rows.rows() && row < size; ++row) {
    listed.items.push_back(ReadPolicy(rows, row));
  }
  if (rows.rows() > size) {
    listed.next_key = call::JoinKey(rows.Text(size - 1, 0), rows.Text(size - 1, 1));
  }
  return listed;
}

absl::Status PutCosignPolicy(sql::Transaction& tx, v1::CosignPolicy& policy, int64_t version) {
  RETURN_IF_ERROR(Changed(tx.Query(
      kPutPolicy, {OrganizationOf(policy.name()), sql::Text(SuperviseeOf(policy.name())),
                   sql::Text(SupervisorOf(policy.name())), sql::Int(policy.sample_percent()),
                   sql::Bytes(policy.seed()), sql::Text(policy.set_by()), sql::Int(version),
                   sql::Micros(time::ToTime(policy.update_time()))})));
  policy.set_etag(call::Etag(version));
  return absl::OkStatus();
}

absl::StatusOr<v1::NotePolicy> GetNotePolicy(sql::Session& session, absl::string_view clinic) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kGetNotePolicy, {OrganizationOf(clinic), sql::Text(clinic)}));
  v1::NotePolicy policy;
  if (!rows.empty()) {
    policy = Parsed<v1::NotePolicy>(rows.Bytes(0, 2));
    policy.set_etag(call::Etag(rows.Int(0, 0)));
    *policy.mutable_update_time() = time::ToTimestamp(rows.Time(0, 1));
  }
  policy.set_clinic(std::string(clinic));
  return policy;
}

absl::StatusOr<std::string> PutNotePolicy(sql::Transaction& tx, v1::NotePolicy& policy,
                                          int64_t version) {
  v1::NotePolicy document;
  *document.mutable_history_ceilings() = policy.history_ceilings();
  RETURN_IF_ERROR(Changed(
      tx.Query(kPutNotePolicy,
               {OrganizationOf(policy.clinic()), sql::Text(policy.clinic()), sql::Int(version),
                sql::Micros(time::ToTime(policy.update_time())), Document(document)})));
  policy.set_etag(call::Etag(version));
  return document.SerializeAsString();
}

absl::Status InsertTemplate(sql::Transaction& tx, absl::string_view clinician,
                            v1::NoteTemplate& note_template) {
  const sql::Value organization = OrganizationOf(clinician);
  ASSIGN_OR_RETURN(const sql::Result rows,
                   tx.Query(kNewestTemplate,
                            {organization, sql::Text(clinician), sql::Text(note_template.id())}));
  const int64_t revision = rows.Int(0, 0) + 1;
  note_template.set_revision(static_cast<int32_t>(revision));
  note_template.set_name(
      absl::StrCat(clinician, "/noteTemplates/", note_template.id(), "/revisions/", revision));
  const absl::Status status =
      tx.Query(kInsertTemplate,
               {organization, sql::Text(clinician), sql::Text(note_template.id()),
                sql::Int(revision), sql::Int(note_template.phase()), Document(note_template)})
          .status();
  if (absl::IsAlreadyExists(status)) {
    return errors::Aborted("LOST_RACE", "Another revision was kept meanwhile. Repeat the call.");
  }
  return status;
}

absl::StatusOr<v1::NoteTemplate> GetTemplate(sql::Session& session, absl::string_view name) {
  int64_t revision = 0;
  const bool numbered = absl::SimpleAtoi(names::Id(name, "revisions"), &revision);
  const std::string clinician = names::InOrganization(names::OrganizationId(name), "clinicians",
                                                      names::Id(name, "clinicians"));
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kGetTemplate, {OrganizationOf(name), sql::Text(clinician),
                                                sql::Text(names::Id(name, "noteTemplates")),
                                                sql::Int(revision)}));
  if (!numbered || rows.empty()) return errors::NotFound("NoteTemplate");
  return Parsed<v1::NoteTemplate>(rows.Bytes(0, 0));
}

absl::StatusOr<Listed<v1::NoteTemplate>> ListTemplates(sql::Session& session,
                                                       absl::string_view clinician,
                                                       v1::NotePhase phase,
                                                       const call::Page& page) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kListTemplates, {OrganizationOf(clinician), sql::Text(clinician),
                                                  sql::Text(page.after), sql::Int(phase),
                                                  sql::Int(page.size + 1)}));
  Listed<v1::NoteTemplate> listed;
  const size_t size = static_cast<size_t>(page.size);
  for (size_t row = 0; row < rows.rows() && row < size; ++row) {
    listed.items.push_back(Parsed<v1::NoteTemplate>(rows.Bytes(row, 0)));
  }
  if (rows.rows() > size) listed.next_key = rows.Text(size - 1, 1);
  return listed;
}

}  // namespace rapport::notes
