#include "train/checkpoint_check.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <utility>
#include <vector>

#include "config/config.h"
#include "failures.h"
#include "model/layout.h"

namespace mnist_dist {
namespace {

constexpr const char* recipe = R"([model]
name = "tiny"
layer = [{ conv = 4 }, { pool = "global_average" }, { linear = 10 }]
[train]
epochs = 14
[average]
decay = 0.9
)";

/// As a run leaves it in its third epoch.
Checkpoint whole() {
  const Config config = parse_config(recipe, "tiny.toml");
  const FlatLayout layout = flat_layout(config.model);
  Checkpoint c;
  c.recipe = recipe_toml(config);
  c.epoch = 2;
  c.step = 7;
  c.seconds = 5;
  c.sums = {448, 400, 60.0};
  c.best = {98.5, 2};
  c.state.updates = 2 * 938 + 7;
  c.state.parameters.resize(layout.parameter_count);
  c.state.momentum = c.state.average_parameters = c.state.parameters;
  c.state.norm_statistics.resize(layout.norm_count);
  c.state.average_norm_statistics = c.state.norm_statistics;
  return c;
}

TEST(CheckpointCheck, AcceptsTheCheckpointsOfARun) {
  EXPECT_EQ(checked_recipe(whole(), "c.h5").name, "tiny");
  Checkpoint finished = whole();
  finished.epoch = 14;
  finished.step = 0;
  EXPECT_NO_THROW(checked_recipe(finished, "c.h5"));
}

TEST(CheckpointCheck, RejectsEachContradictionByName) {
  using Change = std::function<void(Checkpoint&)>;
  const std::vector<std::pair<const char*, Change>> cases = {
      {"parameters", [](Checkpoint& c) { c.state.parameters.pop_back(); }},
      {"norm statistics", [](Checkpoint& c) { c.state.norm_statistics.push_back(0); }},
      {"momentum", [](Checkpoint& c) { c.state.momentum.clear(); }},
      {"averaged parameters", [](Checkpoint& c) { c.state.average_parameters.clear(); }},
      {"averaged norm statistics",
       [](Checkpoint& c) { c.state.average_norm_statistics.push_back(0); }},
      {"epoch", [](Checkpoint& c) { c.epoch = 15; }},
      {"step", [](Checkpoint& c) { c.step = -1; }},
      {"step", [](Checkpoint& c) { c.epoch = 14; }},
      {"number of updates", [](Checkpoint& c) { c.state.updates = -1; }},
      {"number of images", [](Checkpoint& c) { c.sums.images = -1; }},
      {"number of correct images", [](Checkpoint& c) { c.sums.correct = 449; }},
      {"loss", [](Checkpoint& c) { c.sums.loss = std::nan(""); }},
      {"time", [](Checkpoint& c) { c.seconds = -1; }},
      {"time of the epoch", [](Checkpoint& c) { c.epoch_seconds = std::nan(""); }},
      {"best accuracy", [](Checkpoint& c) { c.best.accuracy = 100.5; }},
      {"best epoch", [](Checkpoint& c) { c.best.epoch = 3; }},
  };
  for (const auto& [what, change] : cases) {
    Checkpoint changed = whole();
    change(changed);
    EXPECT_THAT(data_failure([&] { checked_recipe(changed, "c.h5"); }),
                testing::HasSubstr("its " + std::string(what) + " do"));
  }
}

}  // namespace
}  // namespace mnist_dist
