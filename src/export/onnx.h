#pragma once
#include <string>

#include "export/exported_model.h"

namespace mnist_dist {

inline constexpr const char* onnx_input = "pixels_0_to_255";  ///< uint8 [N, 1, side, side]
inline constexpr const char* onnx_output = "logits";          ///< float [N, classes]

/// An ONNX model (operator set 13) with a free batch size and the normalisation inside.
std::string onnx_file(const ExportedModel& model);

}  // namespace mnist_dist
