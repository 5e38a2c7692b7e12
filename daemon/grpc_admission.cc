#include "daemon/grpc_admission.h"

#include <grpcpp/support/proto_buffer_reader.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/error.h"

namespace mg {
namespace {

using google::protobuf::Message;

constexpr absl::Duration kProbeTimeout = absl::Seconds(2);
// A stream without a message for so long ends; clients of reflection open another when they need
// it.
constexpr absl::Duration kIdleStream = absl::Seconds(2);
// The news that a call is cancelled comes apart from that of its failed read, a little later.
constexpr absl::Duration kCancelGrace = absl::Milliseconds(20);
constexpr absl::Duration kRetryHint = absl::Seconds(1);

absl::Status Refuse(ErrorClass error_class, absl::string_view reason, absl::string_view text) {
  v1::ErrorDetail detail;
  detail.set_reason(std::string(reason));
  detail.mutable_retry_after()->set_seconds(absl::ToInt64Seconds(kRetryHint));
  return MakeError(error_class, std::move(detail), text);
}

std::string MiB(size_t bytes) { return absl::StrCat(bytes >> 20, " MiB"); }

absl::Status TooLarge(size_t bytes) {
  return MakeError(
      ErrorClass::kInvalidRequest,
      absl::StrCat("the request has ", bytes, " bytes, more than the ", MiB(kMaxRequestBytes), " (",
                   kMaxRequestBytes, " bytes) that the gateway takes"));
}

absl::StatusOr<std::unique_ptr<Message>> Parse(const ServedMethod& method,
                                               grpc::ByteBuffer* bytes) {
  std::unique_ptr<Message> request = method.method->NewRequest();
  grpc::ProtoBufferReader for_check(bytes);
  if (method.schema.Accepts(&for_check)) {
    grpc::ProtoBufferReader for_parser(bytes);
    if (request->ParseFromZeroCopyStream(&for_parser)) return request;
  }
  grpc::Slice whole;
  if (!bytes->DumpToSingleSlice(&whole).ok()) {
    return MakeError(ErrorClass::kBug, "gRPC gives no bytes of a message");
  }
  return method.schema.Explain({reinterpret_cast<const char*>(whole.begin()), whole.size()});
}

// The message that has been read.
absl::StatusOr<std::unique_ptr<Message>> TakeMessage(ServedRpc* rpc) {
  grpc::ByteBuffer bytes;
  bytes.Swap(rpc->message());
  const size_t size = bytes.Length();
  absl::StatusOr<std::unique_ptr<Message>> request =
      size > kMaxRequestBytes ? TooLarge(size) : Parse(rpc->method(), &bytes);
  rpc->room()->ShrinkTo(request.ok() ? size : 0);
  return request;
}

}  // namespace

Task<absl::StatusOr<std::unique_ptr<Message>>> Admission::Receive(ServedRpc* rpc) {
  if (closed_ && !rpc->method().method->is_probe()) {
    co_return Refuse(ErrorClass::kShuttingDown, "", "the gateway is shutting down: try another");
  }
  MG_CO_RETURN_IF_ERROR(co_await AwaitRoom(rpc));
  rpc->StartRead();
  MG_CO_RETURN_IF_ERROR(co_await AwaitMessage(rpc));
  co_return TakeMessage(rpc);
}

Task<absl::StatusOr<std::unique_ptr<Message>>> Admission::ReceiveNext(ServedRpc* rpc) {
  rpc->room()->ShrinkTo(0);
  const Instant taken = loop_->now() + limits_.message_timeout;
  while (rpc->unsent_bytes() > 0) {
    const Wake wake = co_await rpc->wake()->Wait(taken, rpc->cancellation());
    if (wake == Wake::kCancelled) co_return rpc->cancellation()->status();
    if (wake == Wake::kTimeout) co_return nullptr;
  }
  MG_CO_RETURN_IF_ERROR(co_await AwaitRoom(rpc));
  rpc->StartRead();
  const Instant idle = loop_->now() + kIdleStream;
  while (!rpc->read_done()) {
    const Wake wake = co_await rpc->wake()->Wait(idle, rpc->cancellation());
    if (wake == Wake::kCancelled) co_return rpc->cancellation()->status();
    if (wake == Wake::kTimeout) co_return nullptr;
  }
  if (!rpc->read_ok()) co_return nullptr;
  co_return TakeMessage(rpc);
}

ByteBudget* Admission::BudgetOf(const ServedMethod& method) {
  if (method.takes_many) return &stream_budget_;
  return method.method->is_probe() ? &probe_budget_ : budget_;
}

Task<absl::Status> Admission::AwaitRoom(ServedRpc* rpc) {
  ByteBudget* budget = BudgetOf(rpc->method());
  const size_t largest = budget_->largest_message();
  if (budget->TryReserve(largest)) {
    *rpc->room() = ByteReservation(budget, largest);
    co_return absl::OkStatus();
  }
  absl::StatusOr<ByteReservation> room = co_await budget->Reserve(
      loop_, largest, loop_->now() + limits_.room_timeout, rpc->cancellation());
  if (!room.ok()) {
    if (rpc->cancellation()->cancelled()) co_return rpc->cancellation()->status();
    co_return Refuse(
        ErrorClass::kShed, "buffered_bytes",
        absl::StrCat("the gateway has no room for the request: limits.buffered_bytes (",
                     MiB(budget->total()), ") is reached"));
  }
  *rpc->room() = *std::move(room);
  co_return absl::OkStatus();
}

Task<absl::Status> Admission::AwaitMessage(ServedRpc* rpc) {
  const bool probe = rpc->method().method->is_probe();
  const Instant start = loop_->now();
  const Instant end = start + (probe ? kProbeTimeout : limits_.message_timeout);
  bool slow = false;
  absl::Status status;
  while (!rpc->read_done() && status.ok()) {
    const Wake wake = co_await rpc->wake()->Wait(slow || probe ? end : start + limits_.slow_read,
                                                 rpc->cancellation());
    if (rpc->read_done()) break;
    if (wake == Wake::kCancelled) {
      status = rpc->cancellation()->status();
    } else if (rpc->evicted()) {
      status = Refuse(ErrorClass::kShed, "slow_request",
                      "the request's message arrives too slowly while others wait for room");
    } else if (wake == Wake::kTimeout && (slow || probe)) {
      status = MakeError(ErrorClass::kInvalidRequest,
                         absl::StrCat("the request's message did not arrive within ",
                                      absl::FormatDuration(end - start)));
    } else if (wake == Wake::kTimeout) {
      slow = true;
      CountSlow(rpc);
    }
  }
  if (slow) slow_.erase(std::remove(slow_.begin(), slow_.end(), rpc), slow_.end());
  if (!status.ok() || rpc->read_ok()) co_return status;

  Signal never(loop_);
  if (co_await never.Wait(loop_->now() + kCancelGrace, rpc->cancellation()) == Wake::kCancelled) {
    co_return rpc->cancellation()->status();
  }
  co_return MakeError(ErrorClass::kInvalidRequest,
                      "the caller closed its side without a request message");
}

void Admission::CountSlow(ServedRpc* rpc) {
  slow_.push_back(rpc);
  if (slow_.size() <= limits_.max_slow_reads) return;
  slow_.front()->Evict();
  slow_.pop_front();
}

}  // namespace mg
