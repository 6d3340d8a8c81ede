#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <optional>

#include "base/printable.h"
#include "base/signals.h"
#include "cli/commands.h"
#include "cli/compute_options.h"
#include "cli/trained_argument.h"
#include "cli/world.h"
#include "config/recipes.h"
#include "data/data_name.h"
#include "engine/registry.h"
#include "report/console.h"
#include "report/terminal.h"
#include "sweep/recorded.h"
#include "train/computation.h"
#include "train/run_start.h"
#include "train/trainer.h"

namespace mnist_dist {
namespace {

struct VerifyArguments {
  std::string folder, data_file, init_from;
  std::optional<std::uint64_t> seed;
  ComputeOptions compute;
};

/// The weights that the recorded run began with. Nothing where they were random ones.
/// Throws: Error: usage when --init-from is missing or superfluous, data when it has different
/// weights.
std::optional<Checkpoint> recorded_start(const VerifyArguments& arguments,
                                         const Recorded& recorded) {
  if (recorded.initial_sha256.empty() && arguments.init_from.empty()) return {};
  if (recorded.initial_sha256.empty())
    throw usage_error(fmt::format("--init-from: {} began with random weights", arguments.folder),
                      "leave --init-from out");
  if (arguments.init_from.empty())
    throw usage_error(fmt::format("{} began with the weights {:.12}... of a different run",
                                  arguments.folder, recorded.initial_sha256),
                      "name that run with --init-from");
  Checkpoint start = begin_from(open_trained_argument(arguments.init_from), recorded.config);
  if (start.initial_sha256 != recorded.initial_sha256)
    throw data_error(
        fmt::format("--init-from: {} has different weights (got {:.12}..., expected "
                    "{:.12}...)",
                    arguments.init_from, start.initial_sha256, recorded.initial_sha256),
        fmt::format("name the run that {} began with", arguments.folder));
  start.data_hash = recorded.data_hash;
  return start;
}

ExitCode run(Communicator& comm, const VerifyArguments& arguments, const Recorded& recorded,
             const std::optional<Checkpoint>& start) {
  const Config& config = recorded.config;
  const Session session = make_session(comm, config, arguments.compute, say_fitted);
  if (session.source.hash != recorded.data_hash)
    throw on_all_ranks(data_error(
        fmt::format(
            "{}: different data than {} was trained on (got hash {:.12}..., expected {:.12}...)",
            config.data.file, arguments.folder, session.source.hash, recorded.data_hash),
        "give the file that the run was trained on with --data"));
  Computation computation(comm, comm, session, config);
  Console console(fmt::format("verify {} | {} | {} | seed {}", arguments.folder,
                              recipe_title(config), data_title(session.source), config.train.seed));
  const TrainerOptions options{
      .config = config,
      .data = session.data,
      .provenance = provenance_of(config, session.source, computation.info(), session.threads),
      .computed_by = computation.computed_by(),
      .reducer = &computation.reducer(),
      .resume = start,
      .between_steps = [](double) { return stop_requested(); },
      .observers = {&console}};
  const RunResult result = train(comm, computation.engine(), options);
  const bool same = result.parameters_sha256 == recorded.parameters_sha256;
  if (comm.rank() == 0) {
    const EngineInfo& here = computation.info();
    const bool promised = !here.arithmetic.empty() && here.name == recorded.engine.name;
    const char* const verdict =
        same ? "verified: the same weights to the bit"
        : promised
            ? "NOT verified: different weights"
            : "NOT verified: different weights. Only fused promises the same ones everywhere";
    print_fitted(fmt::format("recorded  {}  {} ({})\nhere      {}  {} ({})\n{}\n",
                             printable(recorded.parameters_sha256), recorded.engine.name,
                             recorded.engine.simd, result.parameters_sha256, here.name, here.simd,
                             verdict));
  }
  return same ? ExitCode::ok : ExitCode::target_missed;
}

/// The recorded engine. Throws: Error (device) where this program was built without it.
std::string built_engine(const std::string& recorded, const std::string& folder) {
  const std::vector<std::string> built = engine_names();
  if (std::ranges::find(built, recorded) != built.end()) return recorded;
  throw device_error(fmt::format("{} was trained by the engine {}, which this build does not have",
                                 folder, recorded),
                     "build it in (launch/local.sh, for GPUs launch/local.sh --cuda)");
}

}  // namespace

Command add_verify(CLI::App& app) {
  auto arguments = std::make_shared<VerifyArguments>();
  app.add_option("folder", arguments->folder, "Folder of a finished run or of a sweep")
      ->type_name("DIR")
      ->required();
  app.add_option("--seed", arguments->seed, "Seed of a sweep (default: its first one)")
      ->type_name("N")
      ->check([](const std::string& seed) {
        return seed.starts_with('-') ? fmt::format("{} is not a seed (expected at least 0)", seed)
                                     : "";
      });
  app.add_option("--data", arguments->data_file, "Data file (default: the recorded one)")
      ->type_name("FILE");
  app.add_option("--init-from", arguments->init_from,
                 "The run whose weights the recorded one started with")
      ->type_name("RUN|CHECKPOINT");
  add_compute_options(app, arguments->compute);
  app.footer(
      "Trains the recipe again and compares the weights. The exit code is 0 if they are identical "
      "and 6 otherwise.");
  return [arguments] {
    Recorded recorded = read_recorded(arguments->folder, arguments->seed);
    if (!arguments->data_file.empty()) recorded.config.data.file = arguments->data_file;
    if (arguments->compute.engine.empty() && arguments->compute.device == "auto")
      arguments->compute.engine = built_engine(recorded.engine.name, arguments->folder);
    const std::optional<Checkpoint> start = recorded_start(*arguments, recorded);
    install_stop_handlers();
    return in_world(recorded.config.comm.timeout,
                    [&](Communicator& comm) { return run(comm, *arguments, recorded, start); });
  };
}

}  // namespace mnist_dist
