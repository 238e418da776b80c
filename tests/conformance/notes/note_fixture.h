#ifndef RAPPORT_TESTS_CONFORMANCE_NOTES_NOTE_FIXTURE_H_
#define RAPPORT_TESTS_CONFORMANCE_NOTES_NOTE_FIXTURE_H_

#include <string>
#include <vector>

#include "tests/conformance/notes/fixture.h"

namespace rapport::notes::testing {

inline constexpr char kGetAppointment[] = "rapport.scheduling.v1.AppointmentService/GetAppointment";
inline constexpr char kListAssessments[] =
    "rapport.assessment.v1.AssessmentService/ListAssessments";
inline constexpr char kNotFound[] = "NOT_FOUND RESOURCE_NOT_FOUND";

class NoteTest : public NotesTest {
 protected:
  static v1::StartNoteRequest StartOf(const std::string& appointment,
                                      const std::string& request_id = "") {
    v1::StartNoteRequest request;
    request.set_parent(CaseName());
    request.set_appointment(Appointment(appointment));
    request.set_request_id(request_id);
    return request;
  }

  v1::Note Start(const std::string& appointment = "a1", const std::string& subject = "ada") {
    const auto note = notes_.StartNote(By(subject), StartOf(appointment));
    EXPECT_TRUE(note.ok()) << note.status();
    return note.ok() ? *note : v1::Note();
  }

  static v1::NoteContent Written(const std::string& text) {
    v1::NoteContent content;
    content.set_symptom_event_link(text);
    content.set_focus_kept(v1::FOCUS_KEPT_YES);
    content.set_tried(text);
    content.set_plan(text);
    return content;
  }

  absl::StatusOr<v1::Note> Save(const std::string& subject, const std::string& name,
                                const v1::NoteContent& content, int64_t sequence, int64_t base) {
    v1::SaveDraftRequest request;
    request.set_name(name);
    *request.mutable_content() = content;
    request.set_sequence(sequence);
    request.set_base_sequence(base);
    return notes_.SaveDraft(By(subject), request);
  }

  absl::StatusOr<v1::Note> Get(const std::string& subject, const std::string& name) {
    v1::GetNoteRequest request;
    request.set_name(name);
    return notes_.GetNote(By(subject), request);
  }

  absl::StatusOr<v1::Note> Sign(const call::CallContext& context, const std::string& name,
                                const std::string& request_id = "", const std::string& etag = "") {
    v1::SignNoteRequest request;
    request.set_name(name);
    request.set_request_id(request_id);
    request.set_etag(etag);
    return notes_.SignNote(context, request);
  }

  v1::Note Signed(const std::string& appointment = "a1", const std::string& text = kSecret) {
    const v1::Note note = Start(appointment);
    EXPECT_TRUE(Save("ada", note.name(), Written(text), 1, 0).ok());
    const auto signed_note = Sign(By("ada"), note.name());
    EXPECT_TRUE(signed_note.ok()) << signed_note.status();
    return signed_note.ok() ? *signed_note : v1::Note();
  }

  absl::StatusOr<v1::Note> Add(const call::CallContext& context, const std::string& name,
                               const std::string& text, const std::string& request_id = "") {
    v1::AddAddendumRequest request;
    request.set_name(name);
    request.set_text(text);
    request.set_request_id(request_id);
    return notes_.AddAddendum(context, request);
  }

  std::vector<std::string> Listed(const std::string& subject) {
    v1::ListNotesRequest request;
    request.set_parent(CaseName());
    request.set_page_size(2);
    std::vector<std::string> names;
    for (int page = 0; page < 9; ++page) {
      const auto response = notes_.ListNotes(By(subject), request);
      EXPECT_TRUE(response.ok()) << response.status();
      if (!response.ok()) break;
      for (const v1::Note& note : response->notes()) names.push_back(note.name());
      request.set_page_token(response->next_page_token());
      if (response->next_page_token().empty()) break;
    }
    return names;
  }

  std::vector<v1::DueNote> Due(const call::CallContext& context, const std::string& clinician = "",
                               int page_size = 0) {
    v1::ListDueNotesRequest request;
    request.set_parent("organizations/acme");
    request.set_clinician(clinician);
    request.set_page_size(page_size);
    std::vector<v1::DueNote> due;
    for (int page = 0; page < 9; ++page) {
      const auto response = notes_.ListDueNotes(context, request);
      EXPECT_TRUE(response.ok()) << response.status();
      if (!response.ok()) break;
      due.insert(due.end(), response->due_notes().begin(), response->due_notes().end());
      request.set_page_token(response->next_page_token());
      if (response->next_page_token().empty()) break;
    }
    return due;
  }

  void AnswerAssessments() {
    assessment_.answers[kListAssessments] = [&](const google::protobuf::Message& request,
                                                google::protobuf::Message& response) {
      const auto& ask = static_cast<const assessment::v1::ListAssessmentsRequest&>(request);
      EXPECT_EQ(ask.parent(), "organizations/acme");
      EXPECT_EQ(ask.course(), CourseName());
      auto& answer = static_cast<assessment::v1::ListAssessmentsResponse&>(response);
      // Two pages, to see that all are read.
      assessment::v1::Assessment& form = *answer.add_assessments();
      form.set_etag("1");
      form.mutable_score()->set_complete(true);
      *form.mutable_answer_time() = time::ToTimestamp(now_ - absl::Hours(20));
      if (ask.page_token().empty()) {
        form.set_name("organizations/acme/assessments/mood");
        form.set_instrument("instruments/phq-9/revisions/1");
        form.set_appointment(Appointment("a1"));
        form.mutable_score()->set_total(18);
        answer.set_next_page_token("more");
      } else {
        form.set_name("organizations/acme/assessments/anxiety");
        form.set_instrument("instruments/gad-7/revisions/1");
        form.mutable_score()->set_total(12);
      }
      return absl::OkStatus();
    };
  }

  void AnswerAppointment(const std::string& id, scheduling::v1::AppointmentState state,
                         const std::string& course = "c1") {
    scheduling_.answers[kGetAppointment] = [=, this](const google::protobuf::Message& request,
                                                     google::protobuf::Message& response) {
      EXPECT_EQ(static_cast<const scheduling::v1::GetAppointmentRequest&>(request).name(),
                Appointment(id));
      auto& answer = static_cast<scheduling::v1::Appointment&>(response);
      answer.set_name(Appointment(id));
      answer.set_course(CourseName(course));
      answer.set_state(state);
      answer.set_session_number(5);
      *answer.mutable_start_time() = time::ToTimestamp(now_);
      *answer.mutable_end_time() = time::ToTimestamp(now_ + absl::Minutes(50));
      return absl::OkStatus();
    };
  }
};

}  // namespace rapport::notes::testing

#endif  // RAPPORT_TESTS_CONFORMANCE_NOTES_NOTE_FIXTURE_H_
