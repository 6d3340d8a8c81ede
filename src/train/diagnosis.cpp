#include "train/diagnosis.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>

#include "engine/update.h"

namespace mnist_dist {
namespace {

const char* const hint = "lower optimizer.learning_rate or lengthen schedule.warmup";
const char* const shard_hint =
    "lower optimizer.learning_rate, lengthen schedule.warmup, or check the data of that shard";

std::string place(const Config& config, int layer) {
  if (layer < 0 || layer >= static_cast<int>(config.model.layers.size())) return "the loss";
  return layer_name(config.model, layer);
}

/// All ranks find it: the state and the score are the same on each.
Error diverged_at_the_end(std::int64_t steps, const std::string& where) {
  return on_all_ranks(
      Error(ExitCode::diverged,
            fmt::format("training diverged at its last step {}. First non-finite value: {}", steps,
                        where),
            hint));
}

}  // namespace

void throw_diverged(Communicator& comm, Engine& engine, const Config& config, std::uint32_t epoch,
                    int step, std::span<const float> rates) {
  const std::optional<Diagnosis> mine = engine.diagnose(step);
  const std::string line = mine ? fmt::format("{} of {} on rank {}, shard {}",
                                              mine->where == "loss" ? "value" : mine->where,
                                              place(config, mine->layer), comm.rank(), mine->shard)
                                : "";
  const char* advice = hint;
  std::string first = "the sum over shards, where no single slice overflowed";
  for (const auto& bytes : comm.all_gather(std::as_bytes(std::span(line)))) {
    if (bytes.empty()) continue;
    first.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    advice = shard_hint;
    break;  // ranks own shards in order: the lowest bad shard, for any number of ranks
  }
  throw on_all_ranks(
      Error(ExitCode::diverged,
            fmt::format("training diverged at epoch {} step {} (learning rate {:.4g}). First "
                        "non-finite value: {}",
                        epoch + 1, step + 1, rates[static_cast<std::size_t>(step)], first),
            advice));
}

void check_finite_parameters(const Config& config, const TrainState& state, std::int64_t steps) {
  if (all_finite(state.parameters) && all_finite(state.norm_statistics)) return;
  std::string where = "norm statistics";
  for (const ParameterTensor& tensor : flat_layout(config.model).parameters) {
    if (all_finite(std::span(state.parameters).subspan(tensor.offset, tensor.size))) continue;
    where = fmt::format("parameter {} of {}", tensor.name, layer_name(config.model, tensor.layer));
    break;
  }
  throw diverged_at_the_end(steps, where);
}

void check_finite_loss(const Score& delivered, std::int64_t steps) {
  if (!std::isfinite(delivered.loss)) throw diverged_at_the_end(steps, "the evaluation's loss");
}

}  // namespace mnist_dist
