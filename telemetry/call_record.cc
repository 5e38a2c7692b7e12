#include "telemetry/call_record.h"

#include <algorithm>
#include <utility>

namespace mg {
namespace {

void SetDuration(absl::Duration duration, google::protobuf::Duration* out) {
  absl::Duration rest;
  out->set_seconds(absl::IDivDuration(duration, absl::Seconds(1), &rest));
  out->set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(rest)));
}

// An attempt under way goes on until now.
Instant EndOf(const AttemptRecord& attempt, Instant now) {
  return attempt.ended < attempt.started ? now : attempt.ended;
}

absl::Duration TimeAtProviders(const CallRecord& record, Instant now) {
  std::vector<std::pair<Instant, Instant>> intervals;
  intervals.reserve(record.attempts.size());
  for (const AttemptRecord& attempt : record.attempts) {
    intervals.emplace_back(attempt.started, EndOf(attempt, now));
  }
  std::sort(intervals.begin(), intervals.end());
  absl::Duration sum;
  Instant covered = absl::InfinitePast();
  for (const auto& [from, to] : intervals) {
    if (to <= covered) continue;
    sum += to - std::max(from, covered);
    covered = to;
  }
  return sum;
}

void Fill(const AttemptRecord& attempt, Instant now, v1::Attempt* out) {
  out->set_candidate(attempt.candidate);
  out->set_provider(attempt.provider);
  out->set_model(attempt.model);
  out->set_tier(attempt.tier);
  if (!attempt.status.ok()) {
    const v1::ErrorDetail detail = DetailOf(attempt.status);
    out->set_error_kind(detail.kind());
    out->set_reason(detail.reason());
  }
  out->set_http_status(attempt.http_status);
  out->set_provider_request_id(attempt.provider_request_id);
  SetDuration(attempt.waited, out->mutable_waited());
  SetDuration(EndOf(attempt, now) - attempt.started, out->mutable_duration());
  if (attempt.time_to_first_token.has_value()) {
    SetDuration(*attempt.time_to_first_token, out->mutable_time_to_first_token());
  }
  out->set_breaker(attempt.breaker);
  out->set_stage(attempt.stage);
  if (attempt.usage.ByteSizeLong() > 0) *out->mutable_usage() = attempt.usage;
}

}  // namespace

absl::Duration OverheadOf(const CallRecord& record, Instant now) {
  absl::Duration overhead = now - record.start - TimeAtProviders(record, now);
  for (const AttemptRecord& attempt : record.attempts) overhead -= attempt.waited;
  overhead -= record.queued;
  return std::max(overhead, absl::ZeroDuration());
}

v1::CallReport ReportOf(const CallRecord& record, Instant now) {
  v1::CallReport report;
  report.set_request_id(record.request_id);
  report.set_correlation_id(record.correlation_id);
  report.set_trace_id(record.trace_id);
  report.set_requested_model(record.requested_model);
  report.set_group(record.group);
  report.set_strategy(record.strategy);
  report.set_route_reason(record.route_reason);
  report.set_provider(record.provider);
  report.set_model(record.model);
  for (const AttemptRecord& attempt : record.attempts) Fill(attempt, now, report.add_attempts());
  for (const v1::Skipped& skipped : record.skipped) *report.add_skipped() = skipped;
  for (const v1::Warning& warning : record.warnings) *report.add_warnings() = warning;
  SetDuration(now - record.start, report.mutable_duration());
  if (record.stream && record.first_content.has_value()) {
    SetDuration(*record.first_content - record.start, report.mutable_time_to_first_token());
  }
  SetDuration(OverheadOf(record, now), report.mutable_gateway_overhead());
  return report;
}

Outcome OutcomeOf(const CallRecord& record) {
  if (record.status.ok()) return Outcome::kOk;
  if (ClassOf(record.status) == ErrorClass::kCancel) return Outcome::kCancelled;
  return record.attempts.empty() ? Outcome::kRefused : Outcome::kError;
}

absl::string_view OutcomeName(Outcome outcome) {
  switch (outcome) {
    case Outcome::kOk:
      return "ok";
    case Outcome::kError:
      return "error";
    case Outcome::kCancelled:
      return "cancelled";
    case Outcome::kRefused:
      return "refused";
  }
  return "";
}

}  // namespace mg
