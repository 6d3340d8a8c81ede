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

/// The beginning of a run with random weights of the recipe's seed, momentum 0.
Checkpoint fresh_start(const Config& config);

/// The same with the delivered weights of a different run.
/// Throws: Error (usage): the models differ in more than dropout.
Checkpoint begin_from(const Trained& from, const Config& config);

}  // namespace mnist_dist
