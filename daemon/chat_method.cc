#include "daemon/chat_method.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "daemon/call.h"
#include "daemon/check_request.h"
#include "daemon/execute.h"
#include "daemon/sink.h"
#include "telemetry/ids.h"

namespace mg {
namespace {

void BeginRecord(const Worker& worker, const Rpc& rpc, CallRecord* record) {
  record->wall_start = worker.loop->WallTime();
  record->start = worker.loop->Measure();
  record->request_id = NewRequestId(record->wall_start);
  absl::string_view correlation_id = rpc.Metadata("x-correlation-id");
  if (correlation_id.empty()) correlation_id = rpc.Metadata("x-request-id");
  if (IsCorrelationId(correlation_id)) {
    record->correlation_id = std::string(correlation_id);
  } else {
    record->correlation_id_replaced = !correlation_id.empty();
    record->correlation_id = NewRequestId(record->wall_start);
  }
  record->trace_id = TraceIdOf(rpc.Metadata("traceparent"));
}

// A key in the metadata would have to be used for this call alone; serving it with the configured
// key would bill the wrong account.
absl::Status CheckMetadata(const Rpc& rpc) {
  for (absl::string_view key : {"x-modelgateway-credentials-bin", "x-modelgateway-api-key"}) {
    if (rpc.MetadataValues(key).empty()) continue;
    return FieldError(ErrorClass::kUnsupportedField, key,
                      absl::StrCat(key,
                                   ": keys of a call are not in this version; leave it out to "
                                   "be served with the provider's configured key"));
  }
  return absl::OkStatus();
}

// Finds the route and makes the plan of the call.
absl::Status Prepare(Call& call, const Rpc& rpc) {
  if (absl::Status status = CheckMetadata(rpc); !status.ok()) return status;
  if (absl::Status status = CheckChat(*call.request, *call.snapshot); !status.ok()) return status;
  const Router& router = *call.snapshot->router;
  absl::StatusOr<std::shared_ptr<const Route>> route = router.Find(call.request->model());
  if (!route.ok()) return route.status();
  if (router.Names(call.request->model())) call.record.alias_label = call.request->model();
  call.record.group = (*route)->group;
  absl::StatusOr<Plan> plan =
      router.MakePlan(*std::move(route), call.request->context(), call.random);
  if (!plan.ok()) {
    for (const v1::Skipped& skipped : DetailOf(plan.status()).report().skipped()) {
      call.record.skipped.push_back(skipped);
    }
    return plan.status();
  }
  call.plan = *std::move(plan);
  call.record.strategy = std::string(call.plan.strategy);
  call.record.route_reason = call.plan.reason;
  call.record.hash_key_missing = call.plan.hash_key_missing;
  for (const v1::Skipped& skipped : call.plan.skipped) call.record.skipped.push_back(skipped);
  call.deadline = DeadlineOf(rpc.deadline(), call.plan.route->deadline, call.loop->now());
  return absl::OkStatus();
}

Task<absl::Status> Run(Call& call, Rpc& rpc) {
  if (absl::Status status = Prepare(call, rpc); !status.ok()) co_return status;
  DeadlineTimer timer(call.loop, call.deadline, call.cancellation);
  if (call.stream) {
    StreamSink sink(&rpc, call.snapshot->call_buffer);
    co_return co_await Execute(call, sink);
  }
  CollectSink sink;
  absl::Status status = co_await Execute(call, sink);
  if (status.ok()) rpc.Send(sink.TakeResponse());
  co_return status;
}

}  // namespace

std::unique_ptr<google::protobuf::Message> ChatMethod::NewRequest() const {
  return std::make_unique<v1::ChatRequest>();
}

Task<absl::Status> ChatMethod::Serve(
    Rpc& rpc, absl::StatusOr<std::unique_ptr<google::protobuf::Message>> request) {
  Call call(worker_->loop, worker_->http, worker_->random);
  call.budget = worker_->budget;
  call.logger = worker_->telemetry->logger();
  call.snapshot = worker_->snapshot;
  call.stream = stream_;
  call.cancellation = rpc.cancellation();
  call.record.stream = stream_;
  BeginRecord(*worker_, rpc, &call.record);
  worker_->telemetry->CallStarted(call.record);
  rpc.AddInitialMetadata("x-request-id", call.record.request_id);
  rpc.AddInitialMetadata("x-correlation-id", call.record.correlation_id);
  rpc.AddInitialMetadata("x-trace-id", call.record.trace_id);

  absl::Status status = request.status();
  if (request.ok()) {
    call.request = static_cast<const v1::ChatRequest*>(request->get());
    call.record.requested_model = call.request->model();
    status = co_await Run(call, rpc);
  }
  call.record.end = call.loop->Measure();
  call.record.status = status;
  if (!status.ok()) {
    v1::ErrorDetail detail = DetailOf(status);
    *detail.mutable_report() = ReportOf(call.record, call.record.end);
    SetDetail(detail, &status);
  }
  worker_->telemetry->CallEnded(call.record);
  co_return status;
}

}  // namespace mg
