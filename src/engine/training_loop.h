#pragma once

namespace mnist_dist {

/// Training and evaluating to be timed: synthetic images on hand, nothing else around it.
class TrainingLoop {
 public:
  virtual ~TrainingLoop() = default;
  /// Trains on about this many images (whole steps) and returns how many they were.
  virtual int train(int images) = 0;
  /// Scores about this many images with the weights as they are and returns how many they were.
  virtual int evaluate(int images) = 0;
};

}  // namespace mnist_dist
