#pragma once
#include <string>

#include "sweep/record.h"

namespace mnist_dist {

/// A sweep over 10,000 test images with this target, over seeds 0, 1, ... that got so many right; below 0: diverged.
inline SweepRecord sweep_record(const std::vector<int>& correct, const std::string& target = "99.4") {
  SweepRecord record;
  record.identity.recipe = "tiny";
  record.identity.seeds = "0.." + std::to_string(correct.size() - 1);
  record.identity.target = target;
  record.identity.images = 10000;
  record.identity.data_hash = "abc";
  for (std::size_t i = 0; i < correct.size(); ++i) {
    SeedOutcome o;
    o.seed = i;
    o.diverged = correct[i] < 0;
    o.message = o.diverged ? "diverged at epoch 1 step 2, in layer 1" : "";
    o.engine = "fused";
    o.simd = "avx2";
    o.device = "cpu";
    o.epochs = {"epoch,test_accuracy"};
    if (!o.diverged) {
      o.images = 10000;
      o.final_correct = correct[i];
      o.final_accuracy = o.raw_accuracy = o.best_accuracy = correct[i] / 100.0;
      o.best_epoch = 2;
      o.parameters_sha256 = o.raw_parameters_sha256 = "sha" + std::to_string(i);
      o.epochs.insert(o.epochs.end(), {"1,99.0000", "2,99.5000"});
      o.mistakes = {{7, 2, 3}, {static_cast<int>(100 + i), 4, 9}};
    }
    record.outcomes.push_back(o);
  }
  return record;
}

}  // namespace mnist_dist
