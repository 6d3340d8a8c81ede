#pragma once
#include <filesystem>
#include <memory>

#include "train/observer.h"
#include "train/session.h"

namespace mnist_dist {

/// Keeps a run folder, of `train` or of a sweep's seed (a MakeObserver: sweep/seed_run.h).
std::unique_ptr<Observer> make_run_files(const std::filesystem::path& folder, const Config& config, const Session& session, int first_epoch);

}  // namespace mnist_dist
