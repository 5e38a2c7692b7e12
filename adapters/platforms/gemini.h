// Where Google's models are and how one says who one is: AI Studio, by a key, and Vertex AI, by a
// key or a token. Stateless.
#pragma once

#include <string>

#include "adapters/dialect.h"

namespace mg {

class GeminiPlatform : public Platform {
 public:
  void Prepare(const PlatformConfig& config, const Secret& key, absl::Time wall_now,
               HttpRequest* request) const override;
};

// Beneath the project and its location; without a project (express mode) beneath the version.
class VertexPlatform : public Platform {
 public:
  void Prepare(const PlatformConfig& config, const Secret& key, absl::Time wall_now,
               HttpRequest* request) const override;
};

// "https://LOCATION-aiplatform.googleapis.com", and the hosts of "global" (also where no location
// is named) and of the multi-regions "us" and "eu".
std::string VertexBaseUrl(absl::string_view location);

}  // namespace mg
