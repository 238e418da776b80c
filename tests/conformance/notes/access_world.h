#ifndef RAPPORT_TESTS_CONFORMANCE_NOTES_ACCESS_WORLD_H_
#define RAPPORT_TESTS_CONFORMANCE_NOTES_ACCESS_WORLD_H_

#include <fstream>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "common/auth/permissions.h"
#include "common/auth/signer.h"
#include "common/names/names.h"
#include "common/rpc/front_door.h"
#include "common/telemetry/metrics.h"
#include "google/api/field_behavior.pb.h"
#include "google/protobuf/dynamic_message.h"
#include "rapport/common/v1/options.pb.h"
#include "rapport/notes/v1/entry_service.pb.h"
#include "rapport/notes/v1/release_service.pb.h"
#include "tests/conformance/notes/fixture.h"
#include "tests/support/postgres/temp_dir.h"

namespace rapport::notes::testing {

// In every text that a patient would have told. Found anywhere but in answers: a leak.
inline constexpr char kCanary[] = "CanaryZQX";

// Ids by the variables of resource patterns, as {"case", "c1"}: what a request is filled with.
using Ids = std::map<std::string, std::string>;

// `text` with "$case" and so on at the end of a quoted text replaced by full names, and
// "$$organization" by its id.
inline std::string WithIds(std::string text, const Ids& ids) {
  const auto id = [&](const std::string& variable) {
    const auto found = ids.find(variable);
    return found == ids.end() ? std::string("none") : found->second;
  };
  const std::string organization = "organizations/" + id("organization");
  const std::string of_case = organization + "/cases/" + id("case");
  const std::pair<std::string, std::string> names[] = {
      {"$organization", organization},
      {"$case", of_case},
      {"$patient", organization + "/patients/" + id("patient")},
      {"$partner", organization + "/patients/" + id("partner")},
      {"$clinician", organization + "/clinicians/" + id("clinician")},
      {"$supervisor", organization + "/clinicians/" + id("supervisor")},
      {"$colleague", organization + "/clinicians/" + id("colleague")},
      {"$appointment", organization + "/appointments/" + id("appointment")},
      {"$next_appointment", organization + "/appointments/" + id("next_appointment")},
      {"$clinic", organization + "/clinics/" + id("clinic")},
      {"$note", of_case + "/notes/" + id("note")},
      {"$draft", of_case + "/notes/" + id("draft")},
      {"$entry", of_case + "/entries/" + id("entry")},
      {"$relationship", of_case + "/entries/" + id("relationship")},
  };
  text = absl::StrReplaceAll(text, {{"$$organization", id("organization")}});
  for (const auto& [from, to] : names) text = absl::StrReplaceAll(text, {{from + "'", to + "'"}});
  return text;
}

// Whether a value of `type`, or of something in it, may tell of a patient.
inline bool HoldsPatientText(const google::protobuf::Descriptor* type, int depth = 6) {
  if (depth == 0) return false;
  for (int i = 0; i < type->field_count(); ++i) {
    const auto* field = type->field(i);
    if (field->options().GetExtension(common::v1::rules).patient_text()) return true;
    if (field->message_type() != nullptr && HoldsPatientText(field->message_type(), depth - 1)) {
      return true;
    }
  }
  return false;
}

// Fills what a request must have and does not have yet, by what its fields declare. With
// `canaries`, also every text that may tell of a patient, each apart.
class Filler {
 public:
  // `text`: the request's, in which "# skip a, b" names fields that stay empty.
  Filler(const Ids& ids, absl::Time now, bool canaries, absl::string_view text = "")
      : ids_(ids), now_(now), canaries_(canaries) {
    const auto skip = text.find("# skip ");
    if (skip == absl::string_view::npos) return;
    for (const absl::string_view name : absl::StrSplit(text.substr(skip + 7), ", ")) {
      skipped_.insert(std::string(name));
    }
  }

  void Fill(google::protobuf::Message& message) {
    const auto* type = message.GetDescriptor();
    const auto& reflection = *message.GetReflection();
    for (int i = 0; i < type->field_count(); ++i) {
      const auto* field = type->field(i);
      if (Has(*field, google::api::OUTPUT_ONLY) || skipped_.count(field->name()) > 0) continue;
      const auto& rules = field->options().GetExtension(common::v1::rules);
      const bool text = canaries_ && rules.patient_text();
      const bool needed = Has(*field, google::api::REQUIRED) || rules.min_items() > 0;
      const bool in_choice = field->real_containing_oneof() != nullptr;
      if (field->is_repeated()) {
        FillRepeated(message, *field, needed, text);
      } else if (field->message_type() != nullptr) {
        const bool holds = canaries_ && !in_choice && HoldsPatientText(field->message_type());
        if (!needed && !holds && !reflection.HasField(message, field)) continue;
        FillMessage(*reflection.MutableMessage(&message, field));
      } else if (!in_choice && !reflection.HasField(message, field) && (needed || text)) {
        FillScalar(message, *field, text);
      }
    }
  }

  int canaries() const { return count_; }

 private:
  static bool Has(const google::protobuf::FieldDescriptor& field,
                  google::api::FieldBehavior behavior) {
    for (int i = 0; i < field.options().ExtensionSize(google::api::field_behavior); ++i) {
      if (field.options().GetExtension(google::api::field_behavior, i) == behavior) return true;
    }
    return false;
  }

  void FillMessage(google::protobuf::Message& message) {
    const std::string& name = message.GetDescriptor()->full_name();
    if (message.ByteSizeLong() > 0 && absl::StartsWith(name, "google.")) return;
    if (name == "google.protobuf.Timestamp") {
      message.CopyFrom(time::ToTimestamp(now_ + absl::Hours(24)));
    } else if (name == "google.protobuf.Duration") {
      message.CopyFrom(time::ToDurationProto(absl::Minutes(10)));
    } else if (name == "google.type.Date") {
      message.CopyFrom(time::ToDate(absl::ToCivilDay(now_, absl::UTCTimeZone())));
    } else {
      Fill(message);
    }
  }

  void FillRepeated(google::protobuf::Message& message,
                    const google::protobuf::FieldDescriptor& field, bool needed, bool text) {
    const auto& reflection = *message.GetReflection();
    const int have = reflection.FieldSize(message, &field);
    if (field.message_type() != nullptr) {
      for (int i = 0; i < have; ++i) {
        FillMessage(*reflection.MutableRepeatedMessage(&message, &field, i));
      }
      if (have == 0 && (needed || (canaries_ && HoldsPatientText(field.message_type())))) {
        FillMessage(*reflection.AddMessage(&message, &field));
      }
    } else if (have == 0 && (needed || text)) {
      if (field.cpp_type() == google::protobuf::FieldDescriptor::CPPTYPE_STRING) {
        reflection.AddString(&message, &field, TextOf(field, text));
      } else if (field.cpp_type() == google::protobuf::FieldDescriptor::CPPTYPE_ENUM) {
        reflection.AddEnumValue(&message, &field, field.enum_type()->value(1)->number());
      }
    }
  }

  void FillScalar(google::protobuf::Message& message,
                  const google::protobuf::FieldDescriptor& field, bool text) {
    using google::protobuf::FieldDescriptor;
    const auto& reflection = *message.GetReflection();
    const int64_t least = field.options().GetExtension(common::v1::rules).min();
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING:
        reflection.SetString(&message, &field, TextOf(field, text));
        break;
      case FieldDescriptor::CPPTYPE_ENUM:
        reflection.SetEnumValue(&message, &field, field.enum_type()->value(1)->number());
        break;
      case FieldDescriptor::CPPTYPE_BOOL:
        reflection.SetBool(&message, &field, true);
        break;
      case FieldDescriptor::CPPTYPE_INT32:
        reflection.SetInt32(&message, &field, static_cast<int32_t>(std::max<int64_t>(least, 1)));
        break;
      case FieldDescriptor::CPPTYPE_INT64:
        reflection.SetInt64(&message, &field, std::max<int64_t>(least, 1));
        break;
      case FieldDescriptor::CPPTYPE_DOUBLE:
        reflection.SetDouble(&message, &field, static_cast<double>(std::max<int64_t>(least, 1)));
        break;
      default:
        break;
    }
  }

  std::string TextOf(const google::protobuf::FieldDescriptor& field, bool text) {
    const auto& rules = field.options().GetExtension(common::v1::rules);
    if (!rules.resource().empty()) return NameOf(rules.resource());
    switch (rules.format()) {
      case common::v1::FORMAT_RESOURCE_ID:
        return "phq-9";
      case common::v1::FORMAT_TIME_ZONE:
        return "Europe/London";
      case common::v1::FORMAT_LANGUAGE:
        return "en";
      case common::v1::FORMAT_JURISDICTION:
        return "GB-ENG";
      default:
        return text ? absl::StrCat(kCanary, ++count_) : "text";
    }
  }

  // Of the first pattern all of whose variables are known.
  std::string NameOf(const std::string& patterns) const {
    for (const absl::string_view pattern : absl::StrSplit(patterns, '|')) {
      std::string name;
      for (const absl::string_view segment : absl::StrSplit(pattern, '/')) {
        absl::StrAppend(&name, name.empty() ? "" : "/");
        if (!absl::StartsWith(segment, "{")) {
          absl::StrAppend(&name, segment);
          continue;
        }
        const auto found = ids_.find(std::string(segment.substr(1, segment.size() - 2)));
        absl::StrAppend(&name, found == ids_.end() ? "none" : found->second);
      }
      return name;
    }
    return "";
  }

  const Ids& ids_;
  const absl::Time now_;
  const bool canaries_;
  std::set<std::string> skipped_;
  int count_ = 0;
};

// Says once that nothing is new, and is silent from then on.
class QuietStream : public events::FeedStream {
 public:
  explicit QuietStream(std::promise<void>& heard) : heard_(heard) {}

  absl::StatusOr<common::v1::WatchResponse> Read() override {
    if (!told_) {
      told_ = true;
      common::v1::WatchResponse response;
      response.set_cursor("c");
      return response;
    }
    heard_.set_value();
    cancelled_.get_future().wait();
    return absl::UnavailableError("cancelled");
  }
  void Cancel() override {
    std::call_once(once_, [this] { cancelled_.set_value(); });
  }

 private:
  std::promise<void>& heard_;
  std::promise<void> cancelled_;
  std::once_flag once_;
  bool told_ = false;
};

// Who calls.
struct Caller {
  std::string name;
  std::string role;  // "service:<name>" for a service
  std::string organization = "acme";
};

struct Answer {
  absl::Status status;
  std::unique_ptr<google::protobuf::Message> response;

  template <class Response>
  const Response& as() const {
    return static_cast<const Response&>(*response);
  }
};

// The whole notes service behind the real front door, called by method name as a client would.
//
// Clinic north: Ada treats Pat (a minor, case c1), Cy treats c3. Clinic south: Dee treats c4. Ada
// also treats the couple c2. Sue supervises Ada, Bob covers for her. Organisation beta has Zoe and
// her case b1.
class AccessWorld : public NotesTest {
 protected:
  AccessWorld() {
    std::ofstream(dir_.File("jwks.json"))
        << "{\"keys\":[" << signer_->PublicJwk() << "," << peer_->PublicJwk("scheduling") << "]}";
    auth::TokenVerifierOptions options;
    options.jwks_file = dir_.File("jwks.json");
    options.issuers = {"issuer"};
    options.audiences = {"rapport"};
    verifier_ = *auth::TokenVerifier::Make(options);
    clock_.Set(now_);
    front_ =
        std::make_unique<rpc::FrontDoor>(rpc::FrontDoor::Dependencies{.verifier = verifier_.get(),
                                                                      .clock = &clock_,
                                                                      .integrity = integrity_,
                                                                      .metrics = metrics_.get()});
    service_ = std::make_unique<NotesService>(Dependencies{
        *database_, clock_, *metrics_, vault_, scheduling_, assessment_,
        [this](const common::v1::WatchRequest&)
            -> absl::StatusOr<std::unique_ptr<events::FeedStream>> {
          return std::make_unique<QuietStream>(heard_);
        },
        [](const common::v1::WatchRequest&) -> absl::StatusOr<std::unique_ptr<events::FeedStream>> {
          return absl::UnavailableError("assessment is down");
        }});
    service_->Register(registry_);
    // Scheduling is heard of, so that cover and supervision count.
    service_->Start();
    heard_.get_future().wait();
    for (const auto& [descriptor, methods] : registry_.services()) {
      for (const auto& [index, method] : methods) {
        methods_[absl::StrCat(descriptor->full_name(), "/", method.descriptor->name())] = &method;
      }
    }

    for (const char* id : {"dee", "sue", "eve"}) {
      Tell("acme", Clinician(id), 2,
           Text<scheduling::v1::ClinicianEvent>(absl::StrCat(
               "subject: '", id, "' licence_expire_date { year: 2030 month: 1 day: 1 }")));
    }
    for (const char* id : {"ada", "bob", "cy"}) {
      Tell("acme", Clinician(id), 2,
           Text<scheduling::v1::ClinicianEvent>(absl::StrCat(
               "subject: '", id, "' licence_expire_date { year: 2030 month: 1 day: 1 }")));
    }
    scheduling::v1::SupervisionEvent pair;
    pair.set_supervisor(Clinician("sue"));
    pair.set_supervisee(Clinician("ada"));
    *pair.mutable_start_time() = time::ToTimestamp(now_ - absl::Hours(12));
    Tell("acme", "organizations/acme/supervisions/s1", 1, pair);
    TellCourseOf("c1", 2, "ada", "pat", "north",
                 "majority_on { year: 2030 month: 1 day: 1 } "
                 "may_consent_from { year: 2028 month: 1 day: 1 }");
    TellCourseOf("c2", 1, "ada", "anna", "north", "", "bert");
    TellCourseOf("c3", 1, "cy", "p3", "north");
    TellCourseOf("c4", 1, "dee", "p4", "south");
    for (const auto& [id, course, clinician] :
         std::vector<std::tuple<std::string, std::string, std::string>>{{"a2", "c1", "ada"},
                                                                        {"j1", "c2", "ada"},
                                                                        {"j2", "c2", "ada"},
                                                                        {"k1", "c3", "cy"},
                                                                        {"k2", "c3", "cy"},
                                                                        {"m1", "c4", "dee"},
                                                                        {"m2", "c4", "dee"}}) {
      TellAppointment(id, 1, now_ - absl::Hours(id.back() == '2' ? 3 : 1),
                      scheduling::v1::APPOINTMENT_STATE_CHECKED_IN, course, clinician);
    }
  }
  void TellCourseOf(const std::string& id, int64_t version, const std::string& clinician,
                    const std::string& patient, const std::string& clinic,
                    const std::string& more = "", const std::string& partner = "",
                    const std::string& organization = "acme") {
    auto course = Text<scheduling::v1::CourseEvent>(absl::StrCat(
        "state: COURSE_STATE_ACTIVE "
        "planned_sessions: 16 formulation_due_session: 3 patient_time_zone: 'Europe/London' "
        "phases { phase: PHASE_INITIAL first_session: 1 last_session: 3 } "
        "phases { phase: PHASE_MIDDLE first_session: 4 last_session: 16 } ",
        more));
    if (course.protocol().empty()) course.set_protocol("protocols/classic/revisions/1");
    const std::string at = "organizations/" + organization;
    if (course.kind() == scheduling::v1::COURSE_KIND_UNSPECIFIED) {
      course.set_kind(partner.empty() ? scheduling::v1::COURSE_KIND_INDIVIDUAL
                                      : scheduling::v1::COURSE_KIND_CONJOINT);
    }
    course.set_patient(absl::StrCat(at, "/patients/", patient));
    if (!partner.empty()) course.set_partner(absl::StrCat(at, "/patients/", partner));
    course.set_clinician(absl::StrCat(at, "/clinicians/", clinician));
    course.set_clinic(absl::StrCat(at, "/clinics/", clinic));
    Tell(organization, absl::StrCat(at, "/courses/", id), version, course);
  }

  ~AccessWorld() override {
    service_->Stop();
    front_->Drain();
    metrics_->StopReading();
  }

  // As the service's own callers see it: bearing a token, through each check of the front door.
  Answer Call(const Caller& caller, const std::string& method,
              const google::protobuf::Message& request, bool recently = true) {
    Answer answer;
    const auto found = methods_.find(method);
    if (found == methods_.end()) {
      answer.status = absl::InternalError("no such method: " + method);
      return answer;
    }
    const call::Method& bound = *found->second;
    auto& door = doors_[method];
    if (door == nullptr) door = std::make_unique<rpc::FrontDoor::Door>(bound, *front_);
    clock_.Set(now_);
    const std::string token = TokenOf(caller, recently);
    const bool service = absl::StartsWith(caller.role, "service:");
    const std::string bearer = "Bearer " + token;
    rpc::Arrival arrival;
    (service ? arrival.service_token : arrival.authorization) = service ? token : bearer;
    call::CallContext context;
    answer.response.reset(bound.response->New());
    answer.status = front_->Authenticate(*door, arrival, context);
    if (answer.status.ok()) answer.status = front_->Inspect(*door, request, context);
    if (answer.status.ok()) answer.status = bound.unary(context, request, *answer.response);
    if (context.principal != nullptr) front_->Account(*door, context, absl::Now(), answer.status);
    purpose_ = context.purpose;
    return answer;
  }

  // A request of `method`: `text` (see WithIds), then all that it must have.
  std::unique_ptr<google::protobuf::Message> Request(const std::string& method, const Ids& ids,
                                                     const std::string& text = "",
                                                     bool canaries = false) {
    const auto found = methods_.find(method);
    EXPECT_NE(found, methods_.end()) << method;
    if (found == methods_.end()) return std::make_unique<v1::GetCaseRequest>();
    std::unique_ptr<google::protobuf::Message> request(found->second->request->New());
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(WithIds(text, ids), request.get()))
        << method << ": " << WithIds(text, ids);
    Filler(ids, now_, canaries, text).Fill(*request);
    return request;
  }

  // Request and Call in one; `text` first.
  Answer Do(const Caller& caller, const std::string& method, const Ids& ids,
            const std::string& text = "", bool canaries = false) {
    return Call(caller, method, *Request(method, ids, text, canaries));
  }

  // As Do, where nothing but OK will do; the id at the end of the answer's name.
  std::string Make(const Caller& caller, const std::string& method, const Ids& ids,
                   const std::string& text = "", bool canaries = false) {
    const Answer answer = Do(caller, method, ids, text, canaries);
    EXPECT_TRUE(answer.status.ok()) << method << ": " << answer.status << "\n"
                                    << Faults(answer.status) << "\n"
                                    << Request(method, ids, text, canaries)->DebugString();
    if (!answer.status.ok()) return "none";
    const auto* field = answer.response->GetDescriptor()->FindFieldByName("name");
    if (field == nullptr) return "none";
    return std::string(
        names::Last(answer.response->GetReflection()->GetString(*answer.response, field)));
  }

  static std::string Faults(const absl::Status& status) {
    std::string faults;
    for (const errors::FieldViolation& violation : errors::FieldViolations(status)) {
      absl::StrAppend(&faults, violation.field, " ", violation.description, "\n");
    }
    return faults;
  }

  std::string TokenOf(const Caller& caller, bool recently) {
    const absl::Time now = absl::Now();
    if (absl::StartsWith(caller.role, "service:")) {
      return peer_->Sign({.issuer = caller.role,
                          .subject = caller.role,
                          .audience = "rapport",
                          .issue_time = now,
                          .expire_time = now + absl::Minutes(5),
                          .token_id = "",
                          .organization_id = "",
                          .roles = {},
                          .clinics = std::nullopt,
                          .auth_time = absl::InfinitePast()});
    }
    std::string& token = tokens_[absl::StrCat(caller.name, "/", caller.role, "/",
                                              caller.organization, recently ? "" : "/old")];
    if (token.empty()) {
      token = signer_->Sign({.issuer = "issuer",
                             .subject = caller.name,
                             .audience = "rapport",
                             .issue_time = now,
                             .expire_time = now + absl::Minutes(14),
                             .token_id = "",
                             .organization_id = caller.organization,
                             .roles = {caller.role},
                             .clinics = std::nullopt,
                             .auth_time = now - absl::Minutes(recently ? 0 : 30)});
    }
    return token;
  }

  const Caller ada_{"ada", "therapist"};
  const Caller bob_{"bob", "therapist"};
  const Caller cy_{"cy", "therapist"};
  const Caller dee_{"dee", "therapist"};
  const Caller eve_{"eve", "therapist"};
  const Caller sue_{"sue", "supervisor"};
  const Caller officer_{"pia", "privacy_officer"};
  const Caller pat_{"pat", "patient_proxy"};
  const Caller guardian_{"gil", "guardian_proxy"};
  const Caller zoe_{"zoe", "therapist", "beta"};

  rapport::testing::TempDir dir_;
  std::unique_ptr<auth::TokenSigner> signer_ = auth::TokenSigner::Generate(auth::Algorithm::kEdDsa);
  std::unique_ptr<auth::TokenSigner> peer_ = auth::TokenSigner::Generate(auth::Algorithm::kEdDsa);
  std::unique_ptr<auth::TokenVerifier> verifier_;
  time::ManualClock clock_{now_};
  std::unique_ptr<telemetry::Metrics> metrics_ = telemetry::Metrics::Unserved();
  std::unique_ptr<rpc::FrontDoor> front_;
  std::promise<void> heard_;
  std::unique_ptr<NotesService> service_;
  call::Registry registry_;
  std::map<std::string, const call::Method*> methods_;
  std::map<std::string, std::unique_ptr<rpc::FrontDoor::Door>> doors_;
  std::map<std::string, std::string> tokens_;
  std::string purpose_;  // of the last call
};

}  // namespace rapport::notes::testing

#endif  // RAPPORT_TESTS_CONFORMANCE_NOTES_ACCESS_WORLD_H_
