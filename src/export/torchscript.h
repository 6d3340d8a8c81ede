#pragma once
#include <string>

#include "export/exported_model.h"

namespace mnist_dist {

/// A TorchScript file, written by LibTorch: uint8 or float pixels [N, 1, side, side] -> logits [N,
/// classes]. The metadata are its extra file "metadata.json".
/// Throws: Error (device): the library of the torch engine cannot be opened.
std::string torchscript_file(const ExportedModel& model);

}  // namespace mnist_dist
