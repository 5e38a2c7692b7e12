// How a candidate is reached: over HTTP with an adapter, at a plug-in, or at the mock. All answer
// this one interface, so that routing, retry and telemetry never ask which it is. Providers are
// immutable and shared; an Answer belongs to one attempt and its loop.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "adapters/listed_models.h"
#include "base/time.h"
#include "daemon/byte_budget.h"
#include "daemon/runtime/http_client.h"
#include "daemon/runtime/signal.h"
#include "daemon/runtime/task.h"
#include "modelgateway/v1/gateway.pb.h"
#include "routing/route.h"
#include "telemetry/log.h"

namespace mg {

// The request of a call: exactly one of these is there.
struct Asked {
  const v1::ChatRequest* chat = nullptr;
  const v1::EmbedRequest* embed = nullptr;
  const v1::CountTokensRequest* count = nullptr;

  const v1::CallContext& context() const {
    if (embed != nullptr) return embed->context();
    return chat != nullptr ? chat->context() : count->chat().context();
  }
};

// What a provider knows a caller by.
enum class KeyForm { kApiKey, kBearerToken, kAws };

class CallKeys;
struct CallRecord;

// What the same candidate may be asked after a failure that this mends; an attempt of its own.
struct Repair {
  std::unique_ptr<v1::ChatRequest> request;  // null: the same request once more
  std::vector<v1::Warning> warnings;         // what of the caller's request is not in it
};

// What one attempt asks. Everything it refers to outlives the Answer.
struct Ask {
  Loop* loop = nullptr;          // of the worker that serves the call
  HttpClient* http = nullptr;    // likewise
  ByteBudget* budget = nullptr;  // of the process; null: nothing is counted
  Logger* logger = nullptr;      // null: nothing is said
  Asked asked;
  const Candidate* candidate = nullptr;
  const Repair* repair = nullptr;      // it is this one that is asked; null: none
  const CallKeys* keys = nullptr;      // that the call brought along; null: none
  const CallRecord* record = nullptr;  // of the call, so far; null: the gateway itself asks
  bool stream = false;
  bool refuse_unsupported = false;
  absl::Duration connect_timeout;
};

// What an attempt learnt on its way, whatever its end; the attempt's row of the report.
struct AskOutcome {
  int http_status = 0;
  std::string provider_request_id;
  std::vector<v1::Warning> warnings;
  v1::Usage usage;         // of a whole answer, or one that missed its schema; else in Completed
  bool connected = false;  // the request may have left
};

class Answer {
 public:
  virtual ~Answer() = default;

  enum class State {
    kMore,
    kFinished,  // every choice has its finish reason: silence may end the answer (End)
    kDone,      // Completed was among the events, or the whole answer is there: nothing follows
  };

  // Waits for the next piece of the answer and appends its events (there may be none: a
  // keep-alive). As the Decoder says; DEADLINE_EXCEEDED as a plain status where `until` came first
  // (the Answer stays usable), the cancellation's status where that came first.
  virtual Task<absl::StatusOr<State>> Next(Instant until, Cancellation* cancellation,
                                           std::vector<v1::ChatEvent>* events) = 0;
  // After kDone: the answer to Embed (an EmbedResponse) or CountTokens (a CountTokensResponse),
  // without its report; null for a chat, whose answer are its events.
  virtual std::unique_ptr<google::protobuf::Message> TakeWhole() { return nullptr; }
  // After a failure: how the same candidate may mend it (an answer that missed its schema), or the
  // gateway (a preference that was refused, a clock that was wrong); null: it may not.
  virtual std::unique_ptr<Repair> TakeRepair() { return nullptr; }
  // Silence after kFinished: completes the answer with what is there.
  virtual absl::Status End(std::vector<v1::ChatEvent>* events) = 0;
  // After kDone: lets the transfer end by itself, until `until`, so that its connection can serve
  // again. The call may be over by then: nothing of the Ask is touched.
  virtual Task<void> Drain(Instant until) = 0;

  virtual const AskOutcome& outcome() const = 0;
};

class Provider {
 public:
  virtual ~Provider() = default;
  virtual absl::string_view name() const = 0;
  // Begins the attempt. A request that this provider cannot serve is refused here
  // (kUnsupportedField, kUnsupportedMethod, kInvalidRequest), before anything is sent. Destroying
  // the Answer closes the connection.
  virtual absl::StatusOr<std::unique_ptr<Answer>> Start(const Ask& ask) const = 0;
  // OK, or as Start would refuse the request; nothing is sent or kept.
  virtual absl::Status Serves(const Ask& ask) const = 0;
  // The models that the provider itself lists, page by page until `until`. Of `ask`
  // only what belongs to the worker and connect_timeout are read. kUnsupportedMethod where it has
  // no list; what `ask` and `cancellation` refer to must outlive the task.
  virtual Task<absl::StatusOr<std::vector<ListedModel>>> ListModels(
      const Ask& ask, Instant until, Cancellation* cancellation) const;
  // Whether it can be reached at all, without its key and for nothing: OK with any answer, whatever
  // it says. One that asks nobody always can. Of `ask` is read what ListModels reads of it.
  virtual Task<absl::Status> Reach(const Ask& ask, Instant until, Cancellation* cancellation) const;
  // Whether a call may bring a key of this form along. One that asks nobody takes any, and never
  // sees it.
  virtual bool Takes(KeyForm) const { return true; }
  // What this model can do here, in the words of spec/providers.md §9 ("chat", "embed", "tools").
  virtual std::vector<absl::string_view> Capabilities(absl::string_view model) const = 0;
};

}  // namespace mg
