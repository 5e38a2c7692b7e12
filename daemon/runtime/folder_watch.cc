#include "daemon/runtime/folder_watch.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/strings/match.h"

namespace mg {
namespace {

// IN_MODIFY is left out: a file that is being written is heard of when its writer closes it.
constexpr uint32_t kEvents = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE |
                             IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
constexpr uint32_t kOfFolder = IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_Q_OVERFLOW;

std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string NameOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

// Where links lead to; `path` itself where they lead nowhere.
std::string Resolved(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr),
                                                         &std::free);
  return real == nullptr ? path : std::string(real.get());
}

}  // namespace

FolderWatch::FolderWatch(EpollLoop* loop, absl::AnyInvocable<void()> changed)
    : loop_(loop), changed_(std::move(changed)), fd_(inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
  if (active()) loop_->Watch(fd_, EpollLoop::kReadable, [this](uint32_t) { OnReadable(); });
}

FolderWatch::~FolderWatch() {
  if (!active()) return;
  loop_->Unwatch(fd_);
  close(fd_);
}

void FolderWatch::Watch(const std::set<std::string>& files, const std::set<std::string>& folders) {
  if (!active()) return;
  std::map<int, Folder> before = std::exchange(folders_, {});
  for (const std::string& file : files) Add(file);
  for (const std::string& folder : folders) AddFolder(folder, nullptr);
  for (const auto& [watch, folder] : before) {
    if (!folders_.contains(watch)) inotify_rm_watch(fd_, watch);
  }
}

void FolderWatch::Add(const std::string& path) {
  const std::string name = NameOf(path);
  AddFolder(FolderOf(path), &name);
  const std::string real = Resolved(path);
  const std::string real_name = NameOf(real);
  AddFolder(FolderOf(real), &real_name);
}

void FolderWatch::AddFolder(const std::string& folder, const std::string* name) {
  const int watch = inotify_add_watch(fd_, folder.c_str(), kEvents);
  if (watch < 0) return;
  Folder& watched = folders_[watch];
  if (name == nullptr) {
    watched.all = true;
  } else {
    watched.names.insert(*name);
  }
}

void FolderWatch::OnReadable() {
  alignas(inotify_event) char buffer[16 << 10];
  bool matters = false;
  ssize_t got = 0;
  while ((got = read(fd_, buffer, sizeof buffer)) > 0) {
    for (ssize_t at = 0; at < got;) {
      inotify_event event;
      std::memcpy(&event, buffer + at, sizeof event);
      const char* name = buffer + at + sizeof event;
      matters |= Matters(event.wd, event.len > 0 ? name : "", event.mask);
      at += static_cast<ssize_t>(sizeof event + event.len);
    }
  }
  if (matters) changed_();
}

// Links that are swapped (`..data`) have two dots in front.
bool FolderWatch::Matters(int watch, const std::string& name, uint32_t events) const {
  if ((events & IN_Q_OVERFLOW) != 0) return true;
  const auto found = folders_.find(watch);
  if (found == folders_.end()) return false;
  return found->second.all || (events & kOfFolder) != 0 || absl::StartsWith(name, "..") ||
         found->second.names.contains(name);
}

}  // namespace mg
