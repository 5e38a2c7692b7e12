// Hears of changes to files by watching their folders (inotify): a file that is replaced by a
// rename, or by the swap of a link beside it (Kubernetes' `..data`), has another inode, and a watch
// of its own would be lost. The loop's thread.
#pragma once

#include <map>
#include <set>
#include <string>

#include "absl/functional/any_invocable.h"
#include "daemon/runtime/epoll_loop.h"

namespace mg {

class FolderWatch {
 public:
  // `changed` is called on the loop's thread, once for all that came together. Without inotify (its
  // instances are used up) nothing is ever heard; active() then says so.
  FolderWatch(EpollLoop* loop, absl::AnyInvocable<void()> changed);
  FolderWatch(const FolderWatch&) = delete;
  FolderWatch& operator=(const FolderWatch&) = delete;
  ~FolderWatch();

  // From now on these files, by path, and all that happens in `folders`. A folder that is not there
  // is passed over: say it again later. A file that is a link is heard of where it leads to as
  // well.
  void Watch(const std::set<std::string>& files, const std::set<std::string>& folders);

  bool active() const { return fd_ >= 0; }

 private:
  struct Folder {
    std::set<std::string> names;  // that matter in it
    bool all = false;
  };

  void Add(const std::string& path);
  void AddFolder(const std::string& folder, const std::string* name);
  void OnReadable();
  bool Matters(int watch, const std::string& name, uint32_t events) const;

  EpollLoop* const loop_;
  absl::AnyInvocable<void()> changed_;
  const int fd_;
  std::map<int, Folder> folders_;  // by the kernel's number of the watch
};

}  // namespace mg
