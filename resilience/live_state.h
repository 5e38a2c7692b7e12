// The live state of what providers are reached by, found by fingerprint, so that it is shared by
// all aliases, groups and workers and outlives a reload (spec/resilience.md §2.4, §3.1, §3.13):
//   Endpoint    provider and host          breaker, retry budget, slots
//   Credential  an endpoint and a key      cooldown
//   Target      a credential and a model   breaker, cooldown
// A Snapshot holds the ProviderState of each provider, and that what is reached by it; the
// registry itself holds nothing, so that what no configuration names any more goes with the last
// call that uses it. Any thread; each object has its own mutex, and none is held across another.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "base/time.h"
#include "resilience/breaker.h"
#include "resilience/cooldown.h"
#include "resilience/limiter.h"
#include "resilience/retry_budget.h"

namespace mg {

// What holds for all that is reached by one provider (§3.11: global < provider).
struct ResiliencePolicy {
  BreakerPolicy breaker;
  CooldownPolicy cooldown;
  RetryBudgetPolicy budget;
  LimiterPolicy limiter;
};

// What befell a breaker, for the metrics and the log.
struct BreakerEvent {
  std::string provider;
  std::string model;  // empty: the endpoint's breaker
  // The verdict of a probe: "success" | "failure" | "rate_limited" | "neutral".
  const char* probe = "";
  bool stale = false;
  std::optional<Transition> transition;
};

struct Endpoint {
  Endpoint(std::string provider_name, std::string host_name, const ResiliencePolicy& policy,
           Instant now);

  const std::string provider;
  const std::string host;
  const std::shared_ptr<CircuitBreaker> breaker;
  const std::shared_ptr<Limiter> limiter;
  RetryBudget budget;
};

class Credential;

// Endpoint and credential outlive it: whoever uses a target holds the ProviderState it came from.
struct Target {
  Target(Credential* its_credential, std::string model_name, const ResiliencePolicy& policy);

  Credential* const credential;
  // As the provider names it, " (count_tokens)" behind it for its endpoint that counts tokens; "*"
  // for all those together that there was no room for.
  const std::string model;
  const std::shared_ptr<CircuitBreaker> breaker;
  Cooldown cooldown;
};

class Credential {
 public:
  // `count` of all targets of the registry.
  Credential(std::shared_ptr<Endpoint> its_endpoint, std::string profile_name,
             const ResiliencePolicy& policy, std::shared_ptr<std::atomic<size_t>> count);
  ~Credential();
  Credential(const Credential&) = delete;
  Credential& operator=(const Credential&) = delete;

  Endpoint& endpoint() const { return *endpoint_; }
  // What people know it by: "default"; "caller" for the keys that calls bring along, all of them
  // together, which nothing cools down.
  const std::string& profile() const { return profile_; }
  bool of_callers() const { return profile_ == kCallers; }
  Cooldown& cooldown() { return cooldown_; }
  BreakerScope scope() const;

  // Found or made. Any name can be asked for, so beyond kMaxTargets of the whole registry an idle
  // one goes, and where none is idle all new ones are "*".
  std::shared_ptr<Target> TargetOf(absl::string_view model, bool counts_tokens, Instant now);
  // In order of name.
  std::vector<std::shared_ptr<Target>> Targets() const;

  // What it changes of breakers goes to `events`.
  void SetPolicy(const ResiliencePolicy& policy, Instant now, std::vector<BreakerEvent>* events);
  // A number that stands for the secret's value: another one than before clears what was held
  // against the old one.
  void SetSecret(uint64_t fingerprint);

  static constexpr absl::string_view kCallers = "caller";
  static constexpr size_t kMaxTargets = 10000;

 private:
  std::shared_ptr<Target> Known(const std::string& name) const;  // nullptr: none
  void DropIdle(Instant now);

  const std::shared_ptr<Endpoint> endpoint_;
  const std::string profile_;
  const std::shared_ptr<std::atomic<size_t>> count_;
  Cooldown cooldown_;
  mutable std::mutex mutex_;
  ResiliencePolicy policy_;                                  // guarded by mutex_
  uint64_t secret_ = 0;                                      // guarded by mutex_
  std::map<std::string, std::shared_ptr<Target>> by_model_;  // guarded by mutex_
};

// Of one provider of a configuration.
struct ProviderState {
  // One that no registry knows: nobody else finds it.
  static ProviderState Alone(absl::string_view provider, absl::string_view host,
                             const ResiliencePolicy& policy, Instant now);

  std::shared_ptr<Endpoint> endpoint;
  std::shared_ptr<Credential> own;
  std::shared_ptr<Credential> callers;
};

class LiveState {
 public:
  LiveState() : count_(std::make_shared<std::atomic<size_t>>(0)) {}

  // `host`: where the provider is, with its region where that is no part of the name.
  // `secret_reference`: what the configuration says of the key, never the key itself;
  // `secret_fingerprint`: as SetSecret. What is there already takes the new policy; what that
  // changes of breakers goes to `events` (null: nobody is told).
  ProviderState For(absl::string_view provider, absl::string_view host,
                    absl::string_view secret_reference, uint64_t secret_fingerprint,
                    const ResiliencePolicy& policy, Instant now,
                    std::vector<BreakerEvent>* events = nullptr);

 private:
  std::shared_ptr<Endpoint> EndpointFor(absl::string_view provider, absl::string_view host,
                                        const ResiliencePolicy& policy, Instant now);
  std::shared_ptr<Credential> CredentialFor(const std::shared_ptr<Endpoint>& endpoint,
                                            absl::string_view profile,
                                            absl::string_view secret_reference,
                                            const ResiliencePolicy& policy);

  const std::shared_ptr<std::atomic<size_t>> count_;
  std::mutex mutex_;
  std::map<std::string, std::weak_ptr<Endpoint>> endpoints_;      // guarded by mutex_
  std::map<std::string, std::weak_ptr<Credential>> credentials_;  // guarded by mutex_
};

}  // namespace mg
