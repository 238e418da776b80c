// How fast drafts are saved and notes are signed on PostgreSQL, sealed, with audit entry and
// pending event in one commit, against pgbench sending the same statements without any encryption
// to the same database in the same run.
//
//   signing_bench [--rounds N] [--calls N] [--notes N] [--json FILE]
//
// Each call is of a note of its own. The statements are recorded from a first call through the
// handlers; the scripts send them one by one ("a round trip each"), in as many round trips as the
// handler needs for its decisions ("its round trips"), and in one ("pipelined"), which knows all
// answers beforehand.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <regex>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "common/auth/integrity.h"
#include "common/care/care.h"
#include "common/crypto/vault.h"
#include "common/errors/status_macros.h"
#include "common/ids/ulid.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "rapport/scheduling/v1/events.pb.h"
#include "services/notes/migrations/migrations.h"
#include "services/notes/rpc/service.h"
#include "services/notes/store/note_store.h"
#include "tests/bench/pgbench.h"
#include "tests/support/postgres/postgres_server.h"

namespace rapport::bench {
namespace {

namespace v1 = notes::v1;
namespace proto = scheduling::v1;

constexpr char kOrganization[] = "bench";
constexpr int kClients = 4;
constexpr int kNotesAtOnce = 50;
constexpr absl::Duration kPatience = absl::Seconds(60);
const absl::Time kStart = absl::FromUnixSeconds(1'772'442'000);

[[noreturn]] void Die(absl::string_view what) {
  std::fprintf(stderr, "%s\n", std::string(what).c_str());
  std::exit(1);
}
void Check(const absl::Status& status) {
  if (!status.ok()) Die(status.ToString());
}

struct Options {
  int rounds = 5;
  int calls = 400;
  int notes = 0;  // at least so many in all
  std::string json;
};

// Of note `number`; "n0n" in it is the number.
std::string Id(int number) { return absl::StrCat("n", number, "n"); }
std::string Name(absl::string_view collection, int number) {
  return names::InOrganization(kOrganization, collection, Id(number));
}
std::string Note(int number) { return absl::StrCat(Name("cases", number), "/notes/", Id(number)); }

// Two pages of what a therapist writes.
v1::NoteContent Written() {
  v1::NoteContent content;
  content.set_symptom_event_link(std::string(400, 'l'));
  content.set_focus_kept(v1::FOCUS_KEPT_YES);
  content.set_tried(std::string(800, 't'));
  content.set_plan(std::string(400, 'p'));
  content.set_narrative(std::string(2'400, 'n'));
  return content;
}

class NoPeer final : public call::Peer {
 public:
  absl::string_view name() const override { return "peer"; }
  using call::Peer::Call;
  absl::Status Call(const call::CallContext&, absl::string_view, const google::protobuf::Message&,
                    google::protobuf::Message&) override {
    return absl::UnavailableError("no peer");
  }
};

struct Row {
  std::string name;
  std::vector<double> figures;

  double At(double share) const {
    std::vector<double> sorted = figures;
    std::sort(sorted.begin(), sorted.end());
    return sorted[std::min(sorted.size() - 1,
                           static_cast<size_t>(share * static_cast<double>(sorted.size())))];
  }
  double Median() const { return At(0.5); }
};

class Bench {
 public:
  explicit Bench(Options options) : options_(std::move(options)) {}

  int Run() {
    const int all =
        std::max(2 + 2 * 4 * options_.rounds * options_.calls + 4 * kClients, options_.notes);
    notes_ = all;
    for (int from = 0; from < all; from += kNotesAtOnce) {
      Check(database_->Write(sql::Access::Tenant(kOrganization), absl::Now() + kPatience,
                             [&](sql::Transaction& tx) {
                               return Load(tx, from, std::min(from + kNotesAtOnce, all));
                             }));
    }
    sql::testing::PostgresServer::Shared().Admin(place_.name, "VACUUM ANALYZE");
    std::printf("%d notes of 4 KB\n", all);
    std::fflush(stdout);

    int next = 0;
    Measure(
        "SaveDraft", [this](notes::NoteHandlers& handlers, int number) { Save(handlers, number); },
        next);
    Measure(
        "SignNote", [this](notes::NoteHandlers& handlers, int number) { Sign(handlers, number); },
        next);
    Print();
    return 0;
  }

 private:
  using Act = std::function<void(notes::NoteHandlers&, int)>;

  absl::Status Load(sql::Transaction& tx, int from, int to) {
    const auto tell = [&](const std::string& resource, const google::protobuf::Message& payload) {
      common::v1::Event event;
      event.set_event_id(ids::NewUlid());
      event.set_organization(names::Organization(kOrganization));
      event.set_resource(resource);
      event.set_version(1);
      *event.mutable_occur_time() = time::ToTimestamp(kStart);
      event.mutable_payload()->PackFrom(payload);
      return notes::ApplySchedulingEvent(tx, vault_, event);
    };
    const std::string therapist = names::InOrganization(kOrganization, "clinicians", "ada");
    if (from == 0) {
      proto::OrganizationEvent organization;
      organization.set_state(proto::ORGANIZATION_STATE_ACTIVE);
      RETURN_IF_ERROR(tell(names::Organization(kOrganization), organization));
      proto::ClinicianEvent clinician;
      clinician.set_subject("ada");
      *clinician.mutable_licence_expire_date() = time::ToDate(absl::CivilDay(2040, 1, 1));
      RETURN_IF_ERROR(tell(therapist, clinician));
    }
    for (int number = from; number < to; ++number) {
      proto::CourseEvent course;
      course.set_state(proto::COURSE_STATE_ACTIVE);
      course.set_patient(Name("patients", number));
      course.set_clinician(therapist);
      course.set_clinic(names::InOrganization(kOrganization, "clinics", "north"));
      course.set_planned_sessions(16);
      course.set_protocol("protocols/classic/revisions/1");
      RETURN_IF_ERROR(tell(Name("courses", number), course));
      v1::Note note;
      note.set_name(Note(number));
      note.set_appointment(Name("appointments", number));
      note.set_session_number(6);
      note.set_phase(v1::NOTE_PHASE_MIDDLE);
      note.set_author(therapist);
      note.set_kind(v1::NOTE_KIND_INDIVIDUAL);
      note.add_subjects(course.patient());
      note.set_template_("noteTemplates/middle/revisions/1");
      *note.mutable_session_time() = time::ToTimestamp(kStart);
      *note.mutable_session_end_time() = time::ToTimestamp(kStart + absl::Minutes(50));
      *note.mutable_due_time() = time::ToTimestamp(kStart + absl::Hours(48));
      *note.mutable_create_time() = time::ToTimestamp(kStart);
      *note.mutable_content() = Written();
      RETURN_IF_ERROR(
          notes::InsertNote(tx, vault_, note, course.patient(), course.clinic()).status());
    }
    return absl::OkStatus();
  }

  template <class Request>
  call::CallContext Context(const Request& request, const char* method) const {
    auto principal = std::make_shared<auth::Principal>();
    principal->subject = "ada";
    principal->organization_id = kOrganization;
    principal->roles = {"therapist"};
    principal->auth_time = absl::Now();
    call::CallContext context;
    context.principal = principal;
    context.organization_id = kOrganization;
    context.method = absl::StrCat("rapport.notes.v1.NoteService/", method);
    context.now = kStart + absl::Hours(2);
    context.deadline = absl::Now() + kPatience;
    context.request_fingerprint = auth::Sha256(request.SerializeAsString());
    return context;
  }

  void Save(notes::NoteHandlers& handlers, int number) const {
    v1::SaveDraftRequest request;
    request.set_name(Note(number));
    *request.mutable_content() = Written();
    request.mutable_content()->set_narrative("changed");
    request.set_sequence(1);
    Check(handlers.SaveDraft(Context(request, "SaveDraft"), request).status());
  }

  void Sign(notes::NoteHandlers& handlers, int number) const {
    v1::SignNoteRequest request;
    request.set_name(Note(number));
    request.set_request_id(absl::StrCat("r", Id(number)));
    Check(handlers.SignNote(Context(request, "SignNote"), request).status());
  }

  // Names of what was recorded of note `recorded` become those of number :m = :base + :j * clients
  // + its own; new ids become others of the same length.
  Substitution NumbersOf(int recorded) const {
    Substitution substitution;
    substitution.head = absl::StrCat("\\set j :j + 1\n\\set m :base + :j * ", kClients,
                                     " + :client_id\n\\set u 1000000000 + :m\n");
    substitution.text = [id = Id(recorded),
                         known =
                             std::make_shared<std::map<std::string, size_t>>()](std::string text) {
      static const std::regex ulid("01[0-9A-HJKMNP-TV-Z]{24}");
      for (std::smatch found; std::regex_search(text, found, ulid);) {
        const size_t nth = known->try_emplace(found.str(), known->size()).first->second;
        text.replace(found.position(), found.length(),
                     absl::StrCat(std::string(13, '0'), "<u>", 100 + nth));
      }
      text = absl::StrReplaceAll(text, {{id, "n<m>n"}});
      if (!absl::StrContains(text, "<")) return Substitution::Quoted(text);
      return absl::StrCat(
          "('",
          absl::StrReplaceAll(text, {{"<u>", "' || :u::text || '"}, {"<m>", "' || :m::text || '"}}),
          "')");
    };
    return substitution;
  }

  void Measure(const std::string& name, const Act& act, int& next) {
    // The first signature of all makes the key, which the others find.
    notes::NoteHandlers warm(*database_, access_, vault_, peer_, peer_);
    act(warm, next++);
    RecordingDatabase recording(*database_);
    notes::NoteHandlers first(recording, access_, vault_, peer_, peer_);
    const int recorded = next++;
    act(first, recorded);
    std::vector<Script> scripts;
    for (const Trips trips : {Trips::kEach, Trips::kItsOwn, Trips::kOne}) {
      scripts.push_back(MakeScript(recording, trips, kOrganization, NumbersOf(recorded)));
    }
    const size_t trips =
        1 + static_cast<size_t>(std::count_if(recording.sent.begin(), recording.sent.end(),
                                              [](const Sent& one) { return one.awaited; }));
    std::printf("%s: %zu statements in %zu round trips\n", name.c_str(), recording.sent.size(),
                trips);
    const size_t row = rows_.size();
    for (const char* mode :
         {"ours", "pgbench, a round trip each", "pgbench, its round trips", "pgbench, pipelined"}) {
      rows_.push_back({absl::StrCat(name, ": ", mode), {}});
    }
    const int each = options_.calls / kClients;
    for (int round = 0; round < options_.rounds; ++round) {
      rows_[row].figures.push_back(Ours(each, next, act));
      next += each * kClients;
      for (size_t mode = 0; mode < scripts.size(); ++mode) {
        rows_[row + 1 + mode].figures.push_back(
            RunPgbench(place_, scripts[mode], kClients, each, {"j=-1", absl::StrCat("base=", next)})
                .per_second);
        next += each * kClients;
      }
    }
  }

  // Calls a second, over new connections, as pgbench's are.
  double Ours(int each, int first, const Act& act) {
    const auto database = *sql::OpenPostgres(place_, components_);
    notes::NoteHandlers handlers(*database, access_, vault_, peer_, peer_);
    const absl::Time begun = absl::Now();
    std::vector<std::thread> threads;
    for (int client = 0; client < kClients; ++client) {
      threads.emplace_back([&, client] {
        for (int i = 0; i < each; ++i) act(handlers, first + i * kClients + client);
      });
    }
    for (std::thread& thread : threads) thread.join();
    return each * kClients / absl::ToDoubleSeconds(absl::Now() - begun);
  }

  void Print() {
    std::printf("%-44s %10s %10s %10s %12s\n", "", "median /s", "least", "most", "ours / this");
    std::string json = absl::StrCat("{\"notes\": ", notes_, ", \"rows\": [");
    for (size_t i = 0; i < rows_.size(); ++i) {
      const Row& row = rows_[i];
      // Of pairs that ran one after the other.
      Row ratio;
      for (size_t j = 0; j < row.figures.size(); ++j) {
        ratio.figures.push_back(rows_[i / 4 * 4].figures[j] / row.figures[j]);
      }
      std::printf("%-44s %10.1f %10.1f %10.1f %12.2f (%.2f to %.2f)\n", row.name.c_str(),
                  row.Median(), row.At(0), row.At(1), ratio.Median(), ratio.At(0), ratio.At(1));
      absl::StrAppend(&json, i == 0 ? "" : ", ", "{\"name\": \"", row.name,
                      "\", \"median_per_second\": ", row.Median(), ", \"least\": ", row.At(0),
                      ", \"most\": ", row.At(1), ", \"ours_of_it\": ", ratio.Median(),
                      ", \"ratio_least\": ", ratio.At(0), ", \"ratio_most\": ", ratio.At(1), "}");
    }
    if (!options_.json.empty()) std::ofstream(options_.json) << json << "]}\n";
  }

  const Options options_;
  const std::vector<sql::Component> components_ = {care::Migrations(), crypto::Migrations(),
                                                   notes::Migrations()};
  const sql::PostgresOptions place_ =
      sql::testing::PostgresServer::Shared().NewDatabase(components_);
  const std::unique_ptr<sql::Database> database_ = *sql::OpenPostgres(place_, components_);
  const crypto::Vault vault_{*crypto::KeyRing::Make({{"1", std::string(32, 'k')}})};
  const notes::Access access_;
  NoPeer peer_;
  int notes_ = 0;
  std::vector<Row> rows_;
};

}  // namespace
}  // namespace rapport::bench

int main(int argc, char** argv) {
  rapport::bench::Options options;
  const std::map<std::string, int*> numbers = {
      {"--rounds", &options.rounds}, {"--calls", &options.calls}, {"--notes", &options.notes}};
  for (int i = 1; i + 1 < argc; i += 2) {
    const auto number = numbers.find(argv[i]);
    if (number != numbers.end()) {
      *number->second = std::atoi(argv[i + 1]);
      if (*number->second < 1) return 2;
    } else if (std::strcmp(argv[i], "--json") == 0) {
      options.json = argv[i + 1];
    } else {
      return 2;
    }
  }
  return rapport::bench::Bench(options).Run();
}
