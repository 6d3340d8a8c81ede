#include "engine/update.h"

#include <cstdint>

#include "engine/update_rule.h"

// The loops are plain C++ and give the same bits in every version, because std::fma rounds once
// wherever it runs. On x86 they are compiled a second time with AVX2 and FMA switched on: the
// baseline has no such instruction and would call a function for each element.
#if defined(__x86_64__)
#define MNIST_DIST_HAS_AVX2_CLONE 1
#define MNIST_DIST_AVX2 __attribute__((target("avx2,fma")))
#else
#define MNIST_DIST_HAS_AVX2_CLONE 0
#endif

namespace mnist_dist {
namespace {

/// Equal-length runs of the gradient's sum, the parameters and the momentum.
[[gnu::always_inline]] inline void sgd_loop(const float* __restrict sum,
                                            float* __restrict parameter, float* __restrict velocity,
                                            std::size_t size, const SgdStep& given) {
  const SgdStep step = given;  // a copy that no store can change
  for (std::size_t i = 0; i < size; ++i) sgd_element(sum[i], parameter[i], velocity[i], step);
}

[[gnu::always_inline]] inline void average_loop(const float* __restrict value,
                                                float* __restrict average, std::size_t size,
                                                float share) {
  for (std::size_t i = 0; i < size; ++i) average_element(value[i], average[i], share);
}

[[gnu::always_inline]] inline void running_loop(const float* __restrict sum,
                                                float* __restrict running, std::size_t size,
                                                float images) {
  for (std::size_t i = 0; i < size; ++i) running_element(sum[i], running[i], images);
}

[[gnu::always_inline]] inline bool all_finite_loop(const float* values, std::size_t size) {
  std::uint32_t found = 0;
  for (std::size_t i = 0; i < size; ++i) found |= static_cast<std::uint32_t>(!is_finite(values[i]));
  return found == 0;
}

void sgd_baseline(const float* sum, float* parameter, float* velocity, std::size_t size,
                  const SgdStep& step) {
  sgd_loop(sum, parameter, velocity, size, step);
}
void average_baseline(const float* value, float* average, std::size_t size, float share) {
  average_loop(value, average, size, share);
}
void running_baseline(const float* sum, float* running, std::size_t size, float images) {
  running_loop(sum, running, size, images);
}
bool all_finite_baseline(const float* values, std::size_t size) {
  return all_finite_loop(values, size);
}

struct Loops {
  decltype(&sgd_baseline) sgd = sgd_baseline;
  decltype(&average_baseline) average = average_baseline;
  decltype(&running_baseline) running = running_baseline;
  decltype(&all_finite_baseline) all_finite = all_finite_baseline;
};

#if MNIST_DIST_HAS_AVX2_CLONE
MNIST_DIST_AVX2 void sgd_avx2(const float* sum, float* parameter, float* velocity, std::size_t size,
                              const SgdStep& step) {
  sgd_loop(sum, parameter, velocity, size, step);
}
MNIST_DIST_AVX2 void average_avx2(const float* value, float* average, std::size_t size,
                                  float share) {
  average_loop(value, average, size, share);
}
MNIST_DIST_AVX2 void running_avx2(const float* sum, float* running, std::size_t size,
                                  float images) {
  running_loop(sum, running, size, images);
}
MNIST_DIST_AVX2 bool all_finite_avx2(const float* values, std::size_t size) {
  return all_finite_loop(values, size);
}
#endif

const Loops& loops() {
  static const Loops chosen = [] {
#if MNIST_DIST_HAS_AVX2_CLONE
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
      return Loops{sgd_avx2, average_avx2, running_avx2, all_finite_avx2};
#endif
    return Loops{};
  }();
  return chosen;
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
  const Loops& loop = loops();
  const float images = total[layout_.images()];
  for (const Run& run : runs_)
    loop.sgd(total.data() + run.offset, state.parameters.data() + run.offset,
             state.momentum.data() + run.offset, run.size,
             {.images = images,
              .rate = learning_rate,
              .momentum = static_cast<float>(optimizer_.momentum),
              .decay = run.decay,
              .nesterov = optimizer_.nesterov});
  loop.running(total.data() + layout_.parameter_count, state.norm_statistics.data(),
               layout_.norm_count, images);

  if (average_.decay > 0) {
    const float share = average_share(average_.decay, state.updates);
    loop.average(state.parameters.data(), state.average_parameters.data(), layout_.parameter_count,
                 share);
    loop.average(state.norm_statistics.data(), state.average_norm_statistics.data(),
                 layout_.norm_count, share);
  }
  ++state.updates;
}

bool all_finite(std::span<const float> values) {
  return loops().all_finite(values.data(), values.size());
}

}  // namespace mnist_dist
