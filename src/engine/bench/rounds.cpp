#include "engine/bench/rounds.h"

#include <fmt/format.h>

#include "base/median.h"
#include "base/stopwatch.h"
#include "engine/bench/pinning.h"

namespace mnist_dist {
namespace {

using Pass = int (TrainingLoop::*)(int images);

double images_per_second(TrainingLoop& loop, Pass pass, int images) {
  const Stopwatch time;
  const int done = (loop.*pass)(images);
  return done / time.seconds();
}

}  // namespace

FmaPeak run_rounds(std::vector<Contender>& contenders, const RoundsOptions& options,
                   const std::function<void(const std::string&)>& progress) {
  pin_thread(std::span(options.cores).first(1));
  const auto images_in = [](TrainingLoop& loop, Pass pass, double seconds) {
    (loop.*pass)(256);  // first calls allocate and choose kernels
    return static_cast<int>(images_per_second(loop, pass, 256) * seconds);
  };
  std::vector<int> trained, evaluated;
  for (Contender& contender : contenders) {
    progress("warming up: " + contender.name);
    trained.push_back(images_in(*contender.loop, &TrainingLoop::train, options.seconds));
    evaluated.push_back(images_in(*contender.loop, &TrainingLoop::evaluate, options.seconds / 4));
  }
  FmaPeak peak;
  std::vector<double> peaks;
  for (int round = 0; round < options.rounds; ++round) {
    peak = measure_fma_peak(options.simd);
    peaks.push_back(peak.gflops);
    std::string line = fmt::format("round {} of {}:", round + 1, options.rounds);
    for (std::size_t i = 0; i < contenders.size(); ++i) {
      Contender& contender = contenders[i];
      contender.trained_per_second.push_back(
          images_per_second(*contender.loop, &TrainingLoop::train, trained[i]));
      contender.evaluated_per_second.push_back(
          images_per_second(*contender.loop, &TrainingLoop::evaluate, evaluated[i]));
      line += fmt::format("  {:.0f}", contender.trained_per_second.back());
    }
    progress(line + " images/s");
  }
  peak.gflops = median(peaks);
  return peak;
}

double evaluation_flops(const ModelSpec& model) {
  double flops = 0;
  for (const LayerShape& shape : layer_shapes(model)) flops += 2 * static_cast<double>(shape.macs);
  return flops;
}

double training_flops(const ModelSpec& model) {
  double flops = 0;
  for (const LayerShape& shape : layer_shapes(model))
    flops += static_cast<double>(shape.macs) * (flops > 0 ? 6 : 4);
  return flops;
}

}  // namespace mnist_dist
