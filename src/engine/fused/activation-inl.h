// A layer's stored output, and all that happens to it between two convolutions: bias, ReLU, batch norm, dropout, forward and backward.
#if defined(MNIST_DIST_FUSED_ACTIVATION_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MNIST_DIST_FUSED_ACTIVATION_INL_H
#undef MNIST_DIST_FUSED_ACTIVATION_INL_H
#else
#define MNIST_DIST_FUSED_ACTIVATION_INL_H
#endif

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <vector>

#include "engine/fused/channel-inl.h"
#include "engine/fused/plan.h"
#include "engine/fused/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mnist_dist::fused {
namespace HWY_NAMESPACE {

/// Zero columns around a row.
struct Padding {
  int before = 0, after = 0;
};

/// Calls `use` with the flags as types, so that loops are compiled for each.
template <class Use>
HWY_INLINE void choose(bool flag, Use use) {
  flag ? use(std::true_type()) : use(std::false_type());
}
template <class Use>
HWY_INLINE void choose(bool first, bool second, Use use) {
  choose(first, [&](auto a) HWY_ATTR { choose(second, [&](auto b) HWY_ATTR { use(a, b); }); });
}

/// Only the value after ReLU is stored, [group][row][channel][column][lanes]. What the next layer reads,
///   x = dropped ? 0 : scale[channel] * value + shift[channel],
/// is norm and dropout in one multiply-add, so it is computed again wherever it is needed instead of being written and read. Lanes without an image
/// hold finite numbers that nothing adds up.
class Activation {
 public:
  Activation(const LayerPlan& plan, int groups)
      : plan_(plan),
        channels_(plan.shape.out_channels),
        side_(plan.shape.out_side),
        row_size_(static_cast<std::size_t>(channels_ * side_ * kLanes)),
        values_(static_cast<std::size_t>(groups * side_) * row_size_),
        dropped_(plan.dropout.threshold > 0 ? static_cast<std::size_t>(groups) * dropped_size() : 0),
        lane_sums_(static_cast<std::size_t>(groups * channels_ * kSums * kLanes)),
        bias_(channel_buffer(0)),
        scale_(channel_buffer(1)),
        shift_(channel_buffer(0)),
        mean_(channel_buffer(0)),
        inverse_deviation_(channel_buffer(1)),
        from_gradient_(channel_buffer(1)),
        from_value_(channel_buffer(0)),
        constant_(channel_buffer(0)) {}

  const LayerPlan& plan() const { return plan_; }
  int channels() const { return channels_; }
  int side() const { return side_; }
  float* row(int group, int y) const { return values_.data() + static_cast<std::size_t>(group * side_ + y) * row_size_; }
  /// Of the loss with respect to x; same layout as the values.
  float* gradient_row(int group, int y) const { return gradients_ + static_cast<std::size_t>(group * side_ + y) * row_size_; }
  /// One bit a lane, elements in the order of DropoutRule's draws: [channel][row][column].
  std::uint8_t* dropped(int group) const { return dropped_.data() + static_cast<std::size_t>(group) * dropped_size(); }

  std::size_t size() const { return values_.size(); }
  /// Where gradients lie while they are needed: `size()` floats.
  void use_gradients(float* memory) { gradients_ = memory; }
  bool wants_gradient() const { return gradients_ != nullptr; }

  /// Before a pass of `images` images. `training`: batch statistics and dropout.
  void begin(const float* parameters, int images, bool training) {
    images_ = images;
    training_ = training;
    gamma_ = parameters + plan_.gamma;
    beta_ = parameters + plan_.beta;
    if (plan_.layer.bias) std::copy_n(parameters + plan_.bias, channels_, bias_.data());
  }

  /// The row holds what the layer's operation computed; adds the bias, applies ReLU and gathers statistics.
  void finish_row(int group, int y);
  /// The same for who computes a row channel by channel: calls use(finish), which stores finish(computed) of each column after finish.begin(y, the
  /// leftmost).
  template <class Use>
  void finish_channels(int group, Use use) const;

  /// After the last row: how x is read, from batch statistics, which go to `out` times the number of images.
  void finish_training(float* out);
  /// How x is read, from running statistics.
  void finish_evaluation(const float* statistics);

  /// Whether x is what is stored.
  bool reads_as_stored() const { return !plan_.layer.norm && !(training_ && drops()); }
  /// x, with zero columns before and after: [channel][before + side + after][lanes].
  void read_row(int group, int y, Padding padding, float* out) const;
  /// The same channel by channel: calls use(x), where x.next() is its next column.
  template <class Use>
  void read_channels(int group, int y, Use use) const;

  /// Whether every value of every image is; a value that is not stays so through the layer.
  bool finite() const {
    for (int image = 0; image < images_; ++image)
      for (int y = 0; y < side_; ++y)
        for (int i = 0; i < channels_ * side_; ++i)
          if (!std::isfinite(row(image / kLanes, y)[i * kLanes + image % kLanes])) return false;
    return true;
  }

  /// The gradient row is complete: gathers norm's sums.
  void finish_gradient_row(int group, int y);
  /// The same for who computes it channel by channel: calls use(finish), which calls finish(gradient) of each column.
  template <class Use>
  void finish_gradient_channels(int group, int y, Use use) const;

  /// After the last gradient row: gradients of gamma and beta into the flat gradient, and how the layer's own gradient is read.
  void finish_gradient(float* out);

  /// Gradient with respect to what the layer's operation computed, 0 in lanes without an image; layout as read_row's.
  void read_gradient_row(int group, int y, Padding padding, float* out) const;
  /// The same channel by channel: calls use(g), where g.next() is its next column.
  template <class Use>
  void read_gradient_channels(int group, int y, Use use) const;

  /// After the last row of the layer's gradient was read.
  void finish_bias_gradient(float* out) const;

 private:
  enum LaneSum { kPivot, kFirst, kSecond, kBias, kSums };

  std::size_t dropped_size() const { return static_cast<std::size_t>(channels_ * side_ * side_ * kMaskBytes) + kMaskSlack; }
  Buffer<float> channel_buffer(float value) const {
    Buffer<float> buffer(static_cast<std::size_t>(channels_));
    std::fill_n(buffer.data(), buffer.size(), value);
    return buffer;
  }
  bool gathers() const { return training_ && plan_.layer.norm; }
  bool drops() const { return plan_.dropout.threshold > 0; }
  float* lane_sum(int group, int channel, LaneSum which) const {
    return lane_sums_.data() + static_cast<std::size_t>(((group * kSums + which) * channels_ + channel) * kLanes);
  }
  float of_image(int image, int channel, LaneSum which) const { return lane_sum(image / kLanes, channel, which)[image % kLanes]; }
  const std::uint8_t* dropped_at(int group, int channel, int y) const { return dropped(group) + ((channel * side_ + y) * side_) * kMaskBytes; }
  auto alive(int group) const { return hn::FirstN(d, static_cast<std::size_t>(std::clamp(images_ - group * kLanes, 0, kLanes))); }
  double values_per_channel() const { return static_cast<double>(images_) * side_ * side_; }

  static HWY_INLINE float* zeros(int columns, float* out) {
    for (const float* const end = out + columns * kLanes; out < end; out += kLanes) store(hn::Zero(d), out);
    return out;
  }

  /// The columns of a channel, with zero columns beside them; returns what follows them.
  template <class Columns>
  HWY_INLINE float* write_padded(Columns& columns, Padding padding, float* out) const {
    out = zeros(padding.before, out);
    for (const float* const end = out + side_ * kLanes; out < end; out += kLanes) store(columns.next(), out);
    return zeros(padding.after, out);
  }

  template <class Relu, class Statistics>
  ChannelFinisher<Relu::value, Statistics::value> finisher(int group, int channel) const {
    return {.bias = broadcast(bias_[static_cast<std::size_t>(channel)]),
            .pivot_at = lane_sum(group, channel, kPivot),
            .first_at = lane_sum(group, channel, kFirst),
            .second_at = lane_sum(group, channel, kSecond),
            .pivot = hn::Zero(d),
            .first = hn::Zero(d),
            .second = hn::Zero(d)};
  }
  template <class Norm, class Drops>
  ChannelGradientFinisher<Norm::value, Drops::value> gradient_finisher(int group, int y, int channel) const {
    return {.mean = broadcast(mean_[static_cast<std::size_t>(channel)]),
            .value = row(group, y) + channel * side_ * kLanes,
            .dropped = dropped_at(group, channel, y),
            .first_at = lane_sum(group, channel, kFirst),
            .second_at = lane_sum(group, channel, kSecond),
            .first = hn::Zero(d),
            .second = hn::Zero(d)};
  }
  /// `count` channels at a time: sums that wait for each other within a channel do not wait for another's.
  template <int kCount, class Relu, class Statistics>
  void finish_row_of(int group, int y, int channel) const;
  template <int kCount, class Norm, class Drops>
  void finish_gradient_row_of(int group, int y, int channel) const;

  LayerPlan plan_;
  int channels_, side_;
  std::size_t row_size_;
  Buffer<float> values_;
  float* gradients_ = nullptr;
  Buffer<std::uint8_t> dropped_;
  Buffer<float> lane_sums_;  // [group][LaneSum][channel][lanes]
  Buffer<float> bias_, scale_, shift_, mean_, inverse_deviation_;
  Buffer<float> from_gradient_, from_value_, constant_;  // gradient before norm = from_gradient * g + from_value * value + constant
  const float *gamma_ = nullptr, *beta_ = nullptr;
  int images_ = 0;
  bool training_ = false;
};

template <class Use>
void Activation::finish_channels(int group, Use use) const {
  choose(plan_.layer.relu, gathers(), [&](auto relu, auto statistics) HWY_ATTR {
    for (int channel = 0; channel < channels_; ++channel) {
      auto finish = finisher<decltype(relu), decltype(statistics)>(group, channel);
      use(finish);
      finish.end();
    }
  });
}

template <int kCount, class Relu, class Statistics>
void Activation::finish_row_of(int group, int y, int channel) const {
  const std::ptrdiff_t size = static_cast<std::ptrdiff_t>(side_) * kLanes;
  float* at = row(group, y) + channel * size;
  ChannelFinisher<Relu::value, Statistics::value> finish[kCount];
  HWY_UNROLL(4)
  for (int c = 0; c < kCount; ++c) {
    finish[c] = finisher<Relu, Statistics>(group, channel + c);
    finish[c].begin(y, load(at + c * size));
  }
  for (const float* const end = at + size; at < end; at += kLanes) HWY_UNROLL(4)
  for (int c = 0; c < kCount; ++c) store(finish[c](load(at + c * size)), at + c * size);
  HWY_UNROLL(4)
  for (int c = 0; c < kCount; ++c) finish[c].end();
}

inline void Activation::finish_row(int group, int y) {
  if (!plan_.layer.bias && !plan_.layer.relu && !gathers()) return;
  choose(plan_.layer.relu, gathers(), [&](auto relu, auto statistics) HWY_ATTR {
    int channel = 0;
    for (; channel + 2 <= channels_; channel += 2) finish_row_of<2, decltype(relu), decltype(statistics)>(group, y, channel);
    if (channel < channels_) finish_row_of<1, decltype(relu), decltype(statistics)>(group, y, channel);
  });
}

/// Combines the images' means and sums of squares as in Chan, Golub, LeVeque, "Updating formulae ... for computing sample variances" (1979).
inline void Activation::finish_training(float* out) {
  const double keep_scale = static_cast<double>(plan_.dropout.scale);
  std::fill_n(scale_.data(), channels_, plan_.dropout.scale);
  std::fill_n(shift_.data(), channels_, 0.0f);
  if (!plan_.layer.norm) return;
  const double pixels = static_cast<double>(side_) * side_;
  for (int channel = 0; channel < channels_; ++channel) {
    const auto c = static_cast<std::size_t>(channel);
    const auto image_mean = [&](int image) {
      return static_cast<double>(of_image(image, channel, kPivot)) + static_cast<double>(of_image(image, channel, kFirst)) / pixels;
    };
    double mean = 0;
    for (int image = 0; image < images_; ++image) mean += image_mean(image);
    mean /= images_;
    double squares = 0;
    for (int image = 0; image < images_; ++image) {
      const double first = static_cast<double>(of_image(image, channel, kFirst));
      const double off = image_mean(image) - mean;
      squares += static_cast<double>(of_image(image, channel, kSecond)) - first * first / pixels + pixels * off * off;
    }
    // Rounding may leave a tiny negative number where all values are equal; NaN stays NaN.
    if (squares < 0) squares = 0;
    const double inverse_deviation = 1 / std::sqrt(squares / values_per_channel() + norm_epsilon);
    const double slope = static_cast<double>(gamma_[channel]) * inverse_deviation;
    mean_[c] = static_cast<float>(mean);
    inverse_deviation_[c] = static_cast<float>(inverse_deviation);
    scale_[c] = static_cast<float>(slope * keep_scale);
    shift_[c] = static_cast<float>((static_cast<double>(beta_[channel]) - slope * mean) * keep_scale);
    out[channel] = static_cast<float>(mean * images_);
    out[channels_ + channel] = static_cast<float>(squares / (values_per_channel() - 1) * images_);
  }
}

inline void Activation::finish_evaluation(const float* statistics) {
  if (!plan_.layer.norm) {
    std::fill_n(scale_.data(), channels_, 1.0f);
    std::fill_n(shift_.data(), channels_, 0.0f);
    return;
  }
  for (int channel = 0; channel < channels_; ++channel) {
    const auto c = static_cast<std::size_t>(channel);
    const double mean = static_cast<double>(statistics[channel]), variance = static_cast<double>(statistics[channels_ + channel]);
    const double slope = static_cast<double>(gamma_[channel]) / std::sqrt(variance + norm_epsilon);
    scale_[c] = static_cast<float>(slope);
    shift_[c] = static_cast<float>(static_cast<double>(beta_[channel]) - slope * mean);
  }
}

template <class Use>
void Activation::read_channels(int group, int y, Use use) const {
  choose(training_ && drops(), [&](auto drops) HWY_ATTR {
    for (int channel = 0; channel < channels_; ++channel) {
      const auto c = static_cast<std::size_t>(channel);
      ChannelReader<decltype(drops)::value> x{.scale = broadcast(scale_[c]),
                                              .shift = broadcast(shift_[c]),
                                              .value = row(group, y) + channel * side_ * kLanes,
                                              .dropped = dropped_at(group, channel, y)};
      use(x);
    }
  });
}

inline void Activation::read_row(int group, int y, Padding padding, float* out) const {
  read_channels(group, y, [&](auto& x) HWY_ATTR { out = write_padded(x, padding, out); });
}

template <class Use>
void Activation::finish_gradient_channels(int group, int y, Use use) const {
  choose(plan_.layer.norm, drops(), [&](auto norm, auto drops) HWY_ATTR {
    for (int channel = 0; channel < channels_; ++channel) {
      auto finish = gradient_finisher<decltype(norm), decltype(drops)>(group, y, channel);
      finish.begin(y);
      use(finish);
      finish.end();
    }
  });
}

template <int kCount, class Norm, class Drops>
void Activation::finish_gradient_row_of(int group, int y, int channel) const {
  const std::ptrdiff_t size = static_cast<std::ptrdiff_t>(side_) * kLanes;
  const float* at = gradient_row(group, y) + channel * size;
  ChannelGradientFinisher<Norm::value, Drops::value> finish[kCount];
  HWY_UNROLL(4)
  for (int c = 0; c < kCount; ++c) {
    finish[c] = gradient_finisher<Norm, Drops>(group, y, channel + c);
    finish[c].begin(y);
  }
  for (const float* const end = at + size; at < end; at += kLanes) HWY_UNROLL(4)
  for (int c = 0; c < kCount; ++c) finish[c](load(at + c * size));
  HWY_UNROLL(4)
  for (int c = 0; c < kCount; ++c) finish[c].end();
}

inline void Activation::finish_gradient_row(int group, int y) {
  if (!plan_.layer.norm) return;
  choose(drops(), [&](auto drops) HWY_ATTR {
    int channel = 0;
    for (; channel + 2 <= channels_; channel += 2) finish_gradient_row_of<2, std::true_type, decltype(drops)>(group, y, channel);
    if (channel < channels_) finish_gradient_row_of<1, std::true_type, decltype(drops)>(group, y, channel);
  });
}

/// Ioffe & Szegedy, ICML 2015, section 3: with y = gamma (v - mean) / deviation + beta over N values,
/// dv = gamma / deviation * (dy - sum(dy) / N - (v - mean) / deviation^2 * sum(dy (v - mean)) / N).
inline void Activation::finish_gradient(float* out) {
  std::fill_n(from_gradient_.data(), channels_, plan_.dropout.scale);
  if (!plan_.layer.norm) return;
  const double keep_scale = static_cast<double>(plan_.dropout.scale);
  for (int channel = 0; channel < channels_; ++channel) {
    const auto c = static_cast<std::size_t>(channel);
    double first = 0, second = 0;
    for (int image = 0; image < images_; ++image) {
      first += static_cast<double>(of_image(image, channel, kFirst));
      second += static_cast<double>(of_image(image, channel, kSecond));
    }
    first *= keep_scale;
    second *= keep_scale;
    const double mean = static_cast<double>(mean_[c]), inverse_deviation = static_cast<double>(inverse_deviation_[c]);
    out[plan_.gamma + c] = static_cast<float>(second * inverse_deviation);
    out[plan_.beta + c] = static_cast<float>(first);
    const double slope = static_cast<double>(gamma_[channel]) * inverse_deviation;
    const double per_value = -slope * inverse_deviation * inverse_deviation * second / values_per_channel();
    from_gradient_[c] = static_cast<float>(slope * keep_scale);
    from_value_[c] = static_cast<float>(per_value);
    constant_[c] = static_cast<float>(-slope * first / values_per_channel() - per_value * mean);
  }
}

template <class Use>
void Activation::read_gradient_channels(int group, int y, Use use) const {
  choose(plan_.layer.relu, drops(), [&](auto relu, auto drops) HWY_ATTR {
    choose(plan_.layer.bias, [&](auto bias) HWY_ATTR {
      for (int channel = 0; channel < channels_; ++channel) {
        const auto c = static_cast<std::size_t>(channel);
        const std::ptrdiff_t offset = static_cast<std::ptrdiff_t>(channel) * side_ * kLanes;
        ChannelGradientReader<decltype(relu)::value, decltype(drops)::value, decltype(bias)::value> g{.from_gradient = broadcast(from_gradient_[c]),
                                                                                                      .from_value = broadcast(from_value_[c]),
                                                                                                      .constant = broadcast(constant_[c]),
                                                                                                      .live = alive(group),
                                                                                                      .value = row(group, y) + offset,
                                                                                                      .gradient = gradient_row(group, y) + offset,
                                                                                                      .dropped = dropped_at(group, channel, y),
                                                                                                      .sum_at = lane_sum(group, channel, kBias),
                                                                                                      .sum = hn::Zero(d)};
        g.begin(y);
        use(g);
        g.end();
      }
    });
  });
}

inline void Activation::read_gradient_row(int group, int y, Padding padding, float* out) const {
  read_gradient_channels(group, y, [&](auto& g) HWY_ATTR { out = write_padded(g, padding, out); });
}

inline void Activation::finish_bias_gradient(float* out) const {
  if (!plan_.layer.bias) return;
  for (int channel = 0; channel < channels_; ++channel) {
    double sum = 0;
    for (int image = 0; image < images_; ++image) sum += static_cast<double>(of_image(image, channel, kBias));
    out[plan_.bias + static_cast<std::size_t>(channel)] = static_cast<float>(sum);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace mnist_dist::fused
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
