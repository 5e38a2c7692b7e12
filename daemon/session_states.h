// The live state of a mock for each session of tests (spec/resilience.md §3.1, mock.proto), so that
// tests that run side by side do not meet in a breaker, a cooldown or a budget. Any thread.
#pragma once

#include <list>
#include <mutex>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/time.h"
#include "resilience/live_state.h"

namespace mg {

class SessionStates {
 public:
  // `provider` and `host` as LiveState::For.
  SessionStates(std::string provider, std::string host, const ResiliencePolicy& policy)
      : provider_(std::move(provider)), host_(std::move(host)), policy_(policy) {}

  // Found or made. A session that was idle for 10 minutes is forgotten, and beyond 1,000 of them
  // the one that was idle for the longest; calls that use it keep what they have.
  ProviderState For(absl::string_view session, Instant now);
  // It begins anew with its next call; ForgetAll: each of them.
  void Forget(absl::string_view session);
  void ForgetAll();

 private:
  struct Session {
    std::string name;
    ProviderState state;
    Instant used;
  };

  const std::string provider_;
  const std::string host_;
  const ResiliencePolicy policy_;
  std::mutex mutex_;
  std::list<Session> sessions_;  // guarded by mutex_; that which was idle for the longest first
};

}  // namespace mg
