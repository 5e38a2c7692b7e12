#include "telemetry/call_record.h"

#include <gtest/gtest.h>

namespace mg {
namespace {

const Instant kStart = absl::UnixEpoch() + absl::Hours(5);

Instant At(int millis) { return kStart + absl::Milliseconds(millis); }

AttemptRecord Between(int from, int to, int waited = 0) {
  AttemptRecord attempt;
  attempt.started = At(from);
  attempt.ended = At(to);
  attempt.waited = absl::Milliseconds(waited);
  return attempt;
}

absl::Duration Get(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

TEST(OverheadTest, IsWhatNeitherBackoffNorProvidersTook) {
  CallRecord record;
  record.start = kStart;
  EXPECT_EQ(OverheadOf(record, At(5)), absl::Milliseconds(5));
  record.attempts = {Between(10, 110), Between(160, 260, 50)};
  EXPECT_EQ(OverheadOf(record, At(270)), absl::Milliseconds(20));
  record.attempts.push_back(Between(200, 265));  // at the same time: counted once
  EXPECT_EQ(OverheadOf(record, At(270)), absl::Milliseconds(15));
  record.attempts.push_back(Between(20, 30));
  EXPECT_EQ(OverheadOf(record, At(270)), absl::Milliseconds(15));
}

TEST(OverheadTest, AnAttemptUnderWayGoesOnUntilNow) {
  CallRecord record;
  record.start = kStart;
  AttemptRecord attempt;
  attempt.started = At(10);
  record.attempts.push_back(attempt);
  EXPECT_EQ(OverheadOf(record, At(100)), absl::Milliseconds(10));
  EXPECT_EQ(Get(ReportOf(record, At(100)).attempts(0).duration()), absl::Milliseconds(90));
}

TEST(OverheadTest, IsNeverNegative) {
  CallRecord record;
  record.start = kStart;
  record.attempts = {Between(0, 100, 500)};
  EXPECT_EQ(OverheadOf(record, At(100)), absl::ZeroDuration());
}

TEST(ReportTest, HoldsWhatIsKnown) {
  CallRecord record;
  record.stream = true;
  record.request_id = "r";
  record.correlation_id = "c";
  record.trace_id = "t";
  record.requested_model = "fast";
  record.group = "support";
  record.strategy = "weighted_hash";
  record.route_reason = "weighted_hash";
  record.provider = "b";
  record.model = "m2";
  record.start = kStart;
  record.first_content = At(1500);
  AttemptRecord failed = Between(1, 101);
  failed.candidate = "a/m1";
  failed.provider = "a";
  failed.model = "m1";
  v1::ErrorDetail detail;
  detail.set_reason("finer");
  failed.status = MakeError(ErrorClass::kRate, detail, "limited");
  failed.http_status = 429;
  failed.provider_request_id = "req_1";
  failed.stage = "first_token";
  AttemptRecord served = Between(351, 2000, 250);
  served.candidate = "b/m2";
  served.provider = "b";
  served.model = "m2";
  served.tier = 1;
  served.time_to_first_token = absl::Milliseconds(1149);
  served.stage = "done";
  served.usage.set_input_tokens(7);
  record.attempts = {failed, served};
  record.skipped.emplace_back().set_candidate("c");
  record.warnings.emplace_back().set_code("dropped");

  const v1::CallReport report = ReportOf(record, At(2001));
  EXPECT_EQ(report.request_id(), "r");
  EXPECT_EQ(report.correlation_id(), "c");
  EXPECT_EQ(report.trace_id(), "t");
  EXPECT_EQ(report.requested_model(), "fast");
  EXPECT_EQ(report.group(), "support");
  EXPECT_EQ(report.strategy(), "weighted_hash");
  EXPECT_EQ(report.route_reason(), "weighted_hash");
  EXPECT_EQ(report.provider(), "b");
  EXPECT_EQ(report.model(), "m2");
  ASSERT_EQ(report.attempts_size(), 2);
  const v1::Attempt& first = report.attempts(0);
  EXPECT_EQ(first.candidate(), "a/m1");
  EXPECT_EQ(first.error_kind(), v1::ERROR_KIND_RATE_LIMITED);
  EXPECT_EQ(first.reason(), "finer");
  EXPECT_EQ(first.http_status(), 429);
  EXPECT_EQ(first.provider_request_id(), "req_1");
  EXPECT_EQ(first.breaker(), "closed");
  EXPECT_EQ(first.stage(), "first_token");
  EXPECT_EQ(Get(first.duration()), absl::Milliseconds(100));
  EXPECT_FALSE(first.has_time_to_first_token());
  EXPECT_FALSE(first.has_usage());
  const v1::Attempt& second = report.attempts(1);
  EXPECT_EQ(second.error_kind(), v1::ERROR_KIND_UNSPECIFIED);
  EXPECT_EQ(second.tier(), 1);
  EXPECT_EQ(Get(second.waited()), absl::Milliseconds(250));
  EXPECT_EQ(Get(second.time_to_first_token()), absl::Milliseconds(1149));
  EXPECT_EQ(second.usage().input_tokens(), 7);
  EXPECT_EQ(report.skipped_size(), 1);
  EXPECT_EQ(report.warnings_size(), 1);
  EXPECT_EQ(Get(report.duration()), absl::Milliseconds(2001));
  EXPECT_EQ(Get(report.time_to_first_token()), absl::Milliseconds(1500));
  EXPECT_EQ(Get(report.gateway_overhead()), absl::Milliseconds(2));
  record.stream = false;
  EXPECT_FALSE(ReportOf(record, At(2001)).has_time_to_first_token());
}

TEST(OutcomeTest, OfACall) {
  CallRecord record;
  EXPECT_EQ(OutcomeName(OutcomeOf(record)), "ok");
  record.status = MakeError(ErrorClass::kUnknownModel, "x");
  EXPECT_EQ(OutcomeName(OutcomeOf(record)), "refused");
  record.attempts.emplace_back();
  EXPECT_EQ(OutcomeName(OutcomeOf(record)), "error");
  record.status = MakeError(ErrorClass::kCancel, "x");
  EXPECT_EQ(OutcomeName(OutcomeOf(record)), "cancelled");
  record.attempts.clear();
  EXPECT_EQ(OutcomeName(OutcomeOf(record)), "cancelled");
}

}  // namespace
}  // namespace mg
