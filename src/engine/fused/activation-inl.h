// A layer's stored output, written and read row by row through bias, ReLU, batch norm and dropout.
#if defined(MNIST_DIST_FUSED_ACTIVATION_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MNIST_DIST_FUSED_ACTIVATION_INL_H
#undef MNIST_DIST_FUSED_ACTIVATION_INL_H
#else
#define MNIST_DIST_FUSED_ACTIVATION_INL_H
#endif

#include <algorithm>
#include <cmath>

#include "engine/fused/batch_norm.h"
#include "engine/fused/channel-inl.h"
#include "engine/fused/plan.h"
#include "engine/fused/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mnist_dist::fused {
namespace HWY_NAMESPACE {

/// Only the value after ReLU is stored, [lane block][row][channel][column][lanes]. The next layer's
/// input,
///   x = dropped ? 0 : scale[channel] * value + shift[channel],
/// is norm and dropout in one multiply-add, so it is computed again wherever it is needed instead
/// of being written and read. Lanes without an image hold finite numbers that nothing adds up.
///
/// The calls of one training step, in this order. Within each lane block, rows go from 0 upwards,
/// because sums continue from row to row.
///   begin
///   forward, first layer to last
///     per row    the layer's operation writes row(), then calls finish_row
///     per block  with dropout, Worker draws dropped()
///     once       norm().use_batch_statistics. From here on, x is defined: read_row
///   backward, last layer to first
///     per row    the next layer's operation, or the loss, writes gradient_row(), then calls
///                finish_gradient_row
///     once       norm().write_gradients
///     per row    the layer's operation calls read_gradient_row exactly once
///     once       write_bias_gradient
/// An evaluation calls begin and norm().use_running_statistics, then makes the calls per row of the
/// forward pass. Each call for a row has a second form, for operations that work channel by
/// channel.
class Activation {
 public:
  Activation(const LayerPlan& plan, int lane_blocks)
      : plan_(plan),
        channels_(plan.shape.out_channels),
        side_(plan.shape.out_side),
        row_size_(static_cast<std::size_t>(channels_ * side_ * kLanes)),
        values_(static_cast<std::size_t>(lane_blocks * side_) * row_size_),
        dropped_(drops() ? static_cast<std::size_t>(lane_blocks) * dropped_size() : 0),
        bias_sums_(static_cast<std::size_t>(lane_blocks * channels_ * kLanes)),
        norm_(plan, lane_blocks * kLanes) {}

  const LayerPlan& plan() const { return plan_; }
  int channels() const { return channels_; }
  int side() const { return side_; }
  BatchNorm& norm() { return norm_; }
  float* row(int lane_block, int y) const {
    return values_.data() + static_cast<std::size_t>(lane_block * side_ + y) * row_size_;
  }
  /// Of the loss with respect to x. Same layout as the values.
  float* gradient_row(int lane_block, int y) const {
    return gradients_ + static_cast<std::size_t>(lane_block * side_ + y) * row_size_;
  }
  /// One bit per lane, elements in the order of DropoutRule's draws: [channel][row][column].
  std::uint8_t* dropped(int lane_block) const {
    return dropped_.data() + static_cast<std::size_t>(lane_block) * dropped_size();
  }

  std::size_t size() const { return values_.size(); }
  /// Where gradients lie while they are needed: `size()` floats.
  void use_gradients(float* memory) { gradients_ = memory; }
  bool wants_gradient() const { return gradients_ != nullptr; }

  /// Before a pass of `images` images. `training`: batch statistics and dropout. `parameters` must
  /// stay valid until the pass ends.
  void begin(const float* parameters, int images, bool training) {
    images_ = images;
    training_ = training;
    bias_ = plan_.layer.bias ? parameters + plan_.bias : nullptr;
    norm_.begin(parameters, images, training);
  }

  /// Input: the row of the layer's operation. Adds the bias, applies ReLU and gathers statistics.
  void finish_row(int lane_block, int y);
  /// The same for a row that is computed channel by channel: calls use(finish), which stores
  /// finish(computed) of each column after finish.begin(the leftmost).
  template <class Use>
  void finish_channels(int lane_block, int y, Use use);

  /// Whether x is the stored value.
  bool reads_as_stored() const { return !plan_.layer.norm && !(training_ && drops()); }
  /// x, with zero columns before and after: [channel][padding + side + padding][lanes].
  void read_row(int lane_block, int y, int padding, float* out) const;
  /// The same channel by channel: calls use(x), where x.next() is its next column.
  template <class Use>
  void read_channels(int lane_block, int y, Use use) const;

  /// Whether every value of every image is. A value that is not stays so through the layer.
  bool finite() const {
    for (int image = 0; image < images_; ++image)
      for (int y = 0; y < side_; ++y)
        for (int i = 0; i < channels_ * side_; ++i)
          if (!std::isfinite(row(image / kLanes, y)[i * kLanes + image % kLanes])) return false;
    return true;
  }

  /// The gradient row is complete: gathers norm's sums.
  void finish_gradient_row(int lane_block, int y);
  /// The same, channel by channel: calls use(finish), which calls finish(gradient) of each column.
  template <class Use>
  void finish_gradient_channels(int lane_block, int y, Use use);

  /// Gradient with respect to the output of the layer's operation, 0 in lanes without an image. The
  /// layout is read_row's.
  void read_gradient_row(int lane_block, int y, int padding, float* out);
  /// The same channel by channel: calls use(g), where g.next() is its next column.
  template <class Use>
  void read_gradient_channels(int lane_block, int y, Use use);

  /// Into the flat gradient `out`.
  void write_bias_gradient(float* out) const;

 private:
  std::size_t dropped_size() const {
    return static_cast<std::size_t>(channels_ * side_ * side_ * kMaskBytes) + kMaskSlack;
  }
  bool gathers() const { return training_ && plan_.layer.norm; }
  bool drops() const { return plan_.dropout.threshold > 0; }
  /// Null without dropout.
  const std::uint8_t* dropped_at(int lane_block, int channel, int y) const {
    return drops() ? dropped(lane_block) + (channel * side_ + y) * side_ * kMaskBytes : nullptr;
  }
  auto alive(int lane_block) const {
    return hn::FirstN(
        d, static_cast<std::size_t>(std::clamp(images_ - lane_block * kLanes, 0, kLanes)));
  }
  float* bias_sum(int lane_block, int channel) const {
    return bias_sums_.data() + (lane_block * channels_ + channel) * kLanes;
  }

  static HWY_INLINE float* zeros(int columns, float* out) {
    for (const float* const end = out + columns * kLanes; out < end; out += kLanes)
      store(hn::Zero(d), out);
    return out;
  }

  /// The columns of a channel, with zero columns beside them. Returns the position behind them.
  template <class Columns>
  HWY_INLINE float* write_padded(Columns& columns, int padding, float* out) const {
    out = zeros(padding, out);
    for (const float* const end = out + side_ * kLanes; out < end; out += kLanes)
      store(columns.next(), out);
    return zeros(padding, out);
  }

  LayerPlan plan_;
  int channels_, side_;
  std::size_t row_size_;
  Buffer<float> values_;
  float* gradients_ = nullptr;
  Buffer<std::uint8_t> dropped_;
  Buffer<float> bias_sums_;  // of the gradient: [lane block][channel][lanes]
  BatchNorm norm_;
  const float* bias_ = nullptr;  // null without
  int images_ = 0;
  bool training_ = false;
};

template <class Use>
void Activation::finish_channels(int lane_block, int y, Use use) {
  choose(plan_.layer.relu, gathers(), [&](auto kRelu, auto kStatistics) HWY_ATTR {
    for (int channel = 0; channel < channels_; ++channel) {
      using Finisher = ChannelFinisher<decltype(kRelu)::value, decltype(kStatistics)::value>;
      Finisher finish{.bias = broadcast(bias_ ? bias_[channel] : 0),
                      .y = y,
                      .sums = norm_.sums_of(channel, lane_block * kLanes)};
      use(finish);
      finish.end();
    }
  });
}

inline void Activation::finish_row(int lane_block, int y) {
  if (!plan_.layer.bias && !plan_.layer.relu && !gathers()) return;
  float* at = row(lane_block, y);
  finish_channels(lane_block, y, [&](auto& finish) HWY_ATTR {
    finish.begin(load(at));
    for (const float* const end = at + side_ * kLanes; at < end; at += kLanes)
      store(finish(load(at)), at);
  });
}

template <class Use>
void Activation::read_channels(int lane_block, int y, Use use) const {
  choose(training_ && drops(), [&](auto kDropout) HWY_ATTR {
    for (int channel = 0; channel < channels_; ++channel) {
      const ChannelFactors& factors = norm_.factors(channel);
      ChannelReader<decltype(kDropout)::value> x{
          .scale = broadcast(factors.scale),
          .shift = broadcast(factors.shift),
          .value = row(lane_block, y) + channel * side_ * kLanes,
          .dropped = dropped_at(lane_block, channel, y)};
      use(x);
    }
  });
}

inline void Activation::read_row(int lane_block, int y, int padding, float* out) const {
  read_channels(lane_block, y, [&](auto& x) HWY_ATTR { out = write_padded(x, padding, out); });
}

template <class Use>
void Activation::finish_gradient_channels(int lane_block, int y, Use use) {
  choose(plan_.layer.norm, drops(), [&](auto kNorm, auto kDropout) HWY_ATTR {
    for (int channel = 0; channel < channels_; ++channel) {
      using Finisher = ChannelGradientFinisher<decltype(kNorm)::value, decltype(kDropout)::value>;
      Finisher finish{.mean = broadcast(norm_.factors(channel).mean),
                      .value = row(lane_block, y) + channel * side_ * kLanes,
                      .dropped = dropped_at(lane_block, channel, y),
                      .sums = norm_.sums_of(channel, lane_block * kLanes)};
      finish.begin(y);
      use(finish);
      finish.end();
    }
  });
}

inline void Activation::finish_gradient_row(int lane_block, int y) {
  if (!plan_.layer.norm) return;
  const float* at = gradient_row(lane_block, y);
  finish_gradient_channels(lane_block, y, [&](auto& finish) HWY_ATTR {
    for (const float* const end = at + side_ * kLanes; at < end; at += kLanes) finish(load(at));
  });
}

template <class Use>
void Activation::read_gradient_channels(int lane_block, int y, Use use) {
  choose(plan_.layer.relu, drops(), [&](auto kRelu, auto kDropout) HWY_ATTR {
    choose(plan_.layer.bias, [&](auto kBiased) HWY_ATTR {
      for (int channel = 0; channel < channels_; ++channel) {
        const ChannelFactors& factors = norm_.factors(channel);
        const std::ptrdiff_t offset = static_cast<std::ptrdiff_t>(channel) * side_ * kLanes;
        using Reader = ChannelGradientReader<decltype(kRelu)::value, decltype(kDropout)::value,
                                             decltype(kBiased)::value>;
        Reader g{.from_gradient = broadcast(factors.from_gradient),
                 .from_value = broadcast(factors.from_value),
                 .constant = broadcast(factors.constant),
                 .live = alive(lane_block),
                 .value = row(lane_block, y) + offset,
                 .gradient = gradient_row(lane_block, y) + offset,
                 .dropped = dropped_at(lane_block, channel, y),
                 .sum_at = bias_sum(lane_block, channel)};
        g.begin(y);
        use(g);
        g.end();
      }
    });
  });
}

inline void Activation::read_gradient_row(int lane_block, int y, int padding, float* out) {
  read_gradient_channels(lane_block, y,
                         [&](auto& g) HWY_ATTR { out = write_padded(g, padding, out); });
}

inline void Activation::write_bias_gradient(float* out) const {
  if (!plan_.layer.bias) return;
  for (int channel = 0; channel < channels_; ++channel) {
    double sum = 0;
    for (int image = 0; image < images_; ++image)
      sum += static_cast<double>(bias_sum(image / kLanes, channel)[image % kLanes]);
    out[plan_.bias + static_cast<std::size_t>(channel)] = static_cast<float>(sum);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace mnist_dist::fused
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
