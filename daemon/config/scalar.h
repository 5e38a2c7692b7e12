// Single values as the configuration writes them: durations, sizes, numbers. Pure functions.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace mg {

// A failed status' message says what is wrong as the end of a sentence: "has no unit: 30s, 250ms,
// 5m or 1h".

// "250ms", "1.5s", "1h30m"; the unit is a must, even for 0.
absl::StatusOr<absl::Duration> ReadDuration(absl::string_view text);
// "512", "64KiB", "8MiB", "1GiB".
absl::StatusOr<uint64_t> ReadSize(absl::string_view text);
// Decimal digits, perhaps behind a minus; nothing else.
absl::StatusOr<int64_t> ReadInteger(absl::string_view text);
// A decimal fraction; neither infinite nor NaN.
absl::StatusOr<double> ReadNumber(absl::string_view text);

}  // namespace mg
