// ProviderState of the dialects that speak in blocks (Anthropic, Bedrock): what an answer must give
// back on the next turn, written as a small JSON object. The caller holds it, so it is read as
// untrusted: each member fills its own slot of the body and no other. Pure functions.
#pragma once

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "adapters/dialect.h"

namespace mg {

struct BlockState {
  std::string signature;           // of a thinking block
  std::string redacted;            // the data of a block that tells no thoughts
  std::string tool_use;            // an object: what a tool call has beside id, name and input
  bool unsigned_thoughts = false;  // a thinking block of a model that signs none

  bool empty() const {
    return signature.empty() && redacted.empty() && tool_use.empty() && !unsigned_thoughts;
  }
};

// "DIALECT/PROVIDER/MODEL", as the origin of states and of ProviderParts.
std::string BlockOrigin(absl::string_view dialect, const DialectContext& context);
// Can this candidate read what has this origin? The same provider, or the same model elsewhere.
bool IsBlockOrigin(absl::string_view origin, absl::string_view dialect,
                   const DialectContext& context);

void WriteBlockState(const BlockState& state, absl::string_view dialect,
                     const DialectContext& context, v1::ProviderState* out);
// nullopt: of another origin, or not as WriteBlockState writes it.
std::optional<BlockState> ReadBlockState(const v1::ProviderState& state, absl::string_view dialect,
                                         const DialectContext& context);

// Letters, digits and _: other names of members never go through a state.
bool IsPlainMember(absl::string_view name);

}  // namespace mg
