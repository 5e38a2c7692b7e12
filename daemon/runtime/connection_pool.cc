#include "daemon/runtime/connection_pool.h"

#include <algorithm>

namespace mg {
namespace {

// Load balancers close what idles for 60 s or more; a connection that is about to go is not worth a
// try.
constexpr absl::Duration kMaxIdle = absl::Seconds(55);
constexpr size_t kMaxIdleConnections = 1024;

}  // namespace

std::unique_ptr<Connection> ConnectionPool::Take(const std::string& key) {
  const auto found = idle_.find(key);
  if (found == idle_.end()) return nullptr;
  std::vector<Idle>& idle = found->second;
  while (!idle.empty()) {
    std::unique_ptr<Connection> last = std::move(idle.back().connection);
    idle.pop_back();
    --size_;
    // What has just come may not have been told yet, and would be taken for the next answer.
    if (last->Quiet()) return last;
  }
  idle_.erase(found);
  return nullptr;
}

void ConnectionPool::Put(std::unique_ptr<Connection> connection) {
  const bool holds_bytes = connection->tls() != nullptr && connection->tls()->holds_bytes();
  if (size_ >= kMaxIdleConnections || holds_bytes) return;
  connection->set_user(this);
  connection->Watch();
  idle_[connection->key()].push_back({std::move(connection), loop_->now()});
  ++size_;
  if (timer_.second == 0) timer_ = loop_->CallAt(loop_->now() + kMaxIdle, [this] { CloseOld(); });
}

void ConnectionPool::Ready(Connection* connection) {
  const auto found = idle_.find(connection->key());
  std::vector<Idle>& idle = found->second;
  idle.erase(std::find_if(idle.begin(), idle.end(), [&](const Idle& candidate) {
    return candidate.connection.get() == connection;
  }));
  --size_;
  if (idle.empty()) idle_.erase(found);
}

void ConnectionPool::CloseOld() {
  Instant oldest = kNever;
  for (auto entry = idle_.begin(); entry != idle_.end();) {
    std::vector<Idle>& idle = entry->second;
    const auto young = std::find_if(idle.begin(), idle.end(), [&](const Idle& candidate) {
      return candidate.since + kMaxIdle > loop_->now();
    });
    size_ -= static_cast<size_t>(young - idle.begin());
    idle.erase(idle.begin(), young);
    if (idle.empty()) {
      idle_.erase(entry++);
      continue;
    }
    oldest = std::min(oldest, idle.front().since);
    ++entry;
  }
  timer_ = {kNever, 0};
  if (oldest != kNever) timer_ = loop_->CallAt(oldest + kMaxIdle, [this] { CloseOld(); });
}

}  // namespace mg
