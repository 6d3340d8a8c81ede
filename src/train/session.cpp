#include "train/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/cpus.h"
#include "base/file.h"
#include "base/plural.h"
#include "base/version.h"
#include "comm/on_root.h"
#include "config/check.h"
#include "data/mnist_files.h"
#include "data/other_sets.h"
#include "data/prepare.h"
#include "engine/fused/fused_engine.h"
#include "engine/registry.h"
#include "engine/torch_library.h"
#include "train/agreement.h"
#include "train/data_fit.h"
#include "train/gpu_choice.h"
#include "train/shared_data.h"

namespace mnist_dist {
namespace {

/// The shortest slice that is not empty, which must be enough for batch norm.
int shortest_slice(const Config& config, int rows) {
  const int slice = config.train.batch / config.data.shards;
  int shortest = slice;
  for (int shard = 0; shard < config.data.shards; ++shard) {
    const int rest = even_share(shard, config.data.shards, rows).size() % slice;
    if (rest > 0) shortest = std::min(shortest, rest);
  }
  return shortest;
}

/// The fewest shards for this number of ranks with which the recipe is accepted. 0: none.
int shards_for(int ranks, Config config) {
  const int rows = config.data.split.empty() ? mnist_train_rows : config.data.split[0];
  for (config.data.shards = ranks; config.data.shards <= config.train.batch; ++config.data.shards) {
    if (config.train.batch % config.data.shards != 0) continue;
    try {
      check_config(config);
      check_norm_slices(config.model, shortest_slice(config, rows));
      return config.data.shards;
    } catch (const Error&) {  // slices too short for batch norm. Longer ones come with fewer shards
      return 0;
    }
  }
  return 0;
}

void check_ranks(int ranks, const Config& config) {
  const int shards = config.data.shards;
  if (ranks <= shards) return;
  std::string hint = fmt::format("start at most {} rank{}", shards, plural(shards));
  if (const int more = shards_for(ranks, config); more > 0)
    hint += fmt::format(", or give --set data.shards={} (this changes the results)", more);
  throw on_all_ranks(usage_error(
      fmt::format("{} ranks cannot share {} shard{}", ranks, shards, plural(shards)), hint));
}

/// Threads beyond the owned shards, or shares of the test set, would have nothing to do.
int effective_threads(const Communicator& world, const ComputeOptions& compute, int owned_shards) {
  const int usual = world.size() == 1 ? usable_core_count() : 1;
  const int wanted = compute.threads > 0 ? compute.threads : usual;
  return std::clamp(wanted, 1, std::max(1, owned_shards));
}

/// Ranks with different arguments would not even meet in the same calls, so these are compared
/// first.
void check_same_orders(Communicator& world, const Config& config, const ComputeOptions& compute) {
  check_agreement(world,
                  {{"mnist-dist's version", full_version()},
                   {"the recipe", recipe_toml(config)},
                   {"the seed", std::to_string(config.train.seed)},
                   {"--engine", compute.engine},
                   {"--device", compute.device},
                   {"--comm", compute.comm.transport},
                   {"--reduce", compute.comm.reduce},
                   {"--per-slice", compute.per_slice ? "on" : "off"}},
                  "start every rank with the same mnist-dist, recipe and options");
}

/// Ranks may have different targets where all give the same bits. Collective. Throws: Error
/// (usage), on every rank, when one cannot run its target.
void check_simd(Communicator& world, const std::string& engine, const std::string& wanted) {
  if (simd_targets(engine).empty())
    check_agreement(world, {{"--simd", wanted}}, "start every rank with the same --simd");
  else
    check_on_all(world, [&] { choose_fused_target(wanted); });
}

/// Makes the default data file when it is missing. Any other name is one that the user gave: a
/// missing file is a mistake then. Throws: Error (data).
void make_default_data(const std::filesystem::path& file, const Progress& progress) {
  if (std::filesystem::exists(file)) return;
  const PrepareOptions options;
  if (file.lexically_normal() != options.out.lexically_normal())
    throw data_error(fmt::format("no data file {}", file.string()),
                     "correct data.file, or make the file: " + prepare_command(file));
  prepare(options, progress);
}

}  // namespace

Session make_session(Communicator& comm, const Config& config, const ComputeOptions& compute,
                     const Progress& progress, SessionPurpose purpose,
                     std::optional<Normalisation> normalisation) {
  return make_session(comm, comm, config, compute, progress, purpose, normalisation);
}

Session make_session(Communicator& world, Communicator& group, const Config& config,
                     const ComputeOptions& compute, const Progress& progress,
                     SessionPurpose purpose, std::optional<Normalisation> normalisation) {
  // All that can be rejected without the data, which takes seconds to prepare.
  check_same_orders(world, config, compute);
  check_ranks(group.size(), config);
  Session session;
  session.compute = compute;
  check_on_all(world, [&] { session.engine = choose_engine(compute.engine, compute.device); });
  check_agreement(world, {{"the engine", session.engine}}, "give --device cpu on all hosts");
  // The other engines use LibTorch.
  if (session.engine != "fused") check_on_all(world, [] { torch_library_path(); });
  if (runs_on_gpu(session.engine)) session.gpu = choose_gpu(world, group);
  check_simd(world, session.engine, compute.simd);
  world.set_activity("preparing data");
  run_on_root(world, [&] {
    remove_leftovers_beside(config.data.file);
    make_default_data(config.data.file, progress);
    const Dataset dataset(config.data.file);  // a fault of the whole file is reported once
    check_data_shape(config.model, dataset, config.data.file,
                     "name the data file that the model was trained on");
    if (purpose == SessionPurpose::training)
      check_norm_slices(config.model,
                        shortest_slice(config, training_rows(config, dataset).size()));
  });

  const Dataset dataset(config.data.file);
  session.source = dataset.data_source();
  check_agreement(world, {{"the data (SHA-256)", session.source.hash}},
                  "copy one data file to every host");
  if (purpose == SessionPurpose::training) {
    session.data = load_shared_data(world, group, config, dataset);
  } else {
    session.data.own = load_test_shares(dataset, config.data.shards, group.rank(), group.size());
    session.data.evaluation = views(session.data.own);
    session.data.evaluation_rows = dataset.test_rows();
  }
  session.normalisation = normalisation.value_or(Normalisation{dataset.mean(), dataset.sd()});
  session.threads =
      effective_threads(world, compute, static_cast<int>(session.data.evaluation.size()));
  return session;
}

}  // namespace mnist_dist
