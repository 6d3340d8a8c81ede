#include "engine/update.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/random.h"

namespace mnist_dist {
namespace {

/// Weight 30, bias 10, gamma 10, beta 10: sizes that are no multiple of any vector's.
FlatLayout small_layout() {
  return flat_layout({.name = "",
                      .layers = {{.kind = LayerKind::global_average},
                                 {.channels = 3, .kernel = 1, .bias = true, .norm = true},
                                 {.channels = 10, .kernel = 1}}});
}

std::vector<float> noise(std::size_t size, std::uint32_t stream) {
  Stream draws({.seed = 11, .purpose = Purpose::synthetic, .row = stream});
  std::vector<float> values(size);
  for (float& value : values) value = draws.uniform(-1, 1);
  return values;
}

TrainState state_of(const FlatLayout& layout) {
  return {.parameters = noise(layout.parameter_count, 1),
          .norm_statistics = noise(layout.norm_count, 2),
          .momentum = noise(layout.parameter_count, 3),
          .average_parameters = noise(layout.parameter_count, 4),
          .average_norm_statistics = noise(layout.norm_count, 5),
          .updates = 0};
}

std::vector<float> total_of(const FlatLayout& layout, float images) {
  std::vector<float> total = noise(layout.size(), 6);
  total[layout.images()] = images;
  return total;
}

/// Vector instructions and calls of std::fma must agree with the formula, one element after the
/// other.
TEST(Update, IsTheFormulaBitForBit) {
  const FlatLayout layout = small_layout();
  const std::vector<float> total = total_of(layout, 48);
  const float rate = 0.013f, momentum = 0.9f, decay = 0.0005f;
  for (const bool nesterov : {false, true}) {
    const TrainState before = state_of(layout);
    TrainState state = before;
    Update(layout, {.momentum = 0.9, .nesterov = nesterov, .weight_decay = 0.0005}, {})
        .apply(total, rate, state);
    for (const ParameterTensor& tensor : layout.parameters)
      for (std::size_t i = tensor.offset; i < tensor.offset + tensor.size; ++i) {
        float g = total[i] / 48;
        if (tensor.kind == ParameterKind::weight) g = std::fma(decay, before.parameters[i], g);
        const float m = momentum * before.momentum[i] + g;
        ASSERT_EQ(state.momentum[i], m) << tensor.name;
        ASSERT_EQ(state.parameters[i],
                  std::fma(-rate, nesterov ? std::fma(momentum, m, g) : m, before.parameters[i]))
            << tensor.name;
      }
    for (std::size_t i = 0; i < layout.norm_count; ++i)
      ASSERT_EQ(state.norm_statistics[i], std::fma(0.1f, total[layout.parameter_count + i] / 48,
                                                   0.9f * before.norm_statistics[i]));
    EXPECT_EQ(state.updates, 1);
    EXPECT_EQ(state.average_parameters, before.average_parameters)
        << "this recipe does not average";
  }
}

TEST(Update, DecayNormDecaysAll) {
  const FlatLayout layout = small_layout();
  std::vector<float> total(layout.size(), 0.0f);
  total[layout.images()] = 1;
  TrainState state = state_of(layout);
  const TrainState before = state;
  Update(layout, {.momentum = 0, .weight_decay = 0.5, .decay_norm = true}, {})
      .apply(total, 1, state);
  for (std::size_t i = 0; i < layout.parameter_count; ++i)
    EXPECT_FLOAT_EQ(state.parameters[i], 0.5f * before.parameters[i]);
}

TEST(Update, AveragesWarmUp) {
  const FlatLayout layout = small_layout();
  const std::vector<float> total = total_of(layout, 1);
  for (const std::int64_t updates : {0, 90, 100000}) {
    TrainState state = state_of(layout);
    state.updates = updates;
    const TrainState before = state;
    Update(layout, {}, {.decay = 0.95}).apply(total, 0.1f, state);
    const double d = updates == 0    ? 0.1
                     : updates == 90 ? 0.91
                                     : 0.95;  // (1 + t) / (10 + t) until it passes 0.95
    for (std::size_t i = 0; i < layout.parameter_count; ++i)
      EXPECT_NEAR(state.average_parameters[i],
                  d * double{before.average_parameters[i]} + (1 - d) * double{state.parameters[i]},
                  1e-6);
    for (std::size_t i = 0; i < layout.norm_count; ++i)
      EXPECT_NEAR(state.average_norm_statistics[i],
                  d * double{before.average_norm_statistics[i]} +
                      (1 - d) * double{state.norm_statistics[i]},
                  1e-6);
  }
}

TEST(AllFinite, FindsAnyOneBadElementWhereverItIs) {
  std::vector<float> values(77, std::numeric_limits<float>::max());
  values[5] = std::numeric_limits<float>::denorm_min();
  values[6] = -values[0];
  EXPECT_TRUE(all_finite(values));
  EXPECT_TRUE(all_finite({}));
  const float infinity = std::numeric_limits<float>::infinity();
  for (const float bad : {infinity, -infinity, std::numeric_limits<float>::quiet_NaN(),
                          std::numeric_limits<float>::signaling_NaN()})
    for (std::size_t i = 0; i < values.size(); ++i) {
      std::vector<float> copy = values;
      copy[i] = bad;
      EXPECT_FALSE(all_finite(copy)) << bad << " at " << i;
    }
}

}  // namespace
}  // namespace mnist_dist
