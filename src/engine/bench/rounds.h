#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/bench/fma_peak.h"
#include "engine/training_loop.h"
#include "model/spec.h"

namespace mnist_dist {

/// One row of the table: a way to train, and how fast it was in each round.
struct Contender {
  std::string name;
  int threads = 1;
  std::unique_ptr<TrainingLoop> loop;
  std::vector<double> trained_per_second = {},
                      evaluated_per_second = {};  ///< images, one per round
  bool on_gpu = false;                            ///< without a share of a core's peak
};

struct RoundsOptions {
  int rounds = 5;
  double seconds = 1;  ///< of training, per contender and round. Evaluation takes a quarter of it
  std::string simd = {};   ///< its FMA peak is measured. "": the best target here
  std::vector<int> cores;  ///< as many as the contender with the most threads has
};

/// All contenders train and evaluate in turn, `rounds` times, so that other load of the machine
/// affects all of them. Returns the core's FMA peak, measured in every round too: the median.
/// `progress` gets one line per round.
FmaPeak run_rounds(std::vector<Contender>& contenders, const RoundsOptions& options,
                   const std::function<void(const std::string&)>& progress);

/// Floating-point operations that training on one image takes: forward, weight gradient and, after
/// the first layer with weights, input gradient. A multiply-add counts as two, whatever algorithm
/// an engine saves some of them with.
double training_flops(const ModelSpec& model);
/// The same of the forward pass alone.
double evaluation_flops(const ModelSpec& model);

}  // namespace mnist_dist
