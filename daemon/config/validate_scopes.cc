// Ranges between keys, checked on what results from the scopes. A contradiction is told where it
// arises: at the scope that writes one of its keys. Where only a default would break a range, the
// default gives way.
#include "absl/strings/str_cat.h"
#include "daemon/config/effective.h"
#include "daemon/config/validate.h"

namespace mg {
namespace {

// One level of settings: where it stands, and what is around it.
struct Scope {
  const v1::Config& config;
  const v1::GroupConfig* group = nullptr;
  const v1::CandidateConfig* candidate = nullptr;
  std::string prefix;            // "", "groups.support.", "groups.support.candidates[1]."
  const Scope* outer = nullptr;  // nullptr: the top
};

class ScopeCheck {
 public:
  ScopeCheck(Scope scope, Findings* findings) : scope_(std::move(scope)), findings_(findings) {}

  void CheckRetry();
  void CheckTimeouts();
  void CheckDeadline();
  // `provider` is nullptr for the settings at the top.
  void CheckBreaker(const v1::ScopedProviderConfig* provider);
  void CheckQueue(const v1::ScopedProviderConfig* provider);
  // Keys of `retry` that say nothing at this level.
  void RefuseRetryKeys(std::initializer_list<const char*> keys, const char* why);
  const Scope& scope() const { return scope_; }

 private:
  // Blames the first of `keys` that this scope itself writes. None: what is wrong is another
  // scope's, and told there.
  void Blame(std::initializer_list<const char*> keys, absl::string_view message);
  // Whether this scope or one around it writes the key.
  bool Chosen(const char* key) const;

  Scope scope_;
  Findings* findings_;
};

std::string Text(const google::protobuf::Duration& duration) {
  return absl::FormatDuration(ToDuration(duration));
}

void ScopeCheck::Blame(std::initializer_list<const char*> keys, absl::string_view message) {
  std::string blamed;
  for (const char* key : keys) {
    const std::string path = absl::StrCat(scope_.prefix, key);
    if (!findings_->Written(path)) continue;
    if (findings_->Known(path)) return;  // its value was not taken, so nothing is compared
    if (blamed.empty()) blamed = path;
  }
  if (!blamed.empty()) findings_->Tell(blamed, message);
}

bool ScopeCheck::Chosen(const char* key) const {
  for (const Scope* scope = &scope_; scope != nullptr; scope = scope->outer) {
    if (findings_->Written(absl::StrCat(scope->prefix, key))) return true;
  }
  return false;
}

void ScopeCheck::CheckRetry() {
  const v1::RetryConfig retry = MergedRetry(scope_.config, scope_.group, scope_.candidate);
  if (ToDuration(retry.max_delay()) < ToDuration(retry.base_delay())) {
    Blame({"retry.max_delay", "retry.base_delay"},
          absl::StrCat("max_delay (", Text(retry.max_delay()), ") is less than base_delay (",
                       Text(retry.base_delay()), ")"));
  }
  if (retry.has_max_attempts_per_candidate() &&
      retry.max_attempts_per_candidate() > retry.max_attempts()) {
    Blame({"retry.max_attempts_per_candidate", "retry.max_attempts"},
          absl::StrCat("max_attempts_per_candidate (", retry.max_attempts_per_candidate(),
                       ") is more than max_attempts (", retry.max_attempts(), ")"));
  }
}

void ScopeCheck::CheckTimeouts() {
  const v1::TimeoutsConfig timeouts = MergedTimeouts(scope_.config, scope_.group, scope_.candidate);
  const v1::DeadlineConfig deadline = MergedDeadline(scope_.config, scope_.group);
  const int max_attempts = MergedRetry(scope_.config, scope_.group, nullptr).max_attempts();
  const auto check_max = [&](const char* key, const google::protobuf::Duration& value) {
    if (ToDuration(value) <= ToDuration(deadline.max()) || !Chosen(key)) return;
    Blame({key, "deadline.max"},
          absl::StrCat(key, " (", Text(value), ") is more than deadline.max (",
                       Text(deadline.max()), ")"));
  };
  check_max("timeouts.ttft", timeouts.ttft());
  check_max("timeouts.attempt", timeouts.attempt());

  const absl::Duration final_ttft = ToDuration(timeouts.final_ttft());
  if (final_ttft != absl::ZeroDuration() && final_ttft < ToDuration(timeouts.ttft())) {
    Blame({"timeouts.final_ttft", "timeouts.ttft"},
          absl::StrCat("final_ttft (", Text(timeouts.final_ttft()), ") is less than ttft (",
                       Text(timeouts.ttft()), "); only 0s, what remains, may be"));
  }
  const absl::Duration least = ToDuration(timeouts.min_attempt()) * max_attempts;
  if (least > ToDuration(deadline.default_()) &&
      (Chosen("timeouts.min_attempt") || Chosen("retry.max_attempts"))) {
    Blame({"timeouts.min_attempt", "retry.max_attempts", "deadline.default"},
          absl::StrCat("min_attempt (", Text(timeouts.min_attempt()), ") times max_attempts (",
                       max_attempts, ") is more than deadline.default (", Text(deadline.default_()),
                       ")"));
  }
}

void ScopeCheck::CheckDeadline() {
  const v1::DeadlineConfig deadline = MergedDeadline(scope_.config, scope_.group);
  if (ToDuration(deadline.default_()) > ToDuration(deadline.max()) && Chosen("deadline.default")) {
    Blame({"deadline.default", "deadline.max"},
          absl::StrCat("default (", Text(deadline.default_()), ") is more than max (",
                       Text(deadline.max()), ")"));
  }
}

void ScopeCheck::CheckBreaker(const v1::ScopedProviderConfig* provider) {
  const v1::CircuitBreakerConfig breaker = MergedBreaker(scope_.config, provider);
  if (breaker.enabled() && breaker.failure_threshold() == 0 && breaker.failure_ratio() == 0) {
    Blame({"circuit_breaker.failure_threshold", "circuit_breaker.failure_ratio",
           "circuit_breaker.enabled"},
          "failure_threshold and failure_ratio are both 0, so that it could never open: write "
          "enabled: false");
  }
  if (ToDuration(breaker.max_cooldown()) < ToDuration(breaker.cooldown())) {
    Blame({"circuit_breaker.max_cooldown", "circuit_breaker.cooldown"},
          absl::StrCat("max_cooldown (", Text(breaker.max_cooldown()), ") is less than cooldown (",
                       Text(breaker.cooldown()), ")"));
  }
}

void ScopeCheck::CheckQueue(const v1::ScopedProviderConfig* provider) {
  const v1::DeadlineConfig deadline = MergedDeadline(scope_.config, nullptr);
  const google::protobuf::Duration& wait = provider != nullptr
                                               ? provider->limits().queue_timeout()
                                               : scope_.config.limits().queue_timeout();
  if (ToDuration(wait) > ToDuration(deadline.default_())) {
    Blame({"limits.queue_timeout"},
          absl::StrCat("queue_timeout (", Text(wait), ") is more than deadline.default (",
                       Text(deadline.default_()), ")"));
  }
}

void ScopeCheck::RefuseRetryKeys(std::initializer_list<const char*> keys, const char* why) {
  for (const char* key : keys) {
    const std::string path = absl::StrCat(scope_.prefix, "retry.", key);
    if (findings_->Written(path)) findings_->Tell(path, why);
  }
}

void CheckCandidates(const Scope& outer, Findings* findings) {
  for (int i = 0; i < outer.group->candidates_size(); ++i) {
    if (findings->full()) return;
    const v1::CandidateConfig& candidate = outer.group->candidates(i);
    if (!candidate.has_retry() && !candidate.has_timeouts()) continue;
    ScopeCheck check({.config = outer.config,
                      .group = outer.group,
                      .candidate = &candidate,
                      .prefix = absl::StrCat(outer.prefix, "candidates[", i, "]."),
                      .outer = &outer},
                     findings);
    check.CheckRetry();
    check.CheckTimeouts();
    check.RefuseRetryKeys({"budget"}, "belongs to a provider: write it there, or at the top");
    check.RefuseRetryKeys({"max_attempts"},
                          "belongs to the call: write it in the group, or at the top");
  }
}

}  // namespace

void ValidateScopes(const v1::Config& config, Findings* findings) {
  ScopeCheck top({.config = config, .prefix = ""}, findings);
  top.CheckRetry();
  top.CheckTimeouts();
  top.CheckDeadline();
  top.CheckBreaker(nullptr);
  top.CheckQueue(nullptr);
  for (const std::string& name : NamesOf(config.groups())) {
    if (findings->full()) return;
    ScopeCheck check({.config = config,
                      .group = &config.groups().at(name),
                      .prefix = absl::StrCat("groups.", name, "."),
                      .outer = &top.scope()},
                     findings);
    check.CheckRetry();
    check.CheckTimeouts();
    check.CheckDeadline();
    check.RefuseRetryKeys({"budget"}, "belongs to a provider: write it there, or at the top");
    CheckCandidates(check.scope(), findings);
  }
  for (const std::string& name : NamesOf(config.providers())) {
    if (findings->full()) return;
    const v1::ProviderConfig& provider = config.providers().at(name);
    const v1::ScopedProviderConfig* scoped = ScopedOf(provider);
    if (scoped == nullptr) continue;
    ScopeCheck check({.config = config,
                      .prefix = absl::StrCat("providers.", name, ".", KindOf(provider), "."),
                      .outer = &top.scope()},
                     findings);
    check.CheckBreaker(scoped);
    check.CheckQueue(scoped);
  }
}

}  // namespace mg
