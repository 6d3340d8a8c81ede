#include <gtest/gtest.h>

#include "config/check.h"
#include "config/config.h"
#include "recipe_text.h"

namespace mnist_dist {
namespace {

std::string refused(const std::string& toml, const std::vector<std::string>& settings = {}) {
  return refusal([&] { parse_config(toml, "r.toml", settings); });
}
std::string refused_setting(const std::string& setting) { return refused(tiny, {setting}); }
std::string refused_layer(const std::string& layer) {
  return refused("[[model.layer]]\n" + layer + "\n[[model.layer]]\nlinear = 10\n");
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
  EXPECT_EQ(refused("model.classes = 1\n" + recipe),
            "r.toml:1: model.classes = 1 is out of range | give 2 to 1000");
  EXPECT_EQ(refused("model.layer = [{ linear = \"class\" }]"),
            "r.toml:1: layer 1: linear = \"class\" is not a number of channels or \"classes\" | "
            "give a number of channels or \"classes\"");
  EXPECT_EQ(
      refused("model.layer = [{ linear = 10 }]\nmodel.classes = 26\n"),
      "layer 1 (linear = 10): wrong output of the model (got [10][1][1], expected [26][1][1]) | "
      "write linear = \"classes\" in layer 1 of the recipe: the data have 26 classes");
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
  EXPECT_EQ(refused(tiny + "[train]\nepoch = 3\n"),
            "r.toml:4: unknown key train.epoch | did you mean train.epochs?");
  EXPECT_EQ(refused_setting("train.epoch=3"),
            "--set: unknown key train.epoch | did you mean train.epochs?");
  EXPECT_EQ(refused_setting("optimizer.epochs=3"),
            "--set: unknown key optimizer.epochs | did you mean train.epochs?");
  EXPECT_EQ(refused_setting("average.zebra=3"),
            "--set: unknown key average.zebra | use one of: decay");
  EXPECT_EQ(refused_setting("trian.epochs=3"),
            "--set: unknown section or key trian | did you mean train?");
  EXPECT_EQ(refused("epochs = 3\n" + tiny),
            "r.toml:1: unknown section or key epochs | did you mean train.epochs?");
  EXPECT_EQ(refused_layer("conv = 10\nkernle = 3"),
            "r.toml:3: layer 1 has an unknown key kernle | did you mean kernel?");
}

TEST(Read, WrongTypes) {
  EXPECT_EQ(
      refused(tiny + "[train]\nepochs = \"5\"\n"),
      "r.toml:4: train.epochs = \"5\" is not a whole number | give a whole number: 1 to 1000000");
  EXPECT_EQ(
      refused_setting("train.epochs=1O"),
      "--set: train.epochs = \"1O\" is not a whole number | give a whole number: 1 to 1000000");
  EXPECT_EQ(refused_setting("train.epochs=2.5"),
            "--set: train.epochs = 2.5 is not a whole number | give a whole number: 1 to 1000000");
  EXPECT_EQ(refused_setting("optimizer.nesterov=yes"),
            "--set: optimizer.nesterov = \"yes\" is not true or false | give true or false");
  EXPECT_EQ(refused_setting("optimizer.momentum=high"),
            "--set: optimizer.momentum = \"high\" is not a number | give a number: at least 0, "
            "less than 1");
  EXPECT_EQ(refused_setting("data.file=7"), "--set: data.file = 7 is not a string | give a string");
  EXPECT_EQ(refused_setting("data.split=7"),
            "--set: data.split = 7 is not a list of whole numbers | give a list of whole numbers");
  EXPECT_EQ(refused("train = 3\n" + tiny), "r.toml:1: train = 3 is not a table | give a table");
  EXPECT_EQ(refused("[model]\nlayer = 3\n"),
            "r.toml:2: model.layer = 3 is not a list of tables, [[model.layer]] | give a list of "
            "tables, [[model.layer]]");
}

TEST(Read, SeedsBeyondTomlsIntegers) {
  EXPECT_EQ(refused_setting("train.seed=9223372036854775808"),
            "--set: train.seed = \"9223372036854775808\" is not a whole number | give a whole "
            "number: at least 0, less than 2^63");
}

TEST(Read, IntegersThatNoDoubleIsEqualTo) {
  EXPECT_EQ(refused_setting("optimizer.learning_rate=9007199254740993"),
            "--set: optimizer.learning_rate = 9007199254740993 is out of range | give more than 0, "
            "at most 1000");
  EXPECT_EQ(refused_setting("schedule.start_factor=9007199254740993"),
            "--set: schedule.start_factor = 9007199254740993 is out of range | give 0 to 1");
}

TEST(Read, StringsAreALineOfText) {
  EXPECT_EQ(parse_config(tiny, "r.toml", {"data.file=d\xc3\xa4ta/mnist.h5"}).data.file,
            "d\xc3\xa4ta/mnist.h5");
  EXPECT_EQ(refused_setting("data.file=\xff.h5"),
            "--set: data.file = \"\\u00FF.h5\" is not a line of text | give UTF-8 without control "
            "characters");
  for (const char* value :
       {R"("a\u0000b")", R"("a\u007fb")", R"("a\nb")", "a\tb", "\xc0\x80", "\xed\xa0\x80"})
    EXPECT_NE(refused_setting(std::string("model.name=") + value).find("is not a line of text"),
              std::string::npos)
        << value;
  EXPECT_NE(refusal([] {
              parse_config(tiny, "\xff.toml");
            }).find("not usable in the name of a run folder"),
            std::string::npos)
      << "the file's name";
}

TEST(Read, NamesAndFilesThatNameNothing) {
  for (const char* name : {"", "../outside", "a/b"})
    EXPECT_EQ(refused_setting(std::string("model.name=\"") + name + "\""),
              std::string("model.name: not usable in the name of a run folder (got \"") + name +
                  "\") | give a name of letters and digits");
  EXPECT_EQ(refused_setting("data.file="),
            "data.file is empty | give the path of the prepared data, for example data/mnist.h5");
}

TEST(Read, Ranges) {
  EXPECT_EQ(refused_setting("train.epochs=0"),
            "--set: train.epochs = 0 is out of range | give 1 to 1000000");
  EXPECT_EQ(refused_setting("train.seed=-1"),
            "--set: train.seed = -1 is out of range | give at least 0");
  EXPECT_EQ(refused_setting("optimizer.learning_rate=0"),
            "--set: optimizer.learning_rate = 0 is out of range | give more than 0, at most 1000");
  EXPECT_EQ(refused_setting("train.label_smoothing=1"),
            "--set: train.label_smoothing = 1 is out of range | give at least 0, less than 1");
  EXPECT_EQ(refused_setting("augment.erase_probability=1.5"),
            "--set: augment.erase_probability = 1.5 is out of range | give 0 to 1");
  EXPECT_EQ(refused_setting("data.split=[50000, -1]"),
            "--set: data.split = -1 is out of range | give 0 to 1000000000");
  for (const char* not_finite : {"nan", "inf", "-inf"})
    EXPECT_NE(refused_setting(std::string("optimizer.weight_decay=") + not_finite)
                  .find("is out of range"),
              std::string::npos)
        << not_finite;
  EXPECT_EQ(refused_layer("conv = 10\ndropout = 1"),
            "r.toml:3: layer 1: dropout = 1 is out of range | give at least 0, less than 1");
  EXPECT_EQ(refused_layer("conv = 0"),
            "r.toml:2: layer 1: conv = 0 is out of range | give 1 to 4096");
}

TEST(Read, Choices) {
  EXPECT_EQ(refused_setting("schedule.kind=cosin"),
            "--set: unknown schedule.kind \"cosin\" | did you mean cosine?");
  EXPECT_EQ(refused_setting("augment.interpolation=cubic"),
            "--set: unknown augment.interpolation \"cubic\" | use one of: nearest, bilinear");
  EXPECT_EQ(
      refused_layer("pool = \"mean\""),
      "r.toml:2: unknown layer 1: pool \"mean\" | use one of: max, global_average, global_max");
}

TEST(Read, ALayerIsOneThing) {
  EXPECT_EQ(
      refused_layer("conv = 10\npool = \"max\""),
      "r.toml:1: layer 1 needs exactly one of conv, linear and pool | give one of these keys");
  EXPECT_EQ(
      refused_layer("kernel = 3"),
      "r.toml:1: layer 1 needs exactly one of conv, linear and pool | give one of these keys");
  EXPECT_EQ(refused_layer("pool = \"global_max\"\nkernel = 3"),
            "r.toml:3: layer 1 (pool = \"global_max\") has a kernel | remove it: the layer covers "
            "its whole input");
  EXPECT_EQ(refused_layer("pool = \"max\"\nrelu = true"),
            "layer 1 (pool = \"max\"): a pool has no channels, bias, relu, norm or dropout of its "
            "own | put them on the layer before it or after it");
}

TEST(Read, DepthwiseLayers) {
  EXPECT_EQ(
      refused_layer("conv = 24\ndepthwise = true"),
      "layer 1 (conv = 24): depthwise, but changes the channels from 1 to 24 | give conv = 1, and "
      "change the number of channels in a convolution with kernel = 1 before or behind it");
  EXPECT_EQ(refused_layer("linear = 10\ndepthwise = true"),
            "layer 1 (linear = 10): only convolutions are depthwise | remove depthwise");
  EXPECT_EQ(refused_layer("pool = \"max\"\ndepthwise = true"),
            "layer 1 (pool = \"max\"): only convolutions are depthwise | remove depthwise");
  EXPECT_EQ(refused_layer("conv = 10\ndepthwise = 2"),
            "r.toml:3: layer 1: depthwise = 2 is not true or false | give true or false");
  EXPECT_EQ(refused_layer("conv = 10\ndeptwise = true"),
            "r.toml:3: layer 1 has an unknown key deptwise | did you mean depthwise?");
}

TEST(Read, ContradictionsAreRejected) {
  EXPECT_EQ(refused(tiny, {"train.batch=66"}),
            "train.batch: not divisible by data.shards (got 66 and 4) | use train.batch=64 or 68, "
            "or change data.shards");
  EXPECT_EQ(refused(tiny, {"train.batch=3"}),
            "train.batch: not divisible by data.shards (got 3 and 4) | use train.batch=4, or "
            "change data.shards");
  EXPECT_EQ(refused(tiny, {"data.split=[5]"}),
            "data.split = [5] is not two or three numbers | give [training, validation] rows, "
            "[training, validation, block], or []");
  EXPECT_EQ(refused(tiny, {"data.split=[5, 0]"}),
            "data.split: no rows to score on | give at least 1 validation row");
  EXPECT_EQ(refused(tiny, {"data.split=[3, 5]"}),
            "data.split: 3 training rows for 4 shards | give every shard at least one row");
  EXPECT_EQ(refused(tiny, {"augment.erase_area_min=0.5"}),
            "augment.erase_area_min = 0.5 is larger than augment.erase_area_max = 0.33 | swap "
            "them, or set both to one value");
  EXPECT_EQ(
      refused(tiny, {"optimizer.nesterov=true", "optimizer.momentum=0"}),
      "optimizer.nesterov without optimizer.momentum | give a momentum, or set nesterov=false");
  EXPECT_EQ(refused("[train]\nbatch = 4\n" + tiny + "norm = true\n"),
            "layer 1 (linear = 10): batch norm over one value per channel: a slice of 1 image, "
            "maps of 1x1 | change train.batch or data.shards so that "
            "every slice has at least 2 images, or drop norm there");
  EXPECT_EQ(
      refused("[train]\nepochs = 3\n"),
      "r.toml: the model has no layers | add [[model.layer]] tables as in configs/step3.toml");
}

TEST(Check, KeysWithoutEffectAreRejectedInARecipe) {
  const auto refused_keys = [](const std::vector<std::string>& settings) {
    return refusal([&] { refuse_keys_without_effect(parse_config(tiny, "r.toml", settings)); });
  };
  EXPECT_EQ(refused_keys({"schedule.warmup=0.1"}),
            "schedule.warmup = 0.1 has no effect with schedule.kind = \"constant\" | set "
            "schedule.warmup=0, or schedule.kind to linear, cosine or "
            "one_cycle");
  EXPECT_NE(refused_keys({"schedule.end_factor=0.1", "schedule.kind=step"})
                .find("with schedule.kind = \"step\""),
            std::string::npos);
  EXPECT_NE(refused_keys({"schedule.start_factor=0.1"}), "");
  for (const char* kind : {"linear", "cosine", "one_cycle"})
    EXPECT_EQ(refused_keys({"schedule.warmup=0.1", std::string("schedule.kind=") + kind}), "")
        << kind;
  EXPECT_EQ(refused_keys({"schedule.warmup=0"}), "");
}

TEST(Read, SyntaxErrorsSayWhere) {
  const std::string message = refused("[train]\nepochs = = 3\n");
  EXPECT_EQ(message.find("r.toml:2:10: "), 0u) << message;
  EXPECT_EQ(message.find('\n'), std::string::npos);
}

TEST(Read, MalformedSettings) {
  EXPECT_EQ(refused_setting("train.epochs"),
            "--set train.epochs is not section.key=value | write for example --set train.epochs=5");
  EXPECT_EQ(refused_setting("epochs=3"),
            "--set epochs=3 is not section.key=value | write for example --set train.epochs=5");
  EXPECT_EQ(refused_setting("train.epochs=3\nbatch = 4"),
            "--set: train.epochs = \"3\\nbatch = 4\" is not a whole number | give a whole number: "
            "1 to 1000000");
}

}  // namespace
}  // namespace mnist_dist
