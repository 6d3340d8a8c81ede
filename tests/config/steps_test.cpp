// The recipes that this project starts from must stay exactly what they were.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/config.h"

namespace mnist_dist {
namespace {

using ::testing::ElementsAre;

Config step(const std::string& name) { return load_config(name, {}, {CONFIGS}); }

std::vector<int> receptive_fields(const Config& config) {
  std::vector<int> fields;
  for (const auto& shape : layer_shapes(config.model)) fields.push_back(shape.receptive_field);
  return fields;
}

/// A recipe's layer in short: "c12" a 3x3 convolution to 12 channels, then r for ReLU, n for norm,
/// d for dropout, p1 for padding 1, b for bias.
std::string short_text(const Layer& layer, double dropout) {
  if (layer.kind == LayerKind::max_pool) return fmt::format("max{}", layer.kernel);
  if (layer.kind == LayerKind::global_average) return "average";
  EXPECT_EQ(layer.kind, LayerKind::convolution);
  const auto flag = [](bool set, const char* text) { return set ? text : ""; };
  EXPECT_TRUE(layer.dropout == 0 || layer.dropout == dropout);
  return fmt::format(
      "{}{}{}{}{}{}{}", layer.kernel == 3 ? "c" : fmt::format("{}x", layer.kernel), layer.channels,
      flag(layer.relu, "r"), flag(layer.norm, "n"), flag(layer.dropout > 0, "d"),
      layer.padding > 0 ? fmt::format("p{}", layer.padding) : "", flag(layer.bias, "b"));
}

std::vector<std::string> layers(const Config& config, double dropout) {
  std::vector<std::string> texts;
  for (const Layer& layer : config.model.layers) texts.push_back(short_text(layer, dropout));
  return texts;
}

void expect_plain_sgd(const Config& config, int batch, int epochs) {
  EXPECT_EQ(config.train.batch, batch);
  EXPECT_EQ(config.train.epochs, epochs);
  EXPECT_EQ(config.train.label_smoothing, 0);
  EXPECT_EQ(config.optimizer.learning_rate, 0.01);
  EXPECT_EQ(config.optimizer.momentum, 0.9);
  EXPECT_EQ(config.optimizer.weight_decay, 0);
  EXPECT_FALSE(config.optimizer.nesterov);
  EXPECT_EQ(config.average.decay, 0);
  EXPECT_EQ(config.data.shards, 4);
  EXPECT_TRUE(config.data.split.empty());
}

void expect_crop_and_rotation(const AugmentConfig& augment) {
  EXPECT_EQ(augment.crop_scale_min, 0.85);
  EXPECT_EQ(augment.crop_scale_max, 1);
  EXPECT_EQ(augment.crop_ratio_min, 3.0 / 4);
  EXPECT_EQ(augment.crop_ratio_max, 4.0 / 3);
  EXPECT_EQ(augment.rotation, 7);
  EXPECT_EQ(augment.interpolation, Interpolation::nearest);
  EXPECT_EQ(augment.erase_probability, 0);
}

TEST(Steps, Step1) {
  const Config config = step("step1");
  EXPECT_THAT(layers(config, 0), ElementsAre("c10r", "c12r", "c12", "1x10", "max2", "c12r", "c12r",
                                             "c12r", "c12rp1", "5x10"));
  EXPECT_EQ(parameter_count(config.model), 10554u);
  EXPECT_EQ(receptive_fields(config).back(), 32);
  expect_plain_sgd(config, 128, 20);
  EXPECT_EQ(config.schedule.kind, ScheduleKind::constant);
  expect_crop_and_rotation(config.augment);
}

TEST(Steps, Step2) {
  const Config config = step("step2");
  EXPECT_THAT(layers(config, 0.07),
              ElementsAre("c10rnd", "c12rnd", "c12rnd", "1x10", "max2", "c12rnd", "c12rnd",
                          "c12rnd", "c10rndp1", "average"));
  EXPECT_EQ(parameter_count(config.model), 7498u);
  EXPECT_THAT(receptive_fields(config), ElementsAre(3, 5, 7, 7, 8, 12, 16, 20, 24, 32));
  expect_plain_sgd(config, 128, 15);
  EXPECT_EQ(config.schedule.kind, ScheduleKind::constant);
  expect_crop_and_rotation(config.augment);
}

TEST(Steps, Step3) {
  const Config config = step("step3");
  EXPECT_THAT(layers(config, 0.1),
              ElementsAre("c12rnd", "c14rnd", "c14rnd", "1x10n", "max2", "c14rnd", "c14rnd",
                          "c14rnd", "c10rndp1", "average"));
  EXPECT_EQ(parameter_count(config.model), 9776u);
  EXPECT_THAT(receptive_fields(config), ElementsAre(3, 5, 7, 7, 8, 12, 16, 20, 24, 32));
  EXPECT_EQ(layer_shapes(config.model)[8].jump, 2);
  expect_plain_sgd(config, 64, 15);
  EXPECT_EQ(config.schedule.kind, ScheduleKind::step);
  EXPECT_EQ(config.schedule.step_epochs, 7);
  EXPECT_EQ(config.schedule.step_factor, 0.1);
  const AugmentConfig& augment = config.augment;
  EXPECT_EQ(augment.crop_scale_min, 1);
  EXPECT_EQ(augment.rotation, 15);
  EXPECT_EQ(augment.interpolation, Interpolation::nearest);
  EXPECT_EQ(augment.erase_probability, 0.1);
  EXPECT_EQ(augment.erase_area_min, 0.02);
  EXPECT_EQ(augment.erase_area_max, 0.33);
  EXPECT_EQ(augment.erase_ratio_min, 0.3);
  EXPECT_EQ(augment.erase_ratio_max, 3.3);
}

/// The limits that the project's own recipes promise to keep. Their other numbers are whatever the
/// search found.
void expect_inside_the_limits(const Config& config) {
  EXPECT_LE(parameter_count(config.model), 10000u);
  EXPECT_LE(config.train.epochs, 14);
  EXPECT_TRUE(config.data.split.empty()) << "the frozen recipe trains on all 60,000";
  EXPECT_EQ(config.data.shards, 4) << "mpirun -np 4 is to work";
}

TEST(Steps, Step4StaysInsideItsLimits) {
  const Config config = step("step4");
  EXPECT_EQ(parameter_count(config.model), 9768u);
  expect_inside_the_limits(config);
}

TEST(Steps, Step5StaysInsideItsLimits) {
  const Config config = step("step5");
  EXPECT_EQ(parameter_count(config.model), 9832u);
  expect_inside_the_limits(config);
}

TEST(Steps, CompactStaysInsideItsLimits) {
  const Config config = step("compact");
  EXPECT_EQ(parameter_count(config.model), 5796u);
  expect_inside_the_limits(config);
}

TEST(Steps, MiniStaysInsideItsLimits) {
  const Config config = step("mini");
  EXPECT_EQ(parameter_count(config.model), 1464u);
  EXPECT_EQ(config.train.epochs, 40);
}

TEST(Steps, SlimStaysInsideItsLimits) {
  const Config config = step("slim");
  EXPECT_EQ(parameter_count(config.model), 4898u);
  EXPECT_EQ(config.train.epochs, 30);
}

TEST(Steps, SprintStaysInsideItsLimits) {
  const Config config = step("sprint");
  EXPECT_EQ(parameter_count(config.model), 8752u);
  expect_inside_the_limits(config);
}

}  // namespace
}  // namespace mnist_dist
