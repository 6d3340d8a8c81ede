#include "sweep/sweep.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <thread>

#include "base/awake_clock.h"
#include "base/file.h"
#include "base/signals.h"
#include "base/version.h"
#include "comm/broadcast_text.h"
#include "comm/liveness.h"
#include "comm/on_root.h"
#include "engine/registry.h"
#include "sweep/folder.h"
#include "sweep/places.h"
#include "sweep/row.h"
#include "sweep/seeds.h"
#include "sweep/verdict.h"
#include "train/agreement.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;

/// Whether the number of ranks that train a seed shows in its bits: docs/gpu.md. Collective.
bool ranks_show(Communicator& world, const ComputeOptions& compute) {
  std::string engine;
  check_on_all(world, [&] { engine = choose_engine(compute.engine, compute.device); });
  return runs_on_gpu(engine) && !(compute.per_slice && compute.comm.reduce == "exact");
}

SweepIdentity identity_of(const SweepOptions& options, const Session& session,
                          const EngineInfo& engine, const std::string& fingerprint, int ranks) {
  SweepIdentity identity{provenance_of(options.recipe, session.source, engine, session.threads)};
  identity.engine.versions["mnist-dist"] = full_version();
  identity.images = session.data.evaluation_rows;
  identity.fingerprint = fingerprint;
  identity.machine = options.machine;
  identity.ranks_per_run = options.ranks_per_run;
  identity.groups = (ranks + options.ranks_per_run - 1) / options.ranks_per_run;
  identity.last_group_ranks = ranks % options.ranks_per_run;
  identity.seeds = options.seeds;
  identity.target = options.target;
  identity.declared = {{options.seeds, identity.started}};
  return identity;
}

/// This rank's rows of one seed.
LocalData rows_of_seed(const Communicator& group, const Session& session, const Config& config) {
  const Dataset dataset(config.data.file);
  if (dataset.hash() != session.source.hash)
    throw data_error(config.data.file + " was replaced while the sweep ran",
                     "put the file back, and run the same command again");
  return load_local_data(config, dataset, group.rank(), group.size());
}

/// A leader's look at the folder between steps: for the display on rank 0, and to end at the first
/// miss.
class Watch {
 public:
  Watch(const SweepOptions& options, bool shows)
      : options_(options), shows_(shows), view_(options.folder, read_identity(options.folder)) {
    if (shows_) options_.observer->started(view_);
  }
  /// Whether the sweep is to end.
  bool look(bool now = false) {
    const auto appeared = view_.refresh(now);
    if (shows_) {
      for (const SeedOutcome& outcome : appeared) options_.observer->seed_ended(outcome);
      options_.observer->tick(view_);
      tables_are_old_ |= !appeared.empty();
      if (tables_are_old_ && view_.declared() <= block_size) write_tables_sometimes();
    }
    return options_.stop_early && (missed_ || view_.failures() > 0);
  }
  /// A seed that this worker trained.
  void ended(const SeedOutcome& outcome) {
    missed_ |= !reaches(outcome, Target(view_.identity().target));
    if (view_.declared() <= block_size) look(true);
  }

 private:
  /// Of a small sweep the tables are kept as new as 2 % of the time allows, for those who read them
  /// while it runs. Not while another process writes them.
  void write_tables_sometimes() {
    const auto begin = Clock::now();
    if (begin < next_tables_) return;
    if (auto lease = LeaseSeeker(lease_file(options_.folder), sweep_pace()).try_take()) {
      const FolderLock lock(options_.folder, std::move(*lease));
      const SweepRecord record = read_record(options_.folder);
      tables_are_old_ = !write_tables(options_.folder, record, lock) || !lock.in_place();
      if (!tables_are_old_) options_.observer->tables_written(record);
    }
    next_tables_ = Clock::now() + 50 * (Clock::now() - begin);
  }

  using Clock = std::chrono::steady_clock;
  const SweepOptions& options_;
  const bool shows_;
  SweepView view_;
  bool missed_ = false, tables_are_old_ = true;
  Clock::time_point next_tables_;
};

/// A file's name in the sweep's folder that no other live world has, on all ranks. Removes those
/// that killed worlds left there. Collective.
fs::path own_file(Communicator& world, const fs::path& folder, const char* name) {
  if (world.rank() == 0) remove_leftovers_beside(folder / name);
  return folder / broadcast_text(world, temporary_name(name).string());
}

/// Throws: Error (data) on all ranks when leaders see another folder in the sweep's place: seeds
/// would be trained once per folder. Collective. `open` makes the folder on rank 0.
void check_folder_is_shared(Communicator& world, bool leads, const fs::path& mark,
                            const std::function<void()>& open) {
  run_on_root(world, [&] {
    open();
    if (world.size() > 1) write_file_atomically(mark, std::string_view("shared\n"));
  });
  if (world.size() == 1) return;
  bool sees = !leads || world.rank() == 0;
  for (AwakeClock waiting; !sees && waiting.seconds() < liveness::folder_seconds;
       std::this_thread::sleep_for(liveness::folder_look)) {
    std::error_code error;
    sees = fs::exists(mark, error);
  }
  int blind = world.size();
  const auto all = world.all_gather(std::as_bytes(std::span(&sees, 1)));
  for (int rank = world.size() - 1; rank >= 0; --rank)
    if (all[static_cast<std::size_t>(rank)].front() == std::byte{0}) blind = rank;
  std::error_code error;
  if (world.rank() == 0) fs::remove(mark, error);
  if (blind == world.size()) return;
  throw on_all_ranks(
      data_error(fmt::format("{}: rank {} does not see the folder of rank 0",
                             mark.parent_path().string(), blind),
                 "share the folder between the hosts, or start a sweep on each and join them with "
                 "mnist-dist merge"));
}

/// Why the sweep ends for all ranks: by a signal when one rank ends by it. Collective.
SweepEnd agreed(Communicator& world, SweepEnd mine) {
  SweepEnd end = mine;
  for (const auto& bytes : world.all_gather(std::as_bytes(std::span(&mine, 1))))
    end = std::max(end, static_cast<SweepEnd>(std::to_integer<int>(bytes.front())));
  return end;
}

}  // namespace

void check_groups(int ranks, int ranks_per_run, bool ranks_show) {
  if (ranks_per_run > ranks)
    throw on_all_ranks(
        usage_error(fmt::format("--ranks-per-run: too large (got {}, expected at most {})",
                                ranks_per_run, ranks),
                    "give a smaller --ranks-per-run, or start more ranks with mpirun"));
  if (const int rest = ranks % ranks_per_run; ranks_show && rest != 0)
    throw on_all_ranks(usage_error(
        fmt::format("--ranks-per-run: {} ranks in groups of {} leave a group of {}, whose seeds "
                    "would have different bits on GPUs",
                    ranks, ranks_per_run, rest),
        fmt::format("start {} ranks, or give --per-slice --reduce exact", ranks - rest)));
}

SweepEnd run_sweep(Communicator& world, const SweepOptions& options) {
  check_groups(world.size(), options.ranks_per_run, ranks_show(world, options.compute));
  const auto group = world.split(world.rank() / options.ranks_per_run);
  const Config probe = fingerprint_config(options.recipe);
  const Session session = make_session(world, *group, probe, options.compute, options.progress);
  Computation computation(world, *group, session, probe);
  const std::string print = fingerprint(*group, session, computation, probe);
  check_agreement(world, {{"the parameters after 50 steps", print}});

  const StopSign stop(own_file(world, options.folder, ".stop")),
      miss(own_file(world, options.folder, ".miss"));
  check_folder_is_shared(world, group->rank() == 0, own_file(world, options.folder, ".start"), [&] {
    open_sweep(options.folder, options.recipe,
               identity_of(options, session, computation.info(), print, world.size()));
  });
  const bool shows = world.rank() == 0;
  std::optional<Watch> watch;
  if (group->rank() == 0 && (shows || options.stop_early)) watch.emplace(options, shows);
  const auto save_row = [&](const SeedOutcome& outcome) {
    write_row(options.folder, scored_name(!options.recipe.data.split.empty()), outcome);
    if (watch) watch->ended(outcome);
  };
  std::optional<GroupLeader> leader;
  if (group->rank() == 0)
    leader.emplace(
        SeedQueue(options.folder, parse_seeds(options.seeds), sweep_pace()), stop, miss,
        GroupLeader::Hooks{save_row, [&] { return watch && watch->look(); }, stop_requested});

  SweepEnd end{};
  try {
    end = run_group(*group, leader ? &*leader : nullptr, stop_requested,
                    [&](std::uint64_t seed, FolderLock* lock, const BetweenSteps& between_steps) {
                      Config config = options.recipe;
                      config.train.seed = seed;
                      std::optional<LocalData> own;
                      if (rows_follow_seed(config)) own = rows_of_seed(*group, session, config);
                      SeedOutcome outcome =
                          run_seed(*group, session, computation, own ? *own : session.data, config,
                                   seed_run_folder(options.folder, seed), lock, options.files,
                                   between_steps);
                      outcome.group = world.rank() / options.ranks_per_run;
                      return outcome;
                    });
  } catch (const Error& error) {
    throw_from_group(world, *group, error);
  }
  end = agreed(world, end);
  if (shows) {
    stop.take_down();
    miss.take_down();
    watch->look(true);
    options.observer->ended();
  }
  return end;
}

SweepRecord write_tables_of(const fs::path& folder,
                            const std::function<void(const SweepRecord&)>& also, std::size_t many) {
  for (;;) {
    std::optional<FolderLock> lock;
    if (fs::exists(folder / "rows")) lock = lock_sweep(folder);
    if (const std::size_t rows = count_rows(folder); rows > many)
      if (SweepRecord made = read_seeds_table(folder); made.outcomes.size() == rows) return made;
    SweepRecord record = read_record(folder);
    // seeds.csv is the last of all files: where it is complete, so are the others. A process that
    // was stopped for long loses the lock, and others may have written since.
    if (also) also(record);
    if (lock && (!write_tables(folder, record, *lock) || !lock->in_place())) continue;
    return record;
  }
}

}  // namespace mnist_dist
