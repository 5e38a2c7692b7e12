// What providers on AWS take from the environment where the configuration says nothing: region and
// keys, under the names that AWS's own tools read. Pure functions of what Outside answers.
#pragma once

#include <string>

#include "daemon/config/load.h"

namespace mg {

// AWS_REGION, else AWS_DEFAULT_REGION; empty: neither.
std::string AwsRegion(const Outside& outside);

// Are there keys for Bedrock in the environment?
bool HasBedrockKeys(const Outside& outside);

// For each provider of the kind `bedrock`: its region, and, where it has neither api_key nor aws,
// the secrets of the environment as if they were written.
void TakeAwsEnvironment(const Outside& outside, LoadedConfig* loaded, ProblemLog* log);

}  // namespace mg
