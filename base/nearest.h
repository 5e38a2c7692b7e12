// The name that was probably meant: for errors that refuse an unknown one.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace mg {

// The candidate with the fewest typing mistakes (insertions, deletions, replacements, swapped
// neighbours; case does not count) from `word`, the first of several; empty where none has fewer
// than would make half of it another word.
std::string Nearest(absl::string_view word, absl::Span<const std::string> candidates);

}  // namespace mg
