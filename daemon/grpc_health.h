// grpc.health.v1 for the services of one server, as methods like any other. The loop's thread
// alone.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "daemon/grpc_server.h"
#include "daemon/rpc.h"

namespace mg {

class Health {
 public:
  // `services`: the names that may be asked for, beside the empty one (the server as a whole).
  Health(Loop* loop, std::vector<std::string> services);

  bool serving() const { return serving_; }
  // Tells everyone who watches.
  void SetServing(bool serving);

  // For GrpcServer::Start. Refers to this object, which must outlive the server.
  RpcService Service();

  // ---- for its methods
  bool Knows(const std::string& service) const;
  Loop* loop() { return loop_; }
  void AddWatcher(Signal* changed) { watchers_.push_back(changed); }
  void RemoveWatcher(Signal* changed);

 private:
  Loop* const loop_;
  const std::vector<std::string> services_;
  bool serving_ = true;
  std::vector<Signal*> watchers_;
};

}  // namespace mg
