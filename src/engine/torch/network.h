#pragma once
#include <torch/torch.h>

#include <span>
#include <vector>

#include "model/layout.h"

namespace mnist_dist {

/// Tensors of a model that lie in flat vectors, by their index in FlatLayout.
struct TensorViews {
  std::vector<at::Tensor> parameters;
  std::vector<at::Tensor> means, variances;  ///< one a norm layer
};
TensorViews tensor_views(const FlatLayout& layout, std::span<const float> parameters, std::span<const float> norm_statistics);
/// The same for a gradient, or the parameters alone.
std::vector<at::Tensor> parameter_views(const FlatLayout& layout, std::span<const float> flat);

/// A model's layers as LibTorch operators. Holds no weights.
class Network {
 public:
  explicit Network(const ModelSpec& model);
  const FlatLayout& layout() const { return layout_; }
  int layers() const { return static_cast<int>(layers_.size()); }

  /// Output of one layer. `dropout` is what its elements are multiplied by: 0 or DropoutRule::scale; undefined: no dropout. In training the layer's
  /// means and unbiased variances over this slice are written to `views`, else they are what it normalises with.
  at::Tensor layer(int index, at::Tensor input, const TensorViews& views, const at::Tensor& dropout, bool training) const;

 private:
  /// A layer, and where its tensors are in TensorViews; -1: it has none.
  struct Entry {
    Layer layer;
    LayerShape shape;
    int weight = -1, bias = -1, gamma = -1, beta = -1, norm = -1;
  };
  FlatLayout layout_;
  std::vector<Entry> layers_;
};

}  // namespace mnist_dist
