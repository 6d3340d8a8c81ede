#pragma once
#include <string>
#include <vector>

#include "base/random.h"
#include "model/spec.h"

namespace mnist_dist {

inline Layer block(int channels, int kernel, int padding, bool relu, bool norm, double dropout) {
  return {.kind = LayerKind::convolution,
          .channels = channels,
          .kernel = kernel,
          .padding = padding,
          .relu = relu,
          .norm = norm,
          .dropout = dropout};
}

/// The three models of the course this began with (parameters: 10,554, 7,498 and 9,776).
inline std::vector<ModelSpec> seed_models() {
  const Layer pool{.kind = LayerKind::max_pool, .kernel = 2},
      average{.kind = LayerKind::global_average};
  const auto plain = [](int channels, int padding = 0) {
    return block(channels, 3, padding, true, false, 0);
  };
  const auto light = [](int channels, int padding = 0) {
    return block(channels, 3, padding, true, true, 0.07);
  };
  const auto full = [](int channels, int padding = 0) {
    return block(channels, 3, padding, true, true, 0.1);
  };
  return {
      {"step1",
       {plain(10), plain(12), block(12, 3, 0, false, false, 0), block(10, 1, 0, false, false, 0),
        pool, plain(12), plain(12), plain(12), plain(12, 1), block(10, 5, 0, false, false, 0)}},
      {"step2",
       {light(10), light(12), light(12), block(10, 1, 0, false, false, 0), pool, light(12),
        light(12), light(12), light(10, 1), average}},
      {"step3",
       {full(12), full(14), full(14), block(10, 1, 0, false, true, 0), pool, full(14), full(14),
        full(14), full(10, 1), average}},
  };
}

/// A model of two to five blocks of any kernel, padding and width up to 19, with and without each
/// of its parts, that ends in one of four ways.
inline ModelSpec random_model(std::uint32_t index) {
  Stream draws({.seed = 11, .purpose = Purpose::synthetic, .row = index});
  const auto chance = [&](std::uint32_t of) { return draws.below(of) == 0; };
  ModelSpec model{.name = "random" + std::to_string(index), .layers = {}};
  int side = image_side;
  for (std::uint32_t i = 0, blocks = 2 + draws.below(4); i < blocks; ++i) {
    const int kernel = 1 + static_cast<int>(draws.below(5));
    const int padding = static_cast<int>(draws.below(static_cast<std::uint32_t>(kernel / 2 + 1)));
    if (side + 2 * padding < kernel + 1) break;
    // One draw per statement: compilers differ in the order of arguments.
    const double dropout = chance(2) ? 0.2 : 0.0;
    const bool norm = !chance(3);
    const bool relu = !chance(3);
    const int side_of_kernel = chance(2) ? 3 : kernel;
    const int channels = 1 + static_cast<int>(draws.below(19));
    Layer layer = block(channels, side_of_kernel, padding, relu, norm, dropout);
    layer.padding = std::min(layer.padding, layer.kernel / 2);
    if (side + 2 * layer.padding < layer.kernel + 1) break;
    layer.bias = chance(2);
    model.layers.push_back(layer);
    side = side + 2 * layer.padding - layer.kernel + 1;
    if (side >= 6 && chance(3)) {
      const int window = 2 + static_cast<int>(draws.below(2));
      model.layers.push_back({.kind = LayerKind::max_pool, .kernel = window});
      side /= window;
    }
  }
  const auto ending = draws.below(4);
  if (ending <= 1) {
    model.layers.push_back(block(10, 1, 0, false, chance(2), 0));
    model.layers.push_back(
        {.kind = ending == 0 ? LayerKind::global_average : LayerKind::global_max});
  } else if (ending == 2) {
    model.layers.push_back({.kind = LayerKind::linear, .channels = 10, .bias = chance(2)});
  } else {
    model.layers.push_back(block(10, side, 0, false, false, 0));
  }
  return model;
}

/// A layer that has as many channels as its input, with one kernel per channel.
inline Layer depthwise(int channels, int kernel, int padding, bool relu, bool norm,
                       double dropout) {
  Layer layer = block(channels, kernel, padding, relu, norm, dropout);
  layer.depthwise = true;
  return layer;
}

/// One to three pairs of a convolution that sets the width and a depthwise one of any kernel and
/// padding, that end in one of three ways, of which one is a depthwise kernel as large as its
/// input. Number 0 is as a recipe would be, number 1 begins with a depthwise layer of one channel.
/// Scales that a norm takes out again (of a channel before its depthwise kernel, of a kernel of 1)
/// have gradients that are nothing but rounding, so none are made.
inline ModelSpec depthwise_model(std::uint32_t index) {
  ModelSpec model{.name = "depthwise" + std::to_string(index), .layers = {}};
  if (index == 0) {
    model.layers = {block(8, 3, 0, true, true, 0),      depthwise(8, 3, 1, true, true, 0.1),
                    block(13, 1, 0, true, true, 0),     {.kind = LayerKind::max_pool, .kernel = 2},
                    depthwise(13, 5, 2, true, true, 0), block(10, 1, 0, false, false, 0),
                    {.kind = LayerKind::global_average}};
    return model;
  }
  // Of other seeds some models have channels that hardly vary: gradients are off by up to 1e-3
  // there, by as much as those of full convolutions whose other weights are 0.
  Stream draws({.seed = 16, .purpose = Purpose::synthetic, .row = index});
  const auto chance = [&](std::uint32_t of) { return draws.below(of) == 0; };
  int side = image_side;
  if (index == 1) model.layers.push_back(depthwise(1, 3, 1, true, false, 0));
  for (std::uint32_t i = 0, pairs = 1 + draws.below(3); i < pairs; ++i) {
    const int channels = 4 + static_cast<int>(draws.below(16));
    const int kernel = chance(2) ? 3 : 1 + static_cast<int>(draws.below(5));
    const bool norm = kernel > 1 && !chance(3);
    const bool norm_before = !norm && chance(2);
    const bool relu_before = chance(2);
    model.layers.push_back(block(channels, i == 0 ? 3 : 1, 0, relu_before, norm_before, 0));
    const int padding = static_cast<int>(draws.below(static_cast<std::uint32_t>(kernel / 2 + 1)));
    const double dropout = chance(2) ? 0.2 : 0.0;
    const bool relu = !chance(3);
    Layer layer = depthwise(channels, kernel, padding, relu, norm, dropout);
    layer.bias = chance(2);
    model.layers.push_back(layer);
    side += 2 * padding - kernel + 1 - (i == 0 ? 2 : 0);
    if (side >= 12 && chance(2)) {
      model.layers.push_back({.kind = LayerKind::max_pool, .kernel = 2});
      side /= 2;
    }
  }
  model.layers.push_back(block(10, 1, 0, false, chance(2), 0));
  const auto ending = draws.below(3);
  if (ending == 0)
    model.layers.push_back(depthwise(10, side, 0, false, false, 0));
  else
    model.layers.push_back(
        {.kind = ending == 1 ? LayerKind::global_average : LayerKind::global_max});
  return model;
}

}  // namespace mnist_dist
