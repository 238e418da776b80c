#ifndef RAPPORT_TESTS_CONFORMANCE_NOTES_SUPERVISION_FIXTURE_H_
#define RAPPORT_TESTS_CONFORMANCE_NOTES_SUPERVISION_FIXTURE_H_

#include <string>

#include "services/notes/rpc/fidelity_handlers.h"
#include "services/notes/rpc/supervision_handlers.h"
#include "tests/conformance/notes/note_fixture.h"

namespace rapport::notes::testing {

// Sue supervises Ada since ten days; Tom did before.
class SupervisionTest : public NoteTest {
 protected:
  SupervisionTest() {
    for (const char* id : {"sue", "tom"}) {
      Tell("acme", Clinician(id), 1,
           Text<scheduling::v1::ClinicianEvent>(absl::StrCat(
               "subject: '", id, "' licence_expire_date { year: 2030 month: 12 day: 31 }")));
    }
    TellPair("s1", 1, "sue", now_ - absl::Hours(240), absl::InfiniteFuture());
    TellPair("s0", 1, "tom", now_ - absl::Hours(2400), now_ - absl::Hours(240));
  }

  void TellPair(const std::string& id, int64_t version, const std::string& supervisor,
                absl::Time start, absl::Time end, const std::string& supervisee = "ada") {
    scheduling::v1::SupervisionEvent pair;
    pair.set_supervisor(Clinician(supervisor));
    pair.set_supervisee(Clinician(supervisee));
    *pair.mutable_start_time() = time::ToTimestamp(start);
    if (end != absl::InfiniteFuture()) *pair.mutable_end_time() = time::ToTimestamp(end);
    Tell("acme", absl::StrCat("organizations/acme/supervisions/", id), version, pair);
  }

  FidelityHandlers fidelity_{*database_, access_, vault_};
  SupervisionHandlers supervision_{*database_, access_, vault_, assessment_};
};

}  // namespace rapport::notes::testing

#endif  // RAPPORT_TESTS_CONFORMANCE_NOTES_SUPERVISION_FIXTURE_H_
