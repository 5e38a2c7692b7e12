// Failures as providers tell them, whole answers and within streams alike: which class they are,
// and what the caller may read of them (spec/providers.md §1.4, §1.6, §8). It reads the error
// objects of OpenAI, of Anthropic, of AWS and of the servers that imitate them. Pure functions, any
// thread.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "adapters/dialect.h"
#include "base/json.h"

namespace mg {

// ErrorDetail.reason where the provider does not take the field at all, whatever its value.
inline constexpr absl::string_view kUnsupportedParameter = "unsupported_parameter";

// The gateway's name of the field that a provider's `param` names; empty where it cannot be traced
// back.
using FieldOfParam = std::string (*)(absl::string_view param);

// A non-2xx answer. `field_of` may be null.
absl::Status ProviderHttpError(const DialectContext& context, const HttpHead& head,
                               absl::string_view body, absl::Time wall_now, FieldOfParam field_of);

// An error object within an answer of status 200: `error` is the member's value, or the whole
// object. A numeric code in it counts as the HTTP status.
absl::Status ProviderInBandError(const DialectContext& context, const JsonValue& error,
                                 FieldOfParam field_of);

// An error frame of AWS's event stream: its type ("throttlingException"), and its JSON or its
// words.
absl::Status AwsStreamError(const DialectContext& context, absl::string_view type,
                            absl::string_view body);

// kMalformed, for what was no answer at all.
absl::Status MalformedAnswer(const DialectContext& context, absl::string_view what);

}  // namespace mg
