#include "engine/torch/device_queue.h"

namespace mnist_dist {
namespace {

class HostQueue final : public DeviceQueue {
 public:
  at::Device device() const override { return at::kCPU; }
  Queue queue() const override { return {}; }
  std::shared_ptr<void> use() const override { return nullptr; }
  bool can_record() const override { return false; }
  void record(const std::function<void()>&) override {
    throw std::logic_error("the host cannot record a step");
  }
  void replay() override { throw std::logic_error("the host cannot replay a step"); }
  Reached mark() override {
    return [] { return true; };
  }
};

}  // namespace

std::unique_ptr<DeviceQueue> make_host_queue() { return std::make_unique<HostQueue>(); }

}  // namespace mnist_dist
