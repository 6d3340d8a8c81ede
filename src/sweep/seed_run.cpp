#include "sweep/seed_run.h"

#include "train/evaluation.h"
#include "train/run_folder.h"
#include "train/run_start.h"
#include "train/trainer.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;

std::vector<Mistake> mistakes_in(const std::vector<ClassIndex>& predictions,
                                 const std::vector<ClassIndex>& labels, int first_row) {
  std::vector<Mistake> mistakes;
  for (std::size_t i = 0; i < labels.size(); ++i)
    if (predictions[i] != labels[i])
      mistakes.push_back({first_row + static_cast<int>(i), labels[i], predictions[i]});
  return mistakes;
}

/// Scores the engine's weights, and names each misclassified image.
void score(Communicator& group, Engine& engine, const LocalData& data, SeedOutcome& outcome) {
  const TrainState state = engine.save();
  const bool averaging = !state.average_parameters.empty();
  std::vector<ClassIndex> predictions;
  const Score delivered =
      evaluate(group, engine, averaging ? Weights::averaged : Weights::raw, &predictions);
  outcome.final_accuracy = delivered.accuracy;
  outcome.final_loss = delivered.loss;
  outcome.final_correct = delivered.correct;
  outcome.images = delivered.images;
  outcome.raw_accuracy =
      averaging ? evaluate(group, engine, Weights::raw).accuracy : delivered.accuracy;
  outcome.mistakes = mistakes_in(predictions, all_labels(group, data.evaluation),
                                 data.evaluation.front().first_row);
  outcome.raw_parameters_sha256 = weights_sha256(state.parameters, state.norm_statistics);
  outcome.parameters_sha256 =
      averaging ? weights_sha256(state.average_parameters, state.average_norm_statistics)
                : outcome.raw_parameters_sha256;
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
  Best best;
  if (start.checkpoint &&
      start.checkpoint->finished) {  // stopped between its end and its row in seeds.csv
    engine->set_evaluation_data(data.evaluation);
    engine->load(start.checkpoint->state);
    best = start.checkpoint->best;
    outcome.seconds = start.checkpoint->seconds;
  } else {
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
      const RunResult result = train(group, *engine, options);
      best = result.best;
      outcome.seconds = result.seconds;
    } catch (const Error& error) {
      if (error.code() != ExitCode::diverged) throw;
      outcome.diverged = true;
      outcome.message = error.what();
    }
  }
  outcome.best_accuracy = best.accuracy;
  outcome.best_epoch = best.epoch;
  if (!outcome.diverged) score(group, *engine, data, outcome);
  if (group.rank() == 0) {
    const CsvTable metrics(folder / "metrics.csv");
    outcome.epochs = parse_metrics(metrics, scored_in(metrics));
  }
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
