// How a model that does not continue a last message of the assistant is asked to all the same.
#pragma once

#include "absl/strings/string_view.h"

namespace mg {

inline constexpr absl::string_view kContinueInstruction =
    "Continue your last message exactly where it ends. Do not repeat any of it and do not comment "
    "on this instruction.";

}  // namespace mg
