// How a candidate is reached: over HTTP with an adapter, at a plug-in, or at the mock. All answer
// this one interface, so that routing, retry and telemetry never ask which it is. Providers are
// immutable and shared; an Answer belongs to one attempt and its loop.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/time.h"
#include "daemon/byte_budget.h"
#include "daemon/runtime/http_client.h"
#include "daemon/runtime/signal.h"
#include "daemon/runtime/task.h"
#include "modelgateway/v1/gateway.pb.h"
#include "routing/route.h"
#include "telemetry/log.h"

namespace mg {

// What one attempt asks. Everything it refers to outlives the Answer.
struct Ask {
  Loop* loop = nullptr;          // of the worker that serves the call
  HttpClient* http = nullptr;    // likewise
  ByteBudget* budget = nullptr;  // of the process; null: nothing is counted
  Logger* logger = nullptr;      // null: nothing is said
  const v1::ChatRequest* chat = nullptr;
  const Candidate* candidate = nullptr;
  bool stream = false;
  bool refuse_unsupported = false;
  absl::Duration connect_timeout;
};

// What an attempt learnt on its way, whatever its end; the attempt's row of the report.
struct AskOutcome {
  int http_status = 0;
  std::string provider_request_id;
  std::vector<v1::Warning> warnings;
  bool connected = false;  // the request may have left
};

class Answer {
 public:
  virtual ~Answer() = default;

  enum class State {
    kMore,
    kFinished,  // every choice has its finish reason: silence may end the answer (End)
    kDone,      // Completed was among the events: nothing follows
  };

  // Waits for the next piece of the answer and appends its events (there may be none: a
  // keep-alive). As the Decoder says; DEADLINE_EXCEEDED as a plain status where `until` came first
  // (the Answer stays usable), the cancellation's status where that came first.
  virtual Task<absl::StatusOr<State>> Next(Instant until, Cancellation* cancellation,
                                           std::vector<v1::ChatEvent>* events) = 0;
  // Silence after kFinished: completes the answer with what is there.
  virtual absl::Status End(std::vector<v1::ChatEvent>* events) = 0;
  // After kDone: lets the transfer end by itself, until `until`, so that its connection can serve
  // again.
  virtual Task<void> Drain(Instant until) = 0;

  virtual const AskOutcome& outcome() const = 0;
};

class Provider {
 public:
  virtual ~Provider() = default;
  virtual absl::string_view name() const = 0;
  // Begins the attempt. A request that this provider cannot serve is refused here
  // (kUnsupportedField, kInvalidRequest), before anything is sent. Destroying the Answer closes the
  // connection.
  virtual absl::StatusOr<std::unique_ptr<Answer>> Start(const Ask& ask) const = 0;
};

}  // namespace mg
