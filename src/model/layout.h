#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "model/spec.h"

namespace mnist_dist {

enum class ParameterKind { weight, bias, gamma, beta };

/// A tensor's place in the flat parameter vector (and in the gradient, the momentum and the
/// averages).
struct ParameterTensor {
  std::string name;  ///< "layer3.weight"
  int layer;         ///< index in ModelSpec::layers
  ParameterKind kind;
  std::vector<int>
      shape;  ///< weight [out][in][kernel][kernel], in = 1 where depthwise. Others: [channels]
  std::size_t offset, size;
  int fan_in;  ///< in * kernel * kernel of the layer's weight: initial weights and biases are
               ///< U(+-1/sqrt(fan_in))
};

/// A norm layer's place in the flat vector of norm statistics: mean[channels] at offset,
/// var[channels] at offset + channels.
struct NormTensor {
  int layer, channels;
  std::size_t offset;
};

/// How a step's result of one shard lies in memory: float32,
/// [gradient of the sum of losses | norm layers' n*mean and n*unbiased variance | n images | loss
/// sum | correct | stop flag | padding to 64 bytes]. Vectors of several shards lie `stride` floats
/// apart and are added element by element.
struct FlatLayout {
  std::vector<ParameterTensor> parameters;
  std::vector<NormTensor> norms;
  std::size_t parameter_count = 0;  ///< floats in the gradient, and in the parameter vector
  std::size_t norm_count = 0;       ///< floats of norm statistics
  std::size_t images() const { return parameter_count + norm_count; }
  std::size_t loss() const { return images() + 1; }
  std::size_t correct() const { return images() + 2; }
  std::size_t stop() const { return images() + 3; }
  std::size_t size() const { return images() + 4; }
  std::size_t stride() const { return (size() + 15) / 16 * 16; }
};
FlatLayout flat_layout(const ModelSpec& model);

/// The tensors of both vectors as JSON, for readers in other languages: a list of {"name", "vector"
/// ("parameters" or "norm_statistics"), "offset" (in floats), "shape"}.
std::string layout_json(const FlatLayout& layout);

/// Initial parameters as PyTorch's: weights and biases U(+-1/sqrt(fan_in)), gamma 1, beta 0. Draws
/// keyed by the tensor's index.
std::vector<float> initial_parameters(const FlatLayout& layout, std::uint64_t seed);
/// Initial running statistics: mean 0, variance 1.
std::vector<float> initial_norm_statistics(const FlatLayout& layout);

}  // namespace mnist_dist
