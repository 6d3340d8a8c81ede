#include "sweep/sweep.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>

#include "base/file.h"
#include "base/printable.h"
#include "base/shell_word.h"
#include "base/signals.h"
#include "base/standard_streams.h"
#include "cli/commands.h"
#include "cli/compute_options.h"
#include "cli/config_options.h"
#include "cli/world.h"
#include "comm/on_root.h"
#include "report/doctor.h"
#include "report/run_events.h"
#include "report/run_page.h"
#include "report/sweep_console.h"
#include "report/sweep_files.h"
#include "report/sweep_verdict.h"
#include "report/terminal.h"
#include "sweep/folder.h"
#include "sweep/places.h"
#include "sweep/seeds.h"
#include "sweep/verdict.h"

namespace mnist_dist {
namespace {

struct SweepArguments {
  ConfigOptions config;
  SweepOptions options;
  std::string out;
  std::optional<std::string> target;
  std::vector<std::string> compared;  ///< --compare
  bool tensorboard = true, quiet = false;
};

/// Ends the sweep on every rank: report and verdict on rank 0, the exit code on all. The verdict is
/// about all seeds of the sweep, the exit code about those of this start.
ExitCode conclude(Communicator& comm, SweepEnd end, const SweepOptions& options, bool quiet) {
  const std::filesystem::path& folder = options.folder;
  bool reached = false;
  int done = 0, requested = 0;
  run_on_root(comm, [&] {
    // A stop does not wait until many rows are read.
    if (const std::size_t rows = count_rows(folder);
        end == SweepEnd::interrupted && rows > block_size) {
      done = static_cast<int>(rows);
      requested = static_cast<int>(parse_seeds(read_identity(folder).seeds).size());
      return;
    }
    const SweepRecord record = write_tables_of(
        folder, [&](const SweepRecord& now) { write_sweep_report(folder, now); }, many_rows);
    const Verdict verdict = verdict_of(record);
    reached = all_reached(record, parse_seeds(options.seeds));
    done = verdict.trained + verdict.diverged;
    requested = verdict.requested;
    constexpr int text_column = 12;
    if (!quiet) print("\n");
    print_headline(record, verdict);
    for (const auto& [name, text] : verdict_lines(verdict))
      print_fitted(fmt::format("{:<11} {}\n", name, text), text_column);
    print_fitted(fmt::format("{:<11} {}\n", "report", printable((folder / "report.html").string())),
                 text_column);
  });
  if (end == SweepEnd::interrupted)
    throw on_all_ranks(
        Error(ExitCode::interrupted,
              fmt::format("stopped by a signal, {} of {} seeds are done", done, requested),
              "run the same command again to continue"));
  comm.broadcast(std::as_writable_bytes(std::span(&reached, 1)), 0);
  return reached ? ExitCode::ok : ExitCode::target_missed;
}

/// `sweep --compare A B`, as in 0.1.0.
ExitCode compare_by_old_name(const std::vector<std::string>& folders) {
  std::vector<std::string> words;
  for (const std::string& folder : folders) words.push_back(shell_word(folder));
  say_fitted(fmt::format("note: --compare is an old name. Write: mnist-dist compare {}",
                         fmt::join(words, " ")));
  return compare(folders);
}

ExitCode run(Communicator& comm, const SweepArguments& arguments, const Config& recipe) {
  SweepOptions options = arguments.options;
  options.recipe = recipe;
  options.target = arguments.target.value_or("");
  options.folder = arguments.out.empty() ? "runs/sweep-" + recipe.name : arguments.out;
  options.machine = find_cpu().text;
  if (!arguments.quiet) options.progress = say_fitted;
  options.files.recipe = arguments.config.title(recipe);
  options.files.write_page = write_run_page;
  RunEvents events;
  if (arguments.tensorboard) options.files.observers = {&events};
  run_on_root(comm, [&] { make_folders(options.folder.parent_path()); });
  SweepConsole console(options.folder, arguments.quiet);
  options.observer = &console;
  const SweepEnd end = run_sweep(comm, options);
  return conclude(comm, end, options, arguments.quiet);
}

}  // namespace

Command add_sweep(CLI::App& app) {
  auto arguments = std::make_shared<SweepArguments>();
  SweepOptions& options = arguments->options;
  add_config_options(app, arguments->config);
  app.add_option("--seeds", options.seeds, "Seeds, for example 0..99 or 1,5,10..19")
      ->type_name("LIST");
  app.add_option("--target", arguments->target,
                 fmt::format("Accuracy in percent that the final weights of every seed must reach "
                             "(default: that of the sweep in --out, {} for a new one)",
                             default_target))
      ->type_name("PERCENT");
  app.add_option("--ranks-per-run", options.ranks_per_run,
                 "Ranks that train one seed together. Each group of ranks takes the next seed when "
                 "it is free")
      ->type_name("K")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option(
         "--out", arguments->out,
         "Folder of the sweep (default: runs/sweep-RECIPE). If it exists, only missing seeds "
         "are trained. Any number of processes may work in it")
      ->type_name("DIR");
  app.add_flag("--stop-early", options.stop_early, "End at the first seed that misses the target");
  add_compute_options(app, options.compute);
  app.add_flag("!--no-tensorboard", arguments->tensorboard,
               "Write no event files for TensorBoard into the seeds' folders");
  app.add_flag("--quiet", arguments->quiet, "Print the verdict only: no row per seed, no progress");
  const CLI::Option* compared =
      app.add_option("--compare", arguments->compared)->group("");  // not in the help
  return [arguments, &app, compared] {
    if (!arguments->compared.empty()) {
      if (app.count_all() > compared->count() + 1)  // the command itself counts, too
        throw usage_error("--compare: not possible with other options", "leave them out");
      return compare_by_old_name(arguments->compared);
    }
    const std::string& seeds = arguments->options.seeds;
    if (seeds.empty()) throw usage_error("sweep needs --seeds", "name them as --seeds 0..99");
    parse_seeds(seeds);
    reject_seed_setting(arguments->config.settings, "name the seeds with --seeds");
    if (arguments->target) Target{*arguments->target};
    sweep_pace();
    const Config recipe = arguments->config.load();
    install_stop_handlers();
    return in_world(recipe.comm.timeout,
                    [&](Communicator& comm) { return run(comm, *arguments, recipe); });
  };
}

}  // namespace mnist_dist
