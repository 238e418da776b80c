#include "common/cache/redis_connection.h"

#include <hiredis/hiredis.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "common/errors/status_macros.h"

namespace rapport::cache {
namespace {

absl::Status Gone() { return absl::UnavailableError("redis is not there"); }

}  // namespace

absl::StatusOr<RedisAddress> RedisAddress::Parse(absl::string_view text) {
  RedisAddress address;
  if (absl::ConsumePrefix(&text, "unix:")) {
    if (!absl::StartsWith(text, "/")) {
      return absl::InvalidArgumentError("a socket is named as unix:/path");
    }
    address.host = std::string(text);
    return address;
  }
  const size_t colon = text.rfind(':');
  if (colon == absl::string_view::npos || colon == 0 ||
      !absl::SimpleAtoi(text.substr(colon + 1), &address.port) || address.port < 1 ||
      address.port > 65535) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", text, "' is no node of Redis: host:port or unix:/path"));
  }
  text = text.substr(0, colon);
  if (absl::ConsumePrefix(&text, "[")) absl::ConsumeSuffix(&text, "]");
  address.host = std::string(text);
  return address;
}

void FreeReply::operator()(redisReply* reply) const { freeReplyObject(reply); }

absl::string_view TextOf(const Reply& reply) {
  if (reply == nullptr || reply->type != REDIS_REPLY_STRING) return "";
  return {reply->str, reply->len};
}

bool IsError(const Reply& reply, absl::string_view code) {
  return reply != nullptr && reply->type == REDIS_REPLY_ERROR &&
         absl::StartsWith(absl::string_view(reply->str, reply->len), code);
}

void RedisConnection::FreeContext::operator()(redisContext* context) const { redisFree(context); }

RedisConnection::~RedisConnection() = default;

absl::Status RedisConnection::Await(short events, absl::Time deadline) const {
  while (true) {
    const int64_t left =
        absl::ToInt64Milliseconds(absl::Ceil(deadline - absl::Now(), absl::Milliseconds(1)));
    if (left <= 0) return absl::DeadlineExceededError("redis did not answer in time");
    pollfd waiting{context_->fd, events, 0};
    const int ready = poll(&waiting, 1, static_cast<int>(std::min<int64_t>(left, 60'000)));
    if (ready > 0) return absl::OkStatus();
    if (ready < 0 && errno != EINTR) return Gone();
  }
}

absl::StatusOr<std::unique_ptr<RedisConnection>> RedisConnection::Connect(
    const RedisAddress& address, absl::string_view password, absl::Time deadline) {
  redisContext* context = address.port == 0
                              ? redisConnectUnixNonBlock(address.host.c_str())
                              : redisConnectNonBlock(address.host.c_str(), address.port);
  if (context == nullptr) return Gone();
  std::unique_ptr<RedisConnection> connection(new RedisConnection(context));
  if (context->err != 0) return Gone();
  RETURN_IF_ERROR(connection->Await(POLLOUT, deadline));
  int error = 0;
  socklen_t size = sizeof(error);
  if (getsockopt(context->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0) {
    return Gone();
  }
  if (!password.empty()) {
    ASSIGN_OR_RETURN(const auto replies, connection->Run({{"AUTH", password}}, deadline));
    if (IsError(replies[0])) return absl::PermissionDeniedError("redis refuses the password");
  }
  return connection;
}

absl::StatusOr<std::vector<Reply>> RedisConnection::Run(const std::vector<Command>& commands,
                                                        absl::Time deadline) {
  for (const Command& command : commands) {
    std::vector<const char*> words;
    std::vector<size_t> sizes;
    for (absl::string_view word : command) {
      words.push_back(word.data());
      sizes.push_back(word.size());
    }
    if (redisAppendCommandArgv(context_.get(), static_cast<int>(words.size()), words.data(),
                               sizes.data()) != REDIS_OK) {
      return Gone();
    }
  }
  for (int done = 0; done == 0;) {
    if (redisBufferWrite(context_.get(), &done) != REDIS_OK) return Gone();
    if (done == 0) RETURN_IF_ERROR(Await(POLLOUT, deadline));
  }
  std::vector<Reply> replies;
  while (replies.size() < commands.size()) {
    void* reply = nullptr;
    if (redisGetReplyFromReader(context_.get(), &reply) != REDIS_OK) return Gone();
    if (reply != nullptr) {
      replies.emplace_back(static_cast<redisReply*>(reply));
      if (IsError(replies.back(), "NOAUTH") || IsError(replies.back(), "WRONGPASS") ||
          IsError(replies.back(), "NOPERM")) {
        return absl::PermissionDeniedError("redis asks for another password");
      }
      continue;
    }
    RETURN_IF_ERROR(Await(POLLIN, deadline));
    if (redisBufferRead(context_.get()) != REDIS_OK) return Gone();
  }
  return replies;
}

}  // namespace rapport::cache
