#include "telemetry/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/error.h"

namespace mg {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

MetricsOptions Options(size_t max_series = 10000) {
  MetricsOptions options;
  options.label_values = {"fast", "support", "a", "b", "m1", "m2", "a/m1", "b/m2"};
  options.max_series = max_series;
  options.version = "1.2.3";
  options.log_dropped = [] { return 42; };
  return options;
}

AttemptRecord AttemptOf(const char* provider, const char* model, absl::Status status) {
  AttemptRecord attempt;
  attempt.candidate = absl::StrCat(provider, "/", model);
  attempt.provider = provider;
  attempt.model = model;
  attempt.started = absl::UnixEpoch() + absl::Milliseconds(1);
  attempt.ended = absl::UnixEpoch() + absl::Milliseconds(801);
  attempt.status = std::move(status);
  return attempt;
}

CallRecord Streamed() {
  CallRecord record;
  record.stream = true;
  record.alias_label = "fast";
  record.group = "support";
  record.provider = "b";
  record.model = "m2";
  record.start = absl::UnixEpoch();
  record.end = record.start + absl::Milliseconds(1002);
  record.first_content = record.start + absl::Milliseconds(802);
  record.attempts.push_back(AttemptOf("a", "m1", MakeError(ErrorClass::kServerError, "x")));
  record.attempts.push_back(AttemptOf("a", "m1", MakeError(ErrorClass::kRate, "x")));
  record.attempts.push_back(AttemptOf("b", "m2", absl::OkStatus()));
  record.attempts[2].stage = "done";
  record.attempts[2].usage.set_input_tokens(100);
  record.attempts[2].usage.set_output_tokens(11);
  record.attempts[2].usage.set_cached_input_tokens(60);
  record.attempts[2].usage.set_reasoning_tokens(4);
  record.usage = record.attempts[2].usage;
  return record;
}

void Pass(Metrics& metrics, const CallRecord& record) {
  metrics.CallStarted(record);
  metrics.CallEnded(record);
}

size_t SeriesIn(const std::string& text) {
  size_t count = 0;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    if (line.substr(0, 12) == "modelgateway") ++count;
  }
  return count;
}

TEST(MetricsTest, ACallWithARetryAndAFallback) {
  Metrics metrics(Options());
  Pass(metrics, Streamed());
  const std::string text = metrics.Expose();
  for (const char* line :
       {"modelgateway_requests_total{alias=\"fast\",code=\"OK\",group=\"support\",op=\"chat\","
        "provider=\"b\",status=\"ok\",stream=\"true\"} 1",
        "modelgateway_request_duration_seconds_bucket{model=\"m2\",op=\"chat\",provider=\"b\","
        "status=\"ok\",le=\"1\"} 0",
        "modelgateway_request_duration_seconds_bucket{model=\"m2\",op=\"chat\",provider=\"b\","
        "status=\"ok\",le=\"2.5\"} 1",
        "modelgateway_time_to_first_token_seconds_sum{model=\"m2\",op=\"chat\",provider=\"b\"} "
        "0.802",
        "modelgateway_inter_token_latency_seconds_sum{model=\"m2\",provider=\"b\"} 0.02",
        "modelgateway_overhead_seconds_sum{op=\"chat\"} 0.202",
        "modelgateway_upstream_attempts_total{class=\"5xx\",model=\"m1\",outcome=\"server_error\","
        "provider=\"a\",stage=\"connect\"} 1",
        "modelgateway_upstream_attempts_total{class=\"rate\",model=\"m1\",outcome=\"rate_limited\","
        "provider=\"a\",stage=\"connect\"} 1",
        "modelgateway_upstream_attempts_total{class=\"\",model=\"m2\",outcome=\"ok\",provider="
        "\"b\",stage=\"done\"} 1",
        "modelgateway_upstream_duration_seconds_sum{model=\"m2\",outcome=\"ok\",provider=\"b\"} "
        "0.8",
        "modelgateway_retries_total{provider=\"a\",reason=\"5xx\"} 1",
        "modelgateway_fallbacks_total{from_provider=\"a\",reason=\"rate\",result=\"ok\","
        "to_provider=\"b\"} 1",
        "modelgateway_request_attempts_bucket{op=\"chat\",le=\"2\"} 0",
        "modelgateway_request_attempts_bucket{op=\"chat\",le=\"3\"} 1",
        "modelgateway_tokens_total{kind=\"input\",model=\"m2\",provider=\"b\"} 100",
        "modelgateway_tokens_total{kind=\"output\",model=\"m2\",provider=\"b\"} 11",
        "modelgateway_tokens_total{kind=\"cache_read\",model=\"m2\",provider=\"b\"} 60",
        "modelgateway_tokens_total{kind=\"reasoning\",model=\"m2\",provider=\"b\"} 4",
        "modelgateway_inflight_requests{op=\"chat\"} 0",
        "modelgateway_stream_active 0",
        "modelgateway_build_info{version=\"1.2.3\"} 1",
        "modelgateway_log_dropped_total 42",
        "# TYPE modelgateway_request_duration_seconds histogram",
        "# TYPE process_cpu_seconds_total counter"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
  EXPECT_THAT(text, Not(HasSubstr("modelgateway_errors_total{")));
}

TEST(MetricsTest, FailuresRefusalsAndCancels) {
  Metrics metrics(Options());
  CallRecord refused;
  refused.status = MakeError(ErrorClass::kUnknownModel, "x");
  Pass(metrics, refused);
  CallRecord cancelled = Streamed();
  cancelled.attempts.resize(1);
  cancelled.status = MakeError(ErrorClass::kCancel, "x");
  Pass(metrics, cancelled);
  CallRecord failed = Streamed();
  failed.stream = false;
  failed.attempts.resize(2);
  failed.provider = "a";
  failed.hash_key_missing = true;
  failed.status = failed.attempts[1].status;
  Pass(metrics, failed);
  const std::string text = metrics.Expose();
  for (const char* line :
       {"status=\"refused\",stream=\"false\"} 1", "status=\"cancelled\",stream=\"true\"} 1",
        "status=\"error\",stream=\"false\"} 1",
        ("modelgateway_errors_total{error_type=\"unknown_model\",fault=\"caller\",op=\"chat\","
         "provider=\"\"} 1"),
        "modelgateway_errors_total{error_type=\"cancelled_by_caller\",fault=\"caller\"",
        ("modelgateway_errors_total{error_type=\"rate_limited\",fault=\"provider\",op=\"chat\","
         "provider=\"a\"} 1"),
        "modelgateway_rejected_total{reason=\"unknown_model\"} 1",
        "modelgateway_hash_key_missing_total{group=\"support\"} 1", "code=\"NOT_FOUND\"",
        "code=\"RESOURCE_EXHAUSTED\""}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
  EXPECT_THAT(text, Not(HasSubstr("inter_token_latency_seconds_count{")));
}

TEST(MetricsTest, TheLongestSilenceOfAStream) {
  Metrics metrics(Options());
  CallRecord record = Streamed();
  Pass(metrics, record);
  EXPECT_THAT(metrics.Expose(), Not(HasSubstr("stream_idle_gap_seconds_count")));
  record.attempts[2].longest_gap = absl::Seconds(7);
  Pass(metrics, record);
  EXPECT_THAT(metrics.Expose(), HasSubstr("modelgateway_stream_idle_gap_seconds_count 1"));
  EXPECT_THAT(metrics.Expose(), HasSubstr("modelgateway_stream_idle_gap_seconds_sum 7"));
}

TEST(MetricsTest, GaugesFollowTheCallsUnderWay) {
  Metrics metrics(Options());
  const CallRecord stream = Streamed();
  CallRecord unary;
  metrics.CallStarted(stream);
  metrics.CallStarted(unary);
  EXPECT_THAT(metrics.Expose(), HasSubstr("modelgateway_inflight_requests{op=\"chat\"} 2"));
  EXPECT_THAT(metrics.Expose(), HasSubstr("modelgateway_stream_active 1"));
  metrics.CallEnded(stream);
  EXPECT_THAT(metrics.Expose(), HasSubstr("modelgateway_inflight_requests{op=\"chat\"} 1"));
  EXPECT_THAT(metrics.Expose(), HasSubstr("modelgateway_stream_active 0"));
}

#if __has_feature(address_sanitizer)
constexpr int kNames = 50'000;  // twenty times as slow
#else
constexpr int kNames = 1'000'000;
#endif

// Whatever callers write, the series stay those of the configuration.
TEST(MetricsTest, AMillionAliasesMakeNoSeries) {
  Metrics metrics(Options());
  CallRecord record = Streamed();
  record.attempts.resize(1);
  Pass(metrics, record);
  record.alias_label = record.group = record.provider = record.model = "x";
  record.attempts[0].provider = record.attempts[0].model = "x";
  Pass(metrics, record);
  const size_t before = SeriesIn(metrics.Expose());
  for (int i = 0; i < kNames; ++i) {
    const std::string name = absl::StrCat("random-", i);
    record.alias_label = name;
    record.group = name;
    record.provider = name;
    record.model = name;
    record.attempts[0].provider = name;
    record.attempts[0].model = name;
    Pass(metrics, record);
  }
  const std::string text = metrics.Expose();
  EXPECT_EQ(SeriesIn(text), before);
  EXPECT_THAT(text, HasSubstr("alias=\"other\""));
  EXPECT_THAT(text, Not(HasSubstr("random-")));
}

TEST(MetricsTest, TheCapFoldsNewSeries) {
  MetricsOptions options = Options(200);
  for (int i = 0; i < 1000; ++i) options.label_values.push_back(absl::StrCat("name-", i));
  Metrics metrics(options);
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 1000; ++i) {
      CallRecord record = Streamed();
      record.alias_label = record.group = record.provider = record.model = absl::StrCat("name-", i);
      Pass(metrics, record);
    }
  }
  const std::string text = metrics.Expose();
  // One series of "other" for each metric comes on top.
  EXPECT_LT(SeriesIn(text), 200U + 16 * 20);
  EXPECT_THAT(text, HasSubstr("modelgateway_requests_total{alias=\"other\",code=\"other\",group="
                              "\"other\",op=\"other\",provider=\"other\",status=\"other\","
                              "stream=\"other\"}"));
  EXPECT_THAT(text, Not(HasSubstr("modelgateway_metrics_folded_total 0\n")));
  EXPECT_THAT(text, HasSubstr("modelgateway_inflight_requests{op=\"chat\"} 0"));
}

TEST(MetricsTest, ManyThreads) {
  Metrics metrics(Options());
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&metrics] {
      for (int i = 0; i < 2000; ++i) Pass(metrics, Streamed());
      EXPECT_FALSE(metrics.Expose().empty());
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(metrics.Expose(), HasSubstr("status=\"ok\",stream=\"true\"} 16000"));
}

TEST(MetricsTest, TheProcessShowsItself) {
  const std::string text = Metrics(Options()).Expose();
  for (const char* name :
       {"process_resident_memory_bytes ", "process_open_fds ", "process_start_time_seconds ",
        "process_virtual_memory_bytes ", "process_max_fds "}) {
    const size_t at = text.find(absl::StrCat("\n", name));
    ASSERT_NE(at, std::string::npos) << name;
    EXPECT_NE(text[at + 1 + std::string(name).size()], '0') << name;
    EXPECT_NE(text[at + 1 + std::string(name).size()], '-') << name;
  }
}

TEST(MetricsTest, Reloads) {
  Metrics metrics(Options());
  EXPECT_THAT(metrics.Expose(), HasSubstr("modelgateway_config_generation 1\n"));
  EXPECT_THAT(metrics.Expose(), HasSubstr("modelgateway_config_last_reload_failed 0\n"));
  CallRecord record;
  record.group = "later";
  Pass(metrics, record);
  EXPECT_THAT(metrics.Expose(), Not(HasSubstr("later")));

  ReloadRecord reload;
  reload.result = "rejected";
  reload.generation = 1;
  metrics.Reloaded(reload);
  EXPECT_THAT(metrics.Expose(), HasSubstr("modelgateway_config_last_reload_failed 1\n"));
  reload.result = "ok";
  reload.generation = 2;
  reload.at = absl::FromUnixSeconds(1'790'000'000);
  reload.moved_share = {{"support", 0.05}};
  reload.label_values = {"later"};
  metrics.Reloaded(reload);
  Pass(metrics, record);
  const std::string text = metrics.Expose();
  EXPECT_THAT(text, HasSubstr("modelgateway_config_reloads_total{result=\"rejected\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("modelgateway_config_reloads_total{result=\"ok\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("modelgateway_config_generation 2\n"));
  EXPECT_THAT(text, HasSubstr("modelgateway_config_last_reload_failed 0\n"));
  EXPECT_THAT(text, HasSubstr("modelgateway_reload_moved_share{group=\"support\"} 0.05\n"));
  EXPECT_THAT(text,
              HasSubstr("modelgateway_config_reload_last_success_timestamp_seconds 1790000000\n"));
  EXPECT_THAT(text, HasSubstr("group=\"later\""));
}

}  // namespace
}  // namespace mg
