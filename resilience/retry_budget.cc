#include "resilience/retry_budget.h"

#include <algorithm>

#include "absl/time/time.h"

namespace mg {
namespace {

// Ten times 0.1 is to be one token.
constexpr double kRounding = 1e-9;

}  // namespace

void RetryBudget::FirstAttemptSucceeded(Instant now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  tokens_ = std::min(TokensAt(now) + policy_.ratio, policy_.max_tokens);
  as_of_ = std::max(as_of_, now);
}

bool RetryBudget::Take(double cost, Instant now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const double tokens = TokensAt(now);
  if (tokens + kRounding < cost) return false;
  tokens_ = std::max(0.0, tokens - cost);
  as_of_ = std::max(as_of_, now);
  return true;
}

double RetryBudget::Tokens(Instant now) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return TokensAt(now);
}

void RetryBudget::SetPolicy(const RetryBudgetPolicy& policy, Instant now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  tokens_ = std::min(TokensAt(now), policy.max_tokens);
  as_of_ = std::max(as_of_, now);
  policy_ = policy;
}

double RetryBudget::TokensAt(Instant now) const {
  const double seconds = std::max(0.0, absl::ToDoubleSeconds(now - as_of_));
  return std::min(tokens_ + seconds * policy_.min_per_second, policy_.max_tokens);
}

}  // namespace mg
