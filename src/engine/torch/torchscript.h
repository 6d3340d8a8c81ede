#pragma once
#include <string>

#include "engine/scripted_network.h"

namespace mnist_dist {

/// The network as the bytes of a TorchScript file, which torch.jit.load reads.
std::string torchscript_file(const ScriptedNetwork& network);

}  // namespace mnist_dist
