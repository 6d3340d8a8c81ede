#pragma once
#include <string>
#include <vector>

namespace mnist_dist {

/// A float32 array with a name, as files of weights store it. Row-major. An empty shape: one
/// number.
struct NamedTensor {
  std::string name;
  std::vector<int> shape;
  std::vector<float> values;
};

}  // namespace mnist_dist
