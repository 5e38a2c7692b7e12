#include "daemon/runtime/thread_task.h"

#include <thread>

#include "base/time.h"
#include "daemon/runtime/signal.h"

namespace mg {

Task<void> RunOnThread(Loop* loop, absl::AnyInvocable<void()> work) {
  Signal done(loop);
  std::thread thread([&] {
    work();
    loop->Post([&done] { done.Notify(); });
  });
  co_await done.Wait(kNever, nullptr);
  thread.join();
}

}  // namespace mg
