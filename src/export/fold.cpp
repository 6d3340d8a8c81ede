#include <algorithm>
#include <cmath>

#include "export/exported_model.h"

namespace mnist_dist {
namespace {

using Place = std::vector<Operation>::iterator;

/// y = scale * x + shift, per channel: a batch norm with fixed statistics.
struct Affine {
  std::string name;
  std::vector<double> scale, shift;
};

Affine affine_of(const Operation& norm) {
  Affine affine{norm.name, {}, {}};
  for (std::size_t c = 0; c < norm.gamma.size(); ++c) {
    const double scale = norm.gamma[c] / std::sqrt(norm.variance[c] + norm_epsilon);
    affine.scale.push_back(scale);
    affine.shift.push_back(norm.beta[c] - scale * norm.mean[c]);
  }
  return affine;
}

std::size_t weights_per_channel(const Operation& convolution) {
  return convolution.weight.size() / static_cast<std::size_t>(convolution.channels);
}

void make_room_for_bias(Operation& convolution) {
  convolution.bias.resize(static_cast<std::size_t>(convolution.channels), 0.0f);
}

/// The affine map of the convolution's own output.
void fold_back(const Affine& affine, Operation& convolution) {
  make_room_for_bias(convolution);
  const std::size_t weights = weights_per_channel(convolution);
  for (std::size_t c = 0; c < affine.scale.size(); ++c) {
    for (std::size_t i = c * weights; i < (c + 1) * weights; ++i)
      convolution.weight[i] = static_cast<float>(convolution.weight[i] * affine.scale[c]);
    convolution.bias[c] =
        static_cast<float>(convolution.bias[c] * affine.scale[c] + affine.shift[c]);
  }
}

/// The affine map of the convolution's input.
void fold_forward(const Affine& affine, Operation& convolution) {
  make_room_for_bias(convolution);
  const std::size_t weights = weights_per_channel(convolution);
  const auto area = static_cast<std::size_t>(convolution.kernel * convolution.kernel);
  const auto outputs = static_cast<std::size_t>(convolution.channels);
  const std::size_t inputs = weights / area;  // that an output reads: 1 where depthwise
  for (std::size_t out = 0; out < outputs; ++out) {
    double bias = convolution.bias[out];
    for (std::size_t i = 0; i < weights; ++i) {
      const std::size_t in = inputs == affine.scale.size() ? i / area : out;
      float& weight = convolution.weight[out * weights + i];
      bias += weight * affine.shift[in];
      weight = static_cast<float>(weight * affine.scale[in]);
    }
    convolution.bias[out] = static_cast<float>(bias);
  }
}

Operation as_convolution(const Affine& affine) {
  Operation operation;
  operation.kind = OperationKind::convolution;
  operation.name = affine.name;
  operation.channels = operation.in_channels = operation.groups =
      static_cast<int>(affine.scale.size());
  operation.kernel = 1;
  operation.weight.assign(affine.scale.begin(), affine.scale.end());
  operation.bias.assign(affine.shift.begin(), affine.shift.end());
  return operation;
}

/// max(scale * x + shift) is scale * max(x) + shift unless the scale turns the order round.
bool commutes(const Affine& affine, OperationKind kind) {
  if (kind == OperationKind::global_average) return true;
  if (kind != OperationKind::max_pool && kind != OperationKind::global_max) return false;
  return std::ranges::all_of(affine.scale, [](double scale) { return scale >= 0; });
}

bool takes_shift(const Affine& affine, const Operation& convolution) {
  return convolution.padding == 0 ||
         std::ranges::all_of(affine.shift, [](double shift) { return shift == 0; });
}

}  // namespace

std::vector<Operation> folded(std::vector<Operation> operations) {
  std::erase_if(operations, [](const Operation& operation) {
    return operation.kind == OperationKind::dropout;
  });
  const auto is_norm = [](const Operation& o) { return o.kind == OperationKind::norm; };
  for (Place norm; (norm = std::ranges::find_if(operations, is_norm)) != operations.end();) {
    const Affine affine = affine_of(*norm);
    Place next = operations.erase(norm);
    if (next != operations.begin() && std::prev(next)->kind == OperationKind::convolution) {
      fold_back(affine, *std::prev(next));
      continue;
    }
    while (next != operations.end() && commutes(affine, next->kind)) ++next;
    if (next != operations.end() && next->kind == OperationKind::convolution &&
        takes_shift(affine, *next))
      fold_forward(affine, *next);
    else
      operations.insert(next, as_convolution(affine));
  }
  return operations;
}

}  // namespace mnist_dist
