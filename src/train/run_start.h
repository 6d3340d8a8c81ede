#pragma once
#include <filesystem>
#include <functional>
#include <optional>

#include "comm/communicator.h"
#include "train/checkpoint.h"
#include "train/trained.h"

namespace mnist_dist {

/// Where a run begins: its folder, and the checkpoint when it continues.
struct RunStart {
  std::filesystem::path folder;
  std::optional<Checkpoint> checkpoint;
};

/// The result of `look` on rank 0, for every rank, because others may not see the folder.
/// Collective. An Error of `look` is thrown on every rank.
RunStart find_start(Communicator& comm, const std::function<RunStart()>& look);

/// The state before the first step: random weights of the recipe's seed, momentum 0.
TrainState fresh_state(const Config& config);

/// The beginning of a run with the delivered weights of another one: no step done, momentum 0.
/// Throws Error (usage): the models differ in more than dropout.
Checkpoint begin_from(const Trained& from, const Config& config);

}  // namespace mnist_dist
