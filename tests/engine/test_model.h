#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/random.h"
#include "engine/engine.h"
#include "model/reduce_tree.h"

namespace mnist_dist {

/// The smallest model there is: 7,840 weights.
inline ModelSpec linear_model() {
  return {.name = "linear", .layers = {{.kind = LayerKind::linear, .channels = 10}}};
}

/// Four shards, slices of four.
inline EngineOptions test_options(const ModelSpec& model, int threads = 1) {
  EngineOptions options;
  options.config.model = model;
  options.config.data.shards = 4;
  options.config.train.batch = 16;
  options.threads = threads;
  return options;
}

/// `rows` images of noise, labels in turn.
inline Images noise_images(int rows, int first_row, int side = image_side,
                           int classes = class_count) {
  Images images;
  images.side = side;
  images.first_row = first_row;
  Stream draws(
      {.seed = 7, .purpose = Purpose::synthetic, .row = static_cast<std::uint32_t>(first_row)});
  for (int row = 0; row < rows; ++row) {
    for (int i = 0; i < side * side; ++i)
      images.pixels.push_back(static_cast<std::uint8_t>(draws.below(256)));
    images.labels.push_back(static_cast<ClassIndex>((first_row + row) % classes));
  }
  return images;
}

/// The Reduce of a world of one.
inline void add_tree(const ShardVectors& vectors, std::span<float> total, const Queue&) {
  sum_shards(vectors, total);
}

inline TrainState fresh_state(const FlatLayout& layout, bool averages) {
  TrainState state;
  state.parameters = initial_parameters(layout, 3);
  state.norm_statistics = initial_norm_statistics(layout);
  state.momentum.assign(layout.parameter_count, 0.0f);
  if (averages)
    state.average_parameters = state.parameters,
    state.average_norm_statistics = state.norm_statistics;
  return state;
}

}  // namespace mnist_dist
