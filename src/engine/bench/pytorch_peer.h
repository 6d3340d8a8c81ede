#pragma once
#include <memory>
#include <string>

#include "config/config.h"
#include "engine/training_loop.h"

namespace mnist_dist {

/// The same model in PyTorch eager, in a python3 process of its own (tools/pytorch_peer.py), one
/// thread, on the cores of the calling thread. `device`: cpu or cuda.
struct PytorchPeer {
  std::string version;  ///< "2.11.0"
  std::unique_ptr<TrainingLoop> loop;
};

/// Throws: Error (device) when python3 or its torch is missing. Python's message is on stderr
/// before.
PytorchPeer start_pytorch_peer(const Config& config, const std::string& device);

}  // namespace mnist_dist
