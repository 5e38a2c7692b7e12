// Task<T>: a coroutine that starts when it is awaited and hands its result to the one who awaits
// it. Single-threaded: it lives and dies on the loop that runs it.
//
// Rules (each was a bug somewhere): a coroutine is a named function, never a capturing lambda; it
// takes references only to what its caller's frame holds; a suspended frame is never destroyed (an
// operation that must end early is completed early, with a status); no lock is held over a
// co_await. The attributes make clang 19 refuse a Task that outlives what it refers to.
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

namespace mg {

template <typename T>
class Task;

namespace task_internal {

template <typename T>
struct PromiseBase {
  std::coroutine_handle<> awaiting;

  struct Final {
    bool await_ready() noexcept { return false; }
    template <typename P>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<P> done) noexcept {
      return done.promise().awaiting ? done.promise().awaiting : std::noop_coroutine();
    }
    void await_resume() noexcept {}
  };

  std::suspend_always initial_suspend() noexcept { return {}; }
  Final final_suspend() noexcept { return {}; }
  [[noreturn]] void unhandled_exception() noexcept { std::terminate(); }
};

template <typename T>
struct Promise : PromiseBase<T> {
  std::optional<T> value;
  Task<T> get_return_object();
  template <typename U>
  void return_value(U&& result) {
    value.emplace(std::forward<U>(result));
  }
  T Take() { return *std::move(value); }
};

template <>
struct Promise<void> : PromiseBase<void> {
  Task<void> get_return_object();
  void return_void() noexcept {}
  void Take() {}
};

}  // namespace task_internal

template <typename T>
class [[nodiscard]] [[clang::coro_return_type]] [[clang::coro_lifetimebound]] Task {
 public:
  using promise_type = task_internal::Promise<T>;

  explicit Task(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;
  Task& operator=(Task&&) = delete;
  ~Task() {
    if (handle_) handle_.destroy();
  }

  auto operator co_await() && noexcept {
    struct Awaiter {
      std::coroutine_handle<promise_type> handle;
      bool await_ready() noexcept { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiting) noexcept {
        handle.promise().awaiting = awaiting;
        return handle;
      }
      T await_resume() { return handle.promise().Take(); }
    };
    return Awaiter{handle_};
  }

 private:
  std::coroutine_handle<promise_type> handle_;
};

namespace task_internal {

template <typename T>
Task<T> Promise<T>::get_return_object() {
  return Task<T>(std::coroutine_handle<Promise<T>>::from_promise(*this));
}
inline Task<void> Promise<void>::get_return_object() {
  return Task<void>(std::coroutine_handle<Promise<void>>::from_promise(*this));
}

// The frame of a task that nobody awaits: it frees itself when the task is done.
struct Detached {
  struct promise_type {
    Detached get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    [[noreturn]] void unhandled_exception() noexcept { std::terminate(); }
    void return_void() noexcept {}
  };
};

inline Detached RunDetached(Task<void> task) { co_await std::move(task); }

}  // namespace task_internal

// Runs `task` from here on by itself; it runs at once, up to its first wait.
inline void Spawn(Task<void> task) { task_internal::RunDetached(std::move(task)); }

}  // namespace mg

// Returns from a coroutine with the status of `expression` unless it is OK.
#define MG_CO_RETURN_IF_ERROR(expression)                         \
  do {                                                            \
    if (absl::Status mg_status = (expression); !mg_status.ok()) { \
      co_return mg_status;                                        \
    }                                                             \
  } while (false)
