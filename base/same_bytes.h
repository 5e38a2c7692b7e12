// The comparison of secrets. Pure.
#pragma once

#include "absl/strings/string_view.h"

namespace mg {

// Whether both are the same, in a time that says nothing about where they differ.
bool SameBytes(absl::string_view a, absl::string_view b);

}  // namespace mg
