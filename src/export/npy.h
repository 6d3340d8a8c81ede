#pragma once
#include <map>
#include <span>
#include <string>

#include "model/named_tensor.h"

namespace mnist_dist {

/// A file of NumPy (.npy, version 1.0) with one float32 array. `values` is row-major, and the
/// product of `shape`.
std::string npy_file(std::span<const float> values, std::span<const int> shape);

/// An uncompressed .npz: one array per tensor under its name, and `metadata`, a JSON object as text
/// (`json.loads(str(numpy.load(F)["metadata"]))`).
std::string npz_file(std::span<const NamedTensor> tensors,
                     const std::map<std::string, std::string>& metadata);

}  // namespace mnist_dist
