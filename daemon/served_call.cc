#include "daemon/served_call.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "daemon/candidates.h"
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
  record->mock_session = std::string(rpc.Metadata("x-modelgateway-mock-session"));
}

// What clients say that repeat a call by themselves.
bool IsRetry(const Rpc& rpc) {
  const auto counts = [&rpc](absl::string_view key) {
    const absl::string_view count = rpc.Metadata(key);
    return !count.empty() && count != "0";
  };
  return counts("grpc-previous-rpc-attempts") || counts("x-stainless-retry-count");
}

// No key of the configuration goes out in an error, whoever wrote it there.
absl::Status Scrubbed(const Logger* logger, const absl::Status& status, v1::ErrorDetail detail) {
  std::string text(status.message());
  if (logger != nullptr) {
    const std::shared_ptr<const Scrubber> scrubber = logger->scrubber();
    scrubber->Scrub(&text);
    scrubber->Scrub(detail.mutable_provider_message());
  }
  return WithCode(MakeError(ClassOf(status), std::move(detail), text), status.code());
}

}  // namespace

Call BeginCall(const Worker& worker, Rpc& rpc, const char* op, bool stream) {
  Call call(worker.loop, worker.http, worker.random);
  call.budget = worker.budget;
  call.logger = worker.telemetry->logger();
  call.telemetry = worker.telemetry;
  call.snapshot = worker.snapshot;
  call.stream = stream;
  call.cancellation = rpc.cancellation();
  call.record.op = op;
  call.record.stream = stream;
  BeginRecord(worker, rpc, &call.record);
  worker.telemetry->CallStarted(call.record);
  rpc.AddInitialMetadata("x-request-id", call.record.request_id);
  rpc.AddInitialMetadata("x-correlation-id", call.record.correlation_id);
  rpc.AddInitialMetadata("x-trace-id", call.record.trace_id);
  return call;
}

absl::Status PlanCall(Call& call, const Rpc& rpc, absl::string_view model) {
  absl::StatusOr<CallKeys> keys = CallKeys::Of(rpc, *call.snapshot);
  if (!keys.ok()) return keys.status();
  call.keys = *std::move(keys);
  call.is_retry = IsRetry(rpc);
  const Router& router = *call.snapshot->router;
  absl::StatusOr<std::shared_ptr<const Route>> route = router.Find(model);
  if (!route.ok()) return route.status();
  if (router.Names(model)) call.record.alias_label = std::string(model);
  if (!(*route)->direct) call.record.group = (*route)->group;
  const auto standing_of = [&call](const Candidate& candidate) {
    return StandingNow(call, candidate);
  };
  absl::StatusOr<Plan> plan =
      router.MakePlan(*std::move(route), call.asked.context(), call.random, standing_of);
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

absl::Status EndCall(const Worker& worker, Call& call, absl::Status status) {
  call.record.end = call.loop->Measure();
  call.record.status = status;
  if (!status.ok()) {
    v1::ErrorDetail detail = DetailOf(status);
    *detail.mutable_report() = ReportOf(call.record, call.record.end);
    status = Scrubbed(call.logger, status, std::move(detail));
  }
  worker.telemetry->CallEnded(call.record);
  return status;
}

}  // namespace mg
