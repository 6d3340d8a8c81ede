#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <tuple>

#include "config/check.h"
#include "config/config.h"
#include "recipe_text.h"

namespace mnist_dist {
namespace {

using testing::HasSubstr;

// The error for a recipe, for tiny with one setting, and for a recipe with one more layer. More of
// them are in cli/wording/recipes.txt.
std::string rejected(const std::string& toml, const std::vector<std::string>& settings = {}) {
  return usage_error_text([&] { parse_config(toml, "r.toml", settings); });
}
std::string rejected_setting(const std::string& setting) { return rejected(tiny, {setting}); }
std::string rejected_layer(const std::string& layer) {
  return rejected("[[model.layer]]\n" + layer + "\n[[model.layer]]\nlinear = 10\n");
}

TEST(Read, MissingKeysHaveDefaults) {
  const Config config = parse_config(tiny, "some/folder/plain.toml");
  EXPECT_EQ(config.name, "plain");
  EXPECT_EQ(config.model.name, "plain");
  EXPECT_EQ(config.train.batch, TrainConfig{}.batch);
  EXPECT_EQ(config.data.file, DataConfig{}.file);
  EXPECT_EQ(config.augment.elastic_sigma, AugmentConfig{}.elastic_sigma);
  ASSERT_EQ(config.model.layers.size(), 1u);
  EXPECT_EQ(config.model.layers[0], (Layer{.kind = LayerKind::linear, .channels = 10}));
}

TEST(Read, EveryKindOfValue) {
  const Config config = parse_config(tiny + R"(
[data]
file = "elsewhere.h5"
split = [50000, 10000]
[train]
epochs = 3
seed = 9223372036854775807
max_steps = 5_000_000_000
[optimizer]
learning_rate = 1            # a whole number is a number
nesterov = true
[augment]
interpolation = "nearest"
[schedule]
kind = "one_cycle"
)",
                                     "r.toml");
  EXPECT_EQ(config.data.file, "elsewhere.h5");
  EXPECT_EQ(config.data.split, (std::vector<int>{50000, 10000}));
  EXPECT_EQ(config.train.epochs, 3);
  EXPECT_EQ(config.train.seed, 9223372036854775807u);
  EXPECT_EQ(config.train.max_steps, 5'000'000'000);
  EXPECT_EQ(config.optimizer.learning_rate, 1.0);
  EXPECT_TRUE(config.optimizer.nesterov);
  EXPECT_EQ(config.augment.interpolation, Interpolation::nearest);
  EXPECT_EQ(config.schedule.kind, ScheduleKind::one_cycle);
}

TEST(Read, Layers) {
  const Config config = parse_config(R"(
[model]
name = "mine"
[[model.layer]]
conv = 12
kernel = 5
padding = 2
bias = true
relu = true
norm = true
dropout = 0.25
[[model.layer]]
pool = "max"
[[model.layer]]
conv = 12
depthwise = true
[[model.layer]]
conv = 10
[[model.layer]]
pool = "global_max"
)",
                                     "r.toml");
  EXPECT_EQ(config.name, "mine");
  EXPECT_EQ(config.model.layers, (std::vector<Layer>{{.channels = 12,
                                                      .kernel = 5,
                                                      .padding = 2,
                                                      .bias = true,
                                                      .relu = true,
                                                      .norm = true,
                                                      .dropout = 0.25},
                                                     {.kind = LayerKind::max_pool, .kernel = 2},
                                                     {.channels = 12, .depthwise = true},
                                                     {.channels = 10},
                                                     {.kind = LayerKind::global_max}}));
}

TEST(Read, ClassesStandForTheirNumber) {
  const std::string recipe = "model.layer = [{ conv = 4 }, { linear = \"classes\" }]\n";
  EXPECT_EQ(parse_config(recipe, "r.toml").model.layers[1].channels, 10);
  Config config = parse_config(recipe, "r.toml", {"model.side=64", "model.classes=26"});
  EXPECT_EQ(config.model.layers[1].channels, 26);
  EXPECT_EQ(config.model.side, 64);
  EXPECT_NE(to_toml(config).find("linear = \"classes\""), std::string::npos);
  EXPECT_EQ(parse_config(recipe_toml(config), "r.toml").model.classes, 26);
  fit_model(config.model, 32, 300);
  EXPECT_EQ(config.model.layers[1].channels, 300);
  EXPECT_NE(to_toml(config).find("linear = 300"), std::string::npos);
  EXPECT_THAT(rejected("model.classes = 1\n" + recipe),
              HasAll("r.toml:1", "model.classes", "2 to 1000"));
  EXPECT_THAT(
      rejected("model.layer = [{ linear = 10 }]\nmodel.classes = 26\n"),
      HasAll("layer 1 (linear = 10)", "got [10][1][1]", "[26][1][1]", "linear = \"classes\""));
}

TEST(Read, SettingsWinOverTheFileAndTheLastOverTheFirst) {
  const Config config = parse_config(
      tiny + "[train]\nepochs = 3\nbatch = 32\n", "r.toml",
      {"train.epochs=4", "train.epochs=5", "schedule.kind=cosine", "data.file=/a b/c=d.h5",
       "data.split=[8, 4]", "model.name=\"quoted\"", "augment.rotation=7.5"});
  EXPECT_EQ(config.train.epochs, 5);
  EXPECT_EQ(config.train.batch, 32);
  EXPECT_EQ(config.schedule.kind, ScheduleKind::cosine);
  EXPECT_EQ(config.data.file, "/a b/c=d.h5");
  EXPECT_EQ(config.data.split, (std::vector<int>{8, 4}));
  EXPECT_EQ(config.name, "quoted");
  EXPECT_EQ(config.augment.rotation, 7.5);
}

TEST(Read, UnknownKeysNameTheNearest) {
  EXPECT_THAT(rejected(tiny + "[train]\nepoch = 3\n"),
              HasAll("r.toml:4", "train.epoch\n", "did you mean train.epochs?"));
  EXPECT_THAT(rejected_setting("optimizer.epochs=3"),
              HasAll("optimizer.epochs", "did you mean train.epochs?"));
  EXPECT_THAT(rejected("epochs = 3\n" + tiny),
              HasAll("r.toml:1", "epochs", "did you mean train.epochs?"));
}

TEST(Read, WrongTypes) {
  EXPECT_THAT(rejected(tiny + "[train]\nepochs = \"5\"\n"),
              HasAll("r.toml:4", "train.epochs", "\"5\"", "whole number", "1 to 1000000"));
  for (const auto& [setting, key, type] :
       {std::tuple("train.epochs=1O", "train.epochs", "whole number"),
        {"train.epochs=2.5", "train.epochs", "whole number"},
        {"train.epochs=3\nbatch = 4", "train.epochs", "whole number"},
        {"train.seed=9223372036854775808", "train.seed", "less than 2^63"},
        {"optimizer.momentum=high", "optimizer.momentum", "number"},
        {"data.file=7", "data.file", "string"},
        {"data.split=7", "data.split", "list of whole numbers"}})
    EXPECT_THAT(rejected_setting(setting), HasAll("--set", key, type)) << setting;
  EXPECT_THAT(rejected("train = 3\n" + tiny), HasAll("r.toml:1", "train", "table"));
  EXPECT_THAT(rejected("[model]\nlayer = 3\n"), HasAll("r.toml:2", "model.layer", "tables"));
}

TEST(Read, StringsAreALineOfText) {
  EXPECT_EQ(parse_config(tiny, "r.toml", {"data.file=d\xc3\xa4ta/mnist.h5"}).data.file,
            "d\xc3\xa4ta/mnist.h5");
  EXPECT_THAT(rejected_setting("data.file=\xff.h5"), HasAll("data.file", "\\u00FF.h5", "UTF-8"));
  for (const char* value :
       {R"("a\u0000b")", R"("a\u007fb")", R"("a\nb")", "a\tb", "\xc0\x80", "\xed\xa0\x80"})
    EXPECT_THAT(rejected_setting(std::string("model.name=") + value), HasAll("model.name", "UTF-8"))
        << value;
  EXPECT_THAT(usage_error_text([] { parse_config(tiny, "\xff.toml"); }), HasSubstr("model.name"))
      << "the file's name";
}

TEST(Read, NamesThatNameNothing) {
  for (const char* name : {"", "../outside", "a/b"})
    EXPECT_THAT(rejected_setting(std::string("model.name=\"") + name + "\""),
                HasAll("model.name", std::string("\"") + name + "\""));
}

TEST(Read, Ranges) {
  for (const auto& [setting, range] :
       {std::pair("optimizer.learning_rate=0", "more than 0, at most 1000"),
        {"augment.erase_probability=1.5", "0 to 1"},
        {"data.split=[50000, -1]", "0 to 1000000000"},
        {"optimizer.weight_decay=nan", "out of range"},
        {"optimizer.weight_decay=inf", "out of range"},
        {"optimizer.weight_decay=-inf", "out of range"},
        // Whole numbers to which no double is equal.
        {"optimizer.learning_rate=9007199254740993", "more than 0, at most 1000"},
        {"schedule.start_factor=9007199254740993", "0 to 1"}}) {
    const std::string key(setting, std::strchr(setting, '='));
    EXPECT_THAT(rejected_setting(setting), HasAll("--set: " + key, "out of range", range));
  }
  EXPECT_THAT(rejected_layer("conv = 10\ndropout = 1"),
              HasAll("r.toml:3: layer 1: dropout", "at least 0, less than 1"));
  EXPECT_THAT(rejected_layer("conv = 0"), HasAll("r.toml:2: layer 1: conv", "1 to 4096"));
}

TEST(Read, Choices) {
  EXPECT_THAT(rejected_setting("augment.interpolation=cubic"),
              HasAll("augment.interpolation", "\"cubic\"", "nearest, bilinear"));
  EXPECT_THAT(rejected_layer("pool = \"mean\""),
              HasAll("r.toml:2", "layer 1", "\"mean\"", "max, global_average, global_max"));
}

TEST(Read, ALayerIsOneThing) {
  EXPECT_THAT(rejected_layer("kernel = 3"), HasAll("r.toml:1", "layer 1", "conv, linear and pool"));
}

TEST(Read, DepthwiseLayers) {
  EXPECT_THAT(rejected_layer("conv = 10\ndepthwise = 2"),
              HasAll("r.toml:3", "layer 1", "depthwise", "true or false"));
  EXPECT_THAT(rejected_layer("conv = 10\ndeptwise = true"),
              HasAll("r.toml:3", "layer 1", "deptwise", "did you mean depthwise?"));
}

TEST(Read, ABatchThatShardsDoNotDivideIsRejected) {
  EXPECT_THAT(rejected(tiny, {"train.batch=66"}), HasAll("data.shards", "train.batch=64 or 68"));
  EXPECT_THAT(rejected(tiny, {"train.batch=3"}), HasAll("data.shards", "train.batch=4,"));
}

TEST(Check, KeysWithoutEffectAreRejectedInARecipe) {
  const auto check = [](const std::vector<std::string>& settings) {
    reject_keys_without_effect(parse_config(tiny, "r.toml", settings));
  };
  const auto rejected_keys = [&](const std::vector<std::string>& settings) {
    return usage_error_text([&] { check(settings); });
  };
  EXPECT_THAT(rejected_keys({"schedule.warmup=0.1"}),
              HasAll("schedule.warmup", "\"constant\"", "schedule.warmup=0,", "one_cycle"));
  EXPECT_THAT(rejected_keys({"schedule.end_factor=0.1", "schedule.kind=step"}),
              HasAll("schedule.end_factor", "\"step\""));
  EXPECT_THAT(rejected_keys({"schedule.start_factor=0.1"}), HasSubstr("schedule.start_factor"));
  for (const char* kind : {"linear", "cosine", "one_cycle"})
    EXPECT_NO_THROW(check({"schedule.warmup=0.1", std::string("schedule.kind=") + kind})) << kind;
  EXPECT_NO_THROW(check({"schedule.warmup=0"}));
}

TEST(Read, ASettingNeedsASection) {
  EXPECT_THAT(rejected_setting("epochs=3"), HasAll("--set", "epochs=3", "--set train.epochs=5"));
}

}  // namespace
}  // namespace mnist_dist
