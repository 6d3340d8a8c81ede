#include "engine/update.h"

#include <cstdint>

#include "engine/update_rule.h"

// The loops are plain C++ and give the same bits in every version, because std::fma rounds once
// wherever it runs. On x86 they are compiled a second time for CPUs with AVX2 and FMA: the baseline
// has no such instructions and would call a function for each element. The C library chooses the
// version when the program is loaded, which ThreadSanitizer does not survive.
#if defined(__has_feature)
#define MNIST_DIST_TSAN __has_feature(thread_sanitizer)
#elif defined(__SANITIZE_THREAD__)
#define MNIST_DIST_TSAN 1
#else
#define MNIST_DIST_TSAN 0
#endif
#if defined(__x86_64__) && defined(__GLIBC__) && !MNIST_DIST_TSAN
#define MNIST_DIST_CLONES [[gnu::target_clones("default", "arch=x86-64-v3")]]
#else
#define MNIST_DIST_CLONES
#endif

namespace mnist_dist {
namespace {

/// Equal-length runs of the gradient's sum, the parameters and the momentum.
MNIST_DIST_CLONES void sgd_loop(const float* __restrict sum, float* __restrict parameter,
                                float* __restrict velocity, std::size_t size,
                                const SgdStep& given) {
  const SgdStep step = given;  // a copy that no store can change
  for (std::size_t i = 0; i < size; ++i) sgd_element(sum[i], parameter[i], velocity[i], step);
}

MNIST_DIST_CLONES void average_loop(const float* __restrict value, float* __restrict average,
                                    std::size_t size, float share) {
  for (std::size_t i = 0; i < size; ++i) average_element(value[i], average[i], share);
}

MNIST_DIST_CLONES void running_loop(const float* __restrict sum, float* __restrict running,
                                    std::size_t size, float images) {
  for (std::size_t i = 0; i < size; ++i) running_element(sum[i], running[i], images);
}

MNIST_DIST_CLONES bool all_finite_loop(const float* values, std::size_t size) {
  std::uint32_t found = 0;
  for (std::size_t i = 0; i < size; ++i) found |= static_cast<std::uint32_t>(!is_finite(values[i]));
  return found == 0;
}

}  // namespace

Update::Update(const FlatLayout& layout, const OptimizerConfig& optimizer,
               const AverageConfig& average)
    : layout_(layout), optimizer_(optimizer), average_(average) {
  for (const ParameterTensor& tensor : layout_.parameters) {
    const bool decays = tensor.kind == ParameterKind::weight || optimizer_.decay_norm;
    const auto decay = decays ? static_cast<float>(optimizer_.weight_decay) : 0.0f;
    if (runs_.empty() || runs_.back().decay != decay) runs_.push_back({tensor.offset, 0, decay});
    runs_.back().size += tensor.size;
  }
}

void Update::apply(std::span<const float> total, float learning_rate, TrainState& state) const {
  const float images = total[layout_.images()];
  for (const Run& run : runs_)
    sgd_loop(total.data() + run.offset, state.parameters.data() + run.offset,
             state.momentum.data() + run.offset, run.size,
             {.images = images,
              .rate = learning_rate,
              .momentum = static_cast<float>(optimizer_.momentum),
              .decay = run.decay,
              .nesterov = optimizer_.nesterov});
  running_loop(total.data() + layout_.parameter_count, state.norm_statistics.data(),
               layout_.norm_count, images);

  if (average_.decay > 0) {
    const float share = average_share(average_.decay, state.updates);
    average_loop(state.parameters.data(), state.average_parameters.data(), layout_.parameter_count,
                 share);
    average_loop(state.norm_statistics.data(), state.average_norm_statistics.data(),
                 layout_.norm_count, share);
  }
  ++state.updates;
}

bool all_finite(std::span<const float> values) {
  return all_finite_loop(values.data(), values.size());
}

}  // namespace mnist_dist
