// One call on its way: what it asked, where it may go and until when, and what has become of it so
// far. It lives in the frame of the coroutine that serves the RPC and belongs to that worker's
// loop.
#pragma once

#include <memory>
#include <vector>

#include "absl/functional/function_ref.h"
#include "base/time.h"
#include "daemon/byte_budget.h"
#include "daemon/call_keys.h"
#include "daemon/runtime/http_client.h"
#include "daemon/runtime/loop.h"
#include "daemon/runtime/signal.h"
#include "daemon/snapshot.h"
#include "modelgateway/v1/gateway.pb.h"
#include "resilience/permits.h"
#include "routing/router.h"
#include "telemetry/call_record.h"
#include "telemetry/log.h"
#include "telemetry/telemetry.h"

namespace mg {

struct Call {
  Loop* loop = nullptr;
  HttpClient* http = nullptr;
  ByteBudget* budget = nullptr;
  Logger* logger = nullptr;
  Telemetry* telemetry = nullptr;  // null: nobody is told
  Random random;                   // U[0,1), the worker's own generator

  std::shared_ptr<const Snapshot> snapshot;
  Asked asked;
  CallKeys keys;
  bool stream = false;
  Plan plan;
  bool is_retry = false;                 // its client says that it has tried before
  Cancellation* cancellation = nullptr;  // the caller left, the deadline passed, or the daemon ends
  Instant deadline = kNever;

  CallRecord record;
  // Of the last attempt, whose answer missed the schema: what to ask its candidate once more.
  std::unique_ptr<Repair> repair;

  // What breakers did on its way.
  void Tell(const std::vector<BreakerEvent>& events) const;

  Call(Loop* call_loop, HttpClient* call_http, Random call_random)
      : loop(call_loop), http(call_http), random(call_random) {}
};

// Cancels the call with kDeadline when `at` is reached, for as long as the timer lives.
class DeadlineTimer {
 public:
  DeadlineTimer(Loop* loop, Instant at, Cancellation* cancellation);
  ~DeadlineTimer();
  DeadlineTimer(const DeadlineTimer&) = delete;
  DeadlineTimer& operator=(const DeadlineTimer&) = delete;

 private:
  Loop* const loop_;
  Loop::TimerId timer_;
};

// When the call must be over on our side: the caller's deadline, else the default, never beyond the
// maximum; a little before the caller's own, so that it gets the report and not only its own clock.
Instant DeadlineOf(Instant callers, const DeadlinePolicy& policy, Instant now);

}  // namespace mg
