#include "daemon/live_view.h"

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"

namespace mg {
namespace {

constexpr const char* kStateHelp =
    "Circuit breakers: 0 closed, 1 half-open, 2 open, 3 isolated; the model is empty for that of a "
    "whole endpoint.";

double NumberOf(BreakerState state) {
  switch (state) {
    case BreakerState::kClosed:
      return 0;
    case BreakerState::kHalfOpen:
      return 1;
    case BreakerState::kOpen:
      return 2;
    case BreakerState::kIsolated:
      return 3;
  }
  return 0;
}

struct Cooling {
  std::string provider;
  std::string model;  // empty: the credential
  CooldownView view;
};

// The snapshot's providers in order of name, for pages that are the same each time.
std::map<std::string, const Snapshot::State*> StatesOf(const Snapshot& snapshot) {
  std::map<std::string, const Snapshot::State*> states;
  for (const auto& [name, state] : snapshot.states) states[name] = &state;
  return states;
}

}  // namespace

BreakerRecord RecordOf(const BreakerEvent& event, absl::string_view actor) {
  BreakerRecord record;
  record.provider = event.provider;
  record.model = event.model;
  record.probe = event.probe;
  record.stale = event.stale;
  record.actor = std::string(actor);
  if (!event.transition.has_value()) return record;
  record.from = BreakerStateName(event.transition->from);
  record.to = BreakerStateName(event.transition->to);
  record.reason = event.transition->reason;
  return record;
}

std::vector<GaugeSample> StateSamples(const Snapshot& snapshot, Instant now, absl::Time wall_now) {
  std::vector<GaugeSample> breakers;
  std::vector<GaugeSample> tokens;
  std::vector<Cooling> cooling;
  for (const auto& [name, state] : StatesOf(snapshot)) {
    const auto add = [&breakers, now, provider = name](const std::string& model,
                                                       const CircuitBreaker& breaker) {
      breakers.push_back({"modelgateway_breaker_state",
                          kStateHelp,
                          {{"provider", provider},
                           {"model", model},
                           {"scope", model.empty() ? "endpoint" : "target"}},
                          NumberOf(breaker.View(now).state)});
    };
    add("", *state->endpoint->breaker);
    cooling.push_back({name, "", state->own->cooldown().View(now)});
    for (const std::shared_ptr<Target>& target : state->own->Targets()) {
      if (!snapshot.router->Names(absl::StrCat(name, "/", target->model))) continue;
      add(target->model, *target->breaker);
      cooling.push_back({name, target->model, target->cooldown.View(now)});
    }
    tokens.push_back({"modelgateway_retry_budget_tokens",
                      "Tokens in the retry budget of an endpoint.",
                      {{"provider", name}},
                      state->endpoint->budget.Tokens(now)});
  }
  std::vector<GaugeSample> samples = std::move(breakers);
  samples.insert(samples.end(), tokens.begin(), tokens.end());
  const auto add_cooling = [&](const char* metric, const char* help,
                               const std::function<double(Instant)>& value_of) {
    for (const Cooling& entry : cooling) {
      if (entry.view.until <= now) continue;
      samples.push_back({metric,
                         help,
                         {{"provider", entry.provider},
                          {"model", entry.model},
                          {"scope", entry.model.empty() ? "credential" : "target"},
                          {"reason", CooldownReasonName(entry.view.reason)}},
                         value_of(entry.view.until)});
    }
  };
  add_cooling("modelgateway_cooldown_seconds", "What is left of a cooldown.",
              [now](Instant until) { return absl::ToDoubleSeconds(until - now); });
  add_cooling("modelgateway_cooldown_until_timestamp_seconds",
              "When a cooldown ends, in seconds since 1970.", [&](Instant until) {
                return absl::ToDoubleSeconds(wall_now + (until - now) - absl::UnixEpoch());
              });
  return samples;
}

}  // namespace mg
