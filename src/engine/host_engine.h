#pragma once
#include <functional>

#include "engine/slice_worker.h"

namespace mnist_dist {

/// Makes one worker. Called once on each of the engine's threads, at the same time: shared objects
/// must be ready or locked.
using MakeWorker = std::function<std::unique_ptr<SliceWorker>()>;

/// An engine on the CPU: shards over threads, one worker each. Flat vectors, optimiser and averages
/// in host memory.
std::unique_ptr<Engine> make_host_engine(const EngineOptions& options, EngineInfo info,
                                         const MakeWorker& make_worker);

}  // namespace mnist_dist
