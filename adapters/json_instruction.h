// How a model that has no switch for it is asked for one JSON object.
#pragma once

#include "absl/strings/string_view.h"

namespace mg {

inline constexpr absl::string_view kJsonObjectInstruction =
    "Answer with one JSON object, and with nothing else: no words around it and no code fence.";

}  // namespace mg
