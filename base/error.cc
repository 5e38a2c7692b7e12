#include "base/error.h"

#include <array>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/cord.h"
#include "base/check.h"

namespace mg {
namespace {

constexpr absl::string_view kDetailUrl = "type.googleapis.com/modelgateway.v1.ErrorDetail";
constexpr absl::string_view kClassUrl = "modelgateway/class";

using C = ErrorClass;
using S = SameCandidate;
using V = Verdict;
using D = CooldownScope;
using Code = absl::StatusCode;

// By way of a string_view: clang 19 does not find the Cord constructor for strings that g++ put
// into Debian's library.
absl::Cord Bytes(const v1::ErrorDetail& detail) {
  return absl::Cord(absl::string_view(detail.SerializeAsString()));
}

constexpr const char* kByCaller = "caller";
constexpr const char* kByProvider = "provider";
constexpr const char* kByGateway = "gateway";

// clang-format off
constexpr std::array<ErrorRule, kErrorClasses> kRules = {{
  {C::kConnect, "connect", v1::ERROR_KIND_CONNECTION, Code::kUnavailable, 502, kByProvider, S::kOnceFirst, true, V::kFailEndpointAndTarget, D::kNone},
  {C::kConnectFinal, "connect", v1::ERROR_KIND_CONNECTION, Code::kUnavailable, 502, kByProvider, S::kNever, true, V::kFailEndpointAndTarget, D::kNone},
  {C::kReset, "reset", v1::ERROR_KIND_CONNECTION, Code::kUnavailable, 502, kByProvider, S::kOnceFirst, true, V::kFailEndpointAndTarget, D::kNone},
  {C::kTimeout, "timeout", v1::ERROR_KIND_TIMEOUT, Code::kDeadlineExceeded, 504, kByProvider, S::kIfAlone, true, V::kFailTarget, D::kNone},
  {C::kServerError, "5xx", v1::ERROR_KIND_SERVER_ERROR, Code::kUnavailable, 502, kByProvider, S::kOnceFirst, true, V::kFailTarget, D::kNone},
  {C::kGatewayTimeout, "5xx", v1::ERROR_KIND_TIMEOUT, Code::kDeadlineExceeded, 504, kByProvider, S::kOnceFirst, true, V::kFailTarget, D::kNone},
  {C::kOverload, "overload", v1::ERROR_KIND_OVERLOADED, Code::kUnavailable, 503, kByProvider, S::kIfAlone, true, V::kFailTarget, D::kNone},
  {C::kRate, "rate", v1::ERROR_KIND_RATE_LIMITED, Code::kResourceExhausted, 429, kByProvider, S::kIfAlone, true, V::kRateLimited, D::kRate},
  {C::kQuota, "quota", v1::ERROR_KIND_QUOTA, Code::kResourceExhausted, 429, kByProvider, S::kNever, true, V::kNeutral, D::kQuota},
  {C::kCredential, "credential", v1::ERROR_KIND_CREDENTIAL, Code::kFailedPrecondition, 502, kByProvider, S::kNever, true, V::kNeutral, D::kCredential},
  {C::kCallerCredential, "credential", v1::ERROR_KIND_CREDENTIAL, Code::kUnauthenticated, 401, kByCaller, S::kNever, false, V::kNeutral, D::kNone},
  {C::kModel, "model", v1::ERROR_KIND_UNKNOWN_MODEL, Code::kNotFound, 404, kByProvider, S::kNever, true, V::kNeutral, D::kModel},
  {C::kUnknownModel, "model", v1::ERROR_KIND_UNKNOWN_MODEL, Code::kNotFound, 404, kByCaller, S::kNever, false, V::kNeutral, D::kNone},
  {C::kInvalidRequest, "caller", v1::ERROR_KIND_INVALID_REQUEST, Code::kInvalidArgument, 400, kByCaller, S::kNever, false, V::kNeutral, D::kNone},
  {C::kCaller, "caller", v1::ERROR_KIND_INVALID_REQUEST, Code::kInvalidArgument, 400, kByCaller, S::kNever, false, V::kNeutral, D::kNone},
  {C::kContext, "context", v1::ERROR_KIND_CONTEXT_LENGTH, Code::kInvalidArgument, 400, kByCaller, S::kNever, true, V::kNeutral, D::kNone},
  {C::kPolicy, "policy", v1::ERROR_KIND_CONTENT_BLOCKED, Code::kInvalidArgument, 400, kByCaller, S::kNever, false, V::kNeutral, D::kNone},
  {C::kConflict, "conflict", v1::ERROR_KIND_SERVER_ERROR, Code::kAborted, 409, kByProvider, S::kOnce, false, V::kNeutral, D::kNone},
  {C::kMalformed, "malformed", v1::ERROR_KIND_MALFORMED_RESPONSE, Code::kInternal, 502, kByProvider, S::kNever, true, V::kFailTarget, D::kNone},
  {C::kRedirect, "malformed", v1::ERROR_KIND_MALFORMED_RESPONSE, Code::kInternal, 502, kByProvider, S::kNever, true, V::kNeutral, D::kNone},
  {C::kEmpty, "empty", v1::ERROR_KIND_MALFORMED_RESPONSE, Code::kUnavailable, 502, kByProvider, S::kOnceFirst, true, V::kFailTarget, D::kNone},
  {C::kSchema, "schema", v1::ERROR_KIND_SCHEMA_MISMATCH, Code::kFailedPrecondition, 502, kByProvider, S::kNever, true, V::kNeutral, D::kNone},
  {C::kUnsupportedField, "unsupported", v1::ERROR_KIND_UNSUPPORTED, Code::kInvalidArgument, 400, kByCaller, S::kNever, false, V::kNeutral, D::kNone},
  {C::kUnsupportedMethod, "unsupported", v1::ERROR_KIND_UNSUPPORTED, Code::kUnimplemented, 501, kByCaller, S::kNever, false, V::kNeutral, D::kNone},
  {C::kUnknown, "unknown", v1::ERROR_KIND_SERVER_ERROR, Code::kUnknown, 502, kByProvider, S::kNever, false, V::kNeutral, D::kNone},
  {C::kShed, "local", v1::ERROR_KIND_GATEWAY_OVERLOADED, Code::kResourceExhausted, 503, kByGateway, S::kNever, true, V::kNeutral, D::kNone},
  {C::kSlowReader, "local", v1::ERROR_KIND_GATEWAY_OVERLOADED, Code::kResourceExhausted, 503, kByGateway, S::kNever, false, V::kNeutral, D::kNone},
  {C::kShuttingDown, "local", v1::ERROR_KIND_SHUTTING_DOWN, Code::kUnavailable, 503, kByGateway, S::kNever, false, V::kNeutral, D::kNone},
  {C::kCancel, "cancel", v1::ERROR_KIND_CANCELLED_BY_CALLER, Code::kCancelled, 499, kByCaller, S::kNever, false, V::kNeutral, D::kNone},
  {C::kDeadline, "deadline", v1::ERROR_KIND_DEADLINE, Code::kDeadlineExceeded, 504, kByCaller, S::kNever, false, V::kNeutral, D::kNone},
  {C::kBug, "bug", v1::ERROR_KIND_INTERNAL_ERROR, Code::kInternal, 500, kByGateway, S::kNever, false, V::kNeutral, D::kNone},
  {C::kNoCandidate, "local", v1::ERROR_KIND_NO_CANDIDATE, Code::kUnavailable, 503, kByGateway, S::kNever, false, V::kNeutral, D::kNone},
  {C::kInterrupted, "reset", v1::ERROR_KIND_STREAM_INTERRUPTED, Code::kUnavailable, 502, kByProvider, S::kNever, false, V::kFailTarget, D::kNone},
}};
// clang-format on

constexpr bool RowsStandInOrder() {
  for (size_t i = 0; i < kRules.size(); ++i) {
    if (static_cast<size_t>(kRules[i].error_class) != i) return false;
  }
  return true;
}
static_assert(RowsStandInOrder());

// The second payload: the class and whether the same candidate may be asked again, a byte each.
struct Internal {
  ErrorClass error_class = ErrorClass::kBug;
  bool same_forbidden = false;
};

void SetInternal(const Internal& internal, absl::Status* status) {
  const char bytes[2] = {static_cast<char>(internal.error_class),
                         static_cast<char>(internal.same_forbidden ? 1 : 0)};
  status->SetPayload(kClassUrl, absl::Cord(absl::string_view(bytes, 2)));
}

Internal GetInternal(const absl::Status& status) {
  auto payload = status.GetPayload(kClassUrl);
  if (!payload.has_value() || payload->size() != 2) return {};
  const std::string bytes(*payload);
  return {static_cast<ErrorClass>(bytes[0]), bytes[1] != 0};
}

}  // namespace

const ErrorRule& RuleOf(ErrorClass error_class) {
  const auto index = static_cast<size_t>(error_class);
  MG_CHECK(index < kRules.size(), "an error class without a row");
  return kRules[index];
}

absl::Status MakeError(ErrorClass error_class, v1::ErrorDetail detail, absl::string_view text) {
  const ErrorRule& rule = RuleOf(error_class);
  if (detail.kind() == v1::ERROR_KIND_UNSPECIFIED) detail.set_kind(rule.kind);
  if (detail.fault().empty()) detail.set_fault(rule.fault);
  absl::Status status(rule.code, text);
  status.SetPayload(kDetailUrl, Bytes(detail));
  SetInternal({error_class, false}, &status);
  return status;
}

absl::Status MakeError(ErrorClass error_class, absl::string_view text) {
  return MakeError(error_class, v1::ErrorDetail(), text);
}

absl::Status FieldError(ErrorClass error_class, absl::string_view field, absl::string_view text) {
  v1::ErrorDetail detail;
  detail.set_field(field.data(), field.size());
  return MakeError(error_class, std::move(detail), text);
}

v1::ErrorDetail DetailOf(const absl::Status& status) {
  v1::ErrorDetail detail;
  auto payload = status.GetPayload(kDetailUrl);
  if (payload.has_value() && detail.ParseFromString(std::string(*payload))) return detail;
  detail.Clear();
  if (status.ok()) return detail;
  detail.set_kind(v1::ERROR_KIND_INTERNAL_ERROR);
  detail.set_fault(kByGateway);
  return detail;
}

void SetDetail(const v1::ErrorDetail& detail, absl::Status* status) {
  status->SetPayload(kDetailUrl, Bytes(detail));
}

absl::Status WithCode(const absl::Status& status, absl::StatusCode code) {
  absl::Status recoded(code, status.message());
  status.ForEachPayload([&recoded](absl::string_view url, const absl::Cord& payload) {
    recoded.SetPayload(url, payload);
  });
  return recoded;
}

ErrorClass ClassOf(const absl::Status& status) { return GetInternal(status).error_class; }

void ForbidSameCandidate(absl::Status* status) {
  Internal internal = GetInternal(*status);
  internal.same_forbidden = true;
  SetInternal(internal, status);
}

bool SameCandidateForbidden(const absl::Status& status) {
  return GetInternal(status).same_forbidden;
}

absl::string_view KindName(v1::ErrorKind kind) {
  static const auto* const kNames = [] {
    auto* names = new std::array<std::string, v1::ErrorKind_ARRAYSIZE>();
    for (int i = 0; i < v1::ErrorKind_ARRAYSIZE; ++i) {
      const std::string& name = v1::ErrorKind_Name(static_cast<v1::ErrorKind>(i));
      constexpr size_t kPrefix = sizeof("ERROR_KIND_") - 1;
      if (name.size() > kPrefix) {
        (*names)[static_cast<size_t>(i)] = absl::AsciiStrToLower(name.substr(kPrefix));
      }
    }
    (*names)[0] = "ok";
    return names;
  }();
  if (!v1::ErrorKind_IsValid(kind)) return "_OTHER";
  return (*kNames)[static_cast<size_t>(kind)];
}

absl::string_view CodeName(absl::StatusCode code) {
  static constexpr std::array<const char*, 17> kNames = {"OK",
                                                         "CANCELLED",
                                                         "UNKNOWN",
                                                         "INVALID_ARGUMENT",
                                                         "DEADLINE_EXCEEDED",
                                                         "NOT_FOUND",
                                                         "ALREADY_EXISTS",
                                                         "PERMISSION_DENIED",
                                                         "RESOURCE_EXHAUSTED",
                                                         "FAILED_PRECONDITION",
                                                         "ABORTED",
                                                         "OUT_OF_RANGE",
                                                         "UNIMPLEMENTED",
                                                         "INTERNAL",
                                                         "UNAVAILABLE",
                                                         "DATA_LOSS",
                                                         "UNAUTHENTICATED"};
  const auto index = static_cast<size_t>(code);
  return index < kNames.size() ? kNames[index] : "UNKNOWN";
}

}  // namespace mg
