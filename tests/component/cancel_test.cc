// Callers who leave (spec/resilience.md §4.3, row 28), in each phase of a call and 64 in each: the
// provider sees the end of its exchange within 50 ms, nobody is asked in its place, and the call is
// recorded once.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "tests/component/call_fixture.h"
#include "tests/component/method_fixture.h"

namespace mg {
namespace {

constexpr int kCallers = 64;
constexpr absl::Duration kAtOnce = absl::Milliseconds(50);

struct Phase {
  const char* name;
  std::optional<Script> script;  // what each of them gets; nullopt: all slots are held by another
  bool open = true;              // an exchange is under way when the caller leaves
  const char* stage = "";        // of the attempt, where it is the caller who ends it
};

// A stream that stands still behind these events, and a whole answer behind these bytes.
Script Still(std::vector<std::string> events) {
  return Script::Sse(std::move(events)).EndsBy(Script::End::kStall);
}
Script StillWhole(std::string bytes) {
  return Script::Json(200, std::move(bytes)).EndsBy(Script::End::kStall);
}

std::vector<Phase> PhasesOf(bool stream) {
  Script connecting = Script::Refused();
  connecting.head_after = absl::Hours(1);
  std::vector<Phase> phases = {
      {"queue", std::nullopt, false},
      {"connect", std::move(connecting), true, "connect"},
      {"head", Good(stream).HeadAfter(absl::Hours(1)), true, "connect"},
      {"back-off", Failing(500), false},
      {"body of an error", Failing(503).EndsBy(Script::End::kStall), true, "first_token"},
  };
  if (!stream) {
    phases.push_back({"body", StillWhole("{"), true, "first_token"});
    phases.push_back({"final flush", StillWhole(Whole("hi")), true, "first_token"});
    return phases;
  }
  phases.push_back({"body before content", Still({Role()}), true, "first_token"});
  phases.push_back({"body after content", Still({Role(), Piece("x")}), true, "stream"});
  phases.push_back({"final flush", Still({Role(), Piece("x"), Stop()}), true, "stream"});
  return phases;
}

// Nothing but the caller ends anything here.
std::string Config(bool queued) {
  return absl::StrCat("providers:\n", Scripted("a"), Scripted("b"),
                      "groups:\n"
                      "  g: { candidates: [{ provider: a, model: m }], fallback: [spare] }\n"
                      "  spare: { candidates: [{ provider: b, model: m }] }\n"
                      "circuit_breaker: { failure_threshold: 1000, failure_ratio: 0 }\n"
                      "retry: { base_delay: 60s, max_delay: 60s, jitter: none,\n"
                      "         budget: { max_tokens: 1000 } }\n"
                      "timeouts: { stream_end: 60s }\n"
                      "limits: { queue: 256, queue_timeout: 60s, max_in_flight: ",
                      queued ? 1 : 1024, " }\n");
}

class Cancel : public testing::TestWithParam<bool> {
 protected:
  // All of them under way; of the queue, behind one who holds the slot.
  void StartAll(const Phase& phase) {
    const bool queued = !phase.script.has_value();
    if (queued) {
      fixture_->http.Then(Good(GetParam()).HeadAfter(absl::Minutes(1)));
      holder_ = fixture_->Begin(AskOf("a/m"), GetParam());
    }
    for (int i = 0; i < kCallers; ++i) {
      if (!queued) fixture_->http.Then(*phase.script);
      calls_.push_back(fixture_->Begin(AskOf(queued ? "a/m" : "g"), GetParam()));
    }
    fixture_->loop.RunFor(absl::Milliseconds(10));
    hits_ = fixture_->http.hits().size();
  }

  // One after the other; who still waits is not disturbed.
  void CancelAll(const Phase& phase) {
    for (size_t i = 0; i < calls_.size(); ++i) {
      MethodFixture::Outcome& call = *calls_[i];
      ASSERT_FALSE(call.ended) << call.status;
      if (phase.open) ASSERT_FALSE(fixture_->http.hits()[i]->given_up);
      const Instant cancelled = fixture_->loop.now();
      call.rpc.cancellation()->Cancel(MakeError(ErrorClass::kCancel, "the caller left"));
      fixture_->loop.RunFor(kAtOnce);
      ASSERT_TRUE(call.ended);
      EXPECT_LE(call.ended_at - cancelled, kAtOnce);
      EXPECT_EQ(DetailOf(call.status).kind(), v1::ERROR_KIND_CANCELLED_BY_CALLER) << call.status;
      if (phase.open) EXPECT_TRUE(fixture_->http.hits()[i]->given_up);
    }
    EXPECT_EQ(fixture_->http.hits().size(), hits_) << "nobody is asked in its place";
  }

  void ExpectRecordedOnce(const Phase& phase) {
    const MethodFixture& told = *fixture_;
    EXPECT_EQ(fixture_->Lines("call.end"), kCallers);
    EXPECT_EQ(told.Metric("modelgateway_requests_total"), kCallers);
    EXPECT_EQ(told.Metric("modelgateway_requests_total", "status=\"cancelled\""), kCallers);
    EXPECT_EQ(told.Metric("modelgateway_inflight_requests"), holder_ == nullptr ? 0 : 1);
    EXPECT_EQ(told.Metric("modelgateway_upstream_cancelled_total"), phase.open ? kCallers : -1);
    const std::string stage = absl::StrCat("stage=\"", phase.stage, "\"");
    EXPECT_EQ(told.Metric("modelgateway_upstream_attempts_total", phase.open ? stage : ""),
              phase.script.has_value() ? kCallers : -1);
    const Snapshot::State& state = *fixture_->worker.snapshot->FindState("a");
    EXPECT_EQ(state.endpoint->limiter->Now().queued, 0);
    EXPECT_EQ(state.endpoint->limiter->Now().in_flight, holder_ == nullptr ? 0 : 1);
    const Instant now = fixture_->loop.now();
    const bool failed = phase.script.has_value() && !phase.open;  // before the caller left
    EXPECT_EQ(state.own->TargetOf("m", false, now)->breaker->View(now).window_failed,
              failed ? kCallers : 0);
  }

  std::optional<MethodFixture> fixture_;
  std::shared_ptr<MethodFixture::Outcome> holder_;
  std::vector<std::shared_ptr<MethodFixture::Outcome>> calls_;
  size_t hits_ = 0;
};

TEST_P(Cancel, Row28ReachesTheProviderInEveryPhaseAndIsRecordedOnce) {
  for (const Phase& phase : PhasesOf(GetParam())) {
    SCOPED_TRACE(phase.name);
    holder_.reset();
    calls_.clear();
    fixture_.emplace(Config(!phase.script.has_value()));
    ASSERT_NO_FATAL_FAILURE(StartAll(phase));
    ASSERT_NO_FATAL_FAILURE(CancelAll(phase));
    ExpectRecordedOnce(phase);
    fixture_->loop.RunUntilIdle();  // who holds the slot has its answer
    EXPECT_TRUE(holder_ == nullptr || holder_->status.ok());
  }
}

INSTANTIATE_TEST_SUITE_P(Callers, Cancel, testing::Bool(),
                         [](const auto& test) { return test.param ? "Stream" : "Unary"; });

}  // namespace
}  // namespace mg
