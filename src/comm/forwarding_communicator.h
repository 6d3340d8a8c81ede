#pragma once
#include <cstdlib>

#include "comm/communicator.h"

namespace mnist_dist {

/// A group of ranks through another communicator of theirs, for those that change one thing.
class ForwardingCommunicator : public Communicator {
 public:
  explicit ForwardingCommunicator(Communicator& group) : group_(group) {}
  int rank() const override { return group_.rank(); }
  int size() const override { return group_.size(); }
  int local_rank() const override { return group_.local_rank(); }
  int local_size() const override { return group_.local_size(); }
  void broadcast(std::span<std::byte> bytes, int root) override { group_.broadcast(bytes, root); }
  std::vector<std::vector<std::byte>> all_gather(std::span<const std::byte> bytes) override {
    return group_.all_gather(bytes);
  }
  void barrier() override { group_.barrier(); }
  std::unique_ptr<Communicator> split(int color) override { return group_.split(color); }
  void set_activity(const std::string& activity) override { group_.set_activity(activity); }
  [[noreturn]] void abort(ExitCode code) override {
    group_.abort(code);
    std::abort();  // not reached, which the compiler does not see through a virtual call
  }

 protected:
  Communicator& group_;
};

}  // namespace mnist_dist
