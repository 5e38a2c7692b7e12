// One connection to a provider, with or without TLS, on the loop. It tells its user when something
// can be read or written; who owns it is its user. Destroying it closes it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "daemon/runtime/epoll_loop.h"
#include "daemon/runtime/tls_client.h"

namespace mg {

class Connection {
 public:
  class User {
   public:
    virtual ~User() = default;
    // May destroy the connection.
    virtual void Ready(Connection* connection) = 0;
  };

  // `fd` is non-blocking and the connection's own. `key` says which requests it may carry.
  Connection(EpollLoop* loop, int fd, std::string key, User* user);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  const std::string& key() const { return key_; }
  const TlsSession* tls() const { return tls_.get(); }
  // After Io::kFailed, as TlsSession has it.
  int error() const { return error_; }
  void set_user(User* user) { user_ = user; }
  void UseTls(std::unique_ptr<TlsSession> session) { tls_ = std::move(session); }

  Io Handshake();
  Io Read(char* into, size_t size, size_t* got);
  // Some of the two texts, one after the other, from `from` on.
  Io Write(absl::string_view head, absl::string_view body, size_t from, size_t* written);

  // Ready is called when there is something to read, or what was blocked can go on.
  void Watch();
  // Nothing is told: what arrives waits in the kernel, and then at the peer.
  void Rest();
  // Whether nothing has come that nobody asked for, not even its end.
  bool Quiet() const;

 private:
  Io WriteTls(absl::string_view head, absl::string_view body, size_t* written);
  Io Plain(ssize_t result, size_t* moved);

  EpollLoop* const loop_;
  const int fd_;
  const std::string key_;
  User* user_;
  std::unique_ptr<TlsSession> tls_;
  int error_ = 0;
  bool watched_ = false;
  bool write_waits_ = false;  // until the socket can be written
  bool read_waits_ = false;   // for writing too: TLS may have to answer before it can go on
};

}  // namespace mg
