// Usage objects of Converse (spec/providers.md §1.3): cached tokens are counted apart there. Pure.
#pragma once

#include "adapters/metadata.h"
#include "base/json.h"
#include "modelgateway/v1/gateway.pb.h"

namespace mg {

namespace v1 = ::modelgateway::v1;

// False where it tells nothing; members that are not read go into `metadata`.
bool ReadBedrockUsage(const JsonValue& usage, v1::Usage* out, AnswerMetadata* metadata);

}  // namespace mg
