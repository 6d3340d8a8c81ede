#pragma once
#include <map>
#include <span>
#include <string>

#include "model/named_tensor.h"

namespace mnist_dist {

/// A .safetensors file: float32 tensors by name, and text about them.
std::string safetensors_file(std::span<const NamedTensor> tensors,
                             const std::map<std::string, std::string>& metadata);

}  // namespace mnist_dist
