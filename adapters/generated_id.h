// Ids for tool calls to which the provider gave none.
#pragma once

#include <string>

#include "absl/random/bit_gen_ref.h"

namespace mg {

// "call_" and 24 letters and digits.
std::string GeneratedCallId(absl::BitGenRef random);

}  // namespace mg
