// Whole passes of the fused engine's worker, one per recipe and SIMD target:
//   fused_benchmark --benchmark_filter='train/step4/avx512'
// images/s count one thread. FLOP/s are those of the definition, whatever an algorithm saves of
// them.
#include <benchmark/benchmark.h>

#include "config/config.h"
#include "engine/fused/fused_engine.h"
#include "engine/test_model.h"

namespace mnist_dist {
namespace {

constexpr int kSlice = 16;

EngineOptions benchmark_options(const ModelSpec& model) {
  EngineOptions options = test_options(model);
  options.config.data.shards = 1;
  options.config.train.batch = kSlice;
  options.config.augment.rotation = 15;
  options.config.augment.erase_probability = 0.1;
  return options;
}

void report_rate(benchmark::State& state, int images, double multiply_adds) {
  const double done = static_cast<double>(state.iterations()) * images;
  state.counters["images/s"] = benchmark::Counter(done, benchmark::Counter::kIsRate);
  state.counters["FLOP/s"] =
      benchmark::Counter(2 * done * multiply_adds, benchmark::Counter::kIsRate);
}

double multiply_adds(const ModelSpec& model) {
  double sum = 0;
  for (const LayerShape& shape : layer_shapes(model)) sum += static_cast<double>(shape.macs);
  return sum;
}

void train(benchmark::State& state, const ModelSpec& model, const std::string& target) {
  const EngineOptions options = benchmark_options(model);
  const auto worker = make_fused_worker(options, target);
  const FlatLayout layout = flat_layout(model);
  const auto parameters = initial_parameters(layout, 1);
  const Images images = noise_images(kSlice, 0);
  std::vector<const std::uint8_t*> pointers;
  std::vector<std::uint32_t> rows;
  for (int i = 0; i < kSlice; ++i)
    pointers.push_back(images.image(i)), rows.push_back(static_cast<std::uint32_t>(i));
  std::vector<float> out(layout.size());
  for (auto _ : state)
    worker->train({.images = pointers, .labels = images.labels, .rows = rows, .epoch = 0},
                  parameters, out);
  // The first layer needs no input gradient.
  report_rate(state, kSlice,
              3 * multiply_adds(model) - static_cast<double>(layer_shapes(model)[0].macs));
}

void evaluate(benchmark::State& state, const ModelSpec& model, const std::string& target) {
  const auto worker = make_fused_worker(benchmark_options(model), target);
  const FlatLayout layout = flat_layout(model);
  const auto parameters = initial_parameters(layout, 1),
             statistics = initial_norm_statistics(layout);
  const Images images = noise_images(evaluation_chunk, 0);
  std::vector<float> losses(evaluation_chunk);
  std::vector<ClassIndex> predictions(evaluation_chunk);
  for (auto _ : state)
    worker->evaluate(images.pixels, images.labels, {parameters, statistics}, losses, predictions);
  report_rate(state, evaluation_chunk, multiply_adds(model));
}

const bool registered = [] {
  for (const std::string& target : fused_targets())
    for (const std::string recipe : {"step1", "step2", "step3", "step4", "sprint", "compact"}) {
      const ModelSpec model = load_config(RECIPES + recipe + ".toml", {}, {}).model;
      benchmark::RegisterBenchmark(("train/" + model.name + "/" + target).c_str(), train, model,
                                   target);
      benchmark::RegisterBenchmark(("evaluate/" + model.name + "/" + target).c_str(), evaluate,
                                   model, target);
    }
  return true;
}();

}  // namespace
}  // namespace mnist_dist
