#pragma once
#include <map>
#include <span>
#include <string>
#include <vector>

#include "data/augment.h"
#include "model/named_tensor.h"
#include "model/spec.h"

namespace mnist_dist {

enum class OperationKind { convolution, relu, norm, dropout, max_pool, global_average, global_max };

/// One operation of a network. A recipe's layer becomes up to four operations (convolution, ReLU,
/// batch norm, dropout). Windows move by their own side in pools and by 1 in convolutions.
struct Operation {
  OperationKind kind = OperationKind::convolution;
  std::string name;    ///< kind and number of the recipe's layer: "conv3", "norm3"
  int channels = 0;    ///< of the output
  int kernel = 0;      ///< side of a convolution's or pool's window
  double dropout = 0;  ///< probability
  // Of a convolution. A linear layer is one whose kernel covers the input.
  int in_channels = 0, padding = 0, groups = 1;
  std::vector<float> weight;  ///< [channels][in_channels / groups][kernel][kernel]
  std::vector<float> bias;    ///< [channels], or empty
  // Of a norm, each [channels].
  std::vector<float> gamma, beta, mean, variance;
};

/// A trained network without its training, from which every format of `export` is written. Input:
/// pixels from 0 (background) to 255 (ink), [N][1][side][side]. Output: logits [N][classes].
struct ExportedModel {
  Normalisation normalisation;  ///< applied first
  std::vector<Operation> operations;
  std::map<std::string, std::string> metadata;  ///< recipe, seed, hash, accuracy
  int side = image_side, classes = class_count;
};

/// The operations of a model with the given weights, as FlatLayout lays them out.
std::vector<Operation> operations_of(const ModelSpec& model, std::span<const float> parameters,
                                     std::span<const float> norm_statistics);

/// The same function with fewer operations: see docs/export.md. Dropouts are left out. A batch norm
/// is a scale and a shift per channel. They are folded into the convolution before it where nothing
/// is between the two, otherwise into the next convolution, past pools that they commute with. A
/// shift is not folded into a convolution with padding, because zeros around the image are not
/// shifted. A norm that cannot be folded exactly becomes a depthwise 1x1 convolution.
std::vector<Operation> folded(std::vector<Operation> operations);

/// The weights under the names of the PyTorch module in model_py.h: "conv1.weight",
/// "norm1.running_mean", and the normalisation as "mean" and "sd".
std::vector<NamedTensor> state_dict(const ExportedModel& model);

}  // namespace mnist_dist
