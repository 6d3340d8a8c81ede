#include "data/augment.h"

#include <algorithm>

#include "base/portable_math.h"
#include "data/augment_draw.h"
#include "data/resample.h"

namespace mnist_dist {

namespace {

AugmentConfig faded_config(const AugmentConfig& config, std::uint32_t epoch) {
  const double faded = static_cast<double>(epoch) + 1 - config.fade_after;
  if (config.fade_epochs == 0 || faded <= 0) return config;
  const double strength = 1 - (1 - config.fade_to) * std::min(1.0, faded / config.fade_epochs);
  AugmentConfig now = config;
  for (double* size : {&now.rotation, &now.shift, &now.scale, &now.shear, &now.elastic_alpha,
                       &now.erase_probability})
    *size *= strength;
  for (double* share : {&now.crop_scale_min, &now.crop_scale_max})
    *share = 1 - strength * (1 - *share);
  for (double* ratio : {&now.crop_ratio_min, &now.crop_ratio_max})
    *ratio = portable::power(*ratio, strength);
  return now;
}

}  // namespace

EpochAugment at_epoch(const AugmentConfig& config, std::uint32_t epoch, int side) {
  EpochAugment now{faded_config(config, epoch)};
  now.side = side;
  now.log_crop_ratio_min = portable::logarithm(now.crop_ratio_min);
  now.log_crop_ratio_max = portable::logarithm(now.crop_ratio_max);
  now.log_erase_ratio_min = portable::logarithm(1 / now.erase_ratio_max);
  now.log_erase_ratio_max = portable::logarithm(1 / now.erase_ratio_min);
  return now;
}

AugmentDraw draw_augmentation(const AugmentConfig& config, std::uint64_t seed, std::uint32_t row,
                              std::uint32_t epoch, int side) {
  return draw_faded(at_epoch(config, epoch, side), seed, row, epoch);
}

void decode_image(std::span<const std::uint8_t> pixels, const Normalisation& normalisation,
                  std::span<float> out) {
  for (std::size_t i = 0; i < pixels.size(); ++i)
    out[i] = normalised(static_cast<float>(pixels[i]), normalisation);
}

void augment_image(std::span<const std::uint8_t> pixels, const AugmentConfig& config,
                   const Normalisation& normalisation, std::uint64_t seed, std::uint32_t row,
                   std::uint32_t epoch, std::span<float> out, int side) {
  const AugmentDraw draw = draw_augmentation(config, seed, row, epoch, side);
  if (!draw.crop && !draw.move) {
    decode_image(pixels, normalisation, out);
  } else {
    PaddedImage source(pixels, side);
    if (draw.crop) {
      resample(source, draw.crop_map, {}, Interpolation::bilinear, out);
      if (draw.move) source = PaddedImage(std::span<const float>(out), side);
    }
    if (draw.move) {
      std::vector<float> field(draw.elastic ? 2 * pixels.size() : 0);
      if (draw.elastic) elastic_field(config, seed, row, epoch, field, side);
      resample(source, draw.move_map, field, config.interpolation, out);
    }
    for (float& value : out.first(pixels.size())) value = normalised(value, normalisation);
  }
  if (!draw.erase) return;
  for (int r = draw.erase_top; r < draw.erase_top + draw.erase_height; ++r)
    std::fill_n(out.begin() + r * side + draw.erase_left, draw.erase_width, 0.0f);
}

}  // namespace mnist_dist
