#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "base/host_device.h"
#include "base/random.h"
#include "config/config.h"

namespace mnist_dist {

/// How pixels become the network's input: (pixel / 255 - mean) / sd.
struct Normalisation {
  float mean = 0.1307f, sd = 0.3081f;
};
MNIST_DIST_HOST_DEVICE inline float normalised(float pixel, const Normalisation& n) {
  return (pixel / 255.0f - n.mean) / n.sd;
}

// Everything here is a pure function of draws, in two halves: draw_* turns random numbers into a
// few geometric numbers, the rest turns those and pixels into pixels. Engines that vectorise the
// second half share the first.
//
// docs/arithmetic.md defines both halves. The fused engine has their bits on every SIMD target, and
// `scalar` is the reference. The second half here, which LibTorch's engine and the GPU kernels use,
// computes the same with other roundings.

/// The sampling an image goes through. Output pixel (row, column) reads the source at
/// (a00 * column + a01 * row + a02, a10 * column + a11 * row + a12) = (x, y), plus the elastic
/// displacement there. Outside is 0.
struct AffineMap {
  float a00, a01, a02, a10, a11, a12;
};

/// The draws for one image in one epoch.
struct AugmentDraw {
  bool crop = false;  ///< crop first: a resampling of its own, bilinear
  AffineMap crop_map{};
  bool move = false;  ///< then rotation, shift, scale and shear in one resampling, with
                      ///< config.interpolation
  AffineMap move_map{};
  bool elastic = false;  ///< added to move_map's coordinates
  bool erase = false;  ///< then, after normalising: rows [top, top + height), columns [left, left +
                       ///< width) become 0
  int erase_top = 0, erase_left = 0, erase_height = 0, erase_width = 0;
};

/// The augmentation of one epoch, with the logarithms that draws need.
struct EpochAugment : AugmentConfig {
  int side = image_side;                                  ///< of the images
  double log_crop_ratio_min = 0, log_crop_ratio_max = 0;  ///< width / height
  double log_erase_ratio_min = 0,
         log_erase_ratio_max = 0;  ///< width / height, the inverse of the recipe's
};

/// Its strength in an epoch, counted from 0: full for fade_after epochs, then in fade_epochs equal
/// steps down to the share fade_to of every angle, distance and probability. All draws below use
/// it.
EpochAugment at_epoch(const AugmentConfig& config, std::uint32_t epoch, int side = image_side);

AugmentDraw draw_augmentation(const AugmentConfig& config, std::uint64_t seed, std::uint32_t row,
                              std::uint32_t epoch, int side = image_side);

/// The elastic displacement field, [2][side][side]: x, then y, in pixels (Simard et al., ICDAR
/// 2003: smoothed uniform noise).
void elastic_field(const AugmentConfig& config, std::uint64_t seed, std::uint32_t row,
                   std::uint32_t epoch, std::span<float> field, int side = image_side);

/// How elastic_field smooths its noise: half of a Gaussian's taps, from its centre outward, cut at
/// 3 sigma and at the image's side. Their scale makes white noise of variance 1/3 (uniform in
/// -1..1), smoothed along rows and columns, a field of standard deviation elastic_alpha. `faded`:
/// at_epoch's.
std::vector<float> elastic_taps(const EpochAugment& faded);

/// Decodes, augments and normalises one training image: [side][side] bytes to [side][side] floats.
void augment_image(std::span<const std::uint8_t> pixels, const AugmentConfig& config,
                   const Normalisation& normalisation, std::uint64_t seed, std::uint32_t row,
                   std::uint32_t epoch, std::span<float> out, int side = image_side);

/// Decodes and normalises one image without augmentation.
void decode_image(std::span<const std::uint8_t> pixels, const Normalisation& normalisation,
                  std::span<float> out);

/// The elements of a layer's output [channel][row][column] that one image drops: bit = 1 where
/// dropped, 16 random bits per element, eight elements per Philox block, low half of a word first.
/// out[i] is 0 or 1.
void dropout_mask(const DropoutRule& rule, std::uint64_t seed, std::uint32_t row,
                  std::uint32_t epoch, std::uint32_t layer, std::span<std::uint8_t> out);

}  // namespace mnist_dist
