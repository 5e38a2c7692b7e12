// Log probabilities of Gemini's answers (spec/providers.md §1.12).
#include <cmath>

#include "adapters/dialects/gemini_candidate.h"

namespace mg {
namespace {

// False: an entry without a token or a probability.
bool ReadToken(const JsonValue& from, v1::TokenLogprob* to) {
  const JsonValue* token = Member(from, "token");
  const JsonValue* logprob = Member(from, "logProbability");
  if (token == nullptr || !token->IsString() || logprob == nullptr || !logprob->IsNumber()) {
    return false;
  }
  to->set_token(std::string(StringOf(*token)));
  to->set_raw(to->token());
  to->set_logprob(logprob->GetDouble());
  return std::isfinite(to->logprob());
}

}  // namespace

// Two lists with one entry a step.
void GeminiCandidate::ReadLogprobs(const JsonValue& result) {
  const JsonValue* chosen = Member(result, "chosenCandidates");
  if (chosen == nullptr || !chosen->IsArray()) return;
  const JsonValue* top = Member(result, "topCandidates");
  const bool has_top = top != nullptr && top->IsArray();
  for (rapidjson::SizeType i = 0; i < chosen->Size(); ++i) {
    v1::TokenLogprob token;
    if (!ReadToken((*chosen)[i], &token)) continue;
    const JsonValue* others =
        has_top && i < top->Size() ? Member((*top)[i], "candidates") : nullptr;
    if (others != nullptr && others->IsArray()) {
      for (const JsonValue& other : others->GetArray()) {
        v1::TokenLogprob alternative;
        if (ReadToken(other, &alternative)) *token.add_top() = std::move(alternative);
      }
    }
    logprobs_.push_back(std::move(token));
  }
}

}  // namespace mg
