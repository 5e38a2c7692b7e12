// Connections that are kept alive between exchanges. One that says anything meanwhile, its end
// above all, is closed: what came was meant for nobody. Belongs to the loop's thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "daemon/runtime/connection.h"

namespace mg {

class ConnectionPool final : public Connection::User {
 public:
  explicit ConnectionPool(EpollLoop* loop) : loop_(loop) {}
  ~ConnectionPool() override { loop_->CancelTimer(timer_); }

  // The one that was used last; null where none is left.
  std::unique_ptr<Connection> Take(const std::string& key);
  // Of an exchange that is at its end. Closed instead beyond 1,024 connections, and where more has
  // come than the answer.
  void Put(std::unique_ptr<Connection> connection);

  void Ready(Connection* connection) override;

 private:
  struct Idle {
    std::unique_ptr<Connection> connection;
    Instant since;
  };

  void CloseOld();

  EpollLoop* const loop_;
  absl::flat_hash_map<std::string, std::vector<Idle>> idle_;  // by key, the oldest first
  size_t size_ = 0;
  Loop::TimerId timer_{kNever, 0};  // while there is any
};

}  // namespace mg
