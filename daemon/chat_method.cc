#include "daemon/chat_method.h"

#include <utility>

#include "adapters/legacy_prompt.h"
#include "base/error.h"
#include "daemon/check_request.h"
#include "daemon/execute.h"
#include "daemon/served_call.h"
#include "daemon/sink.h"

namespace mg {
namespace {

Task<absl::Status> Run(Call& call, Rpc& rpc) {
  MG_CO_RETURN_IF_ERROR(CheckChat(*call.asked.chat, *call.snapshot));
  MG_CO_RETURN_IF_ERROR(PlanCall(call, rpc, call.asked.chat->model()));
  DeadlineTimer timer(call.loop, call.deadline, call.cancellation);
  if (call.stream) {
    StreamSink sink(&rpc, call.snapshot->call_buffer, call.budget);
    co_return co_await Execute(call, sink);
  }
  CollectSink sink;
  absl::Status status = co_await Execute(call, sink);
  if (status.ok()) rpc.Send(sink.TakeResponse());
  co_return status;
}

}  // namespace

absl::Status TakeLegacyPrompt(v1::ChatRequest* request) {
  if (!request->has_legacy_prompt()) return absl::OkStatus();
  if (request->messages_size() > 0) {
    return FieldError(ErrorClass::kInvalidRequest, "legacy_prompt",
                      "legacy_prompt and messages are both set; send one of them");
  }
  *request->mutable_messages() = MessagesOf(request->legacy_prompt());
  request->clear_legacy_prompt();
  return absl::OkStatus();
}

std::unique_ptr<google::protobuf::Message> ChatMethod::NewRequest() const {
  return std::make_unique<v1::ChatRequest>();
}

Task<absl::Status> ChatMethod::Serve(
    Rpc& rpc, absl::StatusOr<std::unique_ptr<google::protobuf::Message>> request) {
  Call call = BeginCall(*worker_, rpc, "chat", stream_);
  absl::Status status = request.status();
  if (request.ok()) {
    auto* chat = static_cast<v1::ChatRequest*>(request->get());
    call.asked.chat = chat;
    call.record.requested_model = chat->model();
    status = TakeLegacyPrompt(chat);
    if (status.ok()) status = co_await Run(call, rpc);
  }
  co_return EndCall(*worker_, call, std::move(status));
}

}  // namespace mg
