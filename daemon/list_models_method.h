// ListModels: what the configuration names, with what every candidate of it can do, and on demand
// what the providers list themselves.
#pragma once

#include <memory>

#include "daemon/discovery.h"
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
  Discovery discovery_;
};

}  // namespace mg
