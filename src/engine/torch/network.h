#pragma once
#include <torch/torch.h>

#include <array>
#include <span>
#include <vector>

#include "model/layout.h"

namespace mnist_dist {

/// Tensors of a model that lie in flat vectors, by their index in FlatLayout.
struct TensorViews {
  std::vector<at::Tensor> parameters;
  std::vector<at::Tensor> means, variances;  ///< one per norm layer
};
/// `options`: float, and the device in whose memory the vectors lie.
TensorViews tensor_views(const FlatLayout& layout, std::span<const float> parameters,
                         std::span<const float> norm_statistics,
                         const at::TensorOptions& options = at::kFloat);
/// The same for a gradient, or the parameters alone.
std::vector<at::Tensor> parameter_views(const FlatLayout& layout, std::span<const float> flat,
                                        const at::TensorOptions& options = at::kFloat);

/// The class of each row of logits [n][classes] in host memory: the lowest of equal ones.
void classify(const at::Tensor& logits, std::span<ClassIndex> classes);

/// A model's layers as LibTorch operators. Holds no weights.
class Network {
 public:
  explicit Network(const ModelSpec& model);
  const FlatLayout& layout() const { return layout_; }
  int layers() const { return static_cast<int>(layers_.size()); }

  /// Output of one layer. `dropout`: factors of its elements, 0 or DropoutRule::scale. Undefined:
  /// no dropout. In training the layer's means and unbiased variances over this slice are written
  /// to `views`, otherwise it normalises with these. With several `slices`, input image i is the (i
  /// / slices)th of slice i % slices, and `views` has [slices][channels] means and variances.
  at::Tensor layer(int index, at::Tensor input, const TensorViews& views, const at::Tensor& dropout,
                   bool training, int slices = 1) const;

 private:
  /// A layer, and where its tensors are in TensorViews (-1: it has none).
  struct Entry {
    Layer layer;
    LayerShape shape;
    std::array<int, 4> parameters = {-1, -1, -1, -1};  ///< by ParameterKind
    int norm = -1;
  };
  FlatLayout layout_;
  std::vector<Entry> layers_;
};

}  // namespace mnist_dist
