#include "model/spec.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace mnist_dist {
namespace {

/// The side of the window that slides over an input of this side.
int window(const Layer& layer, int in_side) {
  return layer.kind == LayerKind::convolution || layer.kind == LayerKind::max_pool ? layer.kernel
                                                                                   : in_side;
}

void check_layer(const ModelSpec& model, std::size_t index, int in_channels, int in_side) {
  const Layer& layer = model.layers[index];
  const auto fail = [&](const std::string& problem, const std::string& hint) {
    throw usage_error(fmt::format("{}: {}", layer_name(model, static_cast<int>(index)), problem),
                      hint);
  };
  if (has_weights(layer.kind)) {
    if (layer.channels < 1 || layer.channels > channel_limit)
      fail(fmt::format("{} output channels", layer.channels),
           fmt::format("give 1 to {} channels", channel_limit));
  } else if (layer.channels != 0 || layer.bias || layer.relu || layer.norm || layer.dropout != 0) {
    fail("a pool has no channels, bias, relu, norm or dropout of its own",
         "put them on the layer before it or after it");
  }
  if (layer.depthwise && layer.kind != LayerKind::convolution)
    fail("only convolutions are depthwise", "remove depthwise");
  if (layer.depthwise && layer.channels != in_channels)
    fail(fmt::format("depthwise, but changes the channels from {} to {}", in_channels,
                     layer.channels),
         fmt::format("give conv = {}, and change the number of channels in a convolution with "
                     "kernel = 1 before or behind it",
                     in_channels));
  const int kernel = window(layer, in_side);
  if (kernel < 1) fail(fmt::format("kernel = {}", kernel), "give a kernel of at least 1");
  if (layer.padding != 0 && layer.kind != LayerKind::convolution)
    fail("only convolutions have padding", "remove padding");
  if (layer.padding < 0 || layer.padding > kernel / 2)
    fail(fmt::format("padding = {} around a {}x{} kernel", layer.padding, kernel, kernel),
         fmt::format("give a padding of 0 to {}", kernel / 2));
  if (kernel > in_side + 2 * layer.padding)
    fail(fmt::format("its {}x{} window is larger than its {}x{} input", kernel, kernel,
                     in_side + 2 * layer.padding, in_side + 2 * layer.padding),
         "use a smaller kernel, some padding, or fewer layers before it. For images that are not "
         "28x28, write side = N into [model]");
  if (!(layer.dropout >= 0 && layer.dropout < 1))
    fail(fmt::format("dropout = {}", layer.dropout), "give a probability from 0 to below 1");
}

/// Names the layer whose channels are to follow the data's classes.
std::string classes_hint(const ModelSpec& model) {
  std::size_t last = model.layers.size();
  while (last > 0 && !has_weights(model.layers[last - 1].kind)) --last;
  if (last == 0) return "add a layer with conv = \"classes\"";
  const char* const key = model.layers[last - 1].kind == LayerKind::linear ? "linear" : "conv";
  return fmt::format("write {} = \"classes\" in layer {} of the recipe: the data have {} classes",
                     key, last, model.classes);
}

}  // namespace

std::string layer_text(const Layer& layer) {
  switch (layer.kind) {
    case LayerKind::convolution:
      return fmt::format("conv = {}", layer.channels);
    case LayerKind::linear:
      return fmt::format("linear = {}", layer.channels);
    case LayerKind::max_pool:
      return "pool = \"max\"";
    case LayerKind::global_average:
      return "pool = \"global_average\"";
    case LayerKind::global_max:
      return "pool = \"global_max\"";
  }
  return {};
}

std::string layer_name(const ModelSpec& model, int index) {
  return fmt::format("layer {} ({})", index + 1,
                     layer_text(model.layers[static_cast<std::size_t>(index)]));
}

std::vector<LayerShape> layer_shapes(const ModelSpec& model) {
  if (model.layers.empty()) throw usage_error("the model has no layers", no_layers_hint);
  std::vector<LayerShape> shapes;
  int channels = 1, side = model.side, field = 1, jump = 1;
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    const Layer& layer = model.layers[i];
    check_layer(model, i, channels, side);
    LayerShape shape{};
    shape.in_channels = channels;
    shape.in_side = side;
    shape.kernel = window(layer, side);
    shape.kernel_channels = layer.depthwise ? 1 : channels;
    const int stride = layer.kind == LayerKind::max_pool ? layer.kernel : 1;
    shape.out_side = (side + 2 * layer.padding - shape.kernel) / stride + 1;
    shape.out_channels = has_weights(layer.kind) ? layer.channels : channels;
    if (has_weights(layer.kind)) {
      const auto weights =
          static_cast<std::size_t>(shape.out_channels) *
          static_cast<std::size_t>(shape.kernel_channels * shape.kernel * shape.kernel);
      const auto per_channel =
          static_cast<std::size_t>((layer.bias ? 1 : 0) + (layer.norm ? 2 : 0));
      shape.parameters = weights + per_channel * static_cast<std::size_t>(shape.out_channels);
      shape.macs = weights * static_cast<std::size_t>(shape.out_side * shape.out_side);
    }
    // Araujo et al., "Computing receptive fields of convolutional neural networks", Distill 2019,
    // eq. 2.
    field += (shape.kernel - 1) * jump;
    jump *= stride;
    shape.receptive_field = field;
    shape.jump = jump;
    channels = shape.out_channels;
    side = shape.out_side;
    shapes.push_back(shape);
  }
  if (channels != model.classes || side != 1)
    throw usage_error(
        fmt::format("{}: wrong output of the model (got [{}][{}][{}], expected [{}][1][1])",
                    layer_name(model, static_cast<int>(shapes.size()) - 1), channels, side, side,
                    model.classes),
        side == 1 && model.classes != class_count
            ? classes_hint(model)
            : fmt::format("end with {} channels and a global pool, a linear layer, "
                          "or a kernel as large as its input",
                          model.classes));
  return shapes;
}

void fit_model(ModelSpec& model, int side, int classes) {
  model.side = side;
  model.classes = classes;
  for (Layer& layer : model.layers) {
    if (layer.follows_classes) layer.channels = classes;
    layer.follows_classes = false;
  }
}

std::size_t parameter_count(const ModelSpec& model) {
  std::size_t count = 0;
  for (const auto& shape : layer_shapes(model)) count += shape.parameters;
  return count;
}

void check_norm_slices(const ModelSpec& model, int smallest_slice) {
  const auto shapes = layer_shapes(model);
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    if (!model.layers[i].norm || smallest_slice * shapes[i].out_side * shapes[i].out_side > 1)
      continue;
    throw usage_error(
        fmt::format("{}: batch norm over one value per channel: a slice of {} image, maps of 1x1",
                    layer_name(model, static_cast<int>(i)), smallest_slice),
        "change train.batch or data.shards so that every slice has at least 2 images, or drop norm "
        "there");
  }
}

DropoutRule dropout_rule(double probability) {
  // At least one draw in 65536 keeps an element, so that the scale stays finite.
  const auto threshold =
      static_cast<unsigned>(std::clamp(std::nearbyint(probability * 65536), 0.0, 65535.0));
  return {threshold, static_cast<float>(65536.0 / (65536.0 - threshold))};
}

}  // namespace mnist_dist
