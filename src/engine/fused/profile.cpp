#include "engine/fused/profile.h"

#include <algorithm>
#include <utility>

#include "base/median.h"
#include "data/synthetic.h"
#include "engine/fused/fused_engine.h"

namespace mnist_dist::fused {
namespace {

constexpr int warm_up = 3;

}  // namespace

std::vector<PhaseClock::Times> profile_step(const Config& config, const std::string& simd,
                                            int slices) {
  EngineOptions options;
  options.config = config;
  const std::size_t layers = config.model.layers.size();
  PhaseClock watch(layers);
  const auto worker = make_fused_worker(options, choose_fused_target(simd), &watch);
  const FlatLayout layout = flat_layout(config.model);
  const std::vector<float> parameters = initial_parameters(layout, config.train.seed);
  std::vector<float> out(layout.size());

  const int images = std::max(1, config.train.batch / config.data.shards);
  const Images digits = synthetic_digits(config.train.seed, SyntheticSet::train, images);
  std::vector<const std::uint8_t*> pointers;
  std::vector<std::uint32_t> rows;
  for (int i = 0; i < images; ++i)
    pointers.push_back(digits.image(i)), rows.push_back(static_cast<std::uint32_t>(i));

  std::vector<std::vector<PhaseClock::Times>> samples;
  for (int slice = 0; slice < warm_up + slices; ++slice) {
    watch.enter(-1, Phase::input);
    const auto before = watch.seconds();
    worker->train({.images = pointers,
                   .labels = digits.labels,
                   .rows = rows,
                   .epoch = static_cast<std::uint32_t>(slice)},
                  parameters, out);
    watch.enter(-1, Phase::input);
    auto sample = watch.seconds();
    for (std::size_t i = 0; i < sample.size(); ++i)
      for (std::size_t p = 0; p < sample[i].size(); ++p) sample[i][p] -= before[i][p];
    if (slice >= warm_up) samples.push_back(std::move(sample));
  }

  std::vector<PhaseClock::Times> medians(layers + 1);
  for (std::size_t i = 0; i <= layers; ++i)
    for (std::size_t p = 0; p < medians[i].size(); ++p) {
      std::vector<double> values;
      for (const auto& sample : samples) values.push_back(sample[i][p]);
      medians[i][p] = median(std::move(values));
    }
  return medians;
}

}  // namespace mnist_dist::fused
