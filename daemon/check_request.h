// What is refused whoever would serve it: requests that contradict themselves or name what does not
// exist. Pure.
#pragma once

#include "absl/status/status.h"
#include "daemon/snapshot.h"
#include "modelgateway/v1/gateway.pb.h"

namespace mg {

// kInvalidRequest or kUnsupportedField, with the field.
absl::Status CheckEmbed(const v1::EmbedRequest& request, const Snapshot& snapshot);
absl::Status CheckChat(const v1::ChatRequest& request, const Snapshot& snapshot);

}  // namespace mg
