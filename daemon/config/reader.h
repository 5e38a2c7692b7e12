// Walks the tree of a configuration along the schema and fills its message: types, ranges, unknown
// and double keys. What single keys cannot know is validate.h's.
#pragma once

#include "daemon/config/load.h"
#include "daemon/config/problem.h"
#include "daemon/config/yaml.h"

namespace mg {

// Where a secret is wanted from.
struct SecretPlace {
  std::string path;
  v1::SecretRef ref;
};

// Fills loaded's config, lines and no_effect; adds what is wrong to `log`. Keys that are wrong stay
// absent.
std::vector<SecretPlace> ReadConfig(const YamlValue& root, LoadedConfig* loaded, ProblemLog* log);

// Sets the single values of `message` to the defaults of their rules; those without one stay
// absent.
void ReadDefaults(google::protobuf::Message* message);

}  // namespace mg
