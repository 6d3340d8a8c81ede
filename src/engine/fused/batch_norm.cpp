#include "engine/fused/batch_norm.h"

#include <algorithm>
#include <cmath>

namespace mnist_dist::fused {

BatchNorm::BatchNorm(const LayerPlan& plan, int images)
    : plan_(plan),
      channels_(plan.shape.out_channels),
      capacity_(images),
      pixels_(static_cast<double>(plan.shape.out_side) * plan.shape.out_side),
      factors_(static_cast<std::size_t>(channels_)),
      sums_(static_cast<std::size_t>(3 * channels_ * images)) {}

void BatchNorm::begin(const float* parameters, int images, bool training) {
  gamma_ = parameters + plan_.gamma;
  beta_ = parameters + plan_.beta;
  images_ = images;
  const float scale = training ? plan_.dropout.scale : 1;
  if (!plan_.layer.norm)
    std::ranges::fill(factors_, ChannelFactors{.scale = scale, .from_gradient = scale});
}

/// Combines the images' means and sums of squares as in Chan, Golub, LeVeque, "Updating formulae
/// ... for computing sample variances" (1979).
void BatchNorm::use_batch_statistics(float* out) {
  if (!plan_.layer.norm) return;
  const double keep_scale = static_cast<double>(plan_.dropout.scale), values = images_ * pixels_;
  for (int channel = 0; channel < channels_; ++channel) {
    ChannelFactors& factors = factors_[static_cast<std::size_t>(channel)];
    const ChannelSums sums = sums_of(channel, 0);
    const auto image_mean = [&](int image) {
      return static_cast<double>(sums.pivot[image]) +
             static_cast<double>(sums.first[image]) / pixels_;
    };
    double mean = 0;
    for (int image = 0; image < images_; ++image) mean += image_mean(image);
    mean /= images_;
    double squares = 0;
    for (int image = 0; image < images_; ++image) {
      const double first = static_cast<double>(sums.first[image]);
      const double off = image_mean(image) - mean;
      squares +=
          static_cast<double>(sums.second[image]) - first * first / pixels_ + pixels_ * off * off;
    }
    // Rounding may leave a tiny negative number where all values are equal. NaN stays NaN.
    if (squares < 0) squares = 0;
    const double inverse_deviation = 1 / std::sqrt(squares / values + norm_epsilon);
    const double slope = static_cast<double>(gamma_[channel]) * inverse_deviation;
    factors.mean = static_cast<float>(mean);
    factors.inverse_deviation = static_cast<float>(inverse_deviation);
    factors.scale = static_cast<float>(slope * keep_scale);
    factors.shift =
        static_cast<float>((static_cast<double>(beta_[channel]) - slope * mean) * keep_scale);
    out[channel] = static_cast<float>(mean * images_);
    out[channels_ + channel] = static_cast<float>(squares / (values - 1) * images_);
  }
}

void BatchNorm::use_running_statistics(const float* statistics) {
  if (!plan_.layer.norm) return;
  for (int channel = 0; channel < channels_; ++channel) {
    ChannelFactors& factors = factors_[static_cast<std::size_t>(channel)];
    const double mean = static_cast<double>(statistics[channel]),
                 variance = static_cast<double>(statistics[channels_ + channel]);
    const double slope = static_cast<double>(gamma_[channel]) / std::sqrt(variance + norm_epsilon);
    factors.scale = static_cast<float>(slope);
    factors.shift = static_cast<float>(static_cast<double>(beta_[channel]) - slope * mean);
  }
}

/// Ioffe & Szegedy, ICML 2015, section 3: with y = gamma (v - mean) / deviation + beta over N
/// values, dv = gamma / deviation * (dy - sum(dy) / N - (v - mean) / deviation^2 * sum(dy (v -
/// mean)) / N).
void BatchNorm::write_gradients(float* out) {
  if (!plan_.layer.norm) return;
  const double keep_scale = static_cast<double>(plan_.dropout.scale), values = images_ * pixels_;
  for (int channel = 0; channel < channels_; ++channel) {
    const auto c = static_cast<std::size_t>(channel);
    ChannelFactors& factors = factors_[c];
    const ChannelSums sums = sums_of(channel, 0);
    double first = 0, second = 0;
    for (int image = 0; image < images_; ++image) {
      first += static_cast<double>(sums.first[image]);
      second += static_cast<double>(sums.second[image]);
    }
    first *= keep_scale;
    second *= keep_scale;
    const double mean = static_cast<double>(factors.mean),
                 inverse_deviation = static_cast<double>(factors.inverse_deviation);
    out[plan_.gamma + c] = static_cast<float>(second * inverse_deviation);
    out[plan_.beta + c] = static_cast<float>(first);
    const double slope = static_cast<double>(gamma_[channel]) * inverse_deviation;
    const double per_value = -slope * inverse_deviation * inverse_deviation * second / values;
    factors.from_gradient = static_cast<float>(slope * keep_scale);
    factors.from_value = static_cast<float>(per_value);
    factors.constant = static_cast<float>(-slope * first / values - per_value * mean);
  }
}

}  // namespace mnist_dist::fused
