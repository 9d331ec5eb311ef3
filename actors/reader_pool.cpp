#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>

#include "actors/ports/log.hpp"
#include "actors/runtime.hpp"
#include "protocols/base/fault.hpp"

namespace fondaco::actors {

namespace {

using job = std::function<void()>;

// The queue of what belongs to no tenant; a tenant's id is never empty.
constexpr const char* nobody = "";

} // namespace

struct reader_pool::impl {
  mutable std::mutex mutex;
  std::condition_variable wake;
  std::deque<job> first;
  std::map<std::string, std::deque<job>, std::less<>> by_owner;
  // Who has jobs, in the order in which they get their turns.
  std::deque<std::string> turns;
  size_t jobs = 0;
  size_t jobs_max = 0;
  uint64_t refused = 0;
  size_t running = 0;
  size_t running_max = 0;
  bool closed = false;
  std::vector<std::thread> threads;

  bool put(const std::string& owner, job j) {
    {
      std::scoped_lock lock(mutex);
      auto found = by_owner.find(owner);
      const size_t mine = found == by_owner.end() ? 0 : found->second.size();
      const bool over_share = owner != nobody && mine > 0 && mine >= jobs_max - std::min(jobs, jobs_max);
      if (closed || jobs >= jobs_max || over_share) {
        ++refused;
        return false;
      }
      ++jobs;
      if (mine == 0)
        turns.push_back(owner);
      by_owner[owner].push_back(std::move(j));
    }
    wake.notify_one();
    return true;
  }

  job take() {
    --jobs;
    if (!first.empty()) {
      auto j = std::move(first.front());
      first.pop_front();
      return j;
    }
    auto owner = std::move(turns.front());
    turns.pop_front();
    auto found = by_owner.find(owner);
    auto j = std::move(found->second.front());
    found->second.pop_front();
    if (found->second.empty())
      by_owner.erase(found);
    else
      turns.push_back(std::move(owner));
    return j;
  }

  // Runs the next job; false if there is none.
  bool run(std::unique_lock<std::mutex> lock) {
    if (jobs == 0)
      return false;
    auto next = take();
    running_max = std::max(running_max, ++running);
    lock.unlock();
    next();
    next = nullptr;
    lock.lock();
    --running;
    return true;
  }

  void work() {
    for (;;) {
      std::unique_lock lock(mutex);
      wake.wait(lock, [&] { return closed || jobs > 0; });
      if (!run(std::move(lock)))
        return;
    }
  }
};

reader_pool::reader_pool(size_t threads, size_t jobs_max) : impl_(std::make_unique<impl>()) {
  invariant(jobs_max > 0, "a reader pool has room for jobs");
  impl_->jobs_max = jobs_max;
  for (size_t i = 0; i < threads; ++i)
    impl_->threads.emplace_back([state = impl_.get()] { state->work(); });
}

reader_pool::~reader_pool() { close(); }

// Jobs that were queued still run: each of them owes somebody an answer.
void reader_pool::close() {
  {
    std::scoped_lock lock(impl_->mutex);
    impl_->closed = true;
  }
  impl_->wake.notify_all();
  for (auto& t : impl_->threads)
    if (t.joinable())
      t.join();
  while (impl_->threads.empty() && run_one()) {
  }
}

bool reader_pool::run_one() { return impl_->run(std::unique_lock(impl_->mutex)); }

void note_failed_job(const char* why) {
  write_log({severity::error, "actors", log_category::application, "a read failed", {{"what", why}}});
}

bool reader_pool::post(std::function<void()> job) { return impl_->put(nobody, std::move(job)); }

bool reader_pool::post(const tenant& owner, std::function<void()> job) {
  return impl_->put(owner.id(), std::move(job));
}

bool reader_pool::post_first(std::function<void()> job) {
  {
    std::scoped_lock lock(impl_->mutex);
    if (impl_->closed || impl_->jobs >= impl_->jobs_max) {
      ++impl_->refused;
      return false;
    }
    ++impl_->jobs;
    impl_->first.push_back(std::move(job));
  }
  impl_->wake.notify_one();
  return true;
}

size_t reader_pool::waiting() const {
  std::scoped_lock lock(impl_->mutex);
  return impl_->jobs;
}

uint64_t reader_pool::refused() const {
  std::scoped_lock lock(impl_->mutex);
  return impl_->refused;
}

size_t reader_pool::running_max() const {
  std::scoped_lock lock(impl_->mutex);
  return impl_->running_max;
}

} // namespace fondaco::actors
