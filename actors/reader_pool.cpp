#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "actors/ports/log.hpp"
#include "actors/runtime.hpp"
#include "protocols/base/fault.hpp"

namespace fondaco::actors {

struct reader_pool::impl {
  mutable std::mutex mutex;
  std::condition_variable wake;
  std::deque<std::function<void()>> jobs;
  size_t jobs_max = 0;
  bool closed = false;
  std::vector<std::thread> threads;

  void work() {
    for (;;) {
      std::function<void()> job;
      {
        std::unique_lock lock(mutex);
        wake.wait(lock, [&] { return closed || !jobs.empty(); });
        if (jobs.empty())
          return;
        job = std::move(jobs.front());
        jobs.pop_front();
      }
      job();
    }
  }
};

reader_pool::reader_pool(size_t threads, size_t jobs_max) : impl_(std::make_unique<impl>()) {
  invariant(threads > 0 && jobs_max > 0, "a reader pool has threads and room for jobs");
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
}

void note_failed_job(const char* why) {
  write_log({severity::error, "actors", log_category::application, "a read failed", {{"what", why}}});
}

bool reader_pool::post(std::function<void()> job) {
  {
    std::scoped_lock lock(impl_->mutex);
    if (impl_->closed || impl_->jobs.size() >= impl_->jobs_max)
      return false;
    impl_->jobs.push_back(std::move(job));
  }
  impl_->wake.notify_one();
  return true;
}

size_t reader_pool::waiting() const {
  std::scoped_lock lock(impl_->mutex);
  return impl_->jobs.size();
}

} // namespace fondaco::actors
