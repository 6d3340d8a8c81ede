#include "train/trained.h"

#include <fmt/format.h>

#include "base/error.h"
#include "data/data_name.h"
#include "train/checkpoint_check.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;

constexpr const char* hint = "give a run folder, or the checkpoint.h5 in it";

Found find(const fs::path& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return {load_checkpoint(path, hint), ""};
  if (std::optional<Found> found = newest_checkpoint(path)) return std::move(*found);
  throw data_error(fmt::format("{}: no checkpoint found", path.string()), hint);
}

}  // namespace

std::span<const float> Trained::parameters(Weights weights) const {
  const TrainState& state = checkpoint.state;
  return weights == Weights::averaged && averages() ? state.average_parameters : state.parameters;
}

std::span<const float> Trained::norm_statistics(Weights weights) const {
  const TrainState& state = checkpoint.state;
  return weights == Weights::averaged && averages() ? state.average_norm_statistics
                                                    : state.norm_statistics;
}

std::string Trained::sha256(Weights weights) const {
  return weights_sha256(parameters(weights), norm_statistics(weights));
}

std::string Trained::trained_to() const {
  if (!checkpoint.finished) return place_text(checkpoint.epoch, checkpoint.step);
  const std::int64_t updates = checkpoint.state.updates;
  return updates == config.train.max_steps
             ? fmt::format("the end that train.max_steps set, step {}", updates)
             : "the end";
}

Trained open_trained(const fs::path& run_or_checkpoint) {
  Found found = find(run_or_checkpoint);
  const bool folder = fs::is_directory(run_or_checkpoint);
  const char* const name = found.fallback.empty() ? "checkpoint.h5" : "checkpoint.prev.h5";
  Trained trained{folder ? run_or_checkpoint / name : run_or_checkpoint,
                  std::move(found.fallback),
                  std::move(found.checkpoint),
                  {}};
  trained.config = checked_recipe(trained.checkpoint, trained.file);
  return trained;
}

Normalisation normalisation_of(const Trained& trained) {
  const Checkpoint& checkpoint = trained.checkpoint;
  if (checkpoint.data_sd > 0)
    return {static_cast<float>(checkpoint.data_mean), static_cast<float>(checkpoint.data_sd)};
  if (is_mnist(checkpoint.data_hash)) return {};
  throw data_error(
      fmt::format(
          "{}: no normalisation of its data (written by an older mnist-dist, and not for MNIST)",
          trained.file.string()),
      "train the recipe again");
}

}  // namespace mnist_dist
