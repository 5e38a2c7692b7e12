#include "daemon/config/effective.h"

#include <gtest/gtest.h>

#include "tests/unit/config/fake_outside.h"

namespace mg {
namespace {

// The defaults of spec/resilience.md §3.11, which routing's own types have too.
TEST(Effective, DefaultsAreThoseOfTheTypes) {
  const v1::Config config;
  const Timeouts timeouts = TimeoutsOf(config, nullptr, nullptr);
  EXPECT_EQ(timeouts.connect, Timeouts().connect);
  EXPECT_EQ(timeouts.ttft, Timeouts().ttft);
  EXPECT_EQ(timeouts.final_ttft, Timeouts().final_ttft);
  EXPECT_EQ(timeouts.attempt, Timeouts().attempt);
  EXPECT_EQ(timeouts.stream_idle, Timeouts().stream_idle);
  EXPECT_EQ(timeouts.stream_progress, Timeouts().stream_progress);
  EXPECT_EQ(timeouts.stream_end, Timeouts().stream_end);
  EXPECT_EQ(timeouts.min_attempt, Timeouts().min_attempt);
  const RetryPolicy retry = RetryOf(config, nullptr, nullptr);
  EXPECT_EQ(retry.backoff.base, BackoffPolicy().base);
  EXPECT_EQ(retry.backoff.max, BackoffPolicy().max);
  EXPECT_EQ(retry.backoff.jitter, BackoffPolicy().jitter);
  EXPECT_EQ(retry.max_per_candidate, std::nullopt);
  EXPECT_EQ(retry.inline_wait_max, RetryPolicy().inline_wait_max);
  EXPECT_EQ(MaxAttemptsOf(config, nullptr), Route().max_attempts);
  const DeadlinePolicy deadline = DeadlineOf(config, nullptr);
  EXPECT_EQ(deadline.default_deadline, DeadlinePolicy().default_deadline);
  EXPECT_EQ(deadline.max, DeadlinePolicy().max);
  EXPECT_EQ(DrainTimeoutOf(config), absl::Seconds(25));
  EXPECT_EQ(CallBufferOf(config), size_t{8} << 20);
  EXPECT_EQ(MaxSeriesOf(config), 10000);
  EXPECT_EQ(LogsOf(config).format(), "auto");
  EXPECT_EQ(LogsOf(config).level(), "info");
  EXPECT_EQ(ToDuration(LatencyOf({}).first()), absl::ZeroDuration());
}

TEST(Effective, InnerScopesWinKeyByKey) {
  const LoadedConfig loaded = Load(R"(
providers: { m: { mock: { circuit_breaker: { failure_threshold: 7 } } } }
retry: { max_attempts: 4, base_delay: 2s, jitter: none }
timeouts: { ttft: 100s, stream_idle: 1500ms, connect: 1500ms }
deadline: { default: 200s }
circuit_breaker: { cooldown: 20s }
groups:
  g:
    hash_key: metadata.tenant
    missing_key: reject
    retry: { max_attempts: 2, max_attempts_per_candidate: 1, max_delay: 5s, inline_wait_max: 0s }
    timeouts: { ttft: 50s, connect: 2s }
    deadline: { max: 300s }
    candidates:
      - { provider: m, model: x, retry: { jitter: equal, base_delay: 500ms }, timeouts: { attempt: 3s } }
      - provider: m
        model: y
        id: other
        weight: 0
        retry: { max_attempts_per_candidate: 2, inline_wait_max: 9s }
  h: { strategy: random, hash_seed: s, candidates: [{ provider: m, model: z }], failover: false }
)");
  ASSERT_EQ(ToText(loaded.problems.empty() ? std::vector<Problem>{} : loaded.problems),
            "test.yaml:21: groups.h.hash_seed: belongs to the strategy weighted_hash alone\n");
  const v1::Config& config = loaded.config;
  const v1::GroupConfig& group = config.groups().at("g");
  const v1::CandidateConfig& first = group.candidates(0);

  const Timeouts timeouts = TimeoutsOf(config, &group, &first);
  EXPECT_EQ(timeouts.ttft, absl::Seconds(50));
  EXPECT_EQ(timeouts.attempt, absl::Seconds(3));
  EXPECT_EQ(timeouts.stream_idle, absl::Milliseconds(1500));
  EXPECT_EQ(timeouts.connect, absl::Seconds(2));  // not 2.5s: durations are replaced whole
  EXPECT_EQ(TimeoutsOf(config, &group, &group.candidates(1)).attempt, absl::ZeroDuration());
  EXPECT_EQ(TimeoutsOf(config, nullptr, nullptr).ttft, absl::Seconds(100));

  const RetryPolicy retry = RetryOf(config, &group, &first);
  EXPECT_EQ(retry.backoff.base, absl::Milliseconds(500));
  EXPECT_EQ(retry.backoff.max, absl::Seconds(5));
  EXPECT_EQ(retry.backoff.jitter, Jitter::kEqual);
  EXPECT_EQ(retry.max_per_candidate, 1);
  EXPECT_EQ(retry.inline_wait_max, absl::ZeroDuration());
  const RetryPolicy second = RetryOf(config, &group, &group.candidates(1));
  EXPECT_EQ(second.backoff.base, absl::Seconds(2));
  EXPECT_EQ(second.max_per_candidate, 2);
  EXPECT_EQ(second.inline_wait_max, absl::Seconds(9));
  const RetryPolicy top = RetryOf(config, nullptr, nullptr);
  EXPECT_EQ(top.backoff.jitter, Jitter::kNone);
  EXPECT_EQ(top.max_per_candidate, std::nullopt);
  EXPECT_EQ(top.inline_wait_max, absl::Seconds(2));
  EXPECT_EQ(MaxAttemptsOf(config, &group), 2);
  EXPECT_EQ(MaxAttemptsOf(config, nullptr), 4);

  EXPECT_EQ(DeadlineOf(config, &group).default_deadline, absl::Seconds(200));
  EXPECT_EQ(DeadlineOf(config, &group).max, absl::Seconds(300));

  EXPECT_EQ(StrategyOf(group), Strategy::kWeightedHash);
  EXPECT_EQ(HashKeyOf(group).source, HashKeySource::kMetadata);
  EXPECT_EQ(HashKeyOf(group).metadata, "tenant");
  EXPECT_EQ(MissingKeyOf(group), MissingKey::kReject);
  EXPECT_EQ(HashSeedOf("g", group), "g");
  EXPECT_TRUE(FailoverOf(group));
  EXPECT_EQ(CandidateIdOf(first), "m/x");
  EXPECT_EQ(CandidateIdOf(group.candidates(1)), "other");
  EXPECT_EQ(WeightOf(first), 1);
  EXPECT_EQ(WeightOf(group.candidates(1)), 0);
  const v1::GroupConfig& other = config.groups().at("h");
  EXPECT_EQ(StrategyOf(other), Strategy::kRandom);
  EXPECT_EQ(HashSeedOf("h", other), "s");
  EXPECT_FALSE(FailoverOf(other));

  const v1::CircuitBreakerConfig breaker =
      MergedBreaker(config, &config.providers().at("m").mock().scoped());
  EXPECT_EQ(breaker.failure_threshold(), 7);
  EXPECT_EQ(ToDuration(breaker.cooldown()), absl::Seconds(20));
  EXPECT_EQ(breaker.min_requests(), 20);
}

TEST(Effective, DefaultsGiveWayToASmallerMax) {
  const LoadedConfig loaded = Load("providers: { m: { mock: {} } }\ndeadline: { max: 30s }\n");
  EXPECT_EQ(ToText(loaded.problems), "");
  EXPECT_EQ(DeadlineOf(loaded.config, nullptr).default_deadline, absl::Seconds(30));
}

}  // namespace
}  // namespace mg
