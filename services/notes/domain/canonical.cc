#include "services/notes/domain/canonical.h"

#include <openssl/sha.h>

#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"

namespace rapport::notes {

std::string Deterministic(const google::protobuf::Message& message) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  {
    google::protobuf::io::CodedOutputStream out(&stream);
    out.SetSerializationDeterministic(true);
    message.SerializeToCodedStream(&out);
  }
  return bytes;
}

std::string CanonicalNote(const v1::Note& note) {
  v1::Note signed_part;
  signed_part.set_name(note.name());
  signed_part.set_version(note.version());
  signed_part.set_appointment(note.appointment());
  signed_part.set_session_number(note.session_number());
  signed_part.set_phase(note.phase());
  signed_part.set_author(note.author());
  signed_part.set_kind(note.kind());
  *signed_part.mutable_subjects() = note.subjects();
  signed_part.set_about(note.about());
  signed_part.set_template_(note.template_());
  signed_part.set_group_session(note.group_session());
  *signed_part.mutable_session_time() = note.session_time();
  *signed_part.mutable_session_end_time() = note.session_end_time();
  signed_part.set_revision_reason(note.revision_reason());
  *signed_part.mutable_content() = note.content();
  *signed_part.mutable_prefill() = note.prefill();
  *signed_part.mutable_warnings() = note.warnings();
  signed_part.set_copied_percent(note.copied_percent());
  signed_part.set_salt(note.salt());
  return Deterministic(signed_part);
}

std::string CanonicalAddendum(absl::string_view note_name, absl::string_view note_sha256,
                              const v1::Addendum& addendum) {
  v1::Note signed_part;
  signed_part.set_name(std::string(note_name));
  signed_part.mutable_signature()->set_content_sha256(std::string(note_sha256));
  v1::Addendum& part = *signed_part.add_addenda();
  part.set_number(addendum.number());
  part.set_text(addendum.text());
  part.set_note_version(addendum.note_version());
  part.set_salt(addendum.salt());
  return Deterministic(signed_part);
}

std::string Sha256(absl::string_view bytes) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

}  // namespace rapport::notes
