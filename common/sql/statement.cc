#include <cstdio>
#include <cstdlib>
#include <map>

#include "common/concurrency/mutex.h"
#include "common/sql/database.h"

namespace rapport::sql {
namespace {

// PostgreSQL keys prepared statements by 63 bytes; four are left for a variant's suffix.
constexpr size_t kMaxName = 59;

struct Registry {
  Mutex mutex;
  std::map<std::string, const Statement*> statements ABSL_GUARDED_BY(mutex);
};

// Never destroyed: statements of other translation units register before main.
Registry& GetRegistry() {
  static auto& registry = *new Registry();
  return registry;
}

[[noreturn]] void Die(const std::string& name, const char* why) {
  std::fprintf(stderr, "SQL statement '%s': %s\n", name.c_str(), why);
  std::abort();
}

}  // namespace

Statement::Statement(absl::string_view name, absl::string_view sql, Reach reach)
    : name_(name), sql_(sql), reach_(reach) {
  if (name_.empty() || name_.size() > kMaxName) Die(name_, "the name needs 1 to 59 bytes");
  Registry& registry = GetRegistry();
  MutexLock lock(registry.mutex);
  if (!registry.statements.emplace(name_, this).second) Die(name_, "the name is taken");
}

std::vector<const Statement*> Statement::Catalogue() {
  Registry& registry = GetRegistry();
  MutexLock lock(registry.mutex);
  std::vector<const Statement*> statements;
  statements.reserve(registry.statements.size());
  for (const auto& [name, statement] : registry.statements) statements.push_back(statement);
  return statements;
}

}  // namespace rapport::sql
