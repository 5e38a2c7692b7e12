// usageMetadata of Gemini's answers (spec/providers.md §1.3): a stream tells it in every chunk, and
// the last whole object holds. Owned by its answer.
#pragma once

#include "adapters/metadata.h"
#include "base/json.h"
#include "modelgateway/v1/gateway.pb.h"

namespace mg {

namespace v1 = ::modelgateway::v1;

class GeminiUsage {
 public:
  // Replaces what was known, unless there is no count in it; members that are not read go into
  // `metadata`.
  void Read(const JsonValue& usage, AnswerMetadata* metadata);
  // False where nothing was told.
  bool Write(v1::Usage* out) const;

 private:
  bool told_ = false;
  v1::Usage usage_;
};

}  // namespace mg
