// When a provider wants to be asked again (spec/resilience.md §3.8, spec/providers.md §1.5). Pure
// functions.
#pragma once

#include <optional>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/http_message.h"
#include "base/json.h"

namespace mg {

// The first source that says something: retry-after-ms, x-ms-retry-after-ms, Retry-After,
// google.rpc.RetryInfo in the body, and, where `exhausted_dimensions`, the resets of rate-limit
// dimensions of which nothing remains (the longest). `body` may be null. A date in the past is
// zero.
std::optional<absl::Duration> RetryAfter(const HttpHeaders& headers, const JsonValue& body,
                                         absl::Time wall_now, bool exhausted_dimensions);

// A date of HTTP in one of its three forms.
std::optional<absl::Time> HttpDate(absl::string_view text);

}  // namespace mg
