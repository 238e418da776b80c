#ifndef RAPPORT_SERVICES_SCHEDULING_STORE_SCOPE_H_
#define RAPPORT_SERVICES_SCHEDULING_STORE_SCOPE_H_

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace rapport::scheduling::store {

// Whose courses and appointments a read may return: those of the clinician who signs in as
// `subject`, of the clinicians whom they cover at `now`, and of those whom `supervisor` supervises
// then; and those of `clinics`, if `desk`.
struct Scope {
  std::string subject;     // empty: of no clinician
  std::string supervisor;  // the same, of who may read as a supervisor; empty: nobody
  absl::Time now;
  bool desk = false;
  bool all = false;  // a service in its own right: everything, in full
  // Ids of clinics as ",north,south,"; empty: all of the organisation; ",": none.
  std::string clinics;

  bool CoversClinic(absl::string_view clinic_id) const {
    return desk &&
           (clinics.empty() || absl::StrContains(clinics, absl::StrCat(",", clinic_id, ",")));
  }
};

// SQL over a row with clinician_id, of alias `row`: whether the clinician with subject `$s` is that
// clinician or covers for them at `$n`.
#define RAPPORT_SEES_TO(row, s, n)                                                       \
  "EXISTS (SELECT 1 FROM clinician me WHERE me.organization_id = $1 AND me.subject = " s \
  " AND (me.clinician_id = " row                                                         \
  ".clinician_id OR EXISTS (SELECT 1 FROM cover"                                         \
  " WHERE cover.organization_id = $1 AND cover.clinician_id = " row                      \
  ".clinician_id"                                                                        \
  " AND cover.covering_clinician_id = me.clinician_id"                                   \
  " AND cover.starts_at <= " n " AND cover.ends_at > " n ")))"

// SQL over a row with clinician_id, of alias `row`: whether the clinician with subject `$s`
// supervises that clinician at `$n`. Who supervises reads as who treats, and changes nothing.
#define RAPPORT_SUPERVISES(row, s, n)                                                     \
  "EXISTS (SELECT 1 FROM supervision pair JOIN clinician me"                              \
  " ON me.organization_id = $1 AND me.clinician_id = pair.supervisor_id"                  \
  " AND me.subject = " s " WHERE pair.organization_id = $1 AND pair.supervisee_id = " row \
  ".clinician_id"                                                                         \
  " AND pair.starts_at <= " n " AND pair.ends_at > " n ")"

// SQL over a row with clinic_id: whether it is of one of the clinics in `$c` (see Scope::clinics).
#define RAPPORT_IN_CLINICS(row, c) \
  "(" c " = '' OR replace(" c ", ',' || " row ".clinic_id || ',', '') <> " c ")"

}  // namespace rapport::scheduling::store

#endif  // RAPPORT_SERVICES_SCHEDULING_STORE_SCOPE_H_
