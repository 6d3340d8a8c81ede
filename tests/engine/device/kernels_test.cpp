#include "engine/device/kernels.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/device_memory.h"
#include "data/order.h"
#include "engine/test_model.h"
#include "engine/update.h"

// On the host, where the kernels of GPUs run too.

namespace mnist_dist {
namespace {

constexpr std::uint64_t seed = 5;
constexpr Normalisation normalisation{0.1307f, 0.3081f};

/// Two shards of 7 and 6 rows, from row 100 on, slices of 4.
struct TwoShards {
  static constexpr int slice = 4;
  int side;
  std::vector<Images> shards{noise_images(7, 100, side), noise_images(6, 107, side)};
  std::vector<std::vector<std::uint32_t>> orders{epoch_order({100, 107}, 0, seed, 2),
                                                 epoch_order({107, 113}, 1, seed, 2)};
  std::vector<std::uint8_t> pixels, labels;
  std::vector<std::uint32_t> flat_orders;
  std::vector<std::int32_t> begins{0, 7, 13};
  DeviceEpoch epoch;
  DeviceProgress progress;
  std::size_t pixels_of_image = shards[0].image_pixels();
  std::vector<float> images = std::vector<float>(2 * slice * pixels_of_image, -7);
  std::vector<float> workspace = std::vector<float>(2 * slice * augment_workspace(side), -7);
  std::vector<std::int64_t> targets = std::vector<std::int64_t>(2 * slice, -7);
  std::vector<std::uint32_t> rows = std::vector<std::uint32_t>(2 * slice, 7);

  explicit TwoShards(const AugmentConfig& augment, int side_of_images = image_side)
      : side(side_of_images) {
    for (const Images& shard : shards) {
      pixels.insert(pixels.end(), shard.pixels.begin(), shard.pixels.end());
      labels.insert(labels.end(), shard.labels.begin(), shard.labels.end());
    }
    for (const auto& order : orders)
      flat_orders.insert(flat_orders.end(), order.begin(), order.end());
    epoch.epoch = 2;
    epoch.augment = at_epoch(augment, 2, side);
    if (epoch.augment.elastic_alpha > 0)
      for (const float tap : elastic_taps(epoch.augment)) epoch.tap[epoch.taps++] = tap;
  }

  void make(int step, BatchOrder order) {
    progress.step = step;
    enqueue_batch({},
                  {side, pixels.data(), labels.data(), 100, flat_orders.data(), begins.data(), 2},
                  &epoch, &progress, seed, normalisation, slice, order,
                  {images.data(), targets.data(), rows.data(), workspace.data()});
  }
};

struct NamedAugment {
  const char* name;
  AugmentConfig config;
};

class DeviceBatch : public testing::TestWithParam<std::tuple<NamedAugment, int>> {};

TEST_P(DeviceBatch, HasTheBitsOfAugmentImage) {
  const auto& [augment, side] = GetParam();
  TwoShards data(augment.config, side);
  for (int step = 0; step < 2; ++step) {
    data.make(step, BatchOrder::by_shard);
    for (int shard = 0; shard < 2; ++shard)
      for (int i = 0; i < TwoShards::slice; ++i) {
        const std::size_t at = static_cast<std::size_t>(step * TwoShards::slice + i),
                          place = static_cast<std::size_t>(shard * TwoShards::slice + i);
        const auto& order = data.orders[static_cast<std::size_t>(shard)];
        const std::span<const float> made =
            std::span(data.images).subspan(place * data.pixels_of_image, data.pixels_of_image);
        if (at >= order.size()) {
          EXPECT_EQ(data.targets[place], no_image);
          EXPECT_TRUE(std::ranges::all_of(made, [](float x) { return x == 0; }));
          continue;
        }
        const Images& images = data.shards[static_cast<std::size_t>(shard)];
        const auto local = static_cast<int>(order[at]) - images.first_row;
        std::vector<float> expected(data.pixels_of_image);
        augment_image({images.image(local), data.pixels_of_image}, augment.config, normalisation,
                      seed, order[at], 2, expected, side);
        EXPECT_TRUE(std::ranges::equal(made, expected)) << "row " << order[at];
        EXPECT_EQ(data.targets[place], images.labels[static_cast<std::size_t>(local)]);
        EXPECT_EQ(data.rows[place], order[at]);
      }
  }
}

AugmentConfig with(void (*change)(AugmentConfig&)) {
  AugmentConfig config;
  change(config);
  return config;
}

INSTANTIATE_TEST_SUITE_P(
    All, DeviceBatch,
    testing::Combine(testing::Values(NamedAugment{"None", {}},
                                     NamedAugment{"Rotation",
                                                  with([](AugmentConfig& c) { c.rotation = 15; })},
                                     NamedAugment{"Nearest", with([](AugmentConfig& c) {
                                                    c.rotation = 15,
                                                    c.interpolation = Interpolation::nearest;
                                                  })},
                                     NamedAugment{"Crop", with([](AugmentConfig& c) {
                                                    c.crop_scale_min = 0.85,
                                                    c.crop_ratio_min = 0.75,
                                                    c.crop_ratio_max = 4.0 / 3;
                                                  })},
                                     NamedAugment{"CropAndMove", with([](AugmentConfig& c) {
                                                    c.crop_scale_min = 0.85, c.rotation = 7,
                                                    c.shift = 2, c.scale = 0.1;
                                                  })},
                                     NamedAugment{"Erase", with([](AugmentConfig& c) {
                                                    c.erase_probability = 0.9, c.rotation = 15;
                                                  })},
                                     NamedAugment{"Elastic", with([](AugmentConfig& c) {
                                                    c.elastic_alpha = 1.5, c.shear = 5;
                                                  })},
                                     NamedAugment{"Fading", with([](AugmentConfig& c) {
                                                    c.rotation = 15, c.elastic_alpha = 1,
                                                    c.fade_after = 1, c.fade_epochs = 4;
                                                  })}),
                     testing::Values(image_side, 9, image_side_limit)),
    [](const auto& tested) {
      return std::get<0>(tested.param).name + std::to_string(std::get<1>(tested.param));
    });

TEST(DeviceBatchOrder, ByImageInterleavesTheSlices) {
  TwoShards by_shard(AugmentConfig{.rotation = 15}), by_image(AugmentConfig{.rotation = 15});
  by_shard.make(0, BatchOrder::by_shard);
  by_image.make(0, BatchOrder::by_image);
  for (std::size_t shard = 0; shard < 2; ++shard)
    for (std::size_t i = 0; i < TwoShards::slice; ++i) {
      EXPECT_EQ(by_image.rows[i * 2 + shard], by_shard.rows[shard * TwoShards::slice + i]);
      EXPECT_EQ(by_image.targets[i * 2 + shard], by_shard.targets[shard * TwoShards::slice + i]);
      EXPECT_EQ(by_image.images[(i * 2 + shard) * image_size + 300],
                by_shard.images[(shard * TwoShards::slice + i) * image_size + 300]);
    }
}

TEST(DeviceDecode, HasTheBitsOfDecodeImage) {
  for (const int side : {image_side, 9}) {
    const Images images = noise_images(3, 0, side);
    const std::size_t size = images.image_pixels();
    std::vector<float> made(3 * size), expected(size);
    enqueue_decode({}, images.pixels.data(), 3, side, normalisation, made.data());
    for (int i = 0; i < 3; ++i) {
      decode_image({images.image(i), size}, normalisation, expected);
      EXPECT_TRUE(std::ranges::equal(
          std::span(made).subspan(static_cast<std::size_t>(i) * size, size), expected));
    }
  }
}

TEST(DeviceDropout, DropsTheElementsOfDropoutMask) {
  const DropoutRule rule = dropout_rule(0.3);
  const std::vector<std::uint32_t> rows{3, 70000, 12};
  const DeviceEpoch epoch{.epoch = 4, .augment = {}};
  constexpr int elements = 1003;
  std::vector<float> factors(3 * elements);
  enqueue_dropout({}, rule, &epoch, seed, 2, rows.data(), 3, elements, factors.data());
  for (std::size_t image = 0; image < 3; ++image) {
    std::vector<std::uint8_t> mask(elements);
    dropout_mask(rule, seed, rows[image], 4, 2, mask);
    for (std::size_t i = 0; i < elements; ++i)
      ASSERT_EQ(factors[image * elements + i], mask[i] ? 0.0f : rule.scale) << image << ' ' << i;
  }
}

TEST(DeviceTail, SumsNormStatisticsAndCounts) {
  // Two parts of two images, one norm layer of three channels: mean [2][3], variance [2][3].
  const std::vector<float> statistics{1, 2, 3, 10, 20, 30, 0.5f, 0.25f, 0.125f, 4, 5, 6};
  const std::vector<std::int32_t> first{0, 1, 2, 6, 7, 8}, stride(6, 3);
  std::vector<float> logits(4 * class_count, 0.0f);
  logits[3] = 1;                                                  // right
  logits[class_count + 2] = 5;                                    // wrong
  logits[2 * class_count + 4] = logits[2 * class_count + 7] = 2;  // a tie: the lower one
  const std::vector<std::int64_t> labels{3, 9, 4, 0};             // the last: all equal, class 0
  const float loss = 2.5f;
  const std::int32_t stop = 1;
  std::vector<float> vector(5 + 6 + 4, -1.0f);
  enqueue_tail({}, {.parameter_count = 5,
                    .norm_count = 6,
                    .logits = logits.data(),
                    .labels = labels.data(),
                    .count = 4,
                    .classes = class_count,
                    .loss = &loss,
                    .statistics = statistics.data(),
                    .first = first.data(),
                    .stride = stride.data(),
                    .parts = 2,
                    .stop = &stop,
                    .vector = vector.data()});
  EXPECT_EQ(vector,
            (std::vector<float>{-1, -1, -1, -1, -1, 22, 44, 66, 9, 10.5f, 12.25f, 4, 2.5f, 3, 1}));
}

/// A model with every kind of parameter.
const ModelSpec& small_model() {
  static const ModelSpec model{.name = "small",
                               .layers = {{.channels = 3, .bias = true, .relu = true, .norm = true},
                                          {.kind = LayerKind::linear, .channels = 10}}};
  return model;
}

struct UpdateCase {
  OptimizerConfig optimizer;
  AverageConfig average;
};

/// Steps on the device, and what to compare them with.
struct Stepper {
  FlatLayout layout = flat_layout(small_model());
  TrainState state;
  std::vector<float> decay, total, rates{0.1f, 0.05f, 0.025f};
  DeviceProgress progress;
  UpdateCase with;

  explicit Stepper(UpdateCase how) : state(fresh_state(layout, true)), with(std::move(how)) {
    for (const ParameterTensor& tensor : layout.parameters)
      decay.resize(tensor.offset + tensor.size,
                   tensor.kind == ParameterKind::weight || with.optimizer.decay_norm
                       ? static_cast<float>(with.optimizer.weight_decay)
                       : 0.0f);
    Stream draws({.seed = 1, .purpose = Purpose::synthetic});
    for (std::size_t i = 0; i < layout.size(); ++i) total.push_back(draws.uniform(-8, 8));
    total[layout.images()] = 64;
    total[layout.correct()] = 50;
    total[layout.stop()] = 0;
  }
  void step() {
    enqueue_update({}, {.parameter_count = layout.parameter_count,
                        .norm_count = layout.norm_count,
                        .total = total.data(),
                        .rates = rates.data(),
                        .decay = decay.data(),
                        .momentum = static_cast<float>(with.optimizer.momentum),
                        .nesterov = with.optimizer.nesterov,
                        .average_decay = with.average.decay,
                        .parameters = state.parameters.data(),
                        .velocity = state.momentum.data(),
                        .norm_statistics = state.norm_statistics.data(),
                        .average_parameters = state.average_parameters.data(),
                        .average_norm_statistics = state.average_norm_statistics.data(),
                        .progress = &progress});
  }
};

TEST(DeviceUpdate, HasTheBitsOfUpdate) {
  for (const UpdateCase& how :
       {UpdateCase{{.learning_rate = 0.1, .momentum = 0.9}, {.decay = 0.999}},
        UpdateCase{{.learning_rate = 0.1, .momentum = 0.9, .nesterov = true, .weight_decay = 1e-3},
                   {.decay = 0.9}},
        UpdateCase{
            {.learning_rate = 0.1, .momentum = 0.5, .weight_decay = 1e-3, .decay_norm = true},
            {}}}) {
    Stepper stepper(how);
    TrainState expected = stepper.state;
    const Update update(stepper.layout, how.optimizer, how.average);
    for (int i = 0; i < 3; ++i) {
      stepper.step();
      update.apply(stepper.total, stepper.rates[static_cast<std::size_t>(i)], expected);
    }
    EXPECT_EQ(stepper.state.parameters, expected.parameters);
    EXPECT_EQ(stepper.state.momentum, expected.momentum);
    EXPECT_EQ(stepper.state.norm_statistics, expected.norm_statistics);
    EXPECT_EQ(stepper.state.average_parameters, expected.average_parameters);
    EXPECT_EQ(stepper.state.average_norm_statistics, expected.average_norm_statistics);
    EXPECT_EQ(stepper.progress.updates, 3);
    EXPECT_EQ(stepper.progress.steps_done, 3);
    EXPECT_EQ(stepper.progress.images, 192);
    EXPECT_EQ(stepper.progress.correct, 150);
    EXPECT_EQ(stepper.progress.loss, 3 * static_cast<double>(stepper.total[stepper.layout.loss()]));
    EXPECT_EQ(stepper.progress.stopped_at, -1);
  }
}

TEST(DeviceUpdate, DoesNothingFromTheFirstValueThatIsNotFinite) {
  for (const float bad : {NAN, INFINITY, -INFINITY}) {
    Stepper stepper({{.momentum = 0.9}, {}});
    stepper.step();
    const TrainState before = stepper.state;
    const float good = std::exchange(stepper.total[7], bad);
    stepper.step();
    stepper.total[7] = good;
    stepper.step();
    EXPECT_EQ(stepper.state.parameters, before.parameters);
    EXPECT_EQ(stepper.state.momentum, before.momentum);
    EXPECT_EQ(stepper.progress.non_finite_at, 1);
    EXPECT_EQ(stepper.progress.steps_done, 1);
    EXPECT_EQ(stepper.progress.step, 3);
    EXPECT_EQ(stepper.progress.updates, 1);
  }
}

TEST(DeviceUpdate, AppliesTheStepThatBringsAStopAndNoneAfterIt) {
  Stepper stepper({{.momentum = 0.9}, {}});
  stepper.total[stepper.layout.stop()] = 2;
  stepper.step();
  const TrainState stopped = stepper.state;
  stepper.step();
  EXPECT_EQ(stepper.state.parameters, stopped.parameters);
  EXPECT_NE(stopped.parameters, fresh_state(stepper.layout, true).parameters);
  EXPECT_EQ(stepper.progress.stopped_at, 0);
  EXPECT_EQ(stepper.progress.steps_done, 1);
}

}  // namespace
}  // namespace mnist_dist
