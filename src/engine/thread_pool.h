#pragma once
#include <atomic>
#include <cstdint>
#include <exception>
#include <thread>
#include <vector>

namespace mnist_dist {

/// A fixed number of threads that all run the same function, each with its own number. The calling
/// thread is number 0, so a pool of one costs nothing.
class ThreadPool {
 public:
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const { return static_cast<int>(helpers_.size()) + 1; }

  /// Runs work(0) .. work(size() - 1), returns when all are done and rethrows the exception of the
  /// lowest-numbered thread that failed.
  template <class Work>
  void run(const Work& work) {
    run({&work,
         [](const void* callable, int thread) { (*static_cast<const Work*>(callable))(thread); }});
  }

 private:
  ThreadPool() = default;
  /// A callable by reference: a std::function could allocate.
  struct Call {
    const void* callable;
    void (*invoke)(const void* callable, int thread);
  };
  void run(Call call);
  void serve(int thread);
  void run_share(int thread);

  Call call_{};
  std::atomic<std::uint32_t> started_ = 0;  ///< calls of run so far. A change wakes the helpers
  std::atomic<int> running_ = 0;            ///< helpers still at work
  std::atomic<bool> ending_ = false;
  std::vector<std::exception_ptr> thrown_;
  std::vector<std::thread> helpers_;
};

}  // namespace mnist_dist
