// How one log line looks. Pure.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "telemetry/log.h"

namespace mg {

// Appends `text` such that it stays within its line and cannot play tricks on a terminal: control
// characters and those that change the direction of writing become \u escapes, as do quotes and
// backslashes, invalid UTF-8 U+FFFD.
void AppendLogText(absl::string_view text, std::string* out);

// `fields` are in the order in which they are to stand.
std::string JsonLine(absl::Time at, LogLevel level, absl::string_view event, absl::string_view msg,
                     const std::vector<LogField>& fields);
std::string TextLine(absl::Time at, LogLevel level, absl::string_view event, absl::string_view msg,
                     const std::vector<LogField>& fields);

// The place of a field in its line; those without one follow behind, in the order they are given
// in. Looked for from `likely_from` on first: fields are given nearly in order.
int RankOf(absl::string_view field, int likely_from);
// The longest text that a field may hold; its rank must be set.
size_t MaxBytesOf(const LogField& field);

}  // namespace mg
