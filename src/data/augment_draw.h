#pragma once
#include <cmath>
#include <cstdint>
#include <numbers>

#include "base/host_device.h"
#include "base/portable_math.h"
#include "base/random.h"
#include "config/config.h"
#include "data/augment.h"

// The draws for an image: one source for the host and for GPUs.

namespace mnist_dist {
namespace augment_draws {

constexpr int attempts = 10;  // torchvision's, before it gives up on a rectangle that fits

MNIST_DIST_HOST_DEVICE inline double radians(double degrees) {
  return degrees * std::numbers::pi / 180;
}
MNIST_DIST_HOST_DEVICE inline double uniform(Stream& draws, double low, double high) {
  return low + (high - low) * static_cast<double>(draws.uniform());
}
/// Half to even, as Python's round, which torchvision uses.
MNIST_DIST_HOST_DEVICE inline int rounded(double value) {
  return static_cast<int>(std::nearbyint(value));
}

struct Box {
  int top, left, height, width;
};

/// A random rectangle whose share of the image's area is uniform and whose shape (width / height)
/// is log-uniform.
struct RandomBox {
  int side;  ///< of the image
  double area_min, area_max, log_ratio_min, log_ratio_max;
  /// torchvision's two users differ only in the largest size that fits: the image's side for a
  /// crop, one less for erasing.
  MNIST_DIST_HOST_DEVICE bool draw(Stream& draws, int longest, Box& box) const {
    for (int attempt = 0; attempt < attempts; ++attempt) {
      const double area = 1.0 * side * side * uniform(draws, area_min, area_max);
      const double ratio = portable::exponential(uniform(draws, log_ratio_min, log_ratio_max));
      const int width = rounded(std::sqrt(area * ratio));
      const int height = rounded(std::sqrt(area / ratio));
      if (width < 1 || height < 1 || width > longest || height > longest) continue;
      const int top = static_cast<int>(draws.below(static_cast<std::uint32_t>(side - height + 1)));
      const int left = static_cast<int>(draws.below(static_cast<std::uint32_t>(side - width + 1)));
      box = {top, left, height, width};
      return true;
    }
    return false;
  }
};

MNIST_DIST_HOST_DEVICE inline bool crops(const AugmentConfig& c) {
  return c.crop_scale_min < 1 || c.crop_scale_max < 1 || c.crop_ratio_min != 1 ||
         c.crop_ratio_max != 1;
}
MNIST_DIST_HOST_DEVICE inline bool moves(const AugmentConfig& c) {
  return c.rotation > 0 || c.shift > 0 || c.scale > 0 || c.shear > 0;
}
MNIST_DIST_HOST_DEVICE inline bool erases(const AugmentConfig& c) {
  return c.erase_probability > 0;
}
MNIST_DIST_HOST_DEVICE inline bool bends(const AugmentConfig& c) { return c.elastic_alpha > 0; }

/// torchvision's RandomResizedCrop.get_params: a box that fits within ten tries, else the largest
/// one of an allowed shape around the centre.
MNIST_DIST_HOST_DEVICE inline Box draw_crop(const EpochAugment& config, Stream& draws) {
  const int side = config.side;
  const RandomBox boxes{.side = side,
                        .area_min = config.crop_scale_min,
                        .area_max = config.crop_scale_max,
                        .log_ratio_min = config.log_crop_ratio_min,
                        .log_ratio_max = config.log_crop_ratio_max};
  if (Box box; boxes.draw(draws, side, box)) return box;
  Box box{0, 0, side, side};
  if (config.crop_ratio_min > 1) box.height = rounded(side / config.crop_ratio_min);
  if (config.crop_ratio_max < 1) box.width = rounded(side * config.crop_ratio_max);
  box.top = (side - box.height) / 2;
  box.left = (side - box.width) / 2;
  return box;
}

/// Stretches the box over the whole image. Pixels are squares, so the outer edges of the first and
/// the last one meet the box's edges.
MNIST_DIST_HOST_DEVICE inline AffineMap crop_map(const Box& box, double side) {
  const double x = box.width / side, y = box.height / side;
  return {static_cast<float>(x),
          0,
          static_cast<float>(box.left + 0.5 * x - 0.5),
          0,
          static_cast<float>(y),
          static_cast<float>(box.top + 0.5 * y - 0.5)};
}

/// Shear along x, then scale, then rotation (counter-clockwise as seen) about the centre, then
/// shift. The map is the inverse, from output to source. Each change has its own draw, so that
/// enabling one does not change the others.
MNIST_DIST_HOST_DEVICE inline AffineMap draw_move(const EpochAugment& config, Stream& draws) {
  const double centre = (config.side - 1) / 2.0;
  const double angle = radians(uniform(draws, -config.rotation, config.rotation));
  const double shift_x = uniform(draws, -config.shift, config.shift);
  const double shift_y = uniform(draws, -config.shift, config.shift);
  const double scale = uniform(draws, 1 - config.scale, 1 + config.scale);
  const double shear = config.shear > 0
                           ? portable::tangent(radians(uniform(draws, -config.shear, config.shear)))
                           : 0;
  const portable::SineCosine turn = portable::sine_cosine(angle);
  const double cosine = turn.cosine.high / scale, sine = turn.sine.high / scale;
  const double a00 = cosine - shear * sine, a01 = -sine - shear * cosine;
  const double a10 = sine, a11 = cosine;
  const double out_x = centre + shift_x, out_y = centre + shift_y;
  return {static_cast<float>(a00),
          static_cast<float>(a01),
          static_cast<float>(centre - a00 * out_x - a01 * out_y),
          static_cast<float>(a10),
          static_cast<float>(a11),
          static_cast<float>(centre - a10 * out_x - a11 * out_y)};
}

}  // namespace augment_draws

/// Sixteen random bits as noise, uniform in -1..1.
MNIST_DIST_HOST_DEVICE inline float elastic_noise(std::uint16_t bits) {
  return (static_cast<float>(bits) + 0.5f) / 32768.0f - 1.0f;
}

/// draw_augmentation after at_epoch, which is called once per epoch instead of once per image.
MNIST_DIST_HOST_DEVICE inline AugmentDraw draw_faded(const EpochAugment& config, std::uint64_t seed,
                                                     std::uint32_t row, std::uint32_t epoch) {
  using namespace augment_draws;
  AugmentDraw draw;
  if (crops(config)) {
    Stream draws({.seed = seed, .purpose = Purpose::crop, .row = row, .epoch = epoch});
    draw.crop = true;
    draw.crop_map = crop_map(draw_crop(config, draws), config.side);
  }
  if (moves(config) || bends(config)) {
    draw.move = true;
    draw.move_map = {1, 0, 0, 0, 1, 0};
    draw.elastic = bends(config);
    if (moves(config)) {
      Stream draws({.seed = seed, .purpose = Purpose::affine, .row = row, .epoch = epoch});
      draw.move_map = draw_move(config, draws);
    }
  }
  if (erases(config)) {
    Stream draws({.seed = seed, .purpose = Purpose::erase, .row = row, .epoch = epoch});
    const RandomBox boxes{.side = config.side,
                          .area_min = config.erase_area_min,
                          .area_max = config.erase_area_max,
                          .log_ratio_min = config.log_erase_ratio_min,
                          .log_ratio_max = config.log_erase_ratio_max};
    Box box{};
    draw.erase = static_cast<double>(draws.uniform()) < config.erase_probability &&
                 boxes.draw(draws, config.side - 1, box);
    if (draw.erase)
      draw.erase_top = box.top, draw.erase_left = box.left, draw.erase_height = box.height,
      draw.erase_width = box.width;
  }
  return draw;
}

}  // namespace mnist_dist
