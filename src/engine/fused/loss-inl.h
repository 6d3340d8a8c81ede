// Log-softmax and negative log-likelihood of the last layer's output.
#if defined(MNIST_DIST_FUSED_LOSS_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MNIST_DIST_FUSED_LOSS_INL_H
#undef MNIST_DIST_FUSED_LOSS_INL_H
#else
#define MNIST_DIST_FUSED_LOSS_INL_H
#endif

#include "engine/fused/activation-inl.h"
#include "engine/fused/exp_log-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mnist_dist::fused {
namespace HWY_NAMESPACE {

/// One lane block's losses and predictions, one lane per image.
struct LaneBlockLoss {
  HWY_ALIGN float loss[kLanes];
  HWY_ALIGN float prediction[kLanes];  ///< class, the lowest of equal logits
};

/// The difference from the exact loss is below 1e-6 (1 + loss).
/// The smoothed target is (1 - smoothing) * one-hot + smoothing / classes. `scratch`:
/// [2][classes][lanes] floats. `gradient`: also write softmax - target into `out`'s gradient.
inline void lane_block_loss(const Activation& out, int lane_block, const ClassIndex* labels,
                            int images, float smoothing, bool gradient, float* scratch,
                            LaneBlockLoss& result) {
  const int classes = out.channels();
  float* const logits = scratch;
  float* const exponentials = scratch + classes * kLanes;
  out.read_row(lane_block, 0, 0, logits);
  V largest = load(logits), prediction = hn::Zero(d);
  for (int c = 1; c < classes; ++c) {
    const V logit = load(logits + c * kLanes);
    const auto larger = hn::Gt(logit, largest);
    largest = hn::IfThenElse(larger, logit, largest);
    prediction = hn::IfThenElse(larger, broadcast(static_cast<float>(c)), prediction);
  }
  V sum = hn::Zero(d), difference_sum = hn::Zero(d);
  for (int c = 0; c < classes; ++c) {
    const V difference = hn::Sub(load(logits + c * kLanes), largest);
    const V exponential = exp_of(difference);
    store(exponential, exponentials + c * kLanes);
    sum = add(sum, exponential);
    difference_sum = add(difference_sum, difference);
  }
  const V log_sum = log_of(sum);

  HWY_ALIGN float label[kLanes] = {};
  for (int lane = 0; lane < std::min(images, kLanes); ++lane)
    label[lane] = static_cast<float>(labels[lane]);
  const V wanted = load(label);
  V wanted_difference = hn::Zero(d);
  const V share = broadcast(smoothing / static_cast<float>(classes)),
          rest = broadcast(1 - smoothing);
  const V normaliser = hn::Div(broadcast(1), sum);
  for (int c = 0; c < classes; ++c) {
    const auto is_wanted = hn::Eq(wanted, broadcast(static_cast<float>(c)));
    wanted_difference =
        hn::IfThenElse(is_wanted, hn::Sub(load(logits + c * kLanes), largest), wanted_difference);
    if (!gradient) continue;
    const V target = add(share, hn::IfThenElseZero(is_wanted, rest));
    store(hn::Sub(hn::Mul(load(exponentials + c * kLanes), normaliser), target),
          out.gradient_row(lane_block, 0) + c * kLanes);
  }
  // -sum over classes of target * (difference - log_sum). The targets add up to 1.
  V expected = hn::Mul(rest, wanted_difference);
  if (smoothing > 0)
    expected = add(expected,
                   hn::Mul(share, difference_sum));  // 0 times a sum that overflowed would not be 0
  const V loss = hn::Sub(log_sum, expected);
  store(loss, result.loss);
  store(prediction, result.prediction);
}

}  // namespace HWY_NAMESPACE
}  // namespace mnist_dist::fused
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
