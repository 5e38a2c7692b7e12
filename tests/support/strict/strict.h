// What providers refuse of a chat's body, as spec/providers.md tells it: one function for each
// dialect, from the rules of §2.1 (OpenAI and servers like it), §4.2 (Anthropic), §5.2 (Bedrock's
// Converse), §6.2 (Gemini and Vertex) and §7 (Cohere), written apart from the encoders. Pure
// functions. Each gives what is wrong and where ("/messages/1/content/0: a blank text"); empty: the
// provider would take it.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "base/json.h"

namespace mg {

struct StrictCase {
  std::string model;        // the body of some does not name it
  bool compatible = false;  // no OpenAI: members that are none of OpenAI's are the server's own
  bool vertex = false;      // Google's Vertex AI
};

std::vector<std::string> OpenAiFaults(const JsonValue& body, const StrictCase& of);
std::vector<std::string> AnthropicFaults(const JsonValue& body, const StrictCase& of);
std::vector<std::string> BedrockFaults(const JsonValue& body, const StrictCase& of);
std::vector<std::string> GeminiFaults(const JsonValue& body, const StrictCase& of);
std::vector<std::string> CohereFaults(const JsonValue& body, const StrictCase& of);

}  // namespace mg
