// `model-gateway config example`: a configuration to begin with.
#pragma once

#include <string>

namespace mg {

// YAML with comments. It loads where OPENAI_API_KEY and ANTHROPIC_API_KEY are set.
std::string ConfigExample();

}  // namespace mg
