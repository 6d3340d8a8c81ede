#include "engine/device/state.h"

#include <algorithm>
#include <stdexcept>

#include "engine/device/kernels.h"

namespace mnist_dist {
namespace {

/// Weight decay of each parameter.
std::vector<float> decays(const FlatLayout& layout, const OptimizerConfig& optimizer) {
  std::vector<float> decays(layout.parameter_count);
  for (const ParameterTensor& tensor : layout.parameters)
    if (tensor.kind == ParameterKind::weight || optimizer.decay_norm)
      std::fill_n(decays.begin() + static_cast<std::ptrdiff_t>(tensor.offset), tensor.size,
                  static_cast<float>(optimizer.weight_decay));
  return decays;
}

void upload(const Queue& queue, const std::vector<float>& values, const DeviceArray<float>& to) {
  if (values.size() != to.size())
    throw std::invalid_argument("device state: wrong size of a vector");
  to.upload(queue, values);
}

std::vector<float> download(const Queue& queue, const DeviceArray<float>& from) {
  std::vector<float> values(from.size());
  from.download(queue, values);
  return values;
}

}  // namespace

DeviceState::DeviceState(const FlatLayout& layout, const OptimizerConfig& optimizer,
                         const AverageConfig& average, const Queue& queue)
    : layout_(layout),
      optimizer_(optimizer),
      average_(average),
      queue_(queue),
      parameters_(queue, layout.parameter_count),
      velocity_(queue, layout.parameter_count),
      norms_(queue, layout.norm_count),
      average_parameters_(queue, averages() ? layout.parameter_count : 0),
      average_norms_(queue, averages() ? layout.norm_count : 0),
      decay_(queue, decays(layout, optimizer)),
      progress_(queue, 1) {}

void DeviceState::load(const TrainState& state) {
  upload(queue_, state.parameters, parameters_);
  upload(queue_, state.momentum, velocity_);
  upload(queue_, state.norm_statistics, norms_);
  upload(queue_, state.average_parameters, average_parameters_);
  upload(queue_, state.average_norm_statistics, average_norms_);
  DeviceProgress progress;
  progress.updates = state.updates;
  set_progress(progress);
}

TrainState DeviceState::save() const {
  TrainState state;
  state.parameters = download(queue_, parameters_);
  state.momentum = download(queue_, velocity_);
  state.norm_statistics = download(queue_, norms_);
  state.average_parameters = download(queue_, average_parameters_);
  state.average_norm_statistics = download(queue_, average_norms_);
  state.updates = progress().updates;
  return state;
}

bool DeviceState::begin_epoch(std::span<const float> learning_rates) {
  const bool fits = learning_rates.size() <= rates_.size();
  if (!fits) rates_ = DeviceArray<float>(queue_, learning_rates.size());
  rates_.upload(queue_, learning_rates);
  DeviceProgress start;
  start.updates = progress().updates;
  set_progress(start);
  return fits;
}

void DeviceState::enqueue(const float* total) const {
  enqueue_update(queue_, {.parameter_count = layout_.parameter_count,
                          .norm_count = layout_.norm_count,
                          .total = total,
                          .rates = rates_.data(),
                          .decay = decay_.data(),
                          .momentum = static_cast<float>(optimizer_.momentum),
                          .nesterov = optimizer_.nesterov,
                          .average_decay = average_.decay,
                          .parameters = parameters_.data(),
                          .velocity = velocity_.data(),
                          .norm_statistics = norms_.data(),
                          .average_parameters = average_parameters_.data(),
                          .average_norm_statistics = average_norms_.data(),
                          .progress = progress_.data()});
}

DeviceProgress DeviceState::progress() const {
  DeviceProgress progress;
  progress_.download(queue_, {&progress, 1});
  return progress;
}

void DeviceState::set_progress(const DeviceProgress& progress) const {
  progress_.upload(queue_, {&progress, 1});
}

}  // namespace mnist_dist
