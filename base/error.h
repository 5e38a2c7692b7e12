// Errors of the whole program: absl::Status with two payloads. ErrorDetail (gateway.proto) is what
// the caller gets; the ErrorClass beside it never leaves the process and says what is to be done
// about the failure.
//
// The classes and what follows from each are the table of spec/resilience.md §3.4, one row a class,
// and RuleOf is the only way to ask it: nobody else decides by HTTP status, gRPC code or kind. Any
// thread may use these functions.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "modelgateway/v1/gateway.pb.h"

namespace mg {

namespace v1 = ::modelgateway::v1;

enum class ErrorClass : uint8_t {
  kConnect,         // name, refused, connect timeout, TLS
  kConnectFinal,    // no such name, certificate refused: asking the same endpoint again cannot help
  kReset,           // lost after the request was sent, before content
  kTimeout,         // ttft or attempt timeout, 408
  kServerError,     // 500, 502, 520-527
  kGatewayTimeout,  // 504, 524: decided like kServerError, told as a timeout
  kOverload,        // 503, 529, in-band overloaded_error
  kRate,            // 429 and its markers
  kQuota,           // spend limits, credit, 402
  kCredential,      // the gateway's own key was refused
  kCallerCredential,   // a key that the caller supplied was refused or is unknown
  kModel,              // the provider does not know the model, or refuses it to us
  kUnknownModel,       // no alias, group or provider/model of the gateway has this name
  kInvalidRequest,     // refused by the gateway itself: contradictory, malformed or unknown fields
  kCaller,             // refused by the provider: 400, 415, 422, 404 with param
  kContext,            // the prompt is longer than the model's context
  kPolicy,             // a content filter, as an error
  kConflict,           // 409, 425
  kMalformed,          // an answer that is none: bad JSON, HTML, caps exceeded
  kRedirect,           // 3xx: never followed
  kEmpty,              // 200 and the end, without content or finish
  kSchema,             // a whole answer that does not fit the schema asked for
  kUnsupportedField,   // a field that no candidate can serve
  kUnsupportedMethod,  // an operation that none has; 405, 501
  kUnknown,            // an unclassified 4xx
  kShed,               // the gateway has no room
  kSlowReader,         // the caller reads too slowly
  kShuttingDown,
  kCancel,       // the caller went away
  kDeadline,     // the caller's deadline
  kBug,          // a broken promise of our own
  kNoCandidate,  // nothing selectable; the code may differ by cause (spec/resilience.md §3.9)
  kInterrupted,  // after commit: cut, reset, idle or without progress
};
inline constexpr int kErrorClasses = static_cast<int>(ErrorClass::kInterrupted) + 1;

// May the same candidate be asked again?
enum class SameCandidate : uint8_t {
  kNever,
  kOnceFirst,  // once, before the next candidate is tried; where no other is left up to the
               // configured attempts
  kOnce,       // once, and never more (conflict)
  kIfAlone,    // only where no other candidate is left
};
enum class Verdict : uint8_t { kNeutral, kFailTarget, kFailEndpointAndTarget, kRateLimited };
enum class CooldownScope : uint8_t { kNone, kRate, kQuota, kCredential, kModel };

// One row of the table.
struct ErrorRule {
  ErrorClass error_class;
  const char* name;  // of the class in metrics, spans and logs: "5xx"
  v1::ErrorKind kind;
  absl::StatusCode code;  // gRPC
  int http_status;        // of the HTTP front door
  const char* fault;      // "caller" | "provider" | "gateway"
  SameCandidate same;
  bool next;  // may another candidate be asked?
  Verdict breaker;
  CooldownScope cooldown;
};

const ErrorRule& RuleOf(ErrorClass error_class);

// A status of this class: code, kind and fault come from its row (a kind that `detail` already has
// is kept), `text` is the sentence that the caller reads. `detail` is cut to its limit only when it
// leaves the process.
absl::Status MakeError(ErrorClass error_class, v1::ErrorDetail detail, absl::string_view text);
absl::Status MakeError(ErrorClass error_class, absl::string_view text);
// The most frequent shape: a refusal that names the field of the request that is to blame.
absl::Status FieldError(ErrorClass error_class, absl::string_view field, absl::string_view text);

// The detail of a failed status; for one that was not made here, INTERNAL_ERROR with its message.
v1::ErrorDetail DetailOf(const absl::Status& status);
// Replaces the detail; class, code and message stay.
void SetDetail(const v1::ErrorDetail& detail, absl::Status* status);
// The same under another gRPC code, where that depends on more than the class.
absl::Status WithCode(const absl::Status& status, absl::StatusCode code);
// kBug for a failed status that was not made here.
ErrorClass ClassOf(const absl::Status& status);

// `x-should-retry: false` of a provider: the same candidate is not asked again (another may be).
void ForbidSameCandidate(absl::Status* status);
bool SameCandidateForbidden(const absl::Status& status);

// "rate_limited" for ERROR_KIND_RATE_LIMITED; "ok" for ERROR_KIND_UNSPECIFIED.
absl::string_view KindName(v1::ErrorKind kind);
// "UNAVAILABLE"; "OK".
absl::string_view CodeName(absl::StatusCode code);

}  // namespace mg
