// ListModels: what the configuration names, with what every candidate of it can do. No provider is
// asked in this version.
#pragma once

#include <memory>

#include "daemon/rpc.h"
#include "daemon/worker.h"

namespace mg {

class ListModelsMethod final : public RpcMethod {
 public:
  // `worker` must outlive the method.
  explicit ListModelsMethod(Worker* worker) : worker_(worker) {}

  absl::string_view name() const override { return "ListModels"; }
  std::unique_ptr<google::protobuf::Message> NewRequest() const override;
  Task<absl::Status> Serve(
      Rpc& rpc, absl::StatusOr<std::unique_ptr<google::protobuf::Message>> request) override;

 private:
  Worker* const worker_;
};

}  // namespace mg
