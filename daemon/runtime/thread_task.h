// Work that would hold the loop up: a thread of its own does it while a coroutine waits.
#pragma once

#include "absl/functional/any_invocable.h"
#include "daemon/runtime/loop.h"
#include "daemon/runtime/task.h"

namespace mg {

// Runs `work` on a new thread and comes back to the loop when it is done. What `work` refers to
// must outlive the task; the task cannot be ended early.
Task<void> RunOnThread(Loop* loop, absl::AnyInvocable<void()> work);

}  // namespace mg
