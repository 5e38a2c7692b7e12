// Errors as Gemini tells them, answers of their own and within streams alike. Pure functions.
#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "adapters/dialect.h"
#include "base/json.h"

namespace mg {

absl::Status GeminiHttpError(const DialectContext& context, const HttpHead& head,
                             absl::string_view body, absl::Time wall_now);
absl::Status GeminiInBandError(const DialectContext& context, const JsonValue& error);

}  // namespace mg
