// Interface of a layer's operation before its bias, ReLU, norm and dropout.
#if defined(MNIST_DIST_FUSED_OPERATION_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MNIST_DIST_FUSED_OPERATION_INL_H
#undef MNIST_DIST_FUSED_OPERATION_INL_H
#else
#define MNIST_DIST_FUSED_OPERATION_INL_H
#endif

#include "engine/fused/activation-inl.h"
#include "engine/fused/phase_clock.h"

HWY_BEFORE_NAMESPACE();
namespace mnist_dist::fused {
namespace HWY_NAMESPACE {

/// A convolution or a pool, on one lane block (kLanes images) at a time. Built once, allocates
/// nothing afterwards.
class Operation {
 public:
  virtual ~Operation() = default;
  /// Floats of memory it needs during a call, which operations share.
  virtual std::size_t workspace_size() const { return 0; }
  virtual void use_workspace(float* /*memory*/) {}
  /// New weights.
  virtual void use_weights(const float* /*parameters*/) {}
  /// Before the backward pass of the lane blocks of one part: its sums of the weight gradient begin
  /// at 0.
  virtual void begin_part(int /*part*/) {}
  /// After it. There may have been no such lane block.
  virtual void finish_part(int /*part*/) {}
  /// Reads the rows of `in`, writes those of `out` and finishes each.
  virtual void forward(const Activation& in, int lane_block, Activation& out) = 0;
  /// Reads the gradient of `out`. Adds to the sums of the weight gradient. If `in` needs a
  /// gradient, writes its rows and finishes each.
  virtual void backward(Activation& in, int lane_block, Activation& out) = 0;
  /// After all parts: the weight gradient into the flat gradient.
  virtual void finish_gradient(float* /*gradient*/) {}

  void set_phase_clock(PhaseClock* watch) { watch_ = watch; }

 protected:
  Timed timed(Phase phase) const { return {watch_, phase}; }

 private:
  PhaseClock* watch_ = nullptr;
};

}  // namespace HWY_NAMESPACE
}  // namespace mnist_dist::fused
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
