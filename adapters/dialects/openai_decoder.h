// The Decoder of OpenAI's dialect: server-sent events or one JSON document, by media type and first
// byte. One per attempt, on its loop.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "adapters/dialect.h"

namespace mg {

absl::StatusOr<std::unique_ptr<Decoder>> NewOpenAiDecoder(const v1::ChatRequest& request,
                                                          const DialectContext& context,
                                                          const HttpHead& head);

}  // namespace mg
