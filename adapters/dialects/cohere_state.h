// ProviderState of this dialect: which of its two kinds of reasoning a part was, so that it goes
// back to its place. The caller holds it, so it is read as untrusted. Pure functions.
#pragma once

#include <optional>

#include "adapters/dialect.h"

namespace mg {

enum class CohereReasoning {
  kThinking,  // a content block
  kPlan,      // tool_plan, what the model says before it calls tools
};

void WriteCohereState(CohereReasoning kind, const DialectContext& context, v1::ProviderState* out);
// nullopt: of another origin (neither this provider's nor this model's), or not as WriteCohereState
// writes it.
std::optional<CohereReasoning> ReadCohereState(const v1::ProviderState& state,
                                               const DialectContext& context);

}  // namespace mg
