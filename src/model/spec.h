#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace mnist_dist {

// MNIST's, and a model's unless its data have a different shape.
inline constexpr int image_side = 28;
inline constexpr int image_size = image_side * image_side;
inline constexpr int class_count = 10;
// The largest that a data set may have.
inline constexpr int image_side_limit = 128;
inline constexpr int class_limit = 1000;

/// A label or a predicted class.
using ClassIndex = std::uint16_t;

/// The operation of a layer before its ReLU, norm and dropout.
enum class LayerKind {
  convolution,  ///< conv = output channels, depthwise, kernel, padding, bias
  max_pool,     ///< pool = "max", kernel x kernel windows side by side, without a remainder at the
                ///< edge
  global_average,  ///< pool = "global_average": [C][H][W] -> [C][1][1]
  global_max,      ///< pool = "global_max"
  linear,  ///< linear = outputs, the same as a convolution whose kernel covers the whole (square)
           ///< input
};

/// One [[model.layer]]. Order in a layer: convolution, ReLU, batch norm, dropout.
struct Layer {
  LayerKind kind = LayerKind::convolution;
  int channels = 0;        ///< output channels of a convolution or linear layer. 0 for pools
  bool depthwise = false;  ///< a convolution of each channel by a kernel of its own, so that there
                           ///< are as many channels behind it as before it
  int kernel =
      3;  ///< side of the convolution's kernel, or of a max-pool's window (there 2 unless given)
  int padding = 0;  ///< zeros around the input, 0..kernel/2
  bool bias = false;
  bool relu = false;
  bool norm = false;
  double dropout = 0;  ///< probability of dropping an element. See DropoutRule
  /// conv = "classes": `channels` follows the model's classes. Cleared by fit_model.
  bool follows_classes = false;
  bool operator==(const Layer&) const = default;
};

/// A model as data, for every engine, and for summary and export. Input is [1][side][side]. The
/// output [classes][1][1] goes through log-softmax and negative log-likelihood.
struct ModelSpec {
  std::string name;
  std::vector<Layer> layers;
  int side = image_side, classes = class_count;  ///< of the data
  int pixels() const { return side * side; }
  bool operator==(const ModelSpec&) const = default;
};

/// Convolutions and linear layers have weights, pools none.
constexpr bool has_weights(LayerKind kind) {
  return kind == LayerKind::convolution || kind == LayerKind::linear;
}

/// Output channels at most: far above any sensible model, and no product of sizes overflows.
inline constexpr int channel_limit = 4096;

/// Added to a variance before its root by batch norm, as PyTorch does.
inline constexpr double norm_epsilon = 1e-5;

/// For a recipe without layers.
inline constexpr const char* no_layers_hint = "add [[model.layer]] tables as in configs/step3.toml";

/// How a recipe writes the layer's kind: "conv = 12".
std::string layer_text(const Layer& layer);
/// Name of a layer in messages, counted from 1: "layer 3 (conv = 12)".
std::string layer_name(const ModelSpec& model, int index);

/// Shapes of one layer, derived from its input. Not stored in a recipe.
struct LayerShape {
  int in_channels, in_side, out_channels, out_side;  ///< maps are square
  int kernel_channels;  ///< input channels that an output channel reads: all, or 1 where depthwise
  int kernel;           ///< the window that slides: a pool's or linear layer's actual side
  std::size_t parameters;     ///< weights, bias, gamma and beta
  std::size_t macs;           ///< multiply-adds of the convolution, one image forward
  int receptive_field, jump;  ///< in input pixels. jump: distance of neighbouring outputs' fields
};

/// One entry per layer.
/// Throws: Error (usage) that names the layer when the model cannot work: a window larger than its
/// input, more padding than kernel/2, no channels, a depthwise layer that changes their number, a
/// pool with a ReLU, norm or dropout of its own, an output that is not [classes][1][1].
std::vector<LayerShape> layer_shapes(const ModelSpec& model);

/// Gives the model the shape of its data, and its layers of "classes" their channels.
void fit_model(ModelSpec& model, int side, int classes);

std::size_t parameter_count(const ModelSpec& model);

/// Throws: Error (usage) when a slice of `smallest_slice` images would leave one value per channel
/// at a norm layer (its variance is undefined).
void check_norm_slices(const ModelSpec& model, int smallest_slice);

/// Dropout with 16-bit draws: drop an element when its draw < threshold, multiply the others by
/// scale.
struct DropoutRule {
  unsigned threshold;  ///< round(p * 65536)
  float scale;  ///< 65536 / (65536 - threshold): the expected value stays the same, to the last bit
                ///< of p
};
DropoutRule dropout_rule(double probability);

}  // namespace mnist_dist
