#include "engine/thread_pool.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace mnist_dist {
namespace {

/// Returns when `value` is no longer `old`. A thread that sleeps takes 20 to 70 us to wake up on a
/// virtual machine, two times per step of 3 ms. So it first polls for a while (the 20 to 60 us
/// between two calls of run on one rank are well within it) and lets others run if they share its
/// core.
template <class T>
void wait_while(const std::atomic<T>& value, T old) {
  constexpr std::chrono::microseconds patience{1000};
  for (const auto end = std::chrono::steady_clock::now() + patience;
       std::chrono::steady_clock::now() < end; std::this_thread::yield())
    if (value != old) return;
  value.wait(old);
}

}  // namespace

// Delegates to a constructor that cannot fail, so that when the next thread cannot be started the
// destructor ends those that run.
ThreadPool::ThreadPool(int threads) : ThreadPool() {
  thrown_.resize(static_cast<std::size_t>(std::max(1, threads)));
  for (int thread = 1; thread < threads; ++thread)
    helpers_.emplace_back([this, thread] { serve(thread); });
}

ThreadPool::~ThreadPool() {
  ending_ = true;
  ++started_;
  started_.notify_all();
  for (auto& helper : helpers_) helper.join();
}

void ThreadPool::run(Call call) {
  call_ = call;
  running_ = size() - 1;
  ++started_;
  started_.notify_all();
  run_share(0);
  for (int left = running_; left != 0; left = running_) wait_while(running_, left);
  for (auto& thrown : thrown_)
    if (thrown) {
      const auto first = std::exchange(thrown, nullptr);
      std::ranges::fill(thrown_, nullptr);
      std::rethrow_exception(first);
    }
}

void ThreadPool::serve(int thread) {
  // Starting from 0, not from the current started_: run may have been called before this thread got
  // here.
  for (std::uint32_t seen = 0;; ++seen) {
    wait_while(started_, seen);
    if (ending_) return;
    run_share(thread);
    if (--running_ == 0) running_.notify_one();
  }
}

void ThreadPool::run_share(int thread) try { call_.invoke(call_.callable, thread); } catch (...) {
  thrown_[static_cast<std::size_t>(thread)] = std::current_exception();
}

}  // namespace mnist_dist
