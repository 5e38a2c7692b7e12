// A call under virtual time: the real Execute, Attempt, sinks, dialect and retry policy over an
// HTTP client whose answers the test writes down.
#pragma once

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
    candidates_.push_back(std::make_unique<Candidate>());
    Candidate& candidate = *candidates_.back();
    candidate.id = provider + "/m";
    candidate.provider = provider;
    candidate.model = "m";
    candidate.backoff.jitter = Jitter::kNone;
    return candidate;
  }

  void AddProvider(std::unique_ptr<Provider> provider) {
    const std::string name(provider->name());
    snapshot_->providers[name] = std::move(provider);
    candidates_.push_back(std::make_unique<Candidate>());
    Candidate& candidate = *candidates_.back();
    candidate.id = name + "/m";
    candidate.provider = name;
    candidate.model = "m";
  }

  // Begins the call; it goes on when the loop runs.
  std::shared_ptr<CallOutcome> Start(bool stream) {
    auto outcome = std::make_shared<CallOutcome>();
    Spawn(Serve(this, stream, outcome));
    return outcome;
  }
  CallOutcome Run(bool stream) {
    std::shared_ptr<CallOutcome> outcome = Start(stream);
    loop.RunUntilIdle();
    return std::move(*outcome);
  }

  VirtualLoop loop;
  ScriptedHttp http;
  RecordingRpc rpc;
  v1::ChatRequest request;
  RetryPolicy retry;
  absl::Duration deadline = absl::Seconds(600);
  bool may_change_candidate = true;
  size_t call_buffer = 8 << 20;
  ByteBudget* budget = nullptr;

 private:
  static Task<void> Serve(CallFixture* fixture, bool stream, std::shared_ptr<CallOutcome> outcome) {
    auto half = [] { return 0.5; };
    Call call(&fixture->loop, &fixture->http, half);
    call.snapshot = fixture->snapshot_;
    call.asked.chat = &fixture->request;
    call.budget = fixture->budget;
    call.stream = stream;
    auto route = std::make_shared<Route>();
    route->retry = fixture->retry;
    call.plan.route = route;
    for (const auto& candidate : fixture->candidates_) call.plan.order.push_back(candidate.get());
    call.plan.may_change_candidate = fixture->may_change_candidate;
    call.cancellation = fixture->rpc.cancellation();
    call.deadline = fixture->loop.now() + fixture->deadline;
    call.record.stream = stream;
    call.record.start = fixture->loop.now();
    DeadlineTimer timer(&fixture->loop, call.deadline, call.cancellation);
    CollectSink collect;
    StreamSink forward(&fixture->rpc, fixture->call_buffer, fixture->budget);
    Sink& sink = stream ? static_cast<Sink&>(forward) : collect;
    outcome->status = co_await Execute(call, sink);
    outcome->ended = true;
    outcome->ended_at = fixture->loop.now();
    outcome->record = call.record;
    outcome->events = fixture->rpc.events();
    if (stream) {
      ChatFold fold;
      for (const v1::ChatEvent& event : outcome->events) fold.Add(v1::ChatEvent(event));
      outcome->response = fold.Take();
    } else if (outcome->status.ok()) {
      outcome->response = collect.TakeResponse();
    }
  }

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
