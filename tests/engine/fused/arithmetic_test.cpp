// Every SIMD target against docs/arithmetic.md, to the bit.
#include "engine/fused/arithmetic.h"

#include <gtest/gtest.h>

#include <bit>

#include "engine/fused/agreement.h"
#include "engine/fused/fused_engine.h"
#include "engine/fused/test_models.h"

namespace mnist_dist {
namespace {

/// The first place where bits differ, or the size where none do. Zeros of both signs are the same
/// number.
std::size_t first_difference_of(const std::vector<float>& a, const std::vector<float>& b) {
  std::size_t i = 0;
  while (i < a.size() && a[i] == b[i]) ++i;
  return i;
}

void expect_the_documented_bits(const EngineOptions& options, int count) {
  const ModelSpec& model = options.config.model;
  const auto parameters = test_parameters(model);
  const TestSlice test = make_slice(count);
  const auto wanted = arithmetic_train(options, test.slice(), parameters);
  for (const std::string& target : fused_targets()) {
    const auto got =
        train_slice(*make_fused_worker(options, target), model, test.slice(), parameters);
    EXPECT_EQ(first_difference_of(got, wanted), wanted.size())
        << model.name << ", " << target << ", slice of " << count;
  }
}

// Slices that fill no vector, some, and all of two times 16 lanes.
TEST(Arithmetic, IsTheDocumentedOneOnTheSeedsModels) {
  for (const ModelSpec& model : seed_models())
    for (const int count : {2, 19, 32})
      expect_the_documented_bits(slice_options(model, count), count);
}

TEST(Arithmetic, IsTheDocumentedOneOnRandomModels) {
  for (std::uint32_t i = 0; i < 12; ++i) {
    const int count = 3 + static_cast<int>(i);
    EngineOptions options = slice_options(random_model(i), count);
    options.config.train.label_smoothing = i % 2 ? 0.1 : 0.0;
    expect_the_documented_bits(options, count);
  }
}

TEST(Arithmetic, IsTheDocumentedOneOnDepthwiseModels) {
  for (std::uint32_t i = 0; i < 6; ++i)
    expect_the_documented_bits(slice_options(depthwise_model(i), 9), 9);
}

TEST(Arithmetic, IsTheDocumentedOneOfAugmentedImages) {
  EngineOptions options = slice_options(seed_models()[1], 6);
  AugmentConfig& augment = options.config.augment;
  augment.crop_scale_min = 0.8;
  augment.crop_ratio_min = 0.75;
  augment.rotation = 20;
  augment.shift = 2;
  augment.scale = 0.1;
  augment.shear = 10;
  augment.erase_probability = 0.5;
  for (const auto interpolation : {Interpolation::nearest, Interpolation::bilinear}) {
    augment.interpolation = interpolation;
    expect_the_documented_bits(options, 6);
  }
  augment.elastic_alpha = 2;
  augment.elastic_sigma = 4;
  expect_the_documented_bits(options, 6);
}

}  // namespace
}  // namespace mnist_dist
