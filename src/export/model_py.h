#pragma once
#include <string>

#include "export/exported_model.h"

namespace mnist_dist {

/// In the first line of every generated model.py, and of no other file.
inline constexpr const char* model_py_mark = "written by mnist-dist";

/// A Python module with the network as a PyTorch class, whose `load` reads `weights` (a file name
/// beside it, with the tensors of state_dict).
std::string model_py(const ExportedModel& model, const std::string& weights);

}  // namespace mnist_dist
