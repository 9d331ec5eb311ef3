#pragma once

#include <coroutine>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

namespace fondaco::actors {

/// Where a suspended request goes on: a thread pool that never blocks.
class executor {
public:
  virtual ~executor() = default;
  /// Runs the work soon, on one of the executor's threads.
  virtual void post(std::function<void()> work) = 0;
};

template <class T> class task;

namespace detail {

/// Hands the thread to whoever awaits the task.
struct final_awaiter {
  bool await_ready() const noexcept { return false; }
  template <class P> std::coroutine_handle<> await_suspend(std::coroutine_handle<P> h) noexcept {
    auto next = h.promise().continuation;
    return next ? next : std::noop_coroutine();
  }
  void await_resume() const noexcept {}
};

/// What the promises of all tasks have in common.
struct promise_base {
  std::coroutine_handle<> continuation;
  std::exception_ptr error;
  std::suspend_always initial_suspend() const noexcept { return {}; }
  final_awaiter final_suspend() const noexcept { return {}; }
  void unhandled_exception() noexcept { error = std::current_exception(); }
};

template <class T> struct task_promise : promise_base {
  std::optional<T> result;
  task<T> get_return_object();
  void return_value(T v) { result.emplace(std::move(v)); }
  T take() {
    if (error)
      std::rethrow_exception(error);
    return std::move(*result);
  }
};

template <> struct task_promise<void> : promise_base {
  task<void> get_return_object();
  void return_void() const noexcept {}
  void take() const {
    if (error)
      std::rethrow_exception(error);
  }
};

} // namespace detail

/// A piece of work that can wait without holding a thread: runs when awaited, once.
/// Trap (g++ 12): build arguments in named locals before `co_await`; an aggregate temporary inside the awaited
/// expression is destroyed wrongly.
template <class T> class [[nodiscard]] task {
public:
  using promise_type = detail::task_promise<T>;
  explicit task(std::coroutine_handle<promise_type> h) : handle_(h) {}
  task(task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  task& operator=(task&& other) noexcept {
    if (this != &other) {
      if (handle_)
        handle_.destroy();
      handle_ = std::exchange(other.handle_, {});
    }
    return *this;
  }
  ~task() {
    if (handle_)
      handle_.destroy();
  }
  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> caller) noexcept {
    handle_.promise().continuation = caller;
    return handle_;
  }
  T await_resume() { return handle_.promise().take(); }

private:
  std::coroutine_handle<promise_type> handle_;
};

namespace detail {
template <class T> task<T> task_promise<T>::get_return_object() {
  return task<T>{std::coroutine_handle<task_promise<T>>::from_promise(*this)};
}
inline task<void> task_promise<void>::get_return_object() {
  return task<void>{std::coroutine_handle<task_promise<void>>::from_promise(*this)};
}

/// A coroutine that nobody awaits.
struct detached {
  struct promise_type {
    detached get_return_object() const noexcept { return {}; }
    std::suspend_never initial_suspend() const noexcept { return {}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }
  };
};

template <class T>
detached run_detached(task<T> work, std::function<void(T)> done, std::function<void(std::exception_ptr)> failed) {
  std::optional<T> result;
  std::exception_ptr error;
  try {
    result.emplace(co_await work);
  } catch (...) {
    error = std::current_exception();
  }
  if (error)
    failed(error);
  else
    done(std::move(*result));
}
} // namespace detail

/// Starts the work on this thread; `done` gets the result, `failed` an exception that left it. Exactly one is called,
/// and neither may throw.
template <class T>
void start(task<T> work, std::function<void(T)> done, std::function<void(std::exception_ptr)> failed) {
  detail::run_detached<T>(std::move(work), std::move(done), std::move(failed));
}

/// Awaits an operation that answers by a callback, on any thread, exactly once; the awaiting task goes on in `on`.
template <class T> class callback_awaiter {
public:
  callback_awaiter(executor& on, std::function<void(std::function<void(T)>)> begin)
      : on_(on), begin_(std::move(begin)) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiting) {
    auto slot = std::make_shared<std::optional<T>>();
    slot_ = slot;
    auto& on = on_;
    // The callback may resume (and so destroy) this awaiter before begin() returns: keep what runs alive locally.
    auto begin = std::move(begin_);
    begin([slot, waiting, &on](T value) {
      slot->emplace(std::move(value));
      on.post([waiting] { waiting.resume(); });
    });
  }
  T await_resume() { return std::move(**slot_); }

private:
  executor& on_;
  std::function<void(std::function<void(T)>)> begin_;
  std::shared_ptr<std::optional<T>> slot_;
};

} // namespace fondaco::actors
