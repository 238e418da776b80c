#include "common/sql/postgres_connection.h"

#include <endian.h>
#include <poll.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/sql/driver_errors.h"

namespace rapport::sql::internal {
namespace {

// From the server's pg_type.dat; part of its wire protocol.
constexpr Oid kAnyType = 0, kBool = 16, kBytea = 17, kName = 19, kInt8 = 20, kInt2 = 21, kInt4 = 23,
              kText = 25, kOid = 26, kUnknown = 705, kFloat4 = 700, kFloat8 = 701, kBpchar = 1042,
              kVarchar = 1043, kNumeric = 1700, kVoid = 2278;

struct ResultClearer {
  void operator()(PGresult* result) const { PQclear(result); }
};
using ResultHandle = std::unique_ptr<PGresult, ResultClearer>;

// An integer in network order.
template <class Unsigned>
Unsigned Load(const char* data) {
  Unsigned bits;
  std::memcpy(&bits, data, sizeof bits);
  if constexpr (sizeof bits == 8) return be64toh(bits);
  if constexpr (sizeof bits == 4) return be32toh(bits);
  if constexpr (sizeof bits == 2) return be16toh(bits);
}

template <class Real, class Unsigned>
double LoadReal(const char* data) {
  const Unsigned bits = Load<Unsigned>(data);
  Real real;
  std::memcpy(&real, &bits, sizeof real);
  return real;
}

Oid TypeOf(const Value& value) {
  constexpr Oid kTypes[] = {kAnyType, kInt8, kFloat8, kText, kBytea};
  return kTypes[value.index()];
}

// Parameters in PostgreSQL's binary format; text and bytes stay where they are.
class Parameters {
 public:
  explicit Parameters(absl::Span<const Value> values) : numbers_(values.size()) {
    for (size_t i = 0; i < values.size(); ++i) {
      const char* data = nullptr;
      size_t size = sizeof(uint64_t);
      if (const auto* number = std::get_if<int64_t>(&values[i])) {
        data = Number(i, static_cast<uint64_t>(*number));
      } else if (const auto* real = std::get_if<double>(&values[i])) {
        uint64_t bits;
        std::memcpy(&bits, real, sizeof bits);
        data = Number(i, bits);
      } else if (const auto* text = std::get_if<std::string>(&values[i])) {
        data = text->data();
        size = text->size();
      } else if (const auto* blob = std::get_if<Blob>(&values[i])) {
        data = blob->bytes.data();
        size = blob->bytes.size();
      }
      data_.push_back(data);
      sizes_.push_back(static_cast<int>(size));
      formats_.push_back(1);
    }
  }

  int size() const { return static_cast<int>(data_.size()); }
  const char* const* data() const { return data_.data(); }
  const int* sizes() const { return sizes_.data(); }
  const int* formats() const { return formats_.data(); }

 private:
  const char* Number(size_t i, uint64_t bits) {
    numbers_[i] = htobe64(bits);
    return reinterpret_cast<const char*>(&numbers_[i]);
  }

  absl::InlinedVector<uint64_t, 16> numbers_;
  absl::InlinedVector<const char*, 16> data_;
  absl::InlinedVector<int, 16> sizes_;
  absl::InlinedVector<int, 16> formats_;
};

// A sum of bigint is numeric. Whole numbers within int64 come back as such, others as double.
Value DecodeNumeric(const char* data) {
  const auto field = [data](int i) { return static_cast<int16_t>(Load<uint16_t>(data + 2 * i)); };
  const int digits = field(0), weight = field(1), scale = field(3);
  const int sign = static_cast<uint16_t>(field(2)) == 0x4000 ? -1 : 1;
  constexpr int kInt64Weight = 4;  // digits are of base 10,000
  if (scale == 0 && weight <= kInt64Weight) {
    __int128 whole = 0;
    for (int i = 0; i <= weight; ++i) whole = whole * 10000 + (i < digits ? field(4 + i) : 0);
    whole *= sign;
    if (whole >= INT64_MIN && whole <= INT64_MAX) return Value(static_cast<int64_t>(whole));
  }
  double real = 0;
  for (int i = 0; i < digits; ++i) real += field(4 + i) * std::pow(10000.0, weight - i);
  return Value(sign * real);
}

Value Decode(const PGresult* result, int row, int column) {
  if (PQgetisnull(result, row, column)) return Value(Null{});
  const char* data = PQgetvalue(result, row, column);
  const size_t size = static_cast<size_t>(PQgetlength(result, row, column));
  switch (PQftype(result, column)) {
    case kInt8:
      return Value(static_cast<int64_t>(Load<uint64_t>(data)));
    case kInt4:
      return Value(int64_t{static_cast<int32_t>(Load<uint32_t>(data))});
    case kOid:
      return Value(int64_t{Load<uint32_t>(data)});
    case kInt2:
      return Value(int64_t{static_cast<int16_t>(Load<uint16_t>(data))});
    case kBool:
      return Value(int64_t{data[0] != 0});
    case kFloat8:
      return Value(LoadReal<double, uint64_t>(data));
    case kFloat4:
      return Value(LoadReal<float, uint32_t>(data));
    case kNumeric:
      return DecodeNumeric(data);
    case kVoid:
      return Value(Null{});
    case kText:
    case kVarchar:
    case kBpchar:
    case kName:
    case kUnknown:
      return Value(std::string(data, size));
    default:
      return Value(Blob{std::string(data, size)});
  }
}

Result Decode(PGresult* result) {
  const int rows = PQntuples(result), columns = PQnfields(result);
  std::vector<Value> cells;
  cells.reserve(static_cast<size_t>(rows) * static_cast<size_t>(columns));
  for (int row = 0; row < rows; ++row) {
    for (int column = 0; column < columns; ++column) cells.push_back(Decode(result, row, column));
  }
  int64_t affected = 0;
  if (!absl::StartsWith(PQcmdStatus(result), "SELECT")) {
    (void)absl::SimpleAtoi(PQcmdTuples(result), &affected);
  }
  return Result(columns, std::move(cells), affected);
}

absl::string_view Field(const PGresult* result, int code) {
  const char* text = PQresultErrorField(result, code);
  return text == nullptr ? "" : text;
}

// `broken` becomes true where the connection must not serve again.
absl::Status FromServer(const PGresult* result, const char* label, bool* broken) {
  const absl::string_view state = Field(result, PG_DIAG_SQLSTATE);
  const absl::string_view kind = state.substr(0, 2);
  const absl::string_view text = state.empty()
                                     ? absl::StripAsciiWhitespace(PQresultErrorMessage(result))
                                     : Field(result, PG_DIAG_MESSAGE_PRIMARY);
  const auto constraint = [&] {
    const absl::string_view name = Field(result, PG_DIAG_CONSTRAINT_NAME);
    return name.empty() ? text : name;
  };

  if (state == "23505") return UniqueViolation(constraint());
  if (state == "23502") {
    return ConstraintViolation(
        absl::StrCat(Field(result, PG_DIAG_TABLE_NAME), ".", Field(result, PG_DIAG_COLUMN_NAME)));
  }
  // P0001 is a RAISE of our own triggers, whose message is the constraint's name.
  if (kind == "23" || state == "P0001") return ConstraintViolation(constraint());
  if (state == "40001" || state == "40P01") return SerializationFailure();
  if (state == "22021") return NotText();

  // Messages of class 22 quote values.
  LogDriver(label, state, kind == "22" ? "data exception" : text);
  if (state == "57014") return DeadlinePassed();
  if (state == "55P03") return errors::Aborted("LOCK_TIMEOUT", "The row is locked. Repeat later.");
  if (kind == "53") return DatabaseFull();
  // 0A000, 26000: a migration or a pooler invalidated a prepared statement; 25006: this server has
  // become a standby. A new connection heals.
  if (state.empty() || kind == "08" || kind == "57" || state == "25006" || state == "25P03" ||
      state == "0A000" || state == "26000") {
    *broken = true;
    return DatabaseUnavailable();
  }
  return errors::Internal(
      absl::StrCat("Statement '", label, "' failed with ", state, "; see the log."));
}

// Waits for `events` on the socket. False when `deadline` passed.
bool Poll(PGconn* connection, short events, absl::Time deadline) {
  pollfd descriptor = {PQsocket(connection), events, 0};
  for (;;) {
    int wait = -1;
    if (deadline != absl::InfiniteFuture()) {
      const absl::Duration left = deadline - absl::Now();
      if (left <= absl::ZeroDuration()) return false;
      wait = static_cast<int>(
          absl::ToInt64Milliseconds(std::min(left, absl::Hours(1)) + absl::Milliseconds(1)));
    }
    const int ready = poll(&descriptor, 1, wait);
    if (ready > 0 || (ready < 0 && errno != EINTR)) return true;
  }
}

std::string ReadPassword(const std::string& path) {
  std::ifstream file(path);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  return std::string(absl::StripTrailingAsciiWhitespace(text));
}

absl::Status CannotConnect(absl::string_view text) {
  LogDriver("connect", "08001", absl::StripAsciiWhitespace(text));
  // In libpq's verbose form, the one way in which it tells the SQLSTATE of a refusal.
  if (absl::StrContains(text, "53300: ")) {
    return errors::Unavailable(kNoConnectionLeft,
                               "The database takes no more connections. Nothing was written; "
                               "repeat the call.",
                               "database");
  }
  return DatabaseUnavailable();
}

absl::StatusOr<PostgresHandle> ConnectWith(const PostgresTarget& target,
                                           const std::string& password, absl::Time deadline) {
  const std::string port = absl::StrCat(target.port);
  // read-write: after a failover the old primary must not serve. A pooler refuses options.
  const std::pair<const char*, const char*> settings[] = {
      {"host", target.host.c_str()},
      {"port", port.c_str()},
      {"dbname", target.database.c_str()},
      {"user", target.user.c_str()},
      {"password", password.empty() ? nullptr : password.c_str()},
      {"client_encoding", "UTF8"},
      {"application_name", "rapport"},
      {"target_session_attrs", target.standby ? "any" : "read-write"},
      {"tcp_user_timeout", "10000"},
      {"options",
       target.pooled ? nullptr : "-c lock_timeout=5s -c idle_in_transaction_session_timeout=10s"},
  };
  std::vector<const char*> keywords, values;
  for (const auto& [keyword, value] : settings) {
    if (value == nullptr || *value == '\0') continue;
    keywords.push_back(keyword);
    values.push_back(value);
  }
  keywords.push_back(nullptr);
  values.push_back(nullptr);

  PostgresHandle handle(PQconnectStartParams(keywords.data(), values.data(), 0));
  if (handle == nullptr) return DatabaseFull();
  PQsetNoticeProcessor(
      handle.get(), [](void*, const char*) {}, nullptr);
  PQsetErrorVerbosity(handle.get(), PQERRORS_VERBOSE);
  for (PostgresPollingStatusType step = PGRES_POLLING_WRITING; step != PGRES_POLLING_OK;
       step = PQconnectPoll(handle.get())) {
    if (step == PGRES_POLLING_FAILED || PQstatus(handle.get()) == CONNECTION_BAD) {
      return CannotConnect(PQerrorMessage(handle.get()));
    }
    if (!Poll(handle.get(), step == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline)) {
      return CannotConnect("no answer in time");
    }
  }
  PQsetErrorVerbosity(handle.get(), PQERRORS_DEFAULT);
  return handle;
}

}  // namespace

absl::StatusOr<PostgresHandle> ConnectPostgres(const PostgresTarget& target, absl::Time deadline) {
  deadline = std::min(deadline, absl::Now() + absl::Seconds(10));
  const auto read = [&] {
    return target.password_file.empty() ? "" : ReadPassword(target.password_file);
  };
  std::string password = read();
  for (;;) {
    absl::StatusOr<PostgresHandle> handle = ConnectWith(target, password, deadline);
    if (handle.ok()) return handle;
    // Changed in the server and in the file between our look at the one and at the other.
    std::string changed = read();
    if (changed == password || absl::Now() >= deadline) return handle;
    password = std::move(changed);
  }
}

absl::StatusOr<std::unique_ptr<PostgresConnection>> PostgresConnection::Connect(
    const PostgresTarget& target, absl::Time deadline) {
  ASSIGN_OR_RETURN(PostgresHandle handle, ConnectPostgres(target, deadline));
  // Non-blocking, so that sending, too, ends at the deadline.
  if (PQsetnonblocking(handle.get(), 1) != 0 || PQenterPipelineMode(handle.get()) != 1) {
    return CannotConnect(PQerrorMessage(handle.get()));
  }
  return std::unique_ptr<PostgresConnection>(
      new PostgresConnection(std::move(handle), target.pooled));
}

void PostgresConnection::Send(const Command& command, absl::Span<const Value> parameters) {
  Send(&command, command.name, command.name, command.sql, parameters);
}

void PostgresConnection::Send(const Statement& statement, absl::Span<const Value> parameters) {
  Send(&statement, statement.name(), statement.name().c_str(), statement.sql().c_str(), parameters);
}

PostgresConnection::Prepared& PostgresConnection::Variant(const void* identity,
                                                          absl::string_view name,
                                                          absl::Span<const Value> parameters) {
  std::vector<std::unique_ptr<Prepared>>& variants = prepared_[identity];
  for (const auto& variant : variants) {
    bool fits = variant->types.size() == parameters.size();
    for (size_t i = 0; fits && i < parameters.size(); ++i) {
      const Oid type = TypeOf(parameters[i]);
      fits = type == kAnyType || type == variant->types[i];
    }
    if (fits) return *variant;
  }
  auto variant = std::make_unique<Prepared>();
  variant->name = variants.empty() ? std::string(name) : absl::StrCat(name, "#", variants.size());
  for (size_t i = 0; i < parameters.size(); ++i) {
    Oid type = TypeOf(parameters[i]);
    if (type == kAnyType && !variants.empty() && i < variants.back()->types.size()) {
      type = variants.back()->types[i];
    }
    variant->types.push_back(type);
  }
  return *variants.emplace_back(std::move(variant));
}

void PostgresConnection::Send(const void* identity, absl::string_view name, const char* label,
                              const char* sql, absl::Span<const Value> parameters) {
  const Parameters encoded(parameters);
  if (pooled_) {
    absl::InlinedVector<Oid, 16> types;
    for (const Value& value : parameters) types.push_back(TypeOf(value));
    Expect(PQsendQueryParams(handle_.get(), sql, encoded.size(), types.data(), encoded.data(),
                             encoded.sizes(), encoded.formats(), /*resultFormat=*/1),
           {Expected::kAnswer, nullptr, label, false});
    return;
  }
  Prepared& prepared = Variant(identity, name, parameters);
  if (!prepared.ready) {
    prepared.ready = true;
    Expect(PQsendPrepare(handle_.get(), prepared.name.c_str(), sql,
                         static_cast<int>(prepared.types.size()), prepared.types.data()),
           {Expected::kPreparation, &prepared, label, false});
  }
  Expect(PQsendQueryPrepared(handle_.get(), prepared.name.c_str(), encoded.size(), encoded.data(),
                             encoded.sizes(), encoded.formats(), /*resultFormat=*/1),
         {Expected::kAnswer, nullptr, label, false});
}

void PostgresConnection::Sync() {
  Expect(PQpipelineSync(handle_.get()), {Expected::kSync, nullptr, "sync", false});
}

void PostgresConnection::Expect(int sent, Expected expected) {
  if (sent == 1) {
    expected_.push_back(expected);
  } else {
    broken_ = true;
  }
}

// Sends what is buffered until the next result can be taken without waiting.
absl::Status PostgresConnection::AwaitResult(absl::Time deadline) {
  PGconn* const connection = handle_.get();
  for (;;) {
    const int unsent = PQflush(connection);
    if (!PQisBusy(connection)) return absl::OkStatus();
    if (!Poll(connection, unsent == 1 ? POLLIN | POLLOUT : POLLIN, deadline)) {
      broken_ = true;
      return DeadlinePassed();
    }
    // A failure shows as the next result, with what the server said last.
    (void)PQconsumeInput(connection);
  }
}

absl::Status PostgresConnection::Lost(const Expected& expected) {
  broken_ = true;
  LogDriver(expected.label, "08006", absl::StripAsciiWhitespace(PQerrorMessage(handle_.get())));
  return DatabaseUnavailable();
}

absl::StatusOr<Result> PostgresConnection::RoundTrip(Until until, absl::Time deadline) {
  if (until == Until::kSync) {
    Sync();
  } else if (PQsendFlushRequest(handle_.get()) != 1) {
    broken_ = true;
  }
  return Receive(deadline);
}

absl::StatusOr<Result> PostgresConnection::Receive(absl::Time deadline) {
  absl::Status failure;
  ResultHandle last;
  while (!expected_.empty() && !broken_) {
    const Expected expected = expected_.front();
    if (absl::Status status = AwaitResult(deadline); !status.ok()) return status;
    ResultHandle result(PQgetResult(handle_.get()));
    if (result == nullptr) {
      failure.Update(Lost(expected));
      break;
    }
    expected_.pop_front();
    const ExecStatusType status = PQresultStatus(result.get());
    if (status == PGRES_PIPELINE_SYNC) continue;

    if (status == PGRES_FATAL_ERROR) {
      absl::Status error = FromServer(result.get(), expected.label, &broken_);
      if (!expected.dropped) failure.Update(error);
    }
    if (expected.kind == Expected::kPreparation) {
      expected.prepared->ready = status == PGRES_COMMAND_OK;
    } else if (!expected.dropped) {
      last = std::move(result);
    }
    if (PQstatus(handle_.get()) != CONNECTION_OK) {
      failure.Update(Lost(expected));
      break;
    }
    // Every command's results end with a null, which is there already.
    PQclear(PQgetResult(handle_.get()));
  }
  if (!failure.ok()) return failure;
  if (broken_) return DatabaseUnavailable();
  return last == nullptr ? Result() : Decode(last.get());
}

void PostgresConnection::Abandon(const Command& command) {
  // After a failure, past or among what is queued, the server skips all up to a sync.
  if (!expected_.empty() || PQpipelineStatus(handle_.get()) == PQ_PIPELINE_ABORTED) Sync();
  Send(command);
  Sync();
  for (Expected& expected : expected_) expected.dropped = true;
  if (PQflush(handle_.get()) < 0) broken_ = true;
}

bool PostgresConnection::Alive() {
  pollfd descriptor = {PQsocket(handle_.get()), POLLIN, 0};
  if (!broken() && !expected_.empty() && (pooled_ || poll(&descriptor, 1, 0) > 0)) {
    (void)Receive(absl::Now() + absl::Seconds(1));
  }
  // With nothing outstanding, the server speaks only to say goodbye.
  return !broken() && (!expected_.empty() || poll(&descriptor, 1, 0) == 0);
}

}  // namespace rapport::sql::internal
