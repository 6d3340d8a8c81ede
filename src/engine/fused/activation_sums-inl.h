// Before and after the rows of a layer's activation: batch norm's statistics, how x is read from
// them, and the gradients of its parameters.
#if defined(MNIST_DIST_FUSED_ACTIVATION_SUMS_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MNIST_DIST_FUSED_ACTIVATION_SUMS_INL_H
#undef MNIST_DIST_FUSED_ACTIVATION_SUMS_INL_H
#else
#define MNIST_DIST_FUSED_ACTIVATION_SUMS_INL_H
#endif

#include <algorithm>
#include <cmath>

#include "engine/fused/activation-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mnist_dist::fused {
namespace HWY_NAMESPACE {

/// Combines the images' means and sums of squares as in Chan, Golub, LeVeque, "Updating formulae
/// ... for computing sample variances" (1979).
inline void Activation::finish_training(float* out) {
  const double keep_scale = static_cast<double>(plan_.dropout.scale);
  std::fill_n(scale_.data(), channels_, plan_.dropout.scale);
  std::fill_n(shift_.data(), channels_, 0.0f);
  if (!plan_.layer.norm) return;
  const double pixels = static_cast<double>(side_) * side_;
  for (int channel = 0; channel < channels_; ++channel) {
    const auto c = static_cast<std::size_t>(channel);
    const auto image_mean = [&](int image) {
      return static_cast<double>(of_image(image, channel, kPivot)) +
             static_cast<double>(of_image(image, channel, kFirst)) / pixels;
    };
    double mean = 0;
    for (int image = 0; image < images_; ++image) mean += image_mean(image);
    mean /= images_;
    double squares = 0;
    for (int image = 0; image < images_; ++image) {
      const double first = static_cast<double>(of_image(image, channel, kFirst));
      const double off = image_mean(image) - mean;
      squares += static_cast<double>(of_image(image, channel, kSecond)) - first * first / pixels +
                 pixels * off * off;
    }
    // Rounding may leave a tiny negative number where all values are equal. NaN stays NaN.
    if (squares < 0) squares = 0;
    const double inverse_deviation = 1 / std::sqrt(squares / values_per_channel() + norm_epsilon);
    const double slope = static_cast<double>(gamma_[channel]) * inverse_deviation;
    mean_[c] = static_cast<float>(mean);
    inverse_deviation_[c] = static_cast<float>(inverse_deviation);
    scale_[c] = static_cast<float>(slope * keep_scale);
    shift_[c] =
        static_cast<float>((static_cast<double>(beta_[channel]) - slope * mean) * keep_scale);
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
    const double mean = static_cast<double>(statistics[channel]),
                 variance = static_cast<double>(statistics[channels_ + channel]);
    const double slope = static_cast<double>(gamma_[channel]) / std::sqrt(variance + norm_epsilon);
    scale_[c] = static_cast<float>(slope);
    shift_[c] = static_cast<float>(static_cast<double>(beta_[channel]) - slope * mean);
  }
}

/// Ioffe & Szegedy, ICML 2015, section 3: with y = gamma (v - mean) / deviation + beta over N
/// values, dv = gamma / deviation * (dy - sum(dy) / N - (v - mean) / deviation^2 * sum(dy (v -
/// mean)) / N).
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
    const double mean = static_cast<double>(mean_[c]),
                 inverse_deviation = static_cast<double>(inverse_deviation_[c]);
    out[plan_.gamma + c] = static_cast<float>(second * inverse_deviation);
    out[plan_.beta + c] = static_cast<float>(first);
    const double slope = static_cast<double>(gamma_[channel]) * inverse_deviation;
    const double per_value =
        -slope * inverse_deviation * inverse_deviation * second / values_per_channel();
    from_gradient_[c] = static_cast<float>(slope * keep_scale);
    from_value_[c] = static_cast<float>(per_value);
    constant_[c] = static_cast<float>(-slope * first / values_per_channel() - per_value * mean);
  }
}

inline void Activation::finish_bias_gradient(float* out) const {
  if (!plan_.layer.bias) return;
  for (int channel = 0; channel < channels_; ++channel) {
    double sum = 0;
    for (int image = 0; image < images_; ++image)
      sum += static_cast<double>(of_image(image, channel, kBias));
    out[plan_.bias + static_cast<std::size_t>(channel)] = static_cast<float>(sum);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace mnist_dist::fused
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
