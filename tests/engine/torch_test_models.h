#pragma once
#include <vector>

#include "model/spec.h"

namespace mnist_dist {

/// Small models with every kind of layer and option. The first has most of them.
inline std::vector<ModelSpec> torch_test_models() {
  const auto conv = [](int channels, int kernel, int padding, bool relu, bool norm,
                       double dropout) {
    return Layer{.channels = channels,
                 .kernel = kernel,
                 .padding = padding,
                 .relu = relu,
                 .norm = norm,
                 .dropout = dropout};
  };
  return {
      {.name = "mixed",
       .layers = {conv(3, 3, 0, true, true, 0.1),
                  {.kind = LayerKind::max_pool, .kernel = 2},
                  conv(5, 3, 1, true, true, 0.25),
                  {.channels = 4, .kernel = 1, .bias = true},
                  {.kind = LayerKind::max_pool, .kernel = 3},
                  {.kind = LayerKind::linear, .channels = 10, .bias = true}}},
      {.name = "step1_like",
       .layers = {conv(4, 3, 0, true, false, 0),
                  conv(4, 3, 0, false, false, 0),
                  {.kind = LayerKind::max_pool, .kernel = 2},
                  conv(6, 3, 1, true, false, 0.3),
                  {.kind = LayerKind::max_pool, .kernel = 2},
                  conv(10, 6, 0, false, false, 0)}},
      {.name = "step3",
       .layers = {conv(12, 3, 0, true, true, 0.1),
                  conv(14, 3, 0, true, true, 0.1),
                  conv(14, 3, 0, true, true, 0.1),
                  conv(10, 1, 0, false, true, 0),
                  {.kind = LayerKind::max_pool, .kernel = 2},
                  conv(14, 3, 0, true, true, 0.1),
                  conv(14, 3, 0, true, true, 0.1),
                  conv(14, 3, 0, true, true, 0.1),
                  conv(10, 3, 1, true, true, 0.1),
                  {.kind = LayerKind::global_average}}},
      {.name = "global_max",
       .layers = {conv(3, 5, 2, true, true, 0),
                  conv(10, 3, 1, false, false, 0.2),
                  {.kind = LayerKind::global_max}}},
      {.name = "pool_first",
       .layers = {{.kind = LayerKind::max_pool, .kernel = 4},
                  {.kind = LayerKind::linear, .channels = 10, .norm = true}}},
      {.name = "depthwise",
       .layers = {conv(4, 3, 0, true, true, 0),
                  {.channels = 4,
                   .depthwise = true,
                   .padding = 1,
                   .bias = true,
                   .relu = true,
                   .norm = true,
                   .dropout = 0.1},
                  conv(10, 1, 0, true, true, 0),
                  {.kind = LayerKind::max_pool, .kernel = 2},
                  {.channels = 10, .depthwise = true, .kernel = 5, .relu = true},
                  {.kind = LayerKind::global_average}}},
      {.name = "other_size",
       .layers = {conv(4, 4, 0, true, true, 0.1),
                  {.kind = LayerKind::max_pool, .kernel = 2},
                  {.kind = LayerKind::linear, .channels = 13, .bias = true}},
       .side = 35,
       .classes = 13},
  };
}

}  // namespace mnist_dist
