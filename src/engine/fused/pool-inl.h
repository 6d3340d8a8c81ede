// Max-pool, global average and global max.
#if defined(MNIST_DIST_FUSED_POOL_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MNIST_DIST_FUSED_POOL_INL_H
#undef MNIST_DIST_FUSED_POOL_INL_H
#else
#define MNIST_DIST_FUSED_POOL_INL_H
#endif

#include "engine/fused/operation-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mnist_dist::fused {
namespace HWY_NAMESPACE {

/// Windows side by side: max-pool, and global max as one window. The backward pass finds the
/// largest pixel again.
class MaxPool final : public Operation {
 public:
  explicit MaxPool(const LayerPlan& plan)
      : window_(plan.shape.kernel),
        channels_(plan.shape.in_channels),
        in_side_(plan.shape.in_side),
        out_side_(plan.shape.out_side),
        row_size_(static_cast<std::size_t>(channels_ * in_side_ * kLanes)) {}

  /// window_ input rows and one gradient row.
  std::size_t workspace_size() const override {
    return static_cast<std::size_t>(window_) * row_size_ +
           static_cast<std::size_t>(channels_ * out_side_ * kLanes);
  }
  void use_workspace(float* memory) override { memory_ = memory; }

  void forward(const Activation& in, int lane_block, Activation& out) override {
    for (int y = 0; y < out_side_; ++y) {
      const float* const rows = window_rows(in, lane_block, y);
      float* at = out.row(lane_block, y);
      for (int channel = 0; channel < channels_; ++channel)
        for (int x = 0; x < out_side_; ++x, at += kLanes)
          store(largest(window_at(rows, channel, x)), at);
      out.finish_row(lane_block, y);
    }
  }

  void backward(Activation& in, int lane_block, Activation& out) override {
    if (!in.wants_gradient()) return;
    float* const gradient = memory_ + static_cast<std::size_t>(window_) * row_size_;
    const int rest = (in_side_ - out_side_ * window_) * kLanes;  // columns without a window
    for (int y = 0; y < out_side_; ++y) {
      const float* const rows = window_rows(in, lane_block, y);
      out.read_gradient_row(lane_block, y, 0, gradient);
      const float* at = gradient;
      float* to = in.gradient_row(lane_block, y * window_);
      for (int channel = 0; channel < channels_; ++channel) {
        for (int x = 0; x < out_side_; ++x, at += kLanes, to += window_ * kLanes)
          give_to_largest(window_at(rows, channel, x), load(at), to);
        for (int i = 0; i < window_; ++i)
          std::fill_n(to + static_cast<std::size_t>(i) * row_size_, rest, 0.0f);
        to += rest;
      }
      for (int i = 0; i < window_; ++i) in.finish_gradient_row(lane_block, y * window_ + i);
    }
    for (int y = out_side_ * window_; y < in_side_; ++y) {
      std::fill_n(in.gradient_row(lane_block, y), row_size_, 0.0f);
      in.finish_gradient_row(lane_block, y);
    }
  }

 private:
  /// x of the rows of a row of windows.
  const float* window_rows(const Activation& in, int lane_block, int y) const {
    if (in.reads_as_stored()) return in.row(lane_block, y * window_);
    for (int i = 0; i < window_; ++i)
      in.read_row(lane_block, y * window_ + i, 0,
                  memory_ + static_cast<std::size_t>(i) * row_size_);
    return memory_;
  }
  const float* window_at(const float* rows, int channel, int x) const {
    return rows + (channel * in_side_ + x * window_) * kLanes;
  }

  /// NaN passes on, as in PyTorch. (hn::Ne(value, value) would not do: on AVX2 and AVX-512 it is
  /// false for NaN.)
  V largest(const float* row) const {
    V result = load(row);
    for (int i = 0; i < window_; ++i, row += row_size_)
      for (int j = 0; j < window_; ++j) {
        const V value = load(row + j * kLanes);
        result = hn::IfThenElse(hn::Or(hn::Gt(value, result), hn::IsNaN(value)), value, result);
      }
    return result;
  }

  /// Ties go to the first in row order, as in PyTorch. `out`: the window in the gradient's rows.
  void give_to_largest(const float* row, V gradient, float* out) const {
    const V target = largest(row);
    for (int i = 0; i < window_; ++i, row += row_size_, out += row_size_)
      for (int j = 0; j < window_; ++j) {
        const auto here = hn::Eq(load(row + j * kLanes), target);
        store(hn::IfThenElseZero(here, gradient), out + j * kLanes);
        gradient = hn::IfThenZeroElse(here, gradient);
      }
  }

  int window_, channels_, in_side_, out_side_;
  std::size_t row_size_;
  float* memory_ = nullptr;
};

class GlobalAverage final : public Operation {
 public:
  explicit GlobalAverage(const LayerPlan& plan)
      : channels_(plan.shape.in_channels), side_(plan.shape.in_side) {}
  std::size_t workspace_size() const override {
    return static_cast<std::size_t>(channels_ * kLanes);
  }
  void use_workspace(float* memory) override { row_ = memory; }

  void forward(const Activation& in, int lane_block, Activation& out) override {
    float* const sums = out.row(lane_block, 0);
    std::fill_n(sums, channels_ * kLanes, 0.0f);
    for (int y = 0; y < side_; ++y) {
      float* at = sums;
      in.read_channels(lane_block, y, [&](auto& x) HWY_ATTR {
        V sum = load(at);
        for (int i = 0; i < side_; ++i) sum = add(sum, x.next());
        store(sum, at);
        at += kLanes;
      });
    }
    const V share = broadcast(1.0f / static_cast<float>(side_ * side_));
    for (int channel = 0; channel < channels_; ++channel)
      store(hn::Mul(load(sums + channel * kLanes), share), sums + channel * kLanes);
    out.finish_row(lane_block, 0);
  }

  void backward(Activation& in, int lane_block, Activation& out) override {
    if (!in.wants_gradient()) return;
    out.read_gradient_row(lane_block, 0, 0, row_);
    const V share = broadcast(1.0f / static_cast<float>(side_ * side_));
    for (int y = 0; y < side_; ++y) {
      float* at = in.gradient_row(lane_block, y);
      for (int channel = 0; channel < channels_; ++channel) {
        const V gradient = hn::Mul(load(row_ + channel * kLanes), share);
        for (int x = 0; x < side_; ++x, at += kLanes) store(gradient, at);
      }
      in.finish_gradient_row(lane_block, y);
    }
  }

 private:
  int channels_, side_;
  float* row_ = nullptr;
};

}  // namespace HWY_NAMESPACE
}  // namespace mnist_dist::fused
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
