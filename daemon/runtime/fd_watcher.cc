#include "daemon/runtime/fd_watcher.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/check.h"

namespace mg {
namespace {

void Add(int epoll_fd, int fd, uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  MG_CHECK(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0, "epoll refuses a descriptor");
}

}  // namespace

FdWatcher::FdWatcher(int fd, absl::AnyInvocable<void()> ready)
    : fd_(fd),
      epoll_fd_(epoll_create1(EPOLL_CLOEXEC)),
      stop_fd_(eventfd(0, EFD_CLOEXEC)),
      ready_(std::move(ready)) {
  MG_CHECK(epoll_fd_ >= 0 && stop_fd_ >= 0, "no descriptors for a watcher");
  Add(epoll_fd_, fd_, EPOLLONESHOT);
  Add(epoll_fd_, stop_fd_, EPOLLIN);
  thread_ = std::thread([this] { Run(); });
}

FdWatcher::~FdWatcher() {
  const uint64_t one = 1;
  MG_CHECK(write(stop_fd_, &one, sizeof one) == sizeof one, "an eventfd takes no event");
  thread_.join();
  close(stop_fd_);
  close(epoll_fd_);
}

void FdWatcher::Arm() { Set(EPOLLIN | EPOLLONESHOT); }

void FdWatcher::Disarm() { Set(EPOLLONESHOT); }

void FdWatcher::Set(uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd_;
  MG_CHECK(epoll_ctl(epoll_fd_, EPOLL_CTL_MOD, fd_, &event) == 0, "epoll refuses a change");
}

void FdWatcher::Run() {
  while (true) {
    epoll_event event{};
    if (epoll_wait(epoll_fd_, &event, 1, -1) != 1) continue;  // a signal
    if (event.data.fd == stop_fd_) return;
    ready_();
  }
}

}  // namespace mg
