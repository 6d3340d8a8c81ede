#pragma once
#include <algorithm>
#include <functional>
#include <memory>

#include "engine/torch/device_queue.h"

namespace mnist_dist {

/// Settings of a FakeQueue, and its recorded calls.
struct FakeDevice {
  bool can_record = true;
  int polls_until_reached = 0;  ///< of each mark
  bool broken = false;          ///< LibTorch throws whatever is asked of it

  int records = 0, replays = 0, marks = 0;
  bool replaying = false;
  bool recorded_while_busy = false;  ///< CUDA waits for the device before it records
  /// Launches so far (a replay is one, and a test counts others), those that the host has seen
  /// done, and the most that there were in between.
  int launched = 0, done = 0, most_ahead = 0;

  void launch(int count) {
    if (!replaying) launched += count;
    most_ahead = std::max(most_ahead, launched - done);
  }
};

/// The host's memory and arithmetic, with what only a GPU's queue has: recorded steps, and work
/// that takes a while. A replay runs the recorded work again.
class FakeQueue final : public DeviceQueue {
 public:
  explicit FakeQueue(FakeDevice& fake) : fake_(fake) {}
  at::Device device() const override { return at::kCPU; }
  Queue queue() const override { return {}; }
  std::shared_ptr<void> use() const override {
    TORCH_CHECK(!fake_.broken, "CUDA error: unspecified launch failure");
    return nullptr;
  }
  bool can_record() const override { return fake_.can_record; }
  void record(const std::function<void()>& work) override {
    ++fake_.records;
    fake_.recorded_while_busy |= fake_.done < fake_.launched;
    recorded_ = work;
  }
  void replay() override {
    ++fake_.replays;
    fake_.launch(1);
    fake_.replaying = true;
    recorded_();
    fake_.replaying = false;
  }
  Reached mark() override {
    ++fake_.marks;
    return [this, polls = fake_.polls_until_reached, launched = fake_.launched]() mutable {
      if (polls-- > 0) return false;
      fake_.done = std::max(fake_.done, launched);
      return true;
    };
  }

 private:
  FakeDevice& fake_;
  std::function<void()> recorded_;
};

}  // namespace mnist_dist
