#include "resilience/live_state.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace mg {
namespace {

constexpr absl::string_view kOthers = "*";

std::string KeyOf(absl::string_view provider, absl::string_view host) {
  return absl::StrCat(provider, "\n", host);
}

std::string NameOf(absl::string_view model, bool counts_tokens) {
  return absl::StrCat(model, counts_tokens ? " (count_tokens)" : "");
}

void SetBreakerPolicy(const Endpoint& endpoint, const std::string& model, CircuitBreaker& breaker,
                      const BreakerPolicy& policy, Instant now, std::vector<BreakerEvent>* events) {
  const std::optional<Transition> transition = breaker.SetPolicy(policy, now);
  if (!transition.has_value() || events == nullptr) return;
  BreakerEvent& event = events->emplace_back();
  event.provider = endpoint.provider;
  event.model = model;
  event.transition = transition;
}

bool IsAtRest(const Target& target, Instant now) {
  return target.breaker->View(now).state == BreakerState::kClosed &&
         target.cooldown.Until(now) <= now;
}

}  // namespace

Endpoint::Endpoint(std::string provider_name, std::string host_name, const ResiliencePolicy& policy,
                   Instant now)
    : provider(std::move(provider_name)),
      host(std::move(host_name)),
      breaker(CircuitBreaker::New(policy.breaker)),
      limiter(Limiter::New(policy.limiter)),
      budget(policy.budget, now) {}

Target::Target(Credential* its_credential, std::string model_name, const ResiliencePolicy& policy)
    : credential(its_credential),
      model(std::move(model_name)),
      breaker(CircuitBreaker::New(policy.breaker)),
      cooldown(policy.cooldown) {}

Credential::Credential(std::shared_ptr<Endpoint> its_endpoint, std::string profile_name,
                       const ResiliencePolicy& policy, std::shared_ptr<std::atomic<size_t>> count)
    : endpoint_(std::move(its_endpoint)),
      profile_(std::move(profile_name)),
      count_(std::move(count)),
      cooldown_(policy.cooldown),
      policy_(policy) {}

Credential::~Credential() { *count_ -= by_model_.size(); }

BreakerScope Credential::scope() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return policy_.breaker.scope;
}

std::shared_ptr<Target> Credential::TargetOf(absl::string_view model, bool counts_tokens,
                                             Instant now) {
  std::string name = NameOf(model, counts_tokens);
  if (std::shared_ptr<Target> known = Known(name); known != nullptr) return known;
  if (*count_ >= kMaxTargets) DropIdle(now);
  if (*count_ >= kMaxTargets) name = std::string(kOthers);
  const std::lock_guard<std::mutex> lock(mutex_);
  std::shared_ptr<Target>& target = by_model_[name];
  if (target == nullptr) {
    target = std::make_shared<Target>(this, std::move(name), policy_);
    ++*count_;
  }
  return target;
}

std::shared_ptr<Target> Credential::Known(const std::string& name) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = by_model_.find(name);
  return found == by_model_.end() ? nullptr : found->second;
}

void Credential::DropIdle(Instant now) {
  std::vector<std::string> idle;
  for (const std::shared_ptr<Target>& target : Targets()) {
    if (IsAtRest(*target, now)) idle.push_back(target->model);
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const std::string& model : idle) {
    const auto found = by_model_.find(model);
    if (found == by_model_.end() || found->second.use_count() > 1) continue;  // in use again
    by_model_.erase(found);
    --*count_;
  }
}

std::vector<std::shared_ptr<Target>> Credential::Targets() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::vector<std::shared_ptr<Target>> targets;
  targets.reserve(by_model_.size());
  for (const auto& [model, target] : by_model_) targets.push_back(target);
  return targets;
}

void Credential::SetPolicy(const ResiliencePolicy& policy, Instant now,
                           std::vector<BreakerEvent>* events) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    policy_ = policy;
  }
  cooldown_.SetPolicy(policy.cooldown);
  for (const std::shared_ptr<Target>& target : Targets()) {
    SetBreakerPolicy(*endpoint_, target->model, *target->breaker, policy.breaker, now, events);
    target->cooldown.SetPolicy(policy.cooldown);
  }
}

void Credential::SetSecret(uint64_t fingerprint) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (secret_ == fingerprint) return;
    secret_ = fingerprint;
  }
  cooldown_.ClearCredential();
}

ProviderState ProviderState::Alone(absl::string_view provider, absl::string_view host,
                                   const ResiliencePolicy& policy, Instant now) {
  const auto count = std::make_shared<std::atomic<size_t>>(0);
  ProviderState state;
  state.endpoint =
      std::make_shared<Endpoint>(std::string(provider), std::string(host), policy, now);
  state.own = std::make_shared<Credential>(state.endpoint, "default", policy, count);
  state.callers = std::make_shared<Credential>(state.endpoint, std::string(Credential::kCallers),
                                               policy, count);
  return state;
}

ProviderState LiveState::For(absl::string_view provider, absl::string_view host,
                             absl::string_view secret_reference, uint64_t secret_fingerprint,
                             const ResiliencePolicy& policy, Instant now,
                             std::vector<BreakerEvent>* events) {
  ProviderState state;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::erase_if(endpoints_, [](const auto& entry) { return entry.second.expired(); });
    std::erase_if(credentials_, [](const auto& entry) { return entry.second.expired(); });
    state.endpoint = EndpointFor(provider, host, policy, now);
    state.own = CredentialFor(state.endpoint, "default", secret_reference, policy);
    state.callers = CredentialFor(state.endpoint, Credential::kCallers, "", policy);
  }
  // What was there already takes what holds now.
  SetBreakerPolicy(*state.endpoint, "", *state.endpoint->breaker, policy.breaker, now, events);
  state.endpoint->limiter->SetPolicy(policy.limiter);
  state.endpoint->budget.SetPolicy(policy.budget, now);
  state.own->SetPolicy(policy, now, events);
  state.own->SetSecret(secret_fingerprint);
  state.callers->SetPolicy(policy, now, events);
  return state;
}

std::shared_ptr<Endpoint> LiveState::EndpointFor(absl::string_view provider, absl::string_view host,
                                                 const ResiliencePolicy& policy, Instant now) {
  std::weak_ptr<Endpoint>& known = endpoints_[KeyOf(provider, host)];
  std::shared_ptr<Endpoint> endpoint = known.lock();
  if (endpoint != nullptr) return endpoint;
  endpoint = std::make_shared<Endpoint>(std::string(provider), std::string(host), policy, now);
  known = endpoint;
  return endpoint;
}

std::shared_ptr<Credential> LiveState::CredentialFor(const std::shared_ptr<Endpoint>& endpoint,
                                                     absl::string_view profile,
                                                     absl::string_view secret_reference,
                                                     const ResiliencePolicy& policy) {
  std::weak_ptr<Credential>& known = credentials_[absl::StrCat(
      KeyOf(endpoint->provider, endpoint->host), "\n", profile, "\n", secret_reference)];
  std::shared_ptr<Credential> credential = known.lock();
  if (credential != nullptr) return credential;
  credential = std::make_shared<Credential>(endpoint, std::string(profile), policy, count_);
  known = credential;
  return credential;
}

}  // namespace mg
