// A call under virtual time: the real Execute, Attempt, sinks, dialect and retry policy over an
// HTTP client whose answers the test writes down.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "adapters/dialect.h"
#include "daemon/call.h"
#include "daemon/execute.h"
#include "daemon/http_provider.h"
#include "daemon/sink.h"
#include "tests/component/recording_rpc.h"
#include "tests/component/scripted_http.h"
#include "tests/support/virtual_loop.h"

namespace mg {

struct CallOutcome {
  bool ended = false;
  absl::Status status;
  std::vector<v1::ChatEvent> events;  // streaming
  v1::ChatResponse response;          // the fold of the events, or the whole answer
  CallRecord record;
  Instant ended_at;
  std::shared_ptr<RecordingRpc> rpc;  // its caller, where it has one of its own

  std::string Text() const {
    std::string text;
    for (const v1::Choice& choice : response.choices()) {
      for (const v1::Part& part : choice.message().parts()) text += part.text();
    }
    return text;
  }
  // "a:reset b:ok": the attempts by candidate and class.
  std::string Attempts() const {
    std::string list;
    for (const AttemptRecord& attempt : record.attempts) {
      if (!list.empty()) list += ' ';
      list += attempt.provider + ":";
      list += attempt.status.ok() ? "ok" : RuleOf(ClassOf(attempt.status)).name;
    }
    return list;
  }
};

class CallFixture {
 public:
  CallFixture() : http(&loop), snapshot_(std::make_shared<Snapshot>()) {
    request.set_model("m");
    v1::Message* message = request.add_messages();
    message->set_role(v1::ROLE_USER);
    message->add_parts()->set_text("hello");
  }

  // One more candidate, at a provider of this name; in the order of preference.
  Candidate& Add(const std::string& provider, const char* kind = "openai") {
    PlatformConfig platform;
    platform.base_url = "http://" + provider + ".test/v1";
    snapshot_->providers[provider] = std::make_unique<HttpProvider>(
        provider, *FindAdapter(kind), platform, Secret("sk-test"), HttpEndpoint());
    AddState(provider);
    candidates_.push_back(std::make_unique<Candidate>());
    Candidate& candidate = *candidates_.back();
    candidate.id = provider + "/m";
    candidate.provider = provider;
    candidate.model = "m";
    candidate.retry.backoff.jitter = Jitter::kNone;
    return candidate;
  }

  void AddProvider(std::unique_ptr<Provider> provider) {
    const std::string name(provider->name());
    snapshot_->providers[name] = std::move(provider);
    AddState(name);
    candidates_.push_back(std::make_unique<Candidate>());
    Candidate& candidate = *candidates_.back();
    candidate.id = name + "/m";
    candidate.provider = name;
    candidate.model = "m";
  }

  // Begins the call; it goes on when the loop runs.
  std::shared_ptr<CallOutcome> Start(bool stream) {
    auto outcome = std::make_shared<CallOutcome>();
    Spawn(Serve(this, stream, &rpc, outcome));
    return outcome;
  }
  // A call of another caller than the fixture's `rpc`: several may be under way.
  std::shared_ptr<CallOutcome> Begin(bool stream) {
    auto outcome = std::make_shared<CallOutcome>();
    outcome->rpc = std::make_shared<RecordingRpc>();
    Spawn(Serve(this, stream, outcome->rpc.get(), outcome));
    return outcome;
  }
  // A call from its beginning to its end; the clock stands where it ended.
  CallOutcome Call(bool stream) {
    std::shared_ptr<CallOutcome> outcome = Begin(stream);
    while (!outcome->ended && loop.Step()) {
    }
    return *outcome;
  }
  CallOutcome Run(bool stream) {
    std::shared_ptr<CallOutcome> outcome = Start(stream);
    loop.RunUntilIdle();
    return std::move(*outcome);
  }

  // A second model of a provider that was added before.
  Candidate& AddModel(const std::string& provider, const std::string& model) {
    candidates_.push_back(std::make_unique<Candidate>(*candidates_.back()));
    Candidate& candidate = *candidates_.back();
    candidate.id = provider + "/" + model;
    candidate.provider = provider;
    candidate.model = model;
    return candidate;
  }

  // The live state of the i-th candidate.
  Target& TargetAt(size_t i) {
    const Candidate& candidate = *candidates_[i];
    return *snapshot_->states[candidate.provider].own->TargetOf(candidate.model, false, loop.now());
  }
  Endpoint& EndpointAt(size_t i) { return TargetAt(i).credential->endpoint(); }
  // Takes `policy` for what is there and what comes.
  void SetPolicy(const ResiliencePolicy& policy) {
    policy_ = policy;
    for (const auto& [provider, state] : snapshot_->states) AddState(provider);
  }

  VirtualLoop loop;
  ScriptedHttp http;
  RecordingRpc rpc;
  v1::ChatRequest request;
  int max_attempts = 3;
  absl::Duration deadline = absl::Seconds(600);
  bool may_change_candidate = true;
  bool is_retry = false;
  std::function<double()> random = [] { return 0.5; };
  size_t call_buffer = 8 << 20;
  ByteBudget* budget = nullptr;
  Logger* logger = nullptr;
  std::string mock_session;

 private:
  void AddState(const std::string& provider) {
    static_cast<ProviderState&>(snapshot_->states[provider]) =
        live_.For(provider, provider + ".test", "", 0, policy_, loop.now());
  }

  static Task<void> Serve(CallFixture* fixture, bool stream, RecordingRpc* rpc,
                          std::shared_ptr<CallOutcome> outcome) {
    mg::Call call(&fixture->loop, &fixture->http, fixture->random);
    call.snapshot = fixture->snapshot_;
    call.asked.chat = &fixture->request;
    call.budget = fixture->budget;
    call.logger = fixture->logger;
    call.stream = stream;
    call.is_retry = fixture->is_retry;
    auto route = std::make_shared<Route>();
    route->group = "g";
    route->max_attempts = fixture->max_attempts;
    call.plan.route = route;
    for (const auto& candidate : fixture->candidates_) call.plan.order.push_back(candidate.get());
    call.plan.may_change_candidate = fixture->may_change_candidate;
    call.cancellation = rpc->cancellation();
    call.deadline = fixture->loop.now() + fixture->deadline;
    call.record.stream = stream;
    call.record.mock_session = fixture->mock_session;
    call.record.start = fixture->loop.now();
    DeadlineTimer timer(&fixture->loop, call.deadline, call.cancellation);
    CollectSink collect;
    StreamSink forward(rpc, fixture->call_buffer, fixture->budget);
    Sink& sink = stream ? static_cast<Sink&>(forward) : collect;
    outcome->status = co_await Execute(call, sink);
    outcome->ended = true;
    outcome->ended_at = fixture->loop.now();
    outcome->record = call.record;
    outcome->events = rpc->events();
    if (stream) {
      ChatFold fold;
      for (const v1::ChatEvent& event : outcome->events) fold.Add(v1::ChatEvent(event));
      outcome->response = fold.Take();
    } else if (outcome->status.ok()) {
      outcome->response = collect.TakeResponse();
    }
  }

  ResiliencePolicy policy_;
  LiveState live_;
  std::shared_ptr<Snapshot> snapshot_;
  std::vector<std::unique_ptr<Candidate>> candidates_;
};

// Answers in the OpenAI dialect.
inline std::string Whole(const std::string& text) {
  return R"({"id":"c1","object":"chat.completion","created":1,"model":"m-1","choices":[{"index":0,"message":{"role":"assistant","content":")" +
         text +
         R"("},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}})";
}
inline std::string Role() {
  return R"({"id":"c1","object":"chat.completion.chunk","created":1,"model":"m-1","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]})";
}
inline std::string Piece(const std::string& text) {
  return R"({"id":"c1","object":"chat.completion.chunk","created":1,"model":"m-1","choices":[{"index":0,"delta":{"content":")" +
         text + R"("},"finish_reason":null}]})";
}
inline std::string Stop() {
  return R"({"id":"c1","object":"chat.completion.chunk","created":1,"model":"m-1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]})";
}

// The same good answer, whole or streamed.
inline Script Good(bool stream, const std::string& text = "hi") {
  if (!stream) return Script::Json(200, Whole(text));
  return Script::Sse({Role(), Piece(text), Stop(), "[DONE]"});
}
inline Script Failing(int status) {
  return Script::Json(status, R"({"error":{"message":"no","type":"t","code":"c"}})");
}

}  // namespace mg
