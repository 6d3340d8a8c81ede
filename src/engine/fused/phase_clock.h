#pragma once
#include <array>
#include <chrono>
#include <cstddef>
#include <vector>

namespace mnist_dist::fused {

/// Where the time of a step goes.
enum class Phase {
  input,            ///< decoding and augmentation
  weights,          ///< weights into the kernels' order, weight gradients out of it
  forward,          ///< products of the layer, with their transforms and the work inside these
  input_gradient,   ///< the same of the gradient with respect to the layer's input
  weight_gradient,  ///< and with respect to its weights
  pointwise,  ///< bias, ReLU, norm and dropout of the layer before or behind, in either direction,
              ///< where the products' kernels do not do them
  dropout,    ///< random bits
  loss,
  count,
};

/// Seconds per layer and phase. It is always in one phase, so that the times add up to the whole.
class PhaseClock {
 public:
  using Times = std::array<double, static_cast<std::size_t>(Phase::count)>;
  explicit PhaseClock(std::size_t layers) : seconds_(layers + 1) {}

  /// Layer -1: none.
  void enter(int layer, Phase phase) {
    const auto now = std::chrono::steady_clock::now();
    seconds_[static_cast<std::size_t>(layer_ + 1)][static_cast<std::size_t>(phase_)] +=
        std::chrono::duration<double>(now - since_).count();
    since_ = now, layer_ = layer, phase_ = phase;
  }
  int layer() const { return layer_; }
  Phase phase() const { return phase_; }
  /// Index 0: time outside of layers. Then one entry per layer.
  const std::vector<Times>& seconds() const { return seconds_; }

 private:
  std::vector<Times> seconds_;
  int layer_ = -1;
  Phase phase_ = Phase::input;
  std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
};

/// A phase of the current layer for the time of a scope. Without a clock, nothing.
class Timed {
 public:
  Timed(PhaseClock* watch, Phase phase) : watch_(watch) {
    if (!watch_) return;
    before_ = watch_->phase();
    watch_->enter(watch_->layer(), phase);
  }
  ~Timed() {
    if (watch_) watch_->enter(watch_->layer(), before_);
  }
  Timed(const Timed&) = delete;
  Timed& operator=(const Timed&) = delete;

 private:
  PhaseClock* watch_;
  Phase before_ = Phase::input;
};

}  // namespace mnist_dist::fused
