// Which call may have its request read, and when (design.md §5): gRPC reads a message whole once it
// is asked to, so room for the largest possible one is reserved before, and all but the real size
// is given back after. The loop's thread.
#pragma once

#include <google/protobuf/message.h>

#include <deque>
#include <memory>

#include "absl/status/statusor.h"
#include "daemon/byte_budget.h"
#include "daemon/grpc_rpc.h"
#include "daemon/grpc_server.h"

namespace mg {

// gRPC's own limit is the budget's largest_message(): a request beyond kMaxRequestBytes and up to
// that is read and refused with our words.
inline constexpr size_t kMaxRequestBytes = size_t{32} << 20;

class Admission {
 public:
  Admission(Loop* loop, ByteBudget* budget, AdmissionLimits limits)
      : loop_(loop), budget_(budget), limits_(limits) {}

  // From now on calls are refused with kShuttingDown (but probes).
  void Close() { closed_ = true; }

  // The request of a call that has come in, parsed, or the status that refuses it.
  Task<absl::StatusOr<std::unique_ptr<google::protobuf::Message>>> Receive(ServedRpc* rpc);
  // The next one of a caller that sends many, once it has taken the answers so far; null if it
  // sends no more, or nothing for a while.
  Task<absl::StatusOr<std::unique_ptr<google::protobuf::Message>>> ReceiveNext(ServedRpc* rpc);

 private:
  ByteBudget* BudgetOf(const ServedMethod& method);
  Task<absl::Status> AwaitRoom(ServedRpc* rpc);
  Task<absl::Status> AwaitMessage(ServedRpc* rpc);
  void CountSlow(ServedRpc* rpc);

  Loop* const loop_;
  ByteBudget* const budget_;
  const AdmissionLimits limits_;
  // Probes must not fail because calls have taken all the room, nor because of streams of
  // questions, which keep theirs while they are idle.
  ByteBudget probe_budget_{2 * ByteBudget::kLargestMessage};
  ByteBudget stream_budget_{2 * ByteBudget::kLargestMessage};
  std::deque<ServedRpc*> slow_;  // reads that last, the oldest first
  bool closed_ = false;
};

}  // namespace mg
