// Where Amazon Bedrock is, and how one says who one is: by a Bedrock API key, or by a signature.
// Stateless.
#pragma once

#include <string>

#include "adapters/dialect.h"

namespace mg {

class BedrockPlatform : public Platform {
 public:
  bool TakesAwsKeys() const override { return true; }
  // By a Bedrock API key.
  void Prepare(const PlatformConfig& config, const Secret& key, absl::Time wall_now,
               HttpRequest* request) const override;
  // By the key, else by AWS's keys.
  absl::Status PrepareFrom(const PlatformConfig& config, const SecretSource& source,
                           absl::Time wall_now, HttpRequest* request) const override;
};

// "https://bedrock-runtime.us-east-1.amazonaws.com"; in China and in the European cloud under
// domains of their own.
std::string BedrockBaseUrl(absl::string_view region);

}  // namespace mg
