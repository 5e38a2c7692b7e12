// Usage objects of Anthropic (spec/providers.md §1.3): cached tokens are counted apart there, and a
// stream tells them twice. Owned by its answer.
#pragma once

#include <optional>
#include <string>

#include "adapters/metadata.h"
#include "base/json.h"
#include "modelgateway/v1/gateway.pb.h"

namespace mg {

namespace v1 = ::modelgateway::v1;

class AnthropicUsage {
 public:
  // Each member that is there and not null replaces what was known; those that are not read go into
  // `metadata`.
  void Read(const JsonValue& usage, AnswerMetadata* metadata);
  // False where nothing was told.
  bool Write(v1::Usage* out) const;

 private:
  std::optional<int32_t> input_;
  std::optional<int32_t> cache_read_;
  std::optional<int32_t> cache_write_;
  std::optional<int32_t> cache_write_1h_;
  std::optional<int32_t> output_;
  std::optional<int32_t> thinking_;
  std::string service_tier_;
};

}  // namespace mg
