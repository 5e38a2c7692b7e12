#include "daemon/runtime/epoll_loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "base/check.h"

namespace mg {
namespace {

static_assert(EpollLoop::kReadable == EPOLLIN && EpollLoop::kWritable == EPOLLOUT);

Instant MonotonicNow() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return absl::UnixEpoch() + absl::DurationFromTimespec(now);
}

}  // namespace

EpollLoop::EpollLoop()
    : Loop(MonotonicNow()),
      epoll_fd_(epoll_create1(EPOLL_CLOEXEC)),
      wake_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  MG_CHECK(epoll_fd_ >= 0, "no epoll descriptor");
  MG_CHECK(wake_fd_ >= 0, "no eventfd");
  Watch(wake_fd_, EPOLLIN, [this](uint32_t) {
    uint64_t count = 0;
    (void)!read(wake_fd_, &count, sizeof count);
  });
}

EpollLoop::~EpollLoop() {
  close(wake_fd_);
  close(epoll_fd_);
}

Instant EpollLoop::Measure() const { return MonotonicNow(); }

void EpollLoop::Run() {
  while (!stopped_) {
    set_now(MonotonicNow());
    bool busy = false;
    for (CompletionSource* source : sources_) busy |= source->Poll();
    busy |= PollFds(0);
    busy |= RunReady();
    if (!busy && !stopped_) Sleep();
  }
  stopped_ = false;
}

void EpollLoop::Sleep() {
  for (CompletionSource* source : sources_) {
    if (source != sleeps_in_) source->Park();
  }
  if (sleeps_in_ == nullptr) {
    PollFds(SleepMs());
    return;
  }
  watcher_->Arm();
  sleeps_in_->Wait(NextTimer());
  watcher_->Disarm();
}

void EpollLoop::AddCompletionSource(CompletionSource* source) {
  if (sources_.empty()) {
    sleeps_in_ = source;
    watcher_ = std::make_unique<FdWatcher>(epoll_fd_, [source] { source->Interrupt(); });
  }
  sources_.push_back(source);
}

void EpollLoop::RemoveCompletionSource(CompletionSource* source) {
  if (source == sleeps_in_) {
    watcher_.reset();
    sleeps_in_ = nullptr;
  }
  sources_.erase(std::remove(sources_.begin(), sources_.end(), source), sources_.end());
}

void EpollLoop::Stop() {
  stopped_ = true;
  WakeUp();
}

void EpollLoop::WakeUp() {
  const uint64_t one = 1;
  (void)!write(wake_fd_, &one, sizeof one);
}

int EpollLoop::SleepMs() const {
  const Instant next = NextTimer();
  if (next == kNever) return -1;
  const absl::Duration left = absl::Ceil(next - MonotonicNow(), absl::Milliseconds(1));
  return static_cast<int>(std::clamp<int64_t>(absl::ToInt64Milliseconds(left), 0, 60'000));
}

bool EpollLoop::PollFds(int timeout_ms) {
  epoll_event ready[64];
  const int count = epoll_wait(epoll_fd_, ready, 64, timeout_ms);
  if (timeout_ms != 0) set_now(MonotonicNow());
  for (int i = 0; i < count; ++i) {
    const int fd = static_cast<int>(ready[i].data.u64 & 0xFFFFFFFF);
    const uint64_t generation = ready[i].data.u64 >> 32;
    const auto found = watches_.find(fd);
    // A callback of this turn may have closed the descriptor, and another may have got its number.
    if (found == watches_.end() || (found->second->generation & 0xFFFFFFFF) != generation) continue;
    const std::shared_ptr<FdWatch> watch = found->second;
    watch->callback(ready[i].events);
  }
  return count > 0;
}

void EpollLoop::Watch(int fd, uint32_t events, FdCallback callback) {
  Unwatch(fd);
  auto watch = std::make_shared<FdWatch>();
  watch->callback = std::move(callback);
  watch->events = events;
  watch->generation = next_generation_++;
  epoll_event event{};
  event.events = events;
  event.data.u64 = static_cast<uint64_t>(static_cast<uint32_t>(fd)) | (watch->generation << 32);
  MG_CHECK(epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event) == 0, "epoll refuses a descriptor");
  watches_[fd] = std::move(watch);
}

void EpollLoop::Modify(int fd, uint32_t events) {
  const auto found = watches_.find(fd);
  MG_CHECK(found != watches_.end(), "a descriptor that is not watched");
  if (found->second->events == events) return;
  found->second->events = events;
  epoll_event event{};
  event.events = events;
  event.data.u64 =
      static_cast<uint64_t>(static_cast<uint32_t>(fd)) | (found->second->generation << 32);
  MG_CHECK(epoll_ctl(epoll_fd_, EPOLL_CTL_MOD, fd, &event) == 0, "epoll refuses a change");
}

void EpollLoop::Unwatch(int fd) {
  if (watches_.erase(fd) == 0) return;
  epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, fd,
            nullptr);  // fails where the owner closed it first: gone all the same
}

}  // namespace mg
