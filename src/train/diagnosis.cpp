#include "train/diagnosis.h"

#include <fmt/format.h>

#include <cstring>

#include "engine/update.h"

namespace mnist_dist {
namespace {

const char* const hint = "lower optimizer.learning_rate, lengthen schedule.warmup, or look at the data named";

std::string layer_name(const Config& config, int layer) {
  if (layer < 0 || layer >= static_cast<int>(config.model.layers.size())) return "the loss";
  return fmt::format("layer {}", layer + 1);
}

}  // namespace

void throw_diverged(Communicator& comm, Engine& engine, const Config& config, std::uint32_t epoch, int step, std::span<const float> rates) {
  const std::optional<Diagnosis> mine = engine.diagnose(step);
  const std::string line = mine ? fmt::format("{} of {} on rank {}, shard {}", mine->where == "loss" ? "value" : mine->where,
                                              layer_name(config, mine->layer), comm.rank(), mine->shard)
                                : "";
  std::string first = "the sum over shards, where no single slice overflowed";
  for (const auto& bytes : comm.all_gather(std::as_bytes(std::span(line)))) {
    if (bytes.empty()) continue;
    first.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    break;  // ranks own shards in order: the lowest bad shard, whatever the number of ranks
  }
  throw Error(ExitCode::diverged,
              fmt::format("training diverged at epoch {} step {}, learning rate {:.4g}: not finite first: {}", epoch + 1, step + 1,
                          rates[static_cast<std::size_t>(step)], first),
              hint)
      .mark_everywhere();
}

void check_finite_parameters(const Config& config, const TrainState& state, std::int64_t steps) {
  if (all_finite(state.parameters) && all_finite(state.norm_statistics)) return;
  std::string where = "norm statistics";
  for (const ParameterTensor& tensor : flat_layout(config.model).parameters) {
    if (all_finite(std::span(state.parameters).subspan(tensor.offset, tensor.size))) continue;
    where = fmt::format("parameter {} of layer {}", tensor.name, tensor.layer + 1);
    break;
  }
  throw Error(ExitCode::diverged, fmt::format("training diverged at its last step {}: not finite first: {}", steps, where), hint).mark_everywhere();
}

}  // namespace mnist_dist
