#include "data/augment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>
#include <random>
#include <vector>

namespace mnist_dist {
namespace {

constexpr std::uint64_t seed = 11;
constexpr double degree = std::numbers::pi / 180;
constexpr float centre = 13.5f;

std::vector<std::uint8_t> picture() {
  std::vector<std::uint8_t> pixels(image_size);
  for (std::size_t i = 0; i < pixels.size(); ++i)
    pixels[i] = static_cast<std::uint8_t>((i * 37) % 251);
  return pixels;
}

std::vector<float> augmented(const AugmentConfig& config, std::uint32_t row,
                             const std::vector<std::uint8_t>& pixels, const Normalisation& n = {}) {
  std::vector<float> out(image_size);
  augment_image(pixels, config, n, seed, row, 0, out);
  return out;
}

std::vector<float> decoded(const std::vector<std::uint8_t>& pixels) {
  std::vector<float> out(image_size);
  decode_image(pixels, {}, out);
  return out;
}

TEST(Augment, EachSideHasItsOwnCentre) {
  constexpr int side = 41;
  std::vector<std::uint8_t> pixels(side * side, 0);
  pixels[20 * side + 20] = 255;
  AugmentConfig config;
  config.rotation = 180;
  config.scale = 0.01;
  for (std::uint32_t row = 0; row < 20; ++row) {
    std::vector<float> out(pixels.size());
    augment_image(pixels, config, {.mean = 0, .sd = 1}, seed, row, 0, out, side);
    EXPECT_NEAR(out[20 * side + 20], 1, 1e-3) << "the centre stays where it is";
  }
}

/// Mean and spread of many draws.
struct Sample {
  double n = 0, sum = 0, squares = 0, low = 1e30, high = -1e30;
  void add(double value) {
    ++n, sum += value, squares += value * value, low = std::min(low, value),
                                                 high = std::max(high, value);
  }
  double mean() const { return sum / n; }
  double sd() const { return std::sqrt(std::max(0.0, squares / n - mean() * mean())); }
};

/// Uniform in +-limit: mean 0, sd limit / sqrt 3, within five standard errors, and the range nearly
/// filled.
void expect_uniform(const Sample& sample, double limit) {
  EXPECT_NEAR(sample.mean(), 0, 5 * limit / std::sqrt(3 * sample.n));
  EXPECT_NEAR(sample.sd(), limit / std::sqrt(3.0), 5 * 0.26 * limit / std::sqrt(sample.n));
  EXPECT_GE(sample.low, -limit * 1.0001);
  EXPECT_LE(sample.high, limit * 1.0001);
  EXPECT_LT(sample.low, -limit * 0.995);
  EXPECT_GT(sample.high, limit * 0.995);
}

/// Two samples of one distribution: means within five standard errors of their difference.
void expect_same_mean(const Sample& a, const Sample& b, const char* what) {
  EXPECT_NEAR(a.mean(), b.mean(), 5 * std::sqrt(a.sd() * a.sd() / a.n + b.sd() * b.sd() / b.n))
      << what;
  EXPECT_NEAR(a.sd(), b.sd(), 0.05 * b.sd()) << what;
}

constexpr std::uint32_t draw_count = 20000;

void for_draws(const AugmentConfig& config, const std::function<void(const AugmentDraw&)>& look) {
  for (std::uint32_t row = 0; row < draw_count; ++row)
    look(draw_augmentation(config, seed, row, 0));
}

TEST(Decode, Normalises) {
  std::vector<std::uint8_t> pixels(image_size, 0);
  pixels[5] = 255;
  pixels[6] = 51;
  const auto out = decoded(pixels);
  EXPECT_FLOAT_EQ(out[0], -0.1307f / 0.3081f);
  EXPECT_FLOAT_EQ(out[5], (1 - 0.1307f) / 0.3081f);
  EXPECT_FLOAT_EQ(out[6], (0.2f - 0.1307f) / 0.3081f);
}

TEST(Augment, WithoutAugmentationNothingChanges) {
  const AugmentConfig off;
  EXPECT_EQ(augmented(off, 3, picture()), decoded(picture()));
}

TEST(Augment, IsAFunctionOfSeedRowAndEpoch) {
  const AugmentConfig config{.rotation = 20};
  const auto angle = [&](std::uint64_t s, std::uint32_t row, std::uint32_t epoch) {
    return draw_augmentation(config, s, row, epoch).move_map.a01;
  };
  EXPECT_EQ(angle(1, 2, 3), angle(1, 2, 3));
  EXPECT_NE(angle(1, 2, 3), angle(2, 2, 3));
  EXPECT_NE(angle(1, 2, 3), angle(1, 3, 3));
  EXPECT_NE(angle(1, 2, 3), angle(1, 2, 4));
}

TEST(Augment, RotatesAboutTheCentreUniformly) {
  Sample degrees;
  for_draws({.rotation = 15}, [&](const AugmentDraw& draw) {
    const AffineMap& m = draw.move_map;
    ASSERT_TRUE(draw.move && !draw.crop && !draw.erase && !draw.elastic);
    ASSERT_NEAR(m.a00 * m.a11 - m.a01 * m.a10, 1, 1e-6);
    ASSERT_NEAR(m.a00, m.a11, 1e-6);
    ASSERT_NEAR(m.a01, -m.a10, 1e-6);
    ASSERT_NEAR(m.a00 * centre + m.a01 * centre + m.a02, centre, 1e-5);
    ASSERT_NEAR(m.a10 * centre + m.a11 * centre + m.a12, centre, 1e-5);
    degrees.add(std::atan2(m.a10, m.a00) / degree);
  });
  expect_uniform(degrees, 15);
}

TEST(Augment, ShiftsByPixels) {
  Sample x, y;
  for_draws({.shift = 3}, [&](const AugmentDraw& draw) {
    ASSERT_EQ(draw.move_map.a00, 1);
    ASSERT_EQ(draw.move_map.a01, 0);
    x.add(draw.move_map.a02), y.add(draw.move_map.a12);
  });
  expect_uniform(x, 3);
  expect_uniform(y, 3);
}

TEST(Augment, ScalesAboutTheCentre) {
  Sample scale;
  for_draws({.scale = 0.2}, [&](const AugmentDraw& draw) {
    const AffineMap& m = draw.move_map;
    ASSERT_NEAR(m.a00 * centre + m.a02, centre, 1e-5);
    ASSERT_EQ(m.a00, m.a11);
    scale.add(1 / m.a00 - 1);  // the map goes from output to source
  });
  expect_uniform(scale, 0.2);
}

TEST(Augment, ShearsAlongRows) {
  Sample degrees;
  for_draws({.shear = 10}, [&](const AugmentDraw& draw) {
    const AffineMap& m = draw.move_map;
    ASSERT_EQ(m.a00, 1);
    ASSERT_EQ(m.a10, 0);
    ASSERT_EQ(m.a11, 1);
    ASSERT_NEAR(m.a01 * centre + m.a02, 0, 1e-5);  // the middle row stays
    degrees.add(std::atan(m.a01) / degree);
  });
  expect_uniform(degrees, 10);
}

/// Samples of the rectangle of torchvision's get_params, drawn with another generator: (width,
/// height, left, top).
struct Boxes {
  Sample width, height, left, top, fitted;
};

/// torchvision.transforms.RandomResizedCrop.get_params, tries that fit only.
Boxes torchvision_crops(double scale_min, double scale_max, double ratio_min, double ratio_max) {
  std::mt19937 generator(1);
  Boxes boxes;
  for (std::uint32_t i = 0; i < draw_count; ++i) {
    for (int attempt = 0; attempt < 10; ++attempt) {
      const double area = 784 * std::uniform_real_distribution(scale_min, scale_max)(generator);
      const double ratio = std::exp(
          std::uniform_real_distribution(std::log(ratio_min), std::log(ratio_max))(generator));
      const int w = static_cast<int>(std::nearbyint(std::sqrt(area * ratio))),
                h = static_cast<int>(std::nearbyint(std::sqrt(area / ratio)));
      if (!(0 < w && w <= 28 && 0 < h && h <= 28)) continue;
      boxes.width.add(w), boxes.height.add(h);
      boxes.top.add(std::uniform_int_distribution(0, 28 - h)(generator));
      boxes.left.add(std::uniform_int_distribution(0, 28 - w)(generator));
      break;
    }
  }
  return boxes;
}

TEST(Augment, CropsAsTorchvisionDoes) {
  const AugmentConfig config{
      .crop_scale_min = 0.85, .crop_ratio_min = 0.75, .crop_ratio_max = 4.0 / 3};
  Boxes ours;
  for_draws(config, [&](const AugmentDraw& draw) {
    ASSERT_TRUE(draw.crop && !draw.move);
    const AffineMap& m = draw.crop_map;
    ASSERT_EQ(m.a01, 0);
    ASSERT_EQ(m.a10, 0);
    // The outer edges of the first and the last pixel meet the box's edges.
    const double left = m.a00 * -0.5 + m.a02 + 0.5, right = m.a00 * 27.5 + m.a02 + 0.5;
    const double top = m.a11 * -0.5 + m.a12 + 0.5, bottom = m.a11 * 27.5 + m.a12 + 0.5;
    for (const double edge : {left, right, top, bottom}) {
      ASSERT_NEAR(edge, std::nearbyint(edge), 1e-4);
      ASSERT_GE(edge, -1e-4);
      ASSERT_LE(edge, 28 + 1e-4);
    }
    ours.width.add(right - left), ours.height.add(bottom - top), ours.left.add(left),
        ours.top.add(top);
  });
  const Boxes theirs = torchvision_crops(0.85, 1, 0.75, 4.0 / 3);
  expect_same_mean(ours.width, theirs.width, "width");
  expect_same_mean(ours.height, theirs.height, "height");
  expect_same_mean(ours.left, theirs.left, "left");
  expect_same_mean(ours.top, theirs.top, "top");
}

TEST(Augment, ACropThatNeverFitsIsTakenFromTheCentre) {
  for_draws(
      {.crop_ratio_min = 2, .crop_ratio_max = 2},
      [](const AugmentDraw& draw) {  // 28x14 would keep half the area, the crop is to keep all
        EXPECT_EQ(draw.crop_map.a00, 1);
        EXPECT_EQ(draw.crop_map.a02, 0);
        EXPECT_EQ(draw.crop_map.a11, 0.5f);
        EXPECT_EQ(draw.crop_map.a12, 6.75f);  // top edge of row 7, then half of a half pixel
      });
}

TEST(Augment, CropReadsBetweenPixels) {
  // On a ramp, bilinear reading gives the coordinate itself.
  std::vector<std::uint8_t> ramp(image_size);
  for (std::size_t i = 0; i < ramp.size(); ++i) ramp[i] = static_cast<std::uint8_t>(i % image_side);
  const AugmentConfig config{.crop_scale_min = 0.5, .crop_scale_max = 0.6};
  for (std::uint32_t row = 0; row < 20; ++row) {
    const AffineMap map = draw_augmentation(config, seed, row, 0).crop_map;
    const auto out = augmented(config, row, ramp, {.mean = 0, .sd = 1 / 255.0f});
    for (int column = 0; column < image_side; ++column) {
      const float x = map.a00 * static_cast<float>(column) + map.a02;
      if (x < 0 || x > 27) continue;
      EXPECT_NEAR(out[static_cast<std::size_t>(14 * image_side + column)], x, 1e-4);
    }
  }
}

TEST(Augment, CropThenRotation) {
  // Each of the two alone, one after the other by hand, gives the same.
  const AugmentConfig crop{.crop_scale_min = 0.5};
  AugmentConfig rotation{.rotation = 30, .interpolation = Interpolation::nearest}, both = rotation;
  both.crop_scale_min = crop.crop_scale_min;
  const Normalisation none{.mean = 0, .sd = 1 / 255.0f};
  const auto cropped = augmented(crop, 4, picture(), none);
  const auto out = augmented(both, 4, picture(), none);
  const AffineMap map = draw_augmentation(rotation, seed, 4, 0).move_map;
  for (int row = 0; row < image_side; ++row)
    for (int column = 0; column < image_side; ++column) {
      const auto c = static_cast<float>(column), r = static_cast<float>(row);
      const int x = static_cast<int>(std::floor(map.a00 * c + map.a01 * r + map.a02 + 0.5f));
      const int y = static_cast<int>(std::floor(map.a10 * c + map.a11 * r + map.a12 + 0.5f));
      const bool inside = x >= 0 && x < image_side && y >= 0 && y < image_side;
      const float expected = inside ? cropped[static_cast<std::size_t>(y * image_side + x)] : 0.0f;
      EXPECT_NEAR(out[static_cast<std::size_t>(row * image_side + column)], expected, 1e-3)
          << row << " " << column;
    }
}

TEST(Augment, ErasesARectangleAfterNormalising) {
  const AugmentConfig config{.erase_probability = 1};
  for (std::uint32_t row = 0; row < 50; ++row) {
    const AugmentDraw draw = draw_augmentation(config, seed, row, 0);
    ASSERT_TRUE(draw.erase);
    const auto plain = decoded(picture()), out = augmented(config, row, picture());
    for (int r = 0; r < image_side; ++r)
      for (int c = 0; c < image_side; ++c) {
        const bool erased = r >= draw.erase_top && r < draw.erase_top + draw.erase_height &&
                            c >= draw.erase_left && c < draw.erase_left + draw.erase_width;
        const auto i = static_cast<std::size_t>(r * image_side + c);
        ASSERT_EQ(out[i], erased ? 0.0f : plain[i]) << r << " " << c;
      }
  }
}

/// torchvision.transforms.RandomErasing.get_params. `fitted` counts the tries that led to a
/// rectangle.
Boxes torchvision_erasures(double area_min, double area_max, double ratio_min, double ratio_max) {
  std::mt19937 generator(2);
  Boxes boxes;
  for (std::uint32_t i = 0; i < draw_count; ++i) {
    bool fitted = false;
    for (int attempt = 0; attempt < 10 && !fitted; ++attempt) {
      const double area = 784 * std::uniform_real_distribution(area_min, area_max)(generator);
      const double ratio = std::exp(
          std::uniform_real_distribution(std::log(ratio_min), std::log(ratio_max))(generator));
      const int h = static_cast<int>(std::nearbyint(std::sqrt(area * ratio))),
                w = static_cast<int>(std::nearbyint(std::sqrt(area / ratio)));
      if (!(h < 28 && w < 28)) continue;
      boxes.width.add(w), boxes.height.add(h);
      boxes.top.add(std::uniform_int_distribution(0, 28 - h)(generator));
      boxes.left.add(std::uniform_int_distribution(0, 28 - w)(generator));
      fitted = true;
    }
    boxes.fitted.add(fitted);
  }
  return boxes;
}

TEST(Augment, ErasesAsTorchvisionDoes) {
  AugmentConfig config{.erase_probability = 1};
  const auto compare = [&] {
    Boxes ours;
    for_draws(config, [&](const AugmentDraw& draw) {
      ours.fitted.add(draw.erase);
      if (draw.erase)
        ours.width.add(draw.erase_width), ours.height.add(draw.erase_height),
            ours.left.add(draw.erase_left), ours.top.add(draw.erase_top);
    });
    const Boxes theirs = torchvision_erasures(config.erase_area_min, config.erase_area_max,
                                              config.erase_ratio_min, config.erase_ratio_max);
    expect_same_mean(ours.width, theirs.width, "width");
    expect_same_mean(ours.height, theirs.height, "height");
    expect_same_mean(ours.left, theirs.left, "left");
    expect_same_mean(ours.top, theirs.top, "top");
    expect_same_mean(ours.fitted, theirs.fitted, "fitted");
  };
  compare();
  // Large upright rectangles: which side the ratio is of shows, and many tries fail.
  config.erase_area_min = 0.4, config.erase_area_max = 0.9, config.erase_ratio_min = 1.5,
  config.erase_ratio_max = 4;
  compare();
}

TEST(Augment, ErasesAtItsRate) {
  int erased = 0;
  for_draws({.erase_probability = 0.1}, [&](const AugmentDraw& draw) { erased += draw.erase; });
  EXPECT_NEAR(erased, 0.1 * draw_count, 5 * std::sqrt(0.09 * draw_count));
}

TEST(Augment, OneAugmentationDoesNotChangeTheDrawsOfOthers) {
  const AugmentConfig rotation{.rotation = 15}, erase{.erase_probability = 1};
  AugmentConfig all{
      .crop_scale_min = 0.85, .rotation = 15, .elastic_alpha = 1, .erase_probability = 1};
  for (std::uint32_t row = 0; row < 20; ++row) {
    const AugmentDraw a = draw_augmentation(rotation, seed, row, 0),
                      b = draw_augmentation(erase, seed, row, 0);
    const AugmentDraw c = draw_augmentation(all, seed, row, 0);
    EXPECT_EQ(c.move_map.a00, a.move_map.a00);
    EXPECT_EQ(c.move_map.a02, a.move_map.a02);
    EXPECT_EQ(c.erase_left, b.erase_left);
    EXPECT_EQ(c.erase_height, b.erase_height);
  }
  AugmentConfig rotation_and_more = rotation;
  rotation_and_more.scale = 0.1, rotation_and_more.shift = 2;
  const AffineMap alone = draw_augmentation(rotation, seed, 1, 0).move_map,
                  more = draw_augmentation(rotation_and_more, seed, 1, 0).move_map;
  EXPECT_NEAR(std::atan2(alone.a10, alone.a00), std::atan2(more.a10, more.a00), 1e-6);
}

TEST(Fade, FullThenInEqualStepsToTheEnd) {
  AugmentConfig config;
  config.rotation = 12;
  config.erase_probability = 0.4;
  config.elastic_alpha = 2;
  config.crop_scale_min = 0.5;
  config.crop_ratio_max = 4;
  EXPECT_EQ(at_epoch(config, 1000).rotation, 12) << "never by default";
  config.fade_after = 10;
  config.fade_epochs = 4;
  config.fade_to = 0.5;
  for (const std::uint32_t epoch : {0u, 9u}) EXPECT_EQ(at_epoch(config, epoch).rotation, 12);
  EXPECT_DOUBLE_EQ(at_epoch(config, 10).rotation, 12 * 0.875);
  EXPECT_DOUBLE_EQ(at_epoch(config, 12).rotation, 12 * 0.625);
  for (const std::uint32_t epoch : {13u, 50u}) {
    const AugmentConfig end = at_epoch(config, epoch);
    EXPECT_DOUBLE_EQ(end.rotation, 6);
    EXPECT_DOUBLE_EQ(end.erase_probability, 0.2);
    EXPECT_DOUBLE_EQ(end.elastic_alpha, 1);
    EXPECT_DOUBLE_EQ(end.crop_scale_min, 0.75);
    EXPECT_DOUBLE_EQ(end.crop_ratio_max, 2);
  }
}

TEST(Fade, ToNothingLeavesImagesAsTheyAre) {
  AugmentConfig config;
  config.rotation = 20;
  config.shift = 3;
  config.elastic_alpha = 2;
  config.erase_probability = 1;
  config.crop_scale_min = 0.5;
  config.fade_after = 2;
  config.fade_epochs = 1;
  const auto pixels = picture();
  std::vector<float> out(image_size);
  augment_image(pixels, config, {}, seed, 5, 1, out);
  EXPECT_NE(out, decoded(pixels));
  augment_image(pixels, config, {}, seed, 5, 2, out);
  EXPECT_EQ(out, decoded(pixels));
}

}  // namespace
}  // namespace mnist_dist
