#include "sweep/tune.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "base/file.h"
#include "base/printable.h"
#include "base/signals.h"
#include "cli/commands.h"
#include "cli/compute_options.h"
#include "cli/config_options.h"
#include "cli/world.h"
#include "comm/on_root.h"
#include "config/recipes.h"
#include "report/doctor.h"
#include "report/search_page.h"
#include "report/terminal.h"
#include "report/tune_console.h"
#include "sweep/folder.h"
#include "train/data_fit.h"

namespace mnist_dist {
namespace {

struct TuneArguments {
  std::string space, out;
  TuneOptions options;
  bool quiet = false;
};

/// The table of all candidates, and the best one's recipe. Throws: Error (diverged) when not even
/// that one trained to its end.
void deliver(const std::vector<Candidate>& candidates, const std::filesystem::path& folder) {
  print_fitted(fmt::format(
      "\nall candidates, best first (validation rows, the test set was not opened)\n{}{:<9} {}\n",
      tuning_table(candidates, terminal_columns(Output::standard_out)), "table",
      printable((folder / "tuning.csv").string())));
  const auto write_page = [&] {
    write_file_atomically(folder / "report.html", search_page(read_search(folder)));
  };
  if (!candidates.front().scored()) {
    write_page();
    throw Error(ExitCode::diverged,
                "every candidate diverged on all its seeds: there is no recipe to deliver",
                "add smaller learning rates to the space, and use a different --out");
  }
  Config winner = candidates.front().config;
  winner.data.split.clear();  // the frozen recipe trains on all training images
  const auto best = folder / "best.toml";
  write_file_atomically(best, to_toml(winner));
  write_page();
  print_fitted(fmt::format("{:<9} {}\n{:<9} {}\n", "recipe", printable(best.string()), "report",
                           printable((folder / "report.html").string())));
}

ExitCode run(Communicator& comm, TuneOptions options, bool quiet) {
  options.sweep.machine = find_cpu().text;
  if (!quiet) options.sweep.progress = say_fitted;
  TrialConsole trial(quiet);
  options.sweep.observer = &trial;
  TuneConsole console(quiet);
  const auto candidates = tune(comm, options, comm.rank() == 0 ? &console : nullptr);
  run_on_root(comm, [&] { deliver(candidates, options.sweep.folder); });
  return ExitCode::ok;
}

/// Throws: Error (usage).
TuneOptions options_of(const TuneArguments& arguments) {
  if (arguments.space.empty())
    throw usage_error("tune needs --space",
                      "name a search space, such as --space configs/tune/recipe.toml");
  TuneOptions options = arguments.options;
  reject_seed_setting(options.settings, "leave it out: every candidate trains seeds 1, 2, ...");
  if (options.max_seeds < options.seeds)
    throw usage_error(
        fmt::format("--max-seeds {} is below --seeds {}", options.max_seeds, options.seeds),
        fmt::format("give --max-seeds {} or more", options.seeds));
  options.space = read_space(arguments.space);
  options.recipe_folders = recipe_folders();
  options.sweep.folder = arguments.out.empty()
                             ? "runs/tune-" + std::filesystem::path(arguments.space).stem().string()
                             : arguments.out;
  return options;
}

/// Fits the candidates to the data file's images. Returns their comm.timeout.
double fit_models(TuneOptions& options) {
  Config first =
      load_config(options.space.recipes.front(), options.settings, options.recipe_folders);
  fit_to_data(first);
  if (first.model.side != image_side)
    options.settings.push_back(fmt::format("model.side={}", first.model.side));
  if (first.model.classes != class_count)
    options.settings.push_back(fmt::format("model.classes={}", first.model.classes));
  return first.comm.timeout;
}

}  // namespace

Command add_tune(CLI::App& app) {
  auto arguments = std::make_shared<TuneArguments>();
  TuneOptions& options = arguments->options;
  app.add_option("--space", arguments->space, "Search space, a file like configs/tune/recipe.toml")
      ->type_name("FILE");
  app.add_option(
         "--candidates", options.candidates,
         "Candidates in the first round: each recipe of the space unchanged, then random draws")
      ->type_name("N")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  app.add_option(
         "--seeds", options.seeds,
         "Seeds per candidate in the first round. Candidates that are not significantly worse than "
         "the best one (95 %) continue with twice as many")
      ->type_name("N")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  app.add_option("--max-seeds", options.max_seeds, "Seeds per candidate in the last round")
      ->type_name("N")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  app.add_option("--draw-seed", options.draw_seed, "Seed of the random draws")
      ->type_name("N")
      ->capture_default_str();
  app.add_option("--set", options.settings, "Change a key of every candidate. May be repeated")
      ->type_name("SECTION.KEY=VALUE")
      ->allow_extra_args(false);
  app.add_option("--out", arguments->out,
                 "Folder of the search (default: runs/tune-SPACE). If it exists, only missing runs "
                 "are trained")
      ->type_name("DIR");
  add_compute_options(app, options.sweep.compute);
  app.add_flag("--quiet", arguments->quiet, "Print the final table only: no rounds, no progress");
  return [arguments] {
    TuneOptions search = options_of(*arguments);
    const double timeout = fit_models(search);
    sweep_pace();
    install_stop_handlers();
    return in_world(timeout,
                    [&](Communicator& comm) { return run(comm, search, arguments->quiet); });
  };
}

}  // namespace mnist_dist
