// Where a resource of Azure OpenAI is, and how one says who one is: a key, or a token of Entra,
// and never both. Stateless.
#pragma once

#include "adapters/dialect.h"

namespace mg {

class AzureOpenAiPlatform : public Platform {
 public:
  void Prepare(const PlatformConfig& config, const Secret& key, absl::Time wall_now,
               HttpRequest* request) const override;
};

}  // namespace mg
