// ProviderState of this dialect: what an answer must give back on the next turn, written as a small
// JSON object. The caller holds it, so it is read as untrusted: each member fills its own slot of
// the body and no other. Pure functions.
#pragma once

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "adapters/dialect.h"

namespace mg {

struct AnthropicState {
  std::string signature;  // of a thinking block
  std::string redacted;   // the data of a redacted_thinking block
  std::string tool_use;   // an object: what a tool_use block has beside id, name and input

  bool empty() const { return signature.empty() && redacted.empty() && tool_use.empty(); }
};

// "anthropic/PROVIDER/MODEL", as the origin of states and of ProviderParts.
std::string AnthropicOrigin(const DialectContext& context);
// Can this candidate read what has this origin? The same provider, or the same model elsewhere.
bool IsAnthropicOrigin(absl::string_view origin, const DialectContext& context);

void WriteAnthropicState(const AnthropicState& state, const DialectContext& context,
                         v1::ProviderState* out);
// nullopt: of another origin, or not as WriteAnthropicState writes it.
std::optional<AnthropicState> ReadAnthropicState(const v1::ProviderState& state,
                                                 const DialectContext& context);

// Is it a member of tool_use that the gateway itself writes, or no plain name? Both never go
// through a state.
bool IsOwnToolUseMember(absl::string_view name);

}  // namespace mg
