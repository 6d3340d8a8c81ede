#include "sweep/sweep.h"

#include <fmt/format.h>

#include <optional>

#include "base/provenance.h"
#include "base/signals.h"
#include "base/version.h"
#include "comm/heartbeat.h"
#include "config/recipes.h"
#include "engine/registry.h"
#include "sweep/folder.h"
#include "sweep/seeds.h"
#include "sweep/verdict.h"
#include "sweep/work.h"
#include "train/agreement.h"

namespace mnist_dist {
namespace {

/// Whether the number of ranks that train a seed shows in its bits: docs/gpu.md.
bool ranks_show(const ComputeOptions& compute) {
  return runs_on_gpu(choose_engine(compute.engine, compute.device)) && !(compute.per_slice && compute.comm.reduce == "exact");
}

SweepIdentity identity_of(const SweepOptions& options, const Session& session, const std::string& fingerprint, int ranks) {
  const EngineInfo info = session.engine->info();
  SweepIdentity identity;
  identity.recipe = recipe_title(options.recipe);
  identity.parameter_count = parameter_count(options.recipe.model);
  identity.epochs = options.recipe.train.epochs;
  identity.data_file = options.recipe.data.file;
  identity.data_hash = session.data_hash;
  identity.synthetic = session.synthetic;
  identity.validation = !options.recipe.data.split.empty();
  identity.images = session.data.evaluation_rows;
  identity.fingerprint = fingerprint;
  identity.engine = info.name;
  identity.simd = info.simd;
  identity.device = info.device;
  identity.versions = info.versions;
  identity.versions["mnist-dist"] = full_version();
  identity.host = host_name();
  identity.machine = options.machine;
  identity.ranks_per_run = options.ranks_per_run;
  identity.groups = (ranks + options.ranks_per_run - 1) / options.ranks_per_run;
  identity.last_group_ranks = ranks % options.ranks_per_run;
  identity.threads = session.threads;
  identity.seeds = options.seeds;
  identity.target = options.target;
  identity.command = options.command;
  identity.started = utc_now();
  return identity;
}

std::vector<int> leaders(int ranks, int ranks_per_run) {
  std::vector<int> first;
  for (int rank = 0; rank < ranks; rank += ranks_per_run) first.push_back(rank);
  return first;
}

/// An error that all ranks of one group met is not one that all ranks of the world did: the group's first rank prints it and ends the others.
[[noreturn]] void throw_from_group(const Communicator& world, const Communicator& group, const Error& error) {
  if (group.size() < world.size() && group.rank() == 0) throw Error(error.code(), error.what(), error.hint());
  throw error;
}

/// Rank 0's part beside its training: the folder, and the queue over what it lacks.
class Head {
 public:
  Head(const SweepOptions& options, const SweepIdentity& identity)
      : options_(options), target_(options.target), folder_(options.folder, options.recipe, identity) {}

  void start(SweepMail mail, int ranks) {
    options_.observer->started(folder_.record());
    std::vector<std::uint64_t> missing;
    bool hopeless = false;
    for (const std::uint64_t seed : parse_seeds(options_.seeds))
      if (!folder_.has(seed)) missing.push_back(seed);
    for (const SeedOutcome* outcome : verdict_of(folder_.record()).counted) hopeless |= !reaches(*outcome, target_);
    if (options_.stop_early && hopeless) missing.clear();
    dispatcher_.emplace(mail, leaders(ranks, options_.ranks_per_run), std::move(missing), options_.recipe.comm.timeout,
                        Dispatcher::Hooks{[this](const SeedOutcome& outcome) { return record(outcome); },
                                          [this](const SweepStatus& status) { options_.observer->tick(status); }});
  }
  Dispatcher& dispatcher() { return *dispatcher_; }

 private:
  bool record(const SeedOutcome& outcome) {
    folder_.add(outcome);
    options_.observer->seed_ended(outcome);
    return !options_.stop_early || reaches(outcome, target_);
  }

  const SweepOptions& options_;
  Target target_;
  SweepFolder folder_;
  std::optional<Dispatcher> dispatcher_;
};

}  // namespace

void check_groups(int ranks, int ranks_per_run, bool ranks_show) {
  if (ranks_per_run > ranks)
    throw usage_error(fmt::format("a run on {} ranks does not fit into {}", ranks_per_run, ranks),
                      "give a smaller --ranks-per-run, or start more ranks with mpirun")
        .mark_everywhere();
  if (const int rest = ranks % ranks_per_run; ranks_show && rest != 0)
    throw usage_error(
        fmt::format("{} ranks in groups of {} leave a group of {}, whose seeds would have other bits on GPUs", ranks, ranks_per_run, rest),
        fmt::format("start {} ranks, or give --per-slice --reduce exact", ranks - rest))
        .mark_everywhere();
}

SweepEnd run_sweep(Communicator& world, const SweepOptions& options) {
  check_groups(world.size(), options.ranks_per_run, ranks_show(options.compute));
  const auto group = world.split(world.rank() / options.ranks_per_run);
  const Config probe = fingerprint_config(options.recipe);
  const auto session = make_session(world, *group, probe, options.compute, options.progress);
  const std::string print = fingerprint(*group, *session, probe);
  check_agreement(world, {{"the parameters after 50 steps", print}});

  std::optional<Head> head;
  run_on_root(world, [&] { head.emplace(options, identity_of(options, *session, print, world.size())); });
  const auto reports = world.open_mailbox(), orders = world.open_mailbox();
  const SweepMail mail{*reports, *orders};
  if (head) head->start(mail, world.size());
  std::optional<Leader> leader;
  if (group->rank() == 0)
    leader.emplace(mail, world.rank() / options.ranks_per_run, head ? &head->dispatcher() : nullptr, options.recipe.comm.timeout, stop_requested);

  SweepEnd end{};
  try {
    end = work_through(*group, leader ? &*leader : nullptr, stop_requested, [&](std::uint64_t seed, const BetweenSteps& between_steps) {
      Config config = options.recipe;
      config.train.seed = seed;
      const auto folder = options.folder / "runs" / fmt::format("seed{}", seed);
      SeedOutcome outcome = run_seed(*group, *session, config, folder, options.make_observer, between_steps);
      outcome.group = world.rank() / options.ranks_per_run;
      return outcome;
    });
  } catch (const Error& error) {
    throw_from_group(world, *group, error);
  }
  world.barrier();
  while (reports->receive()) {  // the last signs of life
  }
  while (orders->receive()) {
  }
  if (head) options.observer->ended();
  return end;
}

}  // namespace mnist_dist
