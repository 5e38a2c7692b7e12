// Chat and StreamChat: what an RPC becomes. One coroutine is the frame of a call: it checks the
// request, makes the plan, runs it, and hands the record to telemetry exactly once, whatever the
// outcome.
#pragma once

#include <memory>
#include <string>

#include "daemon/rpc.h"
#include "daemon/worker.h"

namespace mg {

// A legacy prompt becomes messages; kInvalidRequest where both are set.
absl::Status TakeLegacyPrompt(v1::ChatRequest* request);

class ChatMethod final : public RpcMethod {
 public:
  // `worker` must outlive the method.
  ChatMethod(Worker* worker, bool stream) : worker_(worker), stream_(stream) {}

  absl::string_view name() const override { return stream_ ? "StreamChat" : "Chat"; }
  std::unique_ptr<google::protobuf::Message> NewRequest() const override;
  Task<absl::Status> Serve(
      Rpc& rpc, absl::StatusOr<std::unique_ptr<google::protobuf::Message>> request) override;

 private:
  Worker* const worker_;
  const bool stream_;
};

}  // namespace mg
