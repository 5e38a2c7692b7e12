#include "telemetry/report.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "base/utf8.h"

namespace mg {
namespace {

v1::ErrorDetail Large(int attempts, int skipped, int warnings, size_t message) {
  v1::ErrorDetail detail;
  detail.set_kind(v1::ERROR_KIND_RATE_LIMITED);
  detail.set_reason("reason");
  detail.set_fault("provider");
  detail.set_provider("openai");
  detail.set_http_status(429);
  detail.set_provider_code("rate_limit_exceeded");
  detail.set_provider_message(std::string(message, 'm'));
  detail.mutable_retry_after()->set_seconds(17);
  v1::CallReport* report = detail.mutable_report();
  report->set_request_id("01234567-89ab-7def-8123-456789abcdef");
  report->set_correlation_id("caller-42");
  report->set_trace_id(std::string(32, 'a'));
  report->set_requested_model("fast");
  for (int i = 0; i < attempts; ++i) {
    v1::Attempt* attempt = report->add_attempts();
    attempt->set_candidate(absl::StrCat("openai/gpt-5-mini-", i));
    attempt->set_provider("openai");
    attempt->set_model("gpt-5-mini");
    attempt->set_error_kind(v1::ERROR_KIND_RATE_LIMITED);
    attempt->set_http_status(429);
    attempt->set_provider_request_id(absl::StrCat("req_0123456789abcdef0123456789abcdef_", i));
    attempt->mutable_waited()->set_nanos(123456789);
    attempt->mutable_duration()->set_nanos(123456789);
    attempt->set_breaker("closed");
    attempt->set_stage("first_token");
    attempt->mutable_usage()->set_input_tokens(1000 + i);
  }
  for (int i = 0; i < skipped; ++i) {
    v1::Skipped* skip = report->add_skipped();
    skip->set_candidate(absl::StrCat("bedrock/anthropic.claude-haiku-", i));
    skip->set_reason("context_window");
  }
  for (int i = 0; i < warnings; ++i) {
    v1::Warning* warning = report->add_warnings();
    warning->set_code("dropped");
    warning->set_field(absl::StrCat("sampling.field_", i));
    warning->set_message("the model has no such setting, and the configuration says to drop it");
  }
  return detail;
}

void ExpectEssentials(const v1::ErrorDetail& detail) {
  EXPECT_EQ(detail.kind(), v1::ERROR_KIND_RATE_LIMITED);
  EXPECT_EQ(detail.reason(), "reason");
  EXPECT_EQ(detail.fault(), "provider");
  EXPECT_EQ(detail.http_status(), 429);
  EXPECT_EQ(detail.provider_code(), "rate_limit_exceeded");
  EXPECT_EQ(detail.retry_after().seconds(), 17);
  EXPECT_EQ(detail.report().request_id(), "01234567-89ab-7def-8123-456789abcdef");
  EXPECT_EQ(detail.report().trace_id(), std::string(32, 'a'));
}

TEST(CutToFitTest, LeavesWhatFits) {
  v1::ErrorDetail detail = Large(3, 2, 2, 500);
  const std::string before = detail.SerializeAsString();
  CutToFit(&detail);
  EXPECT_EQ(detail.SerializeAsString(), before);
}

// Scenario 47 of spec/resilience.md §4.3.
TEST(CutToFitTest, Row47TenAttemptsThirtySkippedFiftyWarnings) {
  v1::ErrorDetail detail = Large(10, 30, 50, 2048);
  ASSERT_GT(detail.SerializeAsString().size(), 9000U);
  CutToFit(&detail);
  EXPECT_LE(detail.SerializeAsString().size(), 4096U);
  EXPECT_GT(detail.SerializeAsString().size(), 2000U);  // and no more is cut than must be
  ExpectEssentials(detail);
  EXPECT_GE(detail.provider_message().size(), 512U);
  const v1::CallReport& report = detail.report();
  ASSERT_GE(report.attempts_size(), 2);
  EXPECT_EQ(report.attempts(0).candidate(), "openai/gpt-5-mini-0");
  EXPECT_EQ(report.attempts(report.attempts_size() - 1).candidate(), "openai/gpt-5-mini-9");
  int told = 0;
  for (const v1::Warning& warning : report.warnings()) {
    if (warning.code() != "cut") continue;
    ++told;
    if (warning.field() == "report.attempts") {
      EXPECT_EQ(warning.message(), absl::StrCat(10 - report.attempts_size(), " left out"));
    } else if (warning.field() == "report.skipped") {
      EXPECT_EQ(warning.message(), absl::StrCat(30 - report.skipped_size(), " left out"));
    } else {
      EXPECT_EQ(warning.field(), "report.warnings");
    }
  }
  EXPECT_EQ(told, 2 + (report.attempts_size() < 10 ? 1 : 0));
}

TEST(CutToFitTest, HostileSizes) {
  v1::ErrorDetail detail = Large(1000, 1000, 1000, 1 << 20);
  for (v1::Attempt& attempt : *detail.mutable_report()->mutable_attempts()) {
    attempt.set_candidate(std::string(5000, 'c'));
    attempt.set_provider_request_id(std::string(5000, 'r'));
  }
  detail.mutable_report()->set_requested_model(std::string(100000, 'x'));
  detail.mutable_report()->mutable_warnings(0)->set_message(std::string(100000, 'w'));
  detail.set_field(std::string(100000, 'f'));
  CutToFit(&detail);
  EXPECT_LE(detail.SerializeAsString().size(), 4096U);
  ExpectEssentials(detail);
}

TEST(CutToFitTest, AnyRoomAndOnlyWholeCharacters) {
  std::mt19937_64 generator(8);
  const auto below = [&](int n) { return std::uniform_int_distribution<int>(0, n - 1)(generator); };
  for (int i = 0; i < 500; ++i) {
    v1::ErrorDetail detail =
        Large(below(20), below(60), below(60), static_cast<size_t>(below(4000)));
    std::string message;
    for (int k = below(1500); k > 0; --k) message += "€ß";
    detail.set_provider_message(message);
    detail.set_field(message);
    const auto room = static_cast<size_t>(below(5000));
    CutToFit(&detail, room);
    ASSERT_LE(detail.SerializeAsString().size(), std::max<size_t>(room, 8));
    ASSERT_TRUE(IsValidUtf8(detail.provider_message()));
    ASSERT_TRUE(IsValidUtf8(detail.field()));
    ASSERT_EQ(detail.kind(), v1::ERROR_KIND_RATE_LIMITED);
  }
}

}  // namespace
}  // namespace mg
