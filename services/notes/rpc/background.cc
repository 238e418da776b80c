#include "services/notes/rpc/background.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/call/own_act.h"
#include "common/call/pages.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/telemetry/log.h"
#include "common/time/convert.h"
#include "services/notes/domain/payloads.h"
#include "services/notes/domain/release_rules.h"
#include "services/notes/store/guardian_store.h"
#include "services/notes/store/majority_store.h"
#include "services/notes/store/release_store.h"

namespace rapport::notes {
namespace {

constexpr char kService[] = "notes";
constexpr char kRecorder[] = "service:notes";
constexpr char kAct[] = "ComeOfAge";
constexpr absl::Duration kAdoptEvery = absl::Minutes(1);
constexpr absl::Duration kEvery = absl::Hours(24);
constexpr int kPage = 500;

// All of a list that is read in pages.
template <class Item, class Read>
absl::StatusOr<std::vector<Item>> All(Read read) {
  std::vector<Item> all;
  call::Page page{.size = kPage, .after = ""};
  do {
    ASSIGN_OR_RETURN(Listed<Item> listed, read(page));
    std::move(listed.items.begin(), listed.items.end(), std::back_inserter(all));
    page.after = listed.next_key;
  } while (!page.after.empty());
  return all;
}

absl::StatusOr<int> EndGuardians(sql::Transaction& tx, const crypto::Vault& vault,
                                 absl::string_view patient, absl::Time now) {
  ASSIGN_OR_RETURN(const std::vector<v1::Guardian> guardians,
                   All<v1::Guardian>([&](const call::Page& page) {
                     return ListGuardians(tx, vault, patient, page);
                   }));
  int ended = 0;
  for (const v1::Guardian& guardian : guardians) {
    if (guardian.withdrawn() || guardian.erased()) continue;
    ASSIGN_OR_RETURN(GuardianRecord record, GetGuardian(tx, vault, guardian.name()));
    record.resource.set_withdrawn(true);
    record.resource.set_recorder(kRecorder);
    *record.resource.mutable_update_time() = time::ToTimestamp(now);
    ASSIGN_OR_RETURN(const std::string stored, UpdateGuardian(tx, vault, record));
    call::RecordOwnAct(tx, kService, kAct, guardian.name(), record.version, now,
                       PayloadOf(record.resource), stored);
    ++ended;
  }
  return ended;
}

absl::StatusOr<int> EndConsents(sql::Transaction& tx, const crypto::Vault& vault,
                                absl::string_view patient, absl::string_view case_id,
                                absl::Time now) {
  const absl::string_view organization_id = names::OrganizationId(patient);
  ASSIGN_OR_RETURN(std::vector<v1::Consent> consents, All<v1::Consent>([&](const call::Page& page) {
                     return ListConsents(tx, vault, organization_id, case_id, page);
                   }));
  int ended = 0;
  for (v1::Consent& consent : consents) {
    if (consent.purpose() != v1::CONSENT_PURPOSE_GUARDIAN_VIEW || consent.patient() != patient ||
        ConsentStateAt(consent, now) != v1::CONSENT_STATE_ACTIVE) {
      continue;
    }
    RETURN_IF_ERROR(RevokeConsent(tx, consent.name(), now));
    *consent.mutable_revoke_time() = time::ToTimestamp(now);
    const v1::ConsentEvent event = PayloadOf(consent);
    call::RecordOwnAct(tx, kService, kAct, consent.name(), 2, now, event,
                       event.SerializeAsString());
    ++ended;
  }
  return ended;
}

}  // namespace

void ExpectMajority(sql::Transaction& tx, const common::v1::Event& event,
                    const scheduling::v1::CourseEvent& course) {
  if (!course.has_majority_on() || course.patient().empty() || !course.partner().empty()) return;
  const absl::Time start = MajorityStart(course);
  // Who was of age when they came does not come of age; a later word may put the day right.
  if (event.version() == 1 && start <= time::ToTime(event.occur_time())) return;
  work::Schedule(tx, names::OrganizationId(course.patient()), kMajorityWork,
                 names::Last(course.patient()), start);
}

Background::Background(sql::Database& database, time::Clock& clock, telemetry::Metrics& metrics,
                       const crypto::Vault& vault)
    : database_(database), clock_(clock), vault_(vault), worker_(database, clock, metrics) {
  worker_.On(kMajorityWork, [this](sql::Transaction& tx, const work::Item& item, absl::Time now) {
    return ComeOfAge(tx, item, now);
  });
  worker_.On(kMajoritiesWork, [this](sql::Transaction& tx, const work::Item& item, absl::Time now) {
    return LookForMajorities(tx, item, now);
  });
}

void Background::Start(absl::Duration period) {
  worker_.Start(period);
  adopting_ = std::make_unique<PeriodicThread>("adopt", kAdoptEvery, [this] {
    if (const absl::Status status = Adopt(); !status.ok()) {
      telemetry::Log(telemetry::Severity::kWarning, "New organisations can't be looked for now",
                     {{"status", status.ToString()}});
    }
  });
}

void Background::Stop() {
  adopting_.reset();
  worker_.Stop();
}

absl::Status Background::Adopt() {
  return work::ScheduleEverywhere(database_, kMajoritiesWork, "", clock_.Now());
}

absl::Status Background::LookForMajorities(sql::Transaction& tx, const work::Item& item,
                                           absl::Time now) const {
  const absl::Time until = now + 2 * kEvery;
  std::string after;
  for (size_t found = kPage; found == kPage;) {
    ASSIGN_OR_RETURN(const std::vector<CourseOfPatient> courses,
                     ListCoursesBeforeMajority(tx, item.organization_id, after, kPage));
    for (const CourseOfPatient& of : courses) {
      if (!of.course.has_majority_on()) continue;
      const absl::Time start = MajorityStart(of.course);
      if (start <= of.create_time || start > until) continue;
      work::Schedule(tx, item.organization_id, kMajorityWork, names::Last(of.course.patient()),
                     start);
    }
    found = courses.size();
    if (found > 0) after = courses.back().case_id;
  }
  work::Schedule(tx, item.organization_id, item.kind, item.key, now + kEvery);
  return absl::OkStatus();
}

absl::Status Background::ComeOfAge(sql::Transaction& tx, const work::Item& item,
                                   absl::Time now) const {
  const std::string patient = names::InOrganization(item.organization_id, "patients", item.key);
  ASSIGN_OR_RETURN(const std::vector<CourseOfPatient> courses, ListCoursesOfPatient(tx, patient));
  // Where courses tell different days, the last counts.
  const CourseOfPatient* last = nullptr;
  for (const CourseOfPatient& of : courses) {
    if (!of.course.has_majority_on()) continue;
    if (last == nullptr || MajorityStart(last->course) < MajorityStart(of.course)) last = &of;
  }
  if (last == nullptr) return absl::OkStatus();
  const absl::Time start = MajorityStart(last->course);
  if (start > now) {
    work::Schedule(tx, item.organization_id, item.kind, item.key, start);
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const std::optional<MajorityRecord> known, GetMajority(tx, patient));
  if (known && time::ToCivilDay(known->event.majority_on()) ==
                   time::ToCivilDay(last->course.majority_on())) {
    return absl::OkStatus();
  }

  MajorityRecord record;
  record.version = known ? known->version + 1 : 1;
  record.event.set_patient(patient);
  *record.event.mutable_majority_on() = last->course.majority_on();
  ASSIGN_OR_RETURN(const int guardians, EndGuardians(tx, vault_, patient, now));
  record.event.set_guardians_ended(guardians);
  int consents = 0;
  for (const CourseOfPatient& of : courses) {
    ASSIGN_OR_RETURN(const int ended, EndConsents(tx, vault_, patient, of.case_id, now));
    consents += ended;
  }
  record.event.set_consents_ended(consents);
  const bool while_known = std::any_of(courses.begin(), courses.end(),
                                       [&](const auto& of) { return of.create_time < start; });
  if (!while_known && guardians + consents == 0) return absl::OkStatus();
  RETURN_IF_ERROR(PutMajority(tx, record));
  call::RecordOwnAct(tx, kService, kAct, absl::StrCat(patient, "/majority"), record.version, now,
                     record.event, record.event.SerializeAsString());
  return absl::OkStatus();
}

}  // namespace rapport::notes
