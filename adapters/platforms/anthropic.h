// Where Anthropic and servers like it are, and how one says who one is. Stateless.
#pragma once

#include "adapters/dialect.h"

namespace mg {

class AnthropicPlatform : public Platform {
 public:
  void Prepare(const PlatformConfig& config, const Secret& key, absl::Time wall_now,
               HttpRequest* request) const override;
};

}  // namespace mg
