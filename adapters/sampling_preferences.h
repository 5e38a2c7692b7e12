// Those fields of Sampling that are preferences: where a model does not take one, the answer is
// still the one that was asked for (spec/providers.md §9). Pure.
#pragma once

#include <memory>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "modelgateway/v1/gateway.pb.h"

namespace mg {

namespace v1 = ::modelgateway::v1;

// Clears the field of a path, "sampling.top_p"; false where that is no preference, or is not set.
bool ClearPreference(absl::string_view path, v1::Sampling* sampling);

// The request without the preference that a provider has refused as one it does not take
// (`error`: its field, and the reason "unsupported_parameter"), with the warning of it; null for
// any other error.
std::unique_ptr<v1::ChatRequest> WithoutRefused(const v1::ChatRequest& request,
                                                const absl::Status& error, v1::Warning* warning);

}  // namespace mg
