#include "services/assessment/data/embedding.h"

#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>

namespace rapport::assessment {
namespace {

std::string Literal(const std::string& bytes) {
  std::string literal = "\"";
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (i % 22 == 0 && i > 0) literal += "\"\n        \"";
    char escaped[5];
    std::snprintf(escaped, sizeof escaped, "\\%03o", static_cast<unsigned char>(bytes[i]));
    literal += escaped;
  }
  return literal + "\"";
}

}  // namespace

std::optional<std::string> ReadFile(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) {
    std::cerr << file << ": can't be read\n";
    return std::nullopt;
  }
  return std::string{std::istreambuf_iterator<char>(in), {}};
}

bool WriteFile(const std::string& file, const std::string& text) {
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  if (!out) std::cerr << file << ": can't be written\n";
  return static_cast<bool>(out);
}

std::string AddStatement(const std::string& name, const google::protobuf::Message& message) {
  const std::string bytes = message.SerializeAsString();
  return "    // " + name + "\n    add(" + Literal(bytes) + ",\n        " +
         std::to_string(bytes.size()) + ");\n";
}

}  // namespace rapport::assessment
