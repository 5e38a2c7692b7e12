// Ids for tool calls to which the provider gave none.
#pragma once

#include <string>

#include "absl/random/bit_gen_ref.h"
#include "absl/strings/string_view.h"

namespace mg {

// "call_" and 24 letters and digits.
std::string GeneratedCallId(absl::BitGenRef random);

// The id itself where it is nine letters and digits, as Mistral's models want them; else nine that
// stand for it, always the same.
std::string ShortCallId(absl::string_view id);

}  // namespace mg
