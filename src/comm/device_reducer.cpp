#include "comm/device_reducer.h"

#include <optional>

#include "comm/device_exchange.h"
#include "comm/device_gather.h"
#include "comm/nccl_link.h"

namespace mnist_dist {
namespace {

/// Sums in a device's memory. Ranks, where there are several, meet over NCCL.
class DeviceReducer final : public Reducer {
 public:
  DeviceReducer(Communicator& group, int device, const DeviceCommOptions& options)
      : rank_(group.rank()), size_(group.size()), exact_(options.reduce == "exact") {
    if (options.transport == "nccl" || size_ > 1) link_.emplace(group, device, options.timeout);
  }

  void tree_all_reduce(const ShardVectors& vectors, int shards, std::span<float> total,
                       const Queue& queue) override {
    if (link_ && !exact_)
      add_in_any_order(vectors, shards, total, queue);
    else if (size_ > most_gathering_ranks)
      exchange(vectors, shards, total, queue);
    else
      gather(vectors, shards, total, queue);
  }

  void watch(double waited_seconds) override {
    if (link_) link_->watch(waited_seconds);
  }

 private:
  void gather(const ShardVectors& vectors, int shards, std::span<float> total, const Queue& queue) {
    if (!gather_ || !gather_->fits(shards, total.size()))
      gather_.emplace(rank_, size_, shards, total.size(), queue);
    gather_->add_owned(vectors, queue);
    if (link_) link_->all_gather(gather_->own_part(), gather_->buffer(), gather_->part(), queue);
    gather_->finish(total, queue);
  }

  void exchange(const ShardVectors& vectors, int shards, std::span<float> total,
                const Queue& queue) {
    if (!exchange_ || !exchange_->fits(shards, total.size()))
      exchange_.emplace(rank_, size_, shards, total.size(), queue);
    exchange_->reduce(vectors, total, queue,
                      [&](auto messages) { link_->exchange(messages, queue); });
  }

  void add_in_any_order(const ShardVectors& vectors, int shards, std::span<float> total,
                        const Queue& queue) {
    if (!nodes_ || !nodes_->fits(shards)) nodes_.emplace(rank_, size_, shards, queue);
    if (const std::size_t floats = nodes_->count() * total.size(); sums_.size() != floats)
      sums_ = DeviceArray<float>(queue, floats);
    nodes_->add(vectors, sums_.data(), queue);
    nodes_->chain(sums_.data(), total, queue);
    link_->add(total, queue);
  }

  int rank_, size_;
  bool exact_;
  // Kept from step to step. A recorded step refers to their memory.
  std::optional<DeviceGather> gather_;
  std::optional<DeviceExchange> exchange_;
  std::optional<DeviceNodes> nodes_;  ///< of sums in any order
  DeviceArray<float> sums_;           ///< of these nodes
  std::optional<NcclLink> link_;      ///< ends first, because it may use that memory
};

/// Takes the vectors to the host, where the group adds them.
class StagedReducer final : public Reducer {
 public:
  explicit StagedReducer(Communicator& group) : group_(group) {}

  void tree_all_reduce(const ShardVectors& vectors, int shards, std::span<float> total,
                       const Queue& queue) override {
    vectors_.resize(static_cast<std::size_t>(vectors.count) * vectors.stride);
    total_.resize(total.size());
    copy_memory(queue, vectors_.data(), vectors.data, vectors_.size() * sizeof(float));
    ShardVectors staged = vectors;
    staged.data = vectors_.data();
    group_.tree_all_reduce(staged, shards, total_, Queue{});
    copy_memory(queue, total.data(), total_.data(), total.size_bytes());
  }

 private:
  Communicator& group_;
  std::vector<float> vectors_, total_;
};

}  // namespace

std::unique_ptr<Reducer> make_device_reducer(Communicator& group, int device,
                                             const DeviceCommOptions& options) {
  if (!reduces_on_device(group, options)) return std::make_unique<StagedReducer>(group);
  return std::make_unique<DeviceReducer>(group, device, options);
}

}  // namespace mnist_dist
