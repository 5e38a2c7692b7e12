#include "daemon/slot_queue.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/error.h"

namespace mg {
namespace {

absl::Status Shed(const Call& call, const char* reason, absl::string_view text) {
  v1::ErrorDetail detail;
  detail.set_reason(reason);
  const absl::Duration hint = absl::Seconds(1) * (1 + 0.2 * call.random());
  detail.mutable_retry_after()->set_seconds(absl::ToInt64Seconds(hint));
  detail.mutable_retry_after()->set_nanos(
      static_cast<int32_t>(absl::ToInt64Nanoseconds(hint % absl::Seconds(1))));
  return MakeError(ErrorClass::kShed, std::move(detail), text);
}

}  // namespace

Task<absl::StatusOr<Limiter::Slot>> WaitForSlot(Call& call, Limiter& limiter,
                                                absl::Duration queue_timeout,
                                                absl::Duration min_attempt) {
  constexpr absl::string_view kInTime =
      "no slot at the provider became free within limits.queue_timeout";
  const Instant since = call.loop->now();
  if (call.deadline - since < min_attempt) co_return Shed(call, "queue_timeout", kInTime);
  // Freed by whatever thread, maybe as this call leaves the queue: what is woken is shared with it.
  auto turn = std::make_shared<Signal>(call.loop);
  std::optional<Limiter::Ticket> ticket =
      limiter.Enqueue([loop = call.loop, turn] { loop->Post([turn] { turn->Notify(); }); });
  if (!ticket.has_value()) {
    co_return Shed(call, "queue_full",
                   "limits.max_in_flight attempts are under way at the provider and limits.queue "
                   "calls wait for one of them to end");
  }
  while (!ticket->called()) {
    const Wake wake = co_await turn->Wait(since + queue_timeout, call.cancellation);
    if (wake == Wake::kNotified || ticket->called()) continue;
    call.record.queued += call.loop->now() - since;
    if (wake == Wake::kCancelled) co_return call.cancellation->status();
    co_return Shed(call, "queue_timeout", kInTime);
  }
  call.record.queued += call.loop->now() - since;
  co_return *ticket->Take();
}

}  // namespace mg
