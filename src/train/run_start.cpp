#include "train/run_start.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "comm/broadcast_text.h"
#include "comm/on_root.h"
#include "model/layout.h"

namespace mnist_dist {
namespace {

/// Throws: Error (usage) that names the first layer in which they differ.
void check_same_model(const Trained& from, const Config& config) {
  const auto& has = from.config.model.layers;
  const auto& wanted = config.model.layers;
  const auto problem = [&](const std::string& difference) {
    return usage_error(
        fmt::format("--init-from: {} has a different model: {}", from.file.string(), difference),
        "give its recipe with --config, or a run of this one");
  };
  if (const int side = from.config.model.side; side != config.model.side)
    throw problem(
        fmt::format("images of {0}x{0} pixels (expected {1}x{1})", side, config.model.side));
  for (std::size_t i = 0; i < std::min(has.size(), wanted.size()); ++i) {
    Layer layer = has[i];
    layer.dropout = wanted[i].dropout;  // without effect on the weights' meaning
    layer.follows_classes = wanted[i].follows_classes;
    if (layer == wanted[i]) continue;
    const std::string got = layer_text(has[i]), expected = layer_text(wanted[i]);
    if (got == expected) throw problem(fmt::format("layer {} has different options", i + 1));
    throw problem(fmt::format("layer {} (got {}, expected {})", i + 1, got, expected));
  }
  if (has.size() != wanted.size())
    throw problem(fmt::format("(got {} layers, expected {})", has.size(), wanted.size()));
}

std::vector<float> copy(std::span<const float> values) { return {values.begin(), values.end()}; }

/// No step done: momentum 0, averages that begin with the weights.
Checkpoint start_with(std::vector<float> parameters, std::vector<float> norm_statistics,
                      const Config& config) {
  Checkpoint start;
  start.recipe = recipe_toml(config);
  start.seed = config.train.seed;
  start.state.momentum.assign(parameters.size(), 0.0f);
  if (config.average.decay > 0) {
    start.state.average_parameters = parameters;
    start.state.average_norm_statistics = norm_statistics;
  }
  start.state.parameters = std::move(parameters);
  start.state.norm_statistics = std::move(norm_statistics);
  return start;
}

}  // namespace

Checkpoint fresh_start(const Config& config) {
  const FlatLayout layout = flat_layout(config.model);
  return start_with(initial_parameters(layout, config.train.seed), initial_norm_statistics(layout),
                    config);
}

Checkpoint begin_from(const Trained& from, const Config& config) {
  check_same_model(from, config);
  Checkpoint start = start_with(copy(from.parameters(Weights::averaged)),
                                copy(from.norm_statistics(Weights::averaged)), config);
  start.initial_sha256 = from.sha256(Weights::averaged);
  return start;
}

RunStart find_start(Communicator& comm, const std::function<RunStart()>& look) {
  RunStart start;
  std::vector<std::byte> packed;  // empty: a new run
  run_on_root(comm, [&] {
    start = look();
    if (start.checkpoint) packed = pack(*start.checkpoint);
  });
  start.folder = broadcast_text(comm, start.folder.string());
  const std::string bytes =
      broadcast_text(comm, {reinterpret_cast<const char*>(packed.data()), packed.size()});
  if (!bytes.empty()) start.checkpoint = unpack(std::as_bytes(std::span(bytes)));
  return start;
}

}  // namespace mnist_dist
