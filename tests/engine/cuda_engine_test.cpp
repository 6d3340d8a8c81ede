#include <gtest/gtest.h>

#include "base/device_memory.h"
#include "comm/communicator.h"
#include "comm/device_reducer.h"
#include "data/order.h"
#include "device_engine_cases.h"
#include "engine/device/kernels.h"

// On a real GPU. These tests are skipped where there is none.

namespace mnist_dist {
namespace {

const GpuLibrary& gpu() { return *mnist_dist_torch_library()->gpu; }

#define NEEDS_GPU()                                          \
  if (const GpuCount found = gpu().count(); found.gpus == 0) \
  GTEST_SKIP() << "no GPU: " << found.why_none

/// A run with sums on the GPU, and what the engine called itself.
EngineRun run_on_gpu(const EngineOptions& options, int epochs,
                     const DeviceCommOptions& comm_options, const FourShards& data) {
  auto engine = gpu().make_engine(options);
  const auto single = make_single();
  const auto sums = make_device_reducer(*single, engine->queue().device, comm_options);
  const Queue queue = engine->queue();
  EngineRun run = run_engine(
      *engine, options, data,
      [&](const ShardVectors& vectors, std::span<float> total, const Queue& q) {
        sums->tree_all_reduce(vectors, options.config.data.shards, total, q);
      },
      epochs,
      [&](std::span<const float> total) {
        std::vector<float> host(total.size());
        copy_memory(queue, host.data(), total.data(), total.size_bytes());
        return host;
      });
  engine.reset();  // its recording holds calls of the reducer
  return run;
}

EngineRun run_on_gpu(const EngineOptions& options, int epochs,
                     const DeviceCommOptions& comm_options = {}) {
  return run_on_gpu(options, epochs, comm_options, FourShards(options.config.model));
}

void expect_same_bits(const EngineRun& a, const EngineRun& b) {
  EXPECT_EQ(a.first_total, b.first_total);
  EXPECT_EQ(a.state.parameters, b.state.parameters);
  EXPECT_EQ(a.state.momentum, b.state.momentum);
  EXPECT_EQ(a.state.norm_statistics, b.state.norm_statistics);
  EXPECT_EQ(a.state.average_parameters, b.state.average_parameters);
  EXPECT_EQ(a.state.average_norm_statistics, b.state.average_norm_statistics);
  EXPECT_EQ(a.report.sums.loss, b.report.sums.loss);
}

TEST(CudaLibrary, HasCodeForThisCard) {
  NEEDS_GPU();
  gpu().check(0);
  EXPECT_THROW(gpu().check(1000), Error);
}

class CudaEngine : public testing::TestWithParam<ModelSpec> {};

TEST_P(CudaEngine, GradientsLossAndStatisticsAgreeWithTheCpus) {
  NEEDS_GPU();
  EngineOptions options = full_options(GetParam());
  const FlatLayout layout = flat_layout(options.config.model);
  const FourShards data = decided_shards(options, fresh_state(layout, true).parameters);
  const EngineRun reference = run_reference(options, 1, data);
  for (const bool per_slice : {false, true}) {
    options.per_slice = per_slice;
    // cuDNN chooses its own transforms, which may round more than the CPU's sums. A wrong result
    // differs by far more.
    expect_close_totals(layout, run_on_gpu(options, 1, {}, data).first_total, reference.first_total,
                        1e-3, 1);
  }
}

TEST_P(CudaEngine, ARecordedStepHasTheBitsOfOneEnqueuedInParts) {
  NEEDS_GPU();
  EngineOptions options = full_options(GetParam());
  const EngineRun recorded = run_on_gpu(options, 5);  // five whole steps, recorded after the third
  options.replay = false;
  expect_same_bits(recorded, run_on_gpu(options, 5));
}

TEST_P(CudaEngine, TwoRunsHaveTheSameBits) {
  NEEDS_GPU();
  const EngineOptions options = full_options(GetParam());
  expect_same_bits(run_on_gpu(options, 5), run_on_gpu(options, 5));
}

TEST_P(CudaEngine, NcclOnOneGpuChangesNoBit) {
  NEEDS_GPU();
  const EngineOptions options = full_options(GetParam());
  expect_same_bits(run_on_gpu(options, 5), run_on_gpu(options, 5, {.transport = "nccl"}));
}

TEST_P(CudaEngine, EvaluatesAsTheReference) {
  NEEDS_GPU();
  const EngineOptions options = full_options(GetParam());
  const auto engine = gpu().make_engine(options),
             reference = mnist_dist_torch_library()->make_engine(options);
  const FourShards data(options.config.model);
  std::vector<ClassIndex> there, here;
  std::vector<Sums> scores[2];
  for (Engine* each : {engine.get(), reference.get()}) {
    each->set_training_data(views(data.shards), 0);
    each->set_evaluation_data(views(data.shares));
    each->load(fresh_state(flat_layout(options.config.model), true));
  }
  scores[0] = engine->evaluate(Weights::raw, &there);
  scores[1] = reference->evaluate(Weights::raw, &here);
  EXPECT_NEAR(scores[0][0].loss, scores[1][0].loss, 1e-4 * scores[1][0].loss);
  int different = 0;
  for (std::size_t i = 0; i < here.size(); ++i) different += here[i] != there[i] ? 1 : 0;
  EXPECT_LE(different, 2);  // noise has near-ties
}

TEST_P(CudaEngine, StopsAndContinuesAmongRecordedSteps) {
  NEEDS_GPU();
  struct Run {
    std::unique_ptr<Communicator> single = make_single();
    std::unique_ptr<Reducer> sums = {};
    std::unique_ptr<Engine> engine = {};  // ends first: its recording holds calls of the reducer
    Reduce reduce = {};
  };
  const EngineOptions options = full_options(GetParam());
  expect_stops_and_goes_on(options, [&] {
    Run run{.engine = gpu().make_engine(options)};
    run.sums = make_device_reducer(*run.single, run.engine->queue().device, {});
    run.reduce = [sums = run.sums.get(), &options](const ShardVectors& vectors,
                                                   std::span<float> total, const Queue& queue) {
      sums->tree_all_reduce(vectors, options.config.data.shards, total, queue);
    };
    return run;
  });
}

INSTANTIATE_TEST_SUITE_P(Models, CudaEngine, testing::ValuesIn(torch_test_models()),
                         [](const auto& tested) { return tested.param.name; });

/// One batch of four shards' slices of images of `side`, on the queue's device, fetched.
std::vector<float> batch_on(const Queue& queue, const AugmentConfig& augment, int side) {
  const FourShards data(ModelSpec{.name = "images", .layers = {}, .side = side});
  std::vector<std::uint8_t> pixels, labels;
  std::vector<std::uint32_t> orders;
  std::vector<std::int32_t> begins{0};
  for (std::size_t k = 0; k < 4; ++k) {
    pixels.insert(pixels.end(), data.shards[k].pixels.begin(), data.shards[k].pixels.end());
    labels.insert(labels.end(), data.shards[k].labels.begin(), data.shards[k].labels.end());
    orders.insert(orders.end(), data.orders[k].begin(), data.orders[k].end());
    begins.push_back(static_cast<std::int32_t>(labels.size()));
  }
  DeviceEpoch epoch{.epoch = 3, .augment = at_epoch(augment, 3, side)};
  if (epoch.augment.elastic_alpha > 0)
    for (const float tap : elastic_taps(epoch.augment)) epoch.tap[epoch.taps++] = tap;
  const DeviceArray<std::uint8_t> p(queue, pixels), l(queue, labels);
  const DeviceArray<std::uint32_t> o(queue, orders), rows(queue, 16);
  const DeviceArray<std::int32_t> b(queue, begins);
  const DeviceArray<DeviceEpoch> e(queue, std::span<const DeviceEpoch>(&epoch, 1));
  const DeviceArray<DeviceProgress> progress(queue, 1);
  const DeviceArray<float> images(queue, 16 * data.shards[0].image_pixels());
  const DeviceArray<float> workspace(queue, 16 * augment_workspace(side));
  const DeviceArray<std::int64_t> targets(queue, 16);
  enqueue_batch(queue, {side, p.data(), l.data(), 0, o.data(), b.data(), 4}, e.data(),
                progress.data(), 5, {}, 4, BatchOrder::by_shard,
                {images.data(), targets.data(), rows.data(), workspace.data()});
  std::vector<float> fetched(images.size());
  images.download(queue, fetched);
  return fetched;
}

TEST(CudaBatch, ImagesAreTheHostsToRounding) {
  NEEDS_GPU();
  AugmentConfig everything;
  everything.crop_scale_min = 0.85;
  everything.rotation = 15;
  everything.shift = 2;
  everything.elastic_alpha = 1.5;
  everything.erase_probability = 0.5;
  for (const int side : {image_side, 9, image_side_limit}) {
    const std::vector<float> there = batch_on({0, nullptr}, everything, side),
                             here = batch_on({}, everything, side);
    EXPECT_LT(distance(there, here), 1e-5) << side;
    for (std::size_t i = 0; i < here.size(); ++i)
      ASSERT_NEAR(there[i], here[i], 1e-3) << side << ", " << i;
  }
}

TEST(CudaDropout, DropsTheSameElements) {
  NEEDS_GPU();
  const DropoutRule rule = dropout_rule(0.1);
  const std::vector<std::uint32_t> rows{3, 70000, 12};
  const DeviceEpoch epoch{.epoch = 4, .augment = {}};
  std::vector<float> fetched[2];
  for (int i = 0; const Queue& queue : {Queue{}, Queue{0, nullptr}}) {
    const DeviceArray<std::uint32_t> r(queue, rows);
    const DeviceArray<DeviceEpoch> e(queue, std::span<const DeviceEpoch>(&epoch, 1));
    const DeviceArray<float> factors(queue, 3 * 1003);
    enqueue_dropout(queue, rule, e.data(), 5, 2, r.data(), 3, 1003, factors.data());
    fetched[i].resize(factors.size());
    factors.download(queue, fetched[i++]);
  }
  EXPECT_EQ(fetched[0], fetched[1]);
}

}  // namespace
}  // namespace mnist_dist
