// The ranges that the contract gives for Sampling and Reasoning, whatever the dialect. Pure.
#pragma once

#include "absl/status/status.h"
#include "modelgateway/v1/gateway.pb.h"

namespace mg {

namespace v1 = ::modelgateway::v1;

// kInvalidRequest with the field of the first number that is out of its range or not finite, or of
// an empty stop text.
absl::Status CheckSampling(const v1::ChatRequest& request);

}  // namespace mg
