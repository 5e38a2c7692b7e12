// The formats of JSON Schema that are checked: those of OpenAI's strict mode. Pure functions.
#pragma once

#include "absl/strings/string_view.h"

namespace mg {

using FormatCheck = bool (*)(absl::string_view text);

// nullptr for a format that is not known: it is an annotation then.
FormatCheck FindFormat(absl::string_view name);

}  // namespace mg
