// Where a model of Google's is beneath the base of its platform: "/models/NAME:METHOD" of AI
// Studio, "/publishers/google/models/NAME:METHOD" of Vertex AI. Pure.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace mg {

// "models/NAME", unless the name says already in which collection it is ("tunedModels/NAME").
std::string GeminiModelName(absl::string_view model);

// kInvalidRequest for a name that cannot stand in a path.
absl::StatusOr<std::string> GeminiPath(absl::string_view model, bool vertex,
                                       absl::string_view method);

}  // namespace mg
