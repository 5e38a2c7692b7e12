#include "daemon/embed_method.h"

#include <utility>

#include "daemon/check_request.h"
#include "daemon/execute.h"
#include "daemon/served_call.h"
#include "daemon/sink.h"

namespace mg {
namespace {

Task<absl::Status> Run(Call& call, Rpc& rpc) {
  MG_CO_RETURN_IF_ERROR(CheckEmbed(*call.asked.embed, *call.snapshot));
  MG_CO_RETURN_IF_ERROR(PlanCall(call, rpc, call.asked.embed->model()));
  DeadlineTimer timer(call.loop, call.deadline, call.cancellation);
  WholeSink sink;
  MG_CO_RETURN_IF_ERROR(co_await Execute(call, sink));
  auto* response = static_cast<v1::EmbedResponse*>(sink.answer());
  *response->mutable_report() = ReportOf(call.record, call.loop->Measure());
  rpc.Send(*response);
  co_return absl::OkStatus();
}

}  // namespace

std::unique_ptr<google::protobuf::Message> EmbedMethod::NewRequest() const {
  return std::make_unique<v1::EmbedRequest>();
}

Task<absl::Status> EmbedMethod::Serve(
    Rpc& rpc, absl::StatusOr<std::unique_ptr<google::protobuf::Message>> request) {
  Call call = BeginCall(*worker_, rpc, "embed", false);
  absl::Status status = request.status();
  if (request.ok()) {
    call.asked.embed = static_cast<const v1::EmbedRequest*>(request->get());
    call.record.requested_model = call.asked.embed->model();
    status = co_await Run(call, rpc);
  }
  co_return EndCall(*worker_, call, std::move(status));
}

}  // namespace mg
