#pragma once
#include <string>

#include "sweep/record.h"
#include "sweep/row.h"

namespace mnist_dist {

/// A sweep over 10,000 test images with this target, over seeds 0, 1, ... with these numbers of
/// correct images. A seed with a number below 0 diverged.
inline SweepRecord sweep_record(const std::vector<int>& correct,
                                const std::string& target = "99.4") {
  SweepRecord record;
  record.identity.recipe = "tiny";
  record.recipe_text = "[model]\nname = \"tiny\"\nlayer = [{ linear = 10 }]\n[train]\nepochs = 2\n";
  record.identity.parameter_count = 7840;
  record.identity.epochs = 2;
  record.identity.seeds = "0.." + std::to_string(correct.size() - 1);
  record.identity.target = target;
  record.identity.images = 10000;
  record.identity.engine.name = "fused";
  record.identity.engine.simd = "avx2";
  record.identity.engine.device = "cpu";
  record.identity.data.hash = std::string(64, 'a');
  record.identity.fingerprint = std::string(64, 'f');
  for (std::size_t i = 0; i < correct.size(); ++i) {
    SeedOutcome o;
    o.seed = i;
    o.diverged = correct[i] < 0;
    o.message = o.diverged ? "diverged at epoch 1 step 2, in layer 1" : "";
    o.engine.name = "fused";
    o.engine.simd = "avx2";
    o.engine.device = "cpu";
    if (!o.diverged) {
      o.images = 10000;
      o.final_correct = correct[i];
      o.final_accuracy = o.raw_accuracy = o.best_accuracy = correct[i] / 100.0;
      o.final_loss = 0.05;
      o.best_epoch = 2;
      const std::string number = std::to_string(i);
      o.parameters_sha256 = o.raw_parameters_sha256 = std::string(64 - number.size(), 'b') + number;
      const EpochRow row{.epoch = 1,
                         .train = {.loss = 0.5, .accuracy = 80},
                         .test = Score{.loss = 0.4, .accuracy = 50},
                         .averaged_test = {},
                         .learning_rate = 0.01,
                         .images_per_second = 1000,
                         .seconds = 1};
      o.epochs = {row, row};
      o.epochs[1].epoch = 2;
      o.epochs[1].train = {.loss = 0.1, .accuracy = 90};
      o.epochs[1].test = Score{.loss = 0.05, .accuracy = correct[i] / 100.0};
      if (correct[i] < 10000) o.mistakes.push_back({7, 2, 3});
      for (int n = 1; n < 10000 - correct[i]; ++n)
        o.mistakes.push_back({static_cast<int>(100 + i) + n - 1, 4, 9});
    }
    record.outcomes.push_back(o);
  }
  return record;
}

// The tables of a record.
inline std::string seeds_csv(const SweepRecord& record) {
  std::string text = seeds_header(record.identity.scored());
  for (const SeedOutcome& outcome : record.outcomes) text += seeds_line(outcome);
  return text;
}
inline std::string epochs_csv(const SweepRecord& record) {
  std::string text = "seed," + metrics_header(record.identity.scored());
  for (const SeedOutcome& outcome : record.outcomes) {
    if (!outcome.diverged && outcome.epochs.empty()) return "";  // not known
    for (const EpochRow& row : outcome.epochs)
      text += std::to_string(outcome.seed) + ',' + metrics_line(row);
  }
  return text;
}
inline std::string errors_csv(const SweepRecord& record) {
  std::string text = errors_header(record.identity.scored());
  for (const SeedOutcome& outcome : record.outcomes) text += errors_lines(outcome);
  return text;
}

}  // namespace mnist_dist
