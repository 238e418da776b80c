#include "common/audit/audit_log.h"

#include <gtest/gtest.h>

#include "absl/strings/escaping.h"
#include "common/auth/integrity.h"

namespace rapport::audit {
namespace {

Entry AnEntry() {
  return {.organization_id = "acme",
          .principal = "user-1",
          .method = "rapport.notes.v1.NoteService/SignNote",
          .resource = "organizations/acme/cases/c/notes/n",
          .version = 7,
          .occur_time = absl::FromUnixMicros(1772951400000001),
          .trace_id = "0af7651916cd43dd8448eb211c80319c"};
}

TEST(AuditEntryTest, ComesBackAsItWasEncoded) {
  EXPECT_EQ(Decode(Encode(AnEntry())), AnEntry());
  EXPECT_EQ(Decode(Encode(Entry())), Entry());
}

TEST(AuditEntryTest, ComesBackWithAllThatAReadOrAnErasureTells) {
  Entry read = AnEntry();
  read.kind = Kind::kAccess;
  read.purpose = "break-glass: organizations/acme/breakGlasses/b";
  read.count = 12;
  EXPECT_EQ(Decode(Encode(read)), read);
  Entry erasure = AnEntry();
  erasure.kind = Kind::kErasure;
  erasure.covers = {"organizations/acme/cases/c", "organizations/acme/cases/c/*"};
  EXPECT_EQ(Decode(Encode(erasure)), erasure);
  EXPECT_NE(Encode(read), Encode(AnEntry()));
}

TEST(AuditEntryTest, EachFieldChangesTheEncoding) {
  const std::string encoded = Encode(AnEntry());
  for (auto change : std::initializer_list<void (*)(Entry&)>{
           [](Entry& e) { e.organization_id += "x"; }, [](Entry& e) { e.principal += "x"; },
           [](Entry& e) { e.method += "x"; }, [](Entry& e) { e.resource += "x"; },
           [](Entry& e) { ++e.version; }, [](Entry& e) { e.occur_time += absl::Microseconds(1); },
           [](Entry& e) { e.trace_id += "x"; }, [](Entry& e) { e.kind = Kind::kDenial; },
           [](Entry& e) { e.purpose += "x"; }, [](Entry& e) { ++e.count; },
           [](Entry& e) { e.covers.push_back(""); },
           // What moves from one field to the next is another entry too.
           [](Entry& e) { e.principal += e.method[0], e.method.erase(0, 1); }}) {
    Entry other = AnEntry();
    change(other);
    EXPECT_NE(Encode(other), encoded);
  }
}

TEST(AuditEntryTest, DecodesNothingElse) {
  const std::string encoded = Encode(AnEntry());
  for (size_t size = 0; size < encoded.size(); ++size) {
    EXPECT_FALSE(Decode(encoded.substr(0, size)).has_value()) << size;
  }
  EXPECT_FALSE(Decode(encoded + "x").has_value());
  EXPECT_FALSE(Decode("\x02" + encoded.substr(1)).has_value());
  EXPECT_FALSE(Decode("\x03" + encoded.substr(1)).has_value());
  EXPECT_FALSE(Decode("\x01" + std::string(64, '\xff')).has_value());
}

TEST(AuditLeafTest, IsTheSha256OfAZeroByteAndTheLengthPrefixedParts) {
  const std::string part_e("\0\0\0\0\0\0\0\1e", 9), part_s("\0\0\0\0\0\0\0\1s", 9),
      part_h("\0\0\0\0\0\0\0\1h", 9);
  EXPECT_EQ(LeafHash("e", "s", "h"), auth::Sha256(std::string(1, '\0') + part_e + part_s + part_h));
  EXPECT_NE(LeafHash("es", "", "h"), LeafHash("e", "s", "h"));
}

}  // namespace
}  // namespace rapport::audit
