#pragma once

namespace mnist_dist {

/// Trains and evaluates on synthetic images in memory. `mnist-dist bench` times its calls.
class TrainingLoop {
 public:
  virtual ~TrainingLoop() = default;
  /// Trains on about this many images (whole steps) and returns how many they were.
  virtual int train(int images) = 0;
  /// Scores about this many images with the weights as they are and returns how many they were.
  virtual int evaluate(int images) = 0;
};

}  // namespace mnist_dist
