#include "train/trainer.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/shell_word.h"
#include "base/stopwatch.h"
#include "data/order.h"
#include "engine/update.h"
#include "train/diagnosis.h"
#include "train/evaluation.h"
#include "train/held_folder.h"
#include "train/run_start.h"
#include "train/schedule.h"

namespace mnist_dist {
namespace {

/// A run's place and its loop. Numbers count from 0 inside, from 1 where a person reads them.
class Run {
 public:
  Run(Communicator& comm, Engine& engine, const TrainerOptions& options)
      : comm_(comm),
        engine_(engine),
        options_(options),
        config_(options.config),
        slice_(config_.train.batch / config_.data.shards),
        steps_per_epoch_(steps_per_epoch(options.data.training_rows, config_.data.shards, slice_)),
        last_step_(total_steps(config_, steps_per_epoch_)),
        schedule_(config_, steps_per_epoch_),
        folder_(comm, options.lock),
        progress_(options.resume ? *options.resume : fresh_start(config_)),
        seconds_before_(progress_.seconds),
        reduce_([this](const ShardVectors& shards, std::span<float> total, const Queue& queue) {
          Reducer& sums = options_.reducer ? *options_.reducer : comm_;
          sums.tree_all_reduce(shards, config_.data.shards, total, queue);
        }) {
    check_place();
    if (!options.resume) {
      progress_.data_hash = options.provenance.data.hash;
      progress_.engine = options.computed_by;
    }
    // Also for a run that an older version began.
    progress_.data_set = name_in_checkpoint(options.provenance.data);
    progress_.data_mean = options.normalisation.mean;
    progress_.data_sd = options.normalisation.sd;
    progress_.layout = layout_json(flat_layout(config_.model));
  }

  RunResult run() {
    try {
      return train_to_the_end();
    } catch (const Error& error) {
      if (!folder_.lost()) notify_failure(error);
      throw;
    }
  }

 private:
  RunResult train_to_the_end() {
    engine_.set_training_data(options_.data.training, options_.data.first_shard);
    if (options_.scored) engine_.set_evaluation_data(options_.data.evaluation);
    engine_.load(progress_.state);
    folder_.check();
    notify([&](Observer& o) { o.started(info()); });
    EpochRow row;
    while (!done()) {
      const Stopwatch epoch_time;
      const double seconds_before_resume = progress_.epoch_seconds;
      row = train_epoch();
      // Only now is the epoch behind us: later code sees "step 0 of the next one".
      ++progress_.epoch;
      progress_.step = 0;
      if (done() || progress_.epoch % static_cast<std::uint32_t>(config_.train.evaluate_every) == 0)
        score(row);
      row.seconds = seconds_before_resume + epoch_time.seconds();
      folder_.check();
      notify([&](Observer& o) { o.epoch_ended(row); });
      if (done()) break;  // the last checkpoint keeps the last epoch's sums
      progress_.sums = {};
      progress_.epoch_seconds = 0;
      save();
    }
    if (row.epoch == 0)
      score(row = row_of_sums(static_cast<int>(
                progress_.epoch)));  // killed between its last checkpoint and its summary
    return finish(row);
  }

  void notify_failure(const Error& error) {
    if (comm_.rank() != 0) return;
    // The console, which is last, ends its live line before others print.
    const std::vector<Observer*>& all = options_.observers;
    for (auto observer = all.rbegin(); observer != all.rend(); ++observer)
      (*observer)->failed({.code = error.code(),
                           .message = error.what(),
                           .epoch = static_cast<int>(progress_.epoch),
                           .step = progress_.step,
                           .info = info()});
  }

  /// Throws: Error (data), on every rank, when no run of these data can have come where it resumes.
  void check_place() const {
    const std::int64_t updates = std::min(epoch_start() + progress_.step, last_step_);
    if (progress_.step <= steps_per_epoch_ && progress_.state.updates == updates) return;
    throw on_all_ranks(data_error(
        fmt::format("the checkpoint contradicts itself: {} updates at epoch {} step {}, "
                    "with {} steps per epoch",
                    progress_.state.updates, progress_.epoch, progress_.step, steps_per_epoch_),
        "use an unchanged checkpoint of mnist-dist"));
  }

  RunInfo info() const {
    RunInfo info{options_.provenance};
    info.folder = options_.folder;
    info.seed = config_.train.seed;
    info.classes = config_.model.classes;
    info.settings = settings_of(config_);
    info.steps_per_epoch = steps_per_epoch_;
    info.total_steps = last_step_;
    info.images_per_epoch = options_.data.training_rows;
    info.ranks = comm_.size();
    info.averaging = averaging();
    info.resumed_epoch = static_cast<int>(progress_.epoch);
    info.resumed_step = progress_.step;
    return info;
  }

  bool averaging() const { return config_.average.decay > 0; }
  std::int64_t epoch_start() const { return std::int64_t{progress_.epoch} * steps_per_epoch_; }
  bool done() const { return epoch_start() >= last_step_; }
  double share_done() const {
    return static_cast<double>(epoch_start() + progress_.step) / static_cast<double>(last_step_);
  }

  /// Trains the rest of the current epoch, and leaves its sums and seconds in progress_.
  EpochRow train_epoch() {
    const std::uint32_t epoch = progress_.epoch;
    const int steps =
        static_cast<int>(std::min<std::int64_t>(steps_per_epoch_, last_step_ - epoch_start()));
    const auto orders = epoch_orders(options_.data, config_.train.seed, epoch);
    std::vector<float> rates;
    for (int step = 0; step < steps_per_epoch_; ++step)
      rates.push_back(schedule_.rate(epoch_start() + step));
    // The shortest shard decides until which step all have full slices.
    const int whole_steps = options_.data.training_rows / config_.data.shards / slice_;
    engine_.begin_epoch({.epoch = epoch,
                         .orders = orders,
                         .learning_rates = rates,
                         .before = progress_.sums,
                         .whole_steps = whole_steps});

    const double seconds_before_resume = progress_.epoch_seconds;
    double writing_seconds = 0;  // checkpoints: not training
    const Stopwatch time;
    for (int step = progress_.step; step < steps; ++step) {
      comm_.set_activity(fmt::format("epoch {} step {}", epoch + 1, step + 1));
      const bool stop = options_.between_steps && options_.between_steps(share_done());
      engine_.step(step, stop || folder_.is_lost(), reduce_);
      const StepReport report = engine_.report(step + 1 == steps);
      const auto take = [&](const StepReport& now) {
        progress_.step = now.steps_done;
        progress_.sums = now.sums;
        progress_.epoch_seconds = seconds_before_resume + time.seconds() - writing_seconds;
      };
      take(report);
      if (report.non_finite_at)
        throw_diverged(comm_, engine_, config_, epoch, *report.non_finite_at, rates);
      if (report.stopped_at) interrupted();
      notify([&](Observer& o) {
        o.stepped(static_cast<int>(epoch) + 1, progress_.step, progress_.sums,
                  progress_.epoch_seconds);
      });
      if (checkpoint_age_.seconds() >= config_.train.checkpoint_seconds) {
        const Stopwatch writing;
        // The device's current progress, for the checkpoint. The report above, which is the same on
        // every rank, decides whether to stop.
        take(engine_.report(true));
        save();
        writing_seconds += writing.seconds();
      }
    }
    EpochRow row = row_of_sums(static_cast<int>(epoch) + 1);
    row.learning_rate = rates[static_cast<std::size_t>(steps) - 1];
    return row;
  }

  EpochRow row_of_sums(int epoch) const {
    EpochRow row;
    row.epoch = epoch;
    row.train = score_of(progress_.sums);
    // Checkpoints of earlier versions kept neither at the end of a run.
    if (progress_.epoch_seconds > 0)
      row.images_per_second = static_cast<double>(progress_.sums.images) / progress_.epoch_seconds;
    return row;
  }

  void score(EpochRow& row) {
    if (!options_.scored) {
      row.test = row.averaged_test = Score{};
      return;
    }
    notify([&](Observer& o) { o.evaluating(row.epoch); });
    const auto scored = [&](Weights weights, bool delivers) {
      if (!delivers || !done()) return evaluate(comm_, engine_, weights);
      return evaluate(comm_, engine_, weights, options_.data.evaluation, predictions_);
    };
    row.test = scored(Weights::raw, !averaging());
    if (averaging()) row.averaged_test = scored(Weights::averaged, true);
    const Score& delivered = averaging() ? *row.averaged_test : *row.test;
    if (delivered.accuracy > progress_.best.accuracy)
      progress_.best = {delivered.accuracy, row.epoch};
  }

  RunResult finish(const EpochRow& last) {
    progress_.state = engine_.save();
    check_finite_parameters(config_, progress_.state, last_step_);
    const TrainState& state = progress_.state;
    RunResult result;
    result.raw = *last.test;
    result.final = averaging() ? *last.averaged_test : result.raw;
    check_finite_loss(result.final, last_step_);
    result.best = progress_.best;
    result.raw_parameters_sha256 = weights_sha256(state.parameters, state.norm_statistics);
    result.parameters_sha256 =
        averaging() ? weights_sha256(state.average_parameters, state.average_norm_statistics)
                    : result.raw_parameters_sha256;
    result.initial_sha256 = progress_.initial_sha256;
    result.steps = last_step_;
    result.seconds = seconds();
    result.predictions = std::move(predictions_);
    // A finished run that is resumed was stopped before its summary.
    if (!std::exchange(progress_.finished, true)) save();
    folder_.check();
    // Last: a summary without its weights would be of no use, and a finished checkpoint without its
    // summary is resumed.
    notify([&](Observer& o) { o.finished(result); });
    folder_.check();
    return result;
  }

  double seconds() const { return seconds_before_ + run_time_.seconds(); }

  /// Not collective: between steps, each rank's clock says when. Skipped where the folder is lost,
  /// which the next check of it reports on all ranks.
  void save() {
    checkpoint_age_.restart();
    if (comm_.rank() != 0 || options_.folder.empty()) return;
    folder_.write_if_held([&] {
      progress_.state = engine_.save();
      progress_.seconds = seconds();
      save_checkpoint(options_.folder, progress_);
    });
  }

  [[noreturn]] void interrupted() {
    save();
    folder_.check();
    comm_.barrier();  // no rank reports a stop whose checkpoint is not on disk
    const std::string where = place_text(progress_.epoch, progress_.step);
    if (options_.folder.empty())
      throw on_all_ranks(Error(ExitCode::interrupted,
                               fmt::format("stopped by a signal after {}", where), "start again"));
    throw on_all_ranks(Error(
        ExitCode::interrupted,
        fmt::format("stopped by a signal after {}, the checkpoint is written", where),
        fmt::format("continue with --resume --run-dir {}", shell_word(options_.folder.string()))));
  }

  template <class Call>
  void notify(const Call& call) {
    if (comm_.rank() != 0) return;
    for (Observer* observer : options_.observers) folder_.write([&] { call(*observer); });
  }

  Communicator& comm_;
  Engine& engine_;
  const TrainerOptions& options_;
  const Config& config_;
  const int slice_, steps_per_epoch_;
  const std::int64_t last_step_;
  const Schedule schedule_;
  HeldFolder folder_;                    ///< is_lost() stops all ranks after a step
  Checkpoint progress_;                  ///< position of the run, as in a checkpoint
  std::vector<Prediction> predictions_;  ///< after the last step
  const double seconds_before_;
  const Reduce reduce_;
  Stopwatch run_time_, checkpoint_age_;
};

}  // namespace

RunResult train(Communicator& comm, Engine& engine, const TrainerOptions& options) {
  return Run(comm, engine, options).run();
}

}  // namespace mnist_dist
