#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/file.h"
#include "base/folder_lock.h"
#include "base/json_text.h"
#include "base/printable.h"
#include "base/shell_word.h"
#include "base/signals.h"
#include "base/standard_streams.h"
#include "cli/commands.h"
#include "cli/compute_options.h"
#include "cli/config_options.h"
#include "cli/trained_argument.h"
#include "cli/world.h"
#include "data/data_name.h"
#include "report/console.h"
#include "report/run_events.h"
#include "report/run_page.h"
#include "report/terminal.h"
#include "train/agreement.h"
#include "train/computation.h"
#include "train/run_files.h"
#include "train/run_folder.h"
#include "train/run_start.h"
#include "train/trainer.h"

namespace mnist_dist {
namespace {

struct TrainArguments {
  ConfigOptions config;
  ComputeOptions compute;
  std::optional<std::string> seed;  // as typed: the recipe checks it
  std::string run_dir, init_from;
  bool resume = false, print_config = false, json = false, quiet = false, tensorboard = true;
};

Config configured(const TrainArguments& arguments) {
  ConfigOptions options = arguments.config;
  // A named run continues with its own recipe, unless options give one (which is rejected if it
  // differs).
  if (arguments.resume && !arguments.run_dir.empty() && !options.given) {
    options.recipe = arguments.run_dir + "/config.toml";
    if (!std::filesystem::exists(options.recipe))
      throw usage_error(
          fmt::format("nothing to resume in {}: no config.toml found", arguments.run_dir),
          std::filesystem::exists(arguments.run_dir)
              ? "name the run's recipe with --config, or a different --run-dir"
              : "check --run-dir, or start a new run without --resume");
    try {
      load_config(options.recipe, {}, {});
    } catch (const Error& error) {
      if (error.code() != ExitCode::usage) throw;
      throw usage_error(fmt::format("nothing to resume: {}", error.what()),
                        "name the run's recipe with --config, or a different --run-dir");
    }
  }
  if (arguments.seed) options.settings.push_back(fmt::format("train.seed={}", *arguments.seed));
  return options.load();
}

/// Finds or makes the run folder, and locks it: two runs in one folder would overwrite each other's
/// files.
RunStart look_for_start(const TrainArguments& arguments, const Config& config,
                        const Session& session, const std::string& computed_by,
                        std::optional<FolderLock>& lock) {
  if (!arguments.resume) {
    std::optional<Checkpoint> start;
    if (!arguments.init_from.empty()) {
      start = begin_from(open_trained_argument(arguments.init_from), config);
      start->data_hash = session.source.hash;
      start->engine = computed_by;
    }
    const auto folder = arguments.run_dir.empty() ? make_default_folder(config)
                                                  : std::filesystem::path(arguments.run_dir);
    lock.emplace(create_run_folder(folder, config));
    // At once, so that a run that is killed before its first checkpoint resumes from these weights.
    if (start) save_checkpoint(folder, *start);
    return {folder, std::move(start)};
  }
  const auto folder = arguments.run_dir.empty() ? newest_unfinished_run("runs", config)
                                                : std::filesystem::path(arguments.run_dir);
  lock.emplace(folder);
  std::optional<Found> found = resume_point(folder, config);
  if (!found) {
    say_fitted(fmt::format("note: {}: no checkpoint yet. The run starts again", folder.string()));
    return {folder, std::nullopt};
  }
  if (!found->fallback.empty())
    say_fitted(fmt::format("note: continuing from checkpoint.prev.h5: {}", found->fallback));
  if (!has_rows_of(folder, found->checkpoint.epoch))
    say_fitted(fmt::format("note: {} misses rows of some epochs: report will reject it",
                           (folder / "metrics.csv").string()));
  return {folder, std::move(found->checkpoint)};
}

void note_other_engine(const std::string& was, const std::string& is) {
  if (computes_the_same(was, is)) return;
  const auto [before, now] = first_difference(was, is);
  say_fitted(fmt::format(
      "note: started with {}, continuing with {}: the result may differ in the last bits", before,
      now));
}

/// The run's folder, and the object of a file in it.
void print_object(const std::filesystem::path& folder, const char* file) {
  nlohmann::ordered_json json{{"run_dir", folder.string()}};
  json.update(nlohmann::ordered_json::parse(read_text_file(folder / file)));
  print(json_text(json));
}

ExitCode run(Communicator& comm, const TrainArguments& arguments, const Config& config) {
  const Session session = make_session(comm, config, arguments.compute, say_fitted);
  Computation computation(comm, comm, session, config);
  std::optional<FolderLock> lock;  // rank 0's
  RunStart start = find_start(comm, [&] {
    return look_for_start(arguments, config, session, computation.computed_by(), lock);
  });
  if (start.checkpoint) {
    check_same_data(*start.checkpoint, session.source.hash);
    if (comm.rank() == 0) note_other_engine(start.checkpoint->engine, computation.computed_by());
  }

  const std::string recipe = arguments.config.title(config);
  std::string title = fmt::format("{} | {} | seed {} | {}", recipe, data_title(session.source),
                                  config.train.seed, start.folder.string());
  if (start.checkpoint && !start.checkpoint->initial_sha256.empty())
    title += fmt::format(" | started from weights {:.12}...", start.checkpoint->initial_sha256);
  TrainerOptions options{.config = config,
                         .data = session.data,
                         .provenance = provenance_of(config, session.source, computation.info(),
                                                     session.threads, recipe),
                         .computed_by = computation.computed_by(),
                         .reducer = &computation.reducer(),
                         .folder = start.folder,
                         .lock = lock ? &*lock : nullptr,
                         .resume = std::move(start.checkpoint),
                         .between_steps = [](double) { return stop_requested(); },
                         .normalisation = session.normalisation};
  RunEvents events;
  RunFiles files(start.folder, write_run_page);
  Console console(std::move(title), {.table = !arguments.json && !arguments.quiet,
                                     .progress = !arguments.quiet,
                                     .result = !arguments.json});
  if (comm.rank() == 0) {
    if (arguments.tensorboard) options.observers.push_back(&events);
    options.observers.push_back(&files);
    options.observers.push_back(&console);  // last, so that it shows only results on disk
    // After Ctrl-C mpirun may pass nothing on.
    if (!arguments.json && !arguments.quiet && detect_launcher().present)
      print_fitted(
          fmt::format("Ctrl-C stops after a checkpoint. Resume with --resume --run-dir {}\n",
                      shell_word(start.folder.string())));
  }
  try {
    train(comm, computation.engine(), options);
  } catch (const Error& error) {
    if (comm.rank() == 0 && arguments.json && error.code() == ExitCode::diverged)
      print_object(start.folder, "status.json");
    throw;
  }
  if (comm.rank() == 0) {
    if (arguments.json)
      print_object(start.folder, "summary.json");
    else if (!arguments.quiet)
      print_fitted(fmt::format("report {}\n", printable((start.folder / "report.html").string())));
  }
  return ExitCode::ok;
}

}  // namespace

Command add_train(CLI::App& app) {
  auto arguments = std::make_shared<TrainArguments>();
  add_config_options(app, arguments->config);
  app.add_option("--seed", arguments->seed, "Seed of the run, short for --set train.seed=N")
      ->type_name("N");
  app.add_option(
         "--run-dir", arguments->run_dir,
         "Run folder (default: runs/RECIPE-seedN-TIME). An existing one is never overwritten")
      ->type_name("DIR")
      ->check([](const std::string&
                     folder) {  // CLI11 takes the next option for the value of `--run-dir=`
        return folder.empty() || folder.starts_with("--")
                   ? "empty folder name (is a shell variable unset?)"
                   : "";
      });
  app.add_flag("--resume", arguments->resume,
               "Resume from the last checkpoint of --run-dir, or of the newest unfinished run of "
               "this recipe and seed");
  app.add_option("--init-from", arguments->init_from,
                 "Start with the weights of a different run of the same model")
      ->type_name("RUN|CHECKPOINT");
  add_compute_options(app, arguments->compute);
  app.add_flag("!--no-tensorboard", arguments->tensorboard,
               "Write no event file for TensorBoard into the run folder");
  app.add_flag("--print-config", arguments->print_config, "Print the resolved recipe and exit");
  app.add_flag("--json", arguments->json,
               "Print the result as one JSON object, instead of the table. For a diverged run: its "
               "status");
  app.add_flag("--quiet", arguments->quiet, "Print the result only: no table and no progress");
  return [arguments] {
    if (arguments->resume && !arguments->init_from.empty())
      throw usage_error("--init-from: a resumed run has its weights already",
                        "leave --init-from out, or start a new run without --resume");
    const Config config = configured(*arguments);
    if (arguments->print_config) {
      print(to_toml(config));
      return ExitCode::ok;
    }
    install_stop_handlers();
    return in_world(config.comm.timeout,
                    [&](Communicator& comm) { return run(comm, *arguments, config); });
  };
}

}  // namespace mnist_dist
