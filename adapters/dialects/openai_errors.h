// Failures in OpenAI's shapes, whole answers and within streams alike: which class they are, and
// what the caller may read of them (spec/providers.md §1.4, §1.6, §8). Pure functions, any thread.
#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "adapters/dialect.h"
#include "base/json.h"

namespace mg {

// A non-2xx answer.
absl::Status OpenAiHttpError(const DialectContext& context, const HttpHead& head,
                             absl::string_view body, absl::Time wall_now);

// An error object within an answer of status 200: `error` is the member's value, or the whole
// object. A numeric code in it counts as the HTTP status.
absl::Status OpenAiInBandError(const DialectContext& context, const JsonValue& error);

// The gateway's name of the field that a provider's `param` names: "messages.[2].content" →
// "messages[2]"; empty where it cannot be traced back.
std::string OpenAiFieldOf(absl::string_view param);

}  // namespace mg
