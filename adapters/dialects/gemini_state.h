// ProviderState of this dialect: what an answer must give back on the next turn, written as a small
// JSON object. The caller holds it, so it is read as untrusted: each member fills its own slot of
// the body and no other. Pure functions.
#pragma once

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "adapters/dialect.h"

namespace mg {

struct GeminiState {
  std::string signature;  // thoughtSignature
  bool thought = false;   // of a thought, which may have no signature
  bool own_id = false;    // the call's id is the provider's own: it goes back

  bool empty() const { return signature.empty() && !thought && !own_id; }
};

// "gemini/PROVIDER/MODEL", as the origin of states and of ProviderParts.
std::string GeminiOrigin(const DialectContext& context);
// Can this candidate read what has this origin? The same provider, or the same model elsewhere; a
// model that checks signatures reads those of its like alone.
bool IsGeminiOrigin(absl::string_view origin, const DialectContext& context);

void WriteGeminiState(const GeminiState& state, const DialectContext& context,
                      v1::ProviderState* out);
// nullopt: of another origin, or not as WriteGeminiState writes it.
std::optional<GeminiState> ReadGeminiState(const v1::ProviderState& state,
                                           const DialectContext& context);

}  // namespace mg
