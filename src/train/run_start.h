#pragma once
#include <filesystem>
#include <functional>
#include <optional>

#include "comm/communicator.h"
#include "train/checkpoint.h"

namespace mnist_dist {

/// Where a run begins: its folder, and the checkpoint when it goes on.
struct RunStart {
  std::filesystem::path folder;
  std::optional<Checkpoint> checkpoint;
};

/// What `look` finds on rank 0, on every rank: the others may not see the folder. Collective; an Error of `look` is thrown on every rank.
RunStart find_start(Communicator& comm, const std::function<RunStart()>& look);

}  // namespace mnist_dist
