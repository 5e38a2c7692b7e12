#include "daemon/runtime/connection.h"

#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/str_cat.h"

namespace mg {
namespace {

constexpr size_t kTlsRecord = 16 << 10;

}  // namespace

Connection::Connection(EpollLoop* loop, int fd, std::string key, User* user)
    : loop_(loop), fd_(fd), key_(std::move(key)), user_(user) {}

Connection::~Connection() {
  Rest();
  tls_.reset();
  close(fd_);
}

void Connection::Watch() {
  const uint32_t events =
      EpollLoop::kReadable | (write_waits_ || read_waits_ ? EpollLoop::kWritable : uint32_t{0});
  if (watched_) return loop_->Modify(fd_, events);
  watched_ = true;
  loop_->Watch(fd_, events, [this](uint32_t) { user_->Ready(this); });
}

void Connection::Rest() {
  if (std::exchange(watched_, false)) loop_->Unwatch(fd_);
}

bool Connection::Quiet() const {
  if (tls_ != nullptr && tls_->holds_bytes()) return false;
  char byte = 0;
  return recv(fd_, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

Io Connection::Handshake() {
  const Io io = tls_->Handshake();
  read_waits_ = tls_->waits_to_write();
  error_ = tls_->error();
  return io;
}

Io Connection::Read(char* into, size_t size, size_t* got) {
  if (tls_ == nullptr) return Plain(recv(fd_, into, size, 0), got);
  const Io io = tls_->Read(into, size, got);
  read_waits_ = tls_->waits_to_write();
  error_ = tls_->error();
  return io;
}

Io Connection::Write(absl::string_view head, absl::string_view body, size_t from, size_t* written) {
  const size_t of_head = std::min(from, head.size());
  head.remove_prefix(of_head);
  body.remove_prefix(from - of_head);
  if (tls_ != nullptr) return WriteTls(head, body, written);
  iovec parts[2] = {{const_cast<char*>(head.data()), head.size()},
                    {const_cast<char*>(body.data()), body.size()}};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  const Io io = Plain(sendmsg(fd_, &message, MSG_NOSIGNAL), written);
  write_waits_ = io == Io::kBlocked;
  return io;
}

Io Connection::WriteTls(absl::string_view head, absl::string_view body, size_t* written) {
  std::string record;
  absl::string_view next = body;
  if (!head.empty()) {  // both in one record, where they fit
    record = absl::StrCat(head, body.substr(0, kTlsRecord - std::min(kTlsRecord, head.size())));
    next = record;
  }
  const Io io = tls_->Write(next, written);
  write_waits_ = tls_->waits_to_write();
  return io;
}

Io Connection::Plain(ssize_t result, size_t* moved) {
  if (result > 0) {
    *moved = static_cast<size_t>(result);
    return Io::kSome;
  }
  if (result == 0) return Io::kEnd;
  if (errno == EAGAIN) return Io::kBlocked;
  error_ = errno;
  return Io::kFailed;
}

}  // namespace mg
