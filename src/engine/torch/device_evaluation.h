#pragma once
#include <span>
#include <vector>

#include "base/device_memory.h"
#include "data/augment.h"
#include "engine/engine.h"
#include "engine/torch/device_queue.h"
#include "engine/torch/network.h"

namespace mnist_dist {

/// Forward over the rows to score on, which lie in a queue's memory.
class DeviceEvaluation {
 public:
  /// `side`: of the images.
  DeviceEvaluation(int side, const Normalisation& normalisation, const DeviceQueue& queue)
      : side_(side), normalisation_(normalisation), queue_(queue) {}

  /// The rows' memory outlives this.
  void set_data(std::span<const ImagesView> shares);
  /// Engine::evaluate, with the weights of `views`.
  std::vector<Sums> run(const Network& network, const TensorViews& views,
                        std::vector<ClassIndex>* predictions, std::vector<float>* logits) const;

 private:
  /// Logits [count][classes] of a share's images from `first` on, in host memory.
  at::Tensor logits_of(std::size_t share, int first, int count, const Network& network,
                       const TensorViews& views) const;

  int side_;
  Normalisation normalisation_;
  const DeviceQueue& queue_;
  std::vector<ImagesView> shares_;
  std::vector<DeviceArray<std::uint8_t>> pixels_;
};

}  // namespace mnist_dist
