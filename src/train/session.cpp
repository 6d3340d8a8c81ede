#include "train/session.h"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <filesystem>

#include "base/sha256.h"
#include "base/version.h"
#include "comm/heartbeat.h"
#include "data/prepare.h"
#include "engine/registry.h"
#include "train/agreement.h"
#include "train/gpu_choice.h"

namespace mnist_dist {
namespace {

void check_ranks(int ranks, const Config& config) {
  const int shards = config.data.shards;
  if (ranks <= shards) return;
  throw usage_error(fmt::format("{} ranks cannot share {} shards", ranks, shards),
                    fmt::format("start at most {} ranks, or give --set data.shards={} (another recipe: its results differ)", shards, ranks))
      .mark_everywhere();
}

/// The shortest slice that is not empty: what batch norm must be able to live with.
int shortest_slice(const Config& config, int rows) {
  const int slice = config.train.batch / config.data.shards;
  int shortest = slice;
  for (int shard = 0; shard < config.data.shards; ++shard) {
    const int rest = even_share(shard, config.data.shards, rows).size() % slice;
    if (rest > 0) shortest = std::min(shortest, rest);
  }
  return shortest;
}

int bound_cores() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  return ::sched_getaffinity(0, sizeof cores, &cores) == 0 ? CPU_COUNT(&cores) : 1;
}

/// Threads beyond the owned shards would have nothing to do.
int effective_threads(const Communicator& world, const ComputeOptions& compute, int owned_shards) {
  const int wanted = compute.threads > 0 ? compute.threads : world.size() == 1 ? bound_cores() : 1;
  return std::clamp(wanted, 1, std::max(1, owned_shards));
}

Facts facts_of(const Config& config, const EngineInfo& info, const std::string& data_hash) {
  Facts facts{{"mnist-dist's version", version},
              {"recipe", recipe_toml(config)},
              {"seed", std::to_string(config.train.seed)},
              {"data", data_hash},
              {"engine", info.name},
              {"simd", info.simd}};
  for (const auto& [name, value] : info.versions) facts.emplace_back(name + "'s version", value);
  return facts;
}

}  // namespace

std::unique_ptr<Session> make_session(Communicator& comm, const Config& config, const ComputeOptions& compute,
                                      const std::function<void(const std::string& line)>& progress) {
  return make_session(comm, comm, config, compute, progress);
}

std::unique_ptr<Session> make_session(Communicator& world, Communicator& group, const Config& config, const ComputeOptions& compute,
                                      const std::function<void(const std::string& line)>& progress) {
  check_ranks(group.size(), config);
  // Before the data, which may take minutes to fetch.
  const std::string engine = choose_engine(compute.engine, compute.device);
  const int gpu = runs_on_gpu(engine) ? choose_gpu(world, group) : 0;
  world.set_activity("preparing data");
  run_on_root(world, [&] {
    if (!std::filesystem::exists(config.data.file)) {
      PrepareOptions options;
      options.out = config.data.file;
      prepare(options, progress);
    }
    Dataset dataset(config.data.file);  // what is wrong with the whole file is said once
    training_rows(config, dataset);
    check_norm_slices(config.model, shortest_slice(config, training_rows(config, dataset).size()));
  });

  auto session = std::make_unique<Session>();
  session->engine_name = engine;
  const Dataset dataset(config.data.file);
  session->data = load_local_data(config, dataset, group.rank(), group.size());
  session->data_hash = dataset.hash();
  session->synthetic = dataset.synthetic();
  session->threads = effective_threads(world, compute, static_cast<int>(session->data.training.size()));

  EngineOptions& options = session->engine_options;
  options.config = config;
  options.normalisation = {dataset.mean(), dataset.sd()};
  options.threads = session->threads;
  options.device = compute.device;
  options.record = compute.record;
  options.per_slice = compute.per_slice;
  DeviceCommOptions comm = compute.comm;
  comm.timeout = config.comm.timeout;
  options.recorded_reduce = reduces_on_device(group, comm);
  options.while_waiting = [made = session.get()](double seconds) {
    if (made->device_group) made->device_group->watch(seconds);
  };
  options.gpu = gpu;
  // Ranks on different CPUs compute the same bits on what they have in common.
  options.simd = compute.simd.empty() ? first_common(world, "SIMD target", simd_targets(engine)) : compute.simd;
  session->engine = make_engine(engine, options);
  if (session->engine->queue().device >= 0) session->device_group = make_gpu_communicator(group, session->engine->queue(), comm);
  check_agreement(world, facts_of(config, session->engine->info(), session->data_hash));
  return session;
}

std::unique_ptr<Engine> Session::engine_for_seed(std::uint64_t seed) const {
  EngineOptions options = engine_options;
  options.config.train.seed = seed;
  return make_engine(engine_name, options);
}

}  // namespace mnist_dist
