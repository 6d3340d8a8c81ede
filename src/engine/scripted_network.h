#pragma once
#include <map>
#include <string>
#include <vector>

#include "model/named_tensor.h"

namespace mnist_dist {

/// A network in TorchScript, as text and numbers.
struct ScriptedNetwork {
  std::vector<NamedTensor> tensors;  ///< "conv1.weight": attribute weight of module conv1
  std::string forward;               ///< source of the method, which reads `self.conv1.weight`
  std::map<std::string, std::string> files;  ///< further files, by name
};

}  // namespace mnist_dist
