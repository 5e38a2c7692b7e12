// Counts of tokens that a provider's own endpoint gives and calls an estimate. Pure.
#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "adapters/dialect.h"

namespace mg {

// The counter `member` of the answer, within 5 %. kMalformed where it is not there.
absl::Status ReadEstimatedCount(const DialectContext& context, absl::string_view body,
                                absl::string_view member, absl::string_view method,
                                v1::CountTokensResponse* response);

}  // namespace mg
