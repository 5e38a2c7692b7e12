#include "daemon/session_states.h"

#include <algorithm>

namespace mg {
namespace {

constexpr size_t kMostSessions = 1000;
constexpr absl::Duration kIdle = absl::Minutes(10);

}  // namespace

ProviderState SessionStates::For(absl::string_view session, Instant now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  while (!sessions_.empty() && sessions_.front().used + kIdle <= now) sessions_.pop_front();
  const auto found = std::find_if(sessions_.begin(), sessions_.end(),
                                  [session](const Session& one) { return one.name == session; });
  if (found != sessions_.end()) {
    found->used = now;
    sessions_.splice(sessions_.end(), sessions_, found);
    return sessions_.back().state;
  }
  if (sessions_.size() >= kMostSessions) sessions_.pop_front();
  sessions_.push_back(
      {std::string(session), ProviderState::Alone(provider_, host_, policy_, now), now});
  return sessions_.back().state;
}

void SessionStates::Forget(absl::string_view session) {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::erase_if(sessions_, [session](const Session& one) { return one.name == session; });
}

void SessionStates::ForgetAll() {
  const std::lock_guard<std::mutex> lock(mutex_);
  sessions_.clear();
}

}  // namespace mg
