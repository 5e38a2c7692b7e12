#include "base/error.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace mg {
namespace {

using C = ErrorClass;
using S = SameCandidate;
using V = Verdict;
using D = CooldownScope;
using Code = absl::StatusCode;

// The table as spec/resilience.md §3.4 has it, written down a second time.
struct Row {
  C error_class;
  v1::ErrorKind kind;
  Code code;
  int http_status;
  const char* fault;
  S same;
  bool next;
  V breaker;
  D cooldown;
};
// clang-format off
constexpr Row kTable[] = {
    {C::kConnect, v1::ERROR_KIND_CONNECTION, Code::kUnavailable, 502, "provider", S::kOnceFirst, true, V::kFailEndpointAndTarget, D::kNone},
    {C::kConnectFinal, v1::ERROR_KIND_CONNECTION, Code::kUnavailable, 502, "provider", S::kNever, true, V::kFailEndpointAndTarget, D::kNone},
    {C::kReset, v1::ERROR_KIND_CONNECTION, Code::kUnavailable, 502, "provider", S::kOnceFirst, true, V::kFailEndpointAndTarget, D::kNone},
    {C::kTimeout, v1::ERROR_KIND_TIMEOUT, Code::kDeadlineExceeded, 504, "provider", S::kIfAlone, true, V::kFailTarget, D::kNone},
    {C::kServerError, v1::ERROR_KIND_SERVER_ERROR, Code::kUnavailable, 502, "provider", S::kOnceFirst, true, V::kFailTarget, D::kNone},
    {C::kGatewayTimeout, v1::ERROR_KIND_TIMEOUT, Code::kDeadlineExceeded, 504, "provider", S::kOnceFirst, true, V::kFailTarget, D::kNone},
    {C::kOverload, v1::ERROR_KIND_OVERLOADED, Code::kUnavailable, 503, "provider", S::kIfAlone, true, V::kFailTarget, D::kNone},
    {C::kRate, v1::ERROR_KIND_RATE_LIMITED, Code::kResourceExhausted, 429, "provider", S::kIfAlone, true, V::kRateLimited, D::kRate},
    {C::kQuota, v1::ERROR_KIND_QUOTA, Code::kResourceExhausted, 429, "provider", S::kNever, true, V::kNeutral, D::kQuota},
    {C::kCredential, v1::ERROR_KIND_CREDENTIAL, Code::kFailedPrecondition, 502, "provider", S::kNever, true, V::kNeutral, D::kCredential},
    {C::kCallerCredential, v1::ERROR_KIND_CREDENTIAL, Code::kUnauthenticated, 401, "caller", S::kNever, false, V::kNeutral, D::kNone},
    {C::kModel, v1::ERROR_KIND_UNKNOWN_MODEL, Code::kNotFound, 404, "provider", S::kNever, true, V::kNeutral, D::kModel},
    {C::kUnknownModel, v1::ERROR_KIND_UNKNOWN_MODEL, Code::kNotFound, 404, "caller", S::kNever, false, V::kNeutral, D::kNone},
    {C::kInvalidRequest, v1::ERROR_KIND_INVALID_REQUEST, Code::kInvalidArgument, 400, "caller", S::kNever, false, V::kNeutral, D::kNone},
    {C::kCaller, v1::ERROR_KIND_INVALID_REQUEST, Code::kInvalidArgument, 400, "caller", S::kNever, false, V::kNeutral, D::kNone},
    {C::kContext, v1::ERROR_KIND_CONTEXT_LENGTH, Code::kInvalidArgument, 400, "caller", S::kNever, true, V::kNeutral, D::kNone},
    {C::kPolicy, v1::ERROR_KIND_CONTENT_BLOCKED, Code::kInvalidArgument, 400, "caller", S::kNever, false, V::kNeutral, D::kNone},
    {C::kConflict, v1::ERROR_KIND_SERVER_ERROR, Code::kAborted, 409, "provider", S::kOnce, false, V::kNeutral, D::kNone},
    {C::kMalformed, v1::ERROR_KIND_MALFORMED_RESPONSE, Code::kInternal, 502, "provider", S::kNever, true, V::kFailTarget, D::kNone},
    {C::kRedirect, v1::ERROR_KIND_MALFORMED_RESPONSE, Code::kInternal, 502, "provider", S::kNever, true, V::kNeutral, D::kNone},
    {C::kEmpty, v1::ERROR_KIND_MALFORMED_RESPONSE, Code::kUnavailable, 502, "provider", S::kOnceFirst, true, V::kFailTarget, D::kNone},
    {C::kSchema, v1::ERROR_KIND_SCHEMA_MISMATCH, Code::kFailedPrecondition, 502, "provider", S::kNever, true, V::kNeutral, D::kNone},
    {C::kUnsupportedField, v1::ERROR_KIND_UNSUPPORTED, Code::kInvalidArgument, 400, "caller", S::kNever, false, V::kNeutral, D::kNone},
    {C::kUnsupportedMethod, v1::ERROR_KIND_UNSUPPORTED, Code::kUnimplemented, 501, "caller", S::kNever, false, V::kNeutral, D::kNone},
    {C::kUnknown, v1::ERROR_KIND_SERVER_ERROR, Code::kUnknown, 502, "provider", S::kNever, false, V::kNeutral, D::kNone},
    {C::kShed, v1::ERROR_KIND_GATEWAY_OVERLOADED, Code::kResourceExhausted, 503, "gateway", S::kNever, true, V::kNeutral, D::kNone},
    {C::kSlowReader, v1::ERROR_KIND_GATEWAY_OVERLOADED, Code::kResourceExhausted, 503, "gateway", S::kNever, false, V::kNeutral, D::kNone},
    {C::kShuttingDown, v1::ERROR_KIND_SHUTTING_DOWN, Code::kUnavailable, 503, "gateway", S::kNever, false, V::kNeutral, D::kNone},
    {C::kCancel, v1::ERROR_KIND_CANCELLED_BY_CALLER, Code::kCancelled, 499, "caller", S::kNever, false, V::kNeutral, D::kNone},
    {C::kDeadline, v1::ERROR_KIND_DEADLINE, Code::kDeadlineExceeded, 504, "caller", S::kNever, false, V::kNeutral, D::kNone},
    {C::kBug, v1::ERROR_KIND_INTERNAL_ERROR, Code::kInternal, 500, "gateway", S::kNever, false, V::kNeutral, D::kNone},
    {C::kNoCandidate, v1::ERROR_KIND_NO_CANDIDATE, Code::kUnavailable, 503, "gateway", S::kNever, false, V::kNeutral, D::kNone},
    {C::kInterrupted, v1::ERROR_KIND_STREAM_INTERRUPTED, Code::kUnavailable, 502, "provider", S::kNever, false, V::kFailTarget, D::kNone},
};
// clang-format on

TEST(ErrorTableTest, IsTheOneOfTheSpecification) {
  ASSERT_EQ(std::size(kTable), static_cast<size_t>(kErrorClasses));
  std::set<v1::ErrorKind> kinds;
  for (const Row& row : kTable) {
    const ErrorRule& rule = RuleOf(row.error_class);
    SCOPED_TRACE(static_cast<int>(row.error_class));
    EXPECT_EQ(rule.error_class, row.error_class);
    EXPECT_EQ(rule.kind, row.kind);
    EXPECT_EQ(rule.code, row.code);
    EXPECT_EQ(rule.http_status, row.http_status);
    EXPECT_STREQ(rule.fault, row.fault);
    EXPECT_EQ(rule.same, row.same);
    EXPECT_EQ(rule.next, row.next);
    EXPECT_EQ(rule.breaker, row.breaker);
    EXPECT_EQ(rule.cooldown, row.cooldown);
    EXPECT_NE(std::string(rule.name), "");
    kinds.insert(rule.kind);
  }
  EXPECT_EQ(kinds.size(), 21U);  // each kind has a row; unspecified has none
  EXPECT_FALSE(kinds.contains(v1::ERROR_KIND_UNSPECIFIED));
}

TEST(ErrorTest, MakeErrorFillsWhatTheRowSays) {
  for (const Row& row : kTable) {
    const absl::Status status = MakeError(row.error_class, "text");
    EXPECT_EQ(status.code(), row.code);
    EXPECT_EQ(status.message(), "text");
    EXPECT_EQ(ClassOf(status), row.error_class);
    EXPECT_EQ(DetailOf(status).kind(), row.kind);
    EXPECT_EQ(DetailOf(status).fault(), row.fault);
  }
}

TEST(ErrorTest, AGivenKindFaultAndFieldAreKept) {
  v1::ErrorDetail detail;
  detail.set_kind(v1::ERROR_KIND_QUOTA);
  detail.set_fault("caller");
  detail.set_provider_message("€");
  detail.mutable_retry_after()->set_seconds(3);
  const absl::Status status = MakeError(C::kRate, detail, "text");
  EXPECT_EQ(DetailOf(status).kind(), v1::ERROR_KIND_QUOTA);
  EXPECT_EQ(DetailOf(status).fault(), "caller");
  EXPECT_EQ(DetailOf(status).provider_message(), "€");
  EXPECT_EQ(DetailOf(status).retry_after().seconds(), 3);
  const absl::Status field = FieldError(C::kInvalidRequest, "messages[2].parts[0]", "what");
  EXPECT_EQ(DetailOf(field).field(), "messages[2].parts[0]");
  EXPECT_EQ(DetailOf(field).kind(), v1::ERROR_KIND_INVALID_REQUEST);
}

TEST(ErrorTest, AForeignStatusIsABug) {
  const absl::Status status = absl::NotFoundError("whoever said so");
  EXPECT_EQ(ClassOf(status), C::kBug);
  EXPECT_EQ(DetailOf(status).kind(), v1::ERROR_KIND_INTERNAL_ERROR);
  EXPECT_EQ(DetailOf(status).fault(), "gateway");
  EXPECT_EQ(DetailOf(absl::OkStatus()).kind(), v1::ERROR_KIND_UNSPECIFIED);
}

TEST(ErrorTest, SetDetailLeavesClassCodeAndMessage) {
  absl::Status status = MakeError(C::kRate, "text");
  ForbidSameCandidate(&status);
  v1::ErrorDetail detail = DetailOf(status);
  detail.mutable_report()->set_request_id("r");
  SetDetail(detail, &status);
  EXPECT_EQ(DetailOf(status).report().request_id(), "r");
  EXPECT_EQ(ClassOf(status), C::kRate);
  EXPECT_TRUE(SameCandidateForbidden(status));
  EXPECT_EQ(status.message(), "text");
}

TEST(ErrorTest, TheSameCandidateMayBeForbidden) {
  absl::Status status = MakeError(C::kServerError, "text");
  EXPECT_FALSE(SameCandidateForbidden(status));
  ForbidSameCandidate(&status);
  EXPECT_TRUE(SameCandidateForbidden(status));
  EXPECT_EQ(ClassOf(status), C::kServerError);
  EXPECT_FALSE(SameCandidateForbidden(absl::InternalError("x")));
}

TEST(ErrorTest, Names) {
  EXPECT_EQ(KindName(v1::ERROR_KIND_RATE_LIMITED), "rate_limited");
  EXPECT_EQ(KindName(v1::ERROR_KIND_SCHEMA_MISMATCH), "schema_mismatch");
  EXPECT_EQ(KindName(v1::ERROR_KIND_UNSPECIFIED), "ok");
  EXPECT_EQ(KindName(static_cast<v1::ErrorKind>(999)), "_OTHER");
  EXPECT_EQ(KindName(static_cast<v1::ErrorKind>(-1)), "_OTHER");
  EXPECT_EQ(CodeName(Code::kOk), "OK");
  EXPECT_EQ(CodeName(Code::kUnauthenticated), "UNAUTHENTICATED");
  EXPECT_EQ(CodeName(static_cast<Code>(99)), "UNKNOWN");
}

}  // namespace
}  // namespace mg
