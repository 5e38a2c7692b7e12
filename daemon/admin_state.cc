#include "daemon/admin_state.h"

#include <google/protobuf/util/time_util.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "daemon/live_view.h"
#include "resilience/availability.h"

namespace mg {
namespace {

constexpr char kActor[] = "admin";

google::protobuf::Timestamp Proto(absl::Time time) {
  return google::protobuf::util::TimeUtil::NanosecondsToTimestamp(absl::ToUnixNanos(time));
}

// A time that is one; neither "always" nor "never".
bool IsSome(Instant instant) {
  return instant != kNever && instant != absl::InfinitePast() && instant != absl::InfiniteFuture();
}

v1::Breaker BreakerOf(const BreakerView& view, const Moment& moment) {
  v1::Breaker breaker;
  breaker.set_state(BreakerStateName(view.state));
  breaker.set_reason(view.reason);
  if (view.open_until.has_value() && IsSome(*view.open_until)) {
    *breaker.mutable_open_until() = Proto(moment.DateOf(*view.open_until));
  }
  breaker.set_generation(static_cast<int64_t>(view.generation));
  breaker.set_consecutive(view.consecutive);
  breaker.set_window_ok(view.window_ok);
  breaker.set_window_failed(view.window_failed);
  breaker.set_rate_run(view.rate_run);
  breaker.set_reopened(view.reopened);
  breaker.set_probes(view.probes);
  if (IsSome(view.changed)) *breaker.mutable_changed() = Proto(moment.DateOf(view.changed));
  return breaker;
}

v1::Cooldown CooldownOf(const CooldownView& view, const Moment& moment) {
  v1::Cooldown cooldown;
  if (view.reason == CooldownScope::kNone) return cooldown;
  cooldown.set_reason(CooldownReasonName(view.reason));
  *cooldown.mutable_until() = Proto(moment.DateOf(view.until));
  cooldown.set_level(view.level);
  return cooldown;
}

std::string IdOf(const Endpoint& endpoint) {
  return absl::StrCat(endpoint.provider, "@", endpoint.host);
}

v1::Endpoint EndpointOf(const ProviderState& state, const Moment& moment) {
  const Endpoint& endpoint = *state.endpoint;
  v1::Endpoint told;
  told.set_id(IdOf(endpoint));
  told.set_provider(endpoint.provider);
  told.set_host(endpoint.host);
  *told.mutable_breaker() = BreakerOf(endpoint.breaker->View(moment.now), moment);
  (*told.mutable_credentials())[state.own->profile()] =
      CooldownOf(state.own->cooldown().View(moment.now), moment);
  const Limiter::View slots = endpoint.limiter->Now();
  told.set_in_flight(slots.in_flight);
  told.set_max_in_flight(slots.max_in_flight);
  told.set_queued(slots.queued);
  told.set_retry_tokens(endpoint.budget.Tokens(moment.now));
  return told;
}

void FillRoute(const Snapshot& snapshot, const Router::Named& named, const Moment& moment,
               v1::Route* told) {
  told->set_name(named.name);
  told->set_kind(named.kind);
  const Route& route = *named.route;
  told->set_failover(route.failover);
  if (!route.direct) {
    told->set_group(route.group);
    told->set_strategy(std::string(StrategyName(route.tiers.front().strategy)));
  }
  for (const Tier& tier : route.tiers) {
    for (const Candidate& candidate : tier.candidates) {
      *told->add_candidates() = CandidateStateOf(snapshot, candidate, moment);
    }
  }
}

std::map<std::string, const Snapshot::State*> StatesOf(const Snapshot& snapshot) {
  std::map<std::string, const Snapshot::State*> states;
  for (const auto& [name, state] : snapshot.states) states[name] = &state;
  return states;
}

// What a target is called, without what sets the count of tokens apart.
bool IsOf(const Target& target, const std::string& model) {
  return model.empty() || target.model == model ||
         target.model == absl::StrCat(model, " (count_tokens)");
}

// Every target of the scope; that of a model which nobody has asked for yet is made.
std::vector<std::shared_ptr<Target>> TargetsOf(const Snapshot::State& state, const v1::Scope& scope,
                                               Instant now) {
  std::vector<std::shared_ptr<Target>> targets;
  if (!scope.model().empty()) (void)state.own->TargetOf(scope.model(), false, now);
  for (const auto& credential : {state.own, state.callers}) {
    for (std::shared_ptr<Target>& target : credential->Targets()) {
      if (IsOf(*target, scope.model())) targets.push_back(std::move(target));
    }
  }
  return targets;
}

using Change = std::function<std::optional<Transition>(CircuitBreaker&)>;

std::vector<BreakerRecord> ChangeBreakers(const Snapshot::State& state, const v1::Scope& scope,
                                          Instant now, const Change& change) {
  std::vector<BreakerRecord> records;
  const auto note = [&](CircuitBreaker& breaker, const std::string& model) {
    const std::optional<Transition> transition = change(breaker);
    if (!transition.has_value()) return;
    BreakerEvent event;
    event.provider = scope.provider();
    event.model = model;
    event.transition = transition;
    records.push_back(RecordOf(event, kActor));
  };
  if (scope.model().empty()) note(*state.endpoint->breaker, "");
  for (const std::shared_ptr<Target>& target : TargetsOf(state, scope, now)) {
    note(*target->breaker, target->model);
  }
  return records;
}

}  // namespace

v1::CandidateState CandidateStateOf(const Snapshot& snapshot, const Candidate& candidate,
                                    const Moment& moment) {
  v1::CandidateState told;
  v1::Candidate* named = told.mutable_candidate();
  named->set_id(candidate.id);
  named->set_provider(candidate.provider);
  named->set_model(candidate.model);
  named->set_weight(candidate.weight);
  named->set_tier(candidate.tier);
  if (candidate.context_window > 0) named->set_context_window(candidate.context_window);
  const Snapshot::State* state = snapshot.FindState(candidate.provider);
  if (state == nullptr) return told;
  const std::shared_ptr<Target> target = state->own->TargetOf(candidate.model, false, moment.now);
  const Availability availability = AvailabilityOf(*target, moment.now, false);
  const bool weightless = candidate.weight == 0;
  told.set_effective_weight(candidate.weight * RampOf(*target, moment.now));
  told.set_selectable(availability.selectable() && !weightless);
  if (weightless) {
    told.set_blocked_by("weight_zero");
  } else if (!availability.selectable()) {
    told.set_blocked_by(BlockedByName(availability.blocked_by));
    if (IsSome(availability.at)) {
      *told.mutable_available_at() = Proto(moment.DateOf(availability.at));
    }
  }
  *told.mutable_breaker() = BreakerOf(target->breaker->View(moment.now), moment);
  *told.mutable_cooldown() = CooldownOf(target->cooldown.View(moment.now), moment);
  told.set_endpoint(IdOf(*state->endpoint));
  return told;
}

void DescribeState(const Snapshot& snapshot, const Moment& moment, v1::GetStateResponse* response) {
  for (const Router::Named& named : snapshot.router->List()) {
    FillRoute(snapshot, named, moment, response->add_routes());
  }
  std::set<const Endpoint*> seen;
  for (const auto& [name, state] : StatesOf(snapshot)) {
    if (!seen.insert(state->endpoint.get()).second) continue;
    *response->add_endpoints() = EndpointOf(*state, moment);
  }
}

absl::StatusOr<v1::ScopeResponse> DescribeScope(const Snapshot& snapshot, const v1::Scope& scope,
                                                const Moment& moment) {
  if (snapshot.FindState(scope.provider()) == nullptr) {
    return FieldError(
        ErrorClass::kInvalidRequest, "scope.provider",
        absl::StrCat("\"", scope.provider(), "\" is no provider of the configuration"));
  }
  std::map<std::pair<std::string, std::string>, Candidate> candidates;
  for (const Router::Named& named : snapshot.router->List()) {
    for (const Tier& tier : named.route->tiers) {
      for (const Candidate& candidate : tier.candidates) {
        if (candidate.provider != scope.provider()) continue;
        if (!scope.model().empty() && candidate.model != scope.model()) continue;
        candidates.emplace(std::make_pair(candidate.id, candidate.model), candidate);
      }
    }
  }
  if (candidates.empty() && !scope.model().empty()) {
    Candidate asked;  // for by its name alone
    asked.id = absl::StrCat(scope.provider(), "/", scope.model());
    asked.provider = scope.provider();
    asked.model = scope.model();
    candidates.emplace(std::make_pair(asked.id, asked.model), asked);
  }
  v1::ScopeResponse response;
  for (const auto& [key, candidate] : candidates) {
    *response.add_candidates() = CandidateStateOf(snapshot, candidate, moment);
  }
  return response;
}

std::vector<BreakerRecord> ResetScope(const Snapshot& snapshot,
                                      const v1::ResetBreakerRequest& request, Instant now) {
  const v1::Scope& scope = request.scope();
  const Snapshot::State& state = *snapshot.FindState(scope.provider());
  if (!request.keep_cooldowns()) {
    if (scope.model().empty()) state.own->cooldown().Clear();
    for (const std::shared_ptr<Target>& target : TargetsOf(state, scope, now)) {
      target->cooldown.Clear();
    }
  }
  return ChangeBreakers(state, scope, now,
                        [now](CircuitBreaker& breaker) { return breaker.Reset(now); });
}

std::vector<BreakerRecord> IsolateScope(const Snapshot& snapshot, const v1::Scope& scope,
                                        Instant now, Instant until) {
  return ChangeBreakers(
      *snapshot.FindState(scope.provider()), scope, now,
      [now, until](CircuitBreaker& breaker) { return breaker.Isolate(now, until); });
}

}  // namespace mg
