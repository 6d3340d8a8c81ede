#include "sweep/seed_run.h"

#include "train/run_folder.h"
#include "train/run_start.h"
#include "train/trainer.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;

std::vector<Mistake> mistakes_in(const std::vector<Prediction>& predictions) {
  std::vector<Mistake> mistakes;
  for (const Prediction& image : predictions)
    if (!image.right()) mistakes.push_back({image.index, image.label, image.predicted});
  return mistakes;
}

void take(RunResult&& result, SeedOutcome& outcome) {
  outcome.final_accuracy = result.final.accuracy;
  outcome.final_loss = result.final.loss;
  outcome.final_correct = result.final.correct;
  outcome.images = result.final.images;
  outcome.raw_accuracy = result.raw.accuracy;
  outcome.best_accuracy = result.best.accuracy;
  outcome.best_epoch = result.best.epoch;
  outcome.seconds = result.seconds;
  outcome.mistakes = mistakes_in(result.predictions);
  outcome.parameters_sha256 = std::move(result.parameters_sha256);
  outcome.raw_parameters_sha256 = std::move(result.raw_parameters_sha256);
}

}  // namespace

SeedOutcome run_seed(Communicator& group, const Session& session, Computation& computation,
                     const LocalData& data, const Config& config, const fs::path& folder,
                     const FolderLock* lock, const SeedFiles& files,
                     const BetweenSteps& between_steps) {
  RunStart start = find_start(group, [&] {
    return RunStart{folder, start_or_resume(folder, config)};
  });
  if (start.checkpoint) check_same_data(*start.checkpoint, session.source.hash);
  const auto engine = computation.engine_for_seed(config.train.seed);

  SeedOutcome outcome;
  outcome.seed = config.train.seed;
  outcome.ranks = group.size();
  outcome.threads = session.threads;
  outcome.engine = computation.info();
  TrainerOptions options{.config = config,
                         .data = data,
                         .provenance = provenance_of(config, session.source, computation.info(),
                                                     session.threads, files.recipe),
                         .computed_by = computation.computed_by(),
                         .reducer = &computation.reducer(),
                         .folder = folder,
                         .lock = lock,
                         .resume = std::move(start.checkpoint),
                         .between_steps = between_steps,
                         .normalisation = session.normalisation};
  RunFiles run_files(folder, files.write_page);
  if (group.rank() == 0) {
    options.observers = files.observers;
    options.observers.push_back(&run_files);
  }
  try {
    take(train(group, *engine, options), outcome);
  } catch (const Error& error) {
    if (error.code() != ExitCode::diverged) throw;
    outcome.diverged = true;
    outcome.message = error.what();
  }
  if (group.rank() == 0) outcome.epochs = run_files.rows();
  return outcome;
}

Config fingerprint_config(const Config& recipe) {
  Config config = recipe;
  config.train.seed = 1;
  config.train.max_steps = 50;
  return config;
}

std::string fingerprint(Communicator& group, const Session& session, Computation& computation,
                        const Config& config) {
  const TrainerOptions options{
      .config = config, .data = session.data, .reducer = &computation.reducer(), .scored = false};
  try {
    return train(group, computation.engine(), options).raw_parameters_sha256;
  } catch (const Error& error) {
    if (error.code() != ExitCode::diverged) throw;
    return "diverged";
  }
}

}  // namespace mnist_dist
