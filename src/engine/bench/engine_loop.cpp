#include "engine/bench/engine_loop.h"

#include "base/error.h"
#include "data/order.h"
#include "data/synthetic.h"
#include "model/reduce_tree.h"

namespace mnist_dist {
namespace {

class EngineLoop final : public TrainingLoop {
 public:
  EngineLoop(std::unique_ptr<Engine> engine, const Config& config, int steps, Reduce reduce)
      : batch_(config.train.batch),
        seed_(config.train.seed),
        epoch_steps_(steps),
        reduce_(reduce ? std::move(reduce)
                       : [](const ShardVectors& shards, std::span<float> total,
                            const Queue&) { sum_shards(shards, total); }),
        rates_(static_cast<std::size_t>(steps),
               static_cast<float>(config.optimizer.learning_rate)) {
    const Images digits = synthetic_digits(seed_, SyntheticSet::train, epoch_steps_ * batch_);
    for (int shard = 0; shard < config.data.shards; ++shard) {
      const Range rows = even_share(shard, config.data.shards, digits.count());
      Images& images = shards_.emplace_back();
      images.first_row = rows.first;
      images.pixels.assign(digits.image(rows.first), digits.image(rows.last));
      images.labels.assign(digits.labels.begin() + rows.first, digits.labels.begin() + rows.last);
    }
    orders_.resize(shards_.size());

    const FlatLayout layout = flat_layout(config.model);
    TrainState state;
    state.parameters = initial_parameters(layout, seed_);
    state.norm_statistics = initial_norm_statistics(layout);
    state.momentum.assign(layout.parameter_count, 0.0f);
    if (config.average.decay > 0)
      state.average_parameters = state.parameters,
      state.average_norm_statistics = state.norm_statistics;
    engine_ = std::move(engine);
    engine_->set_training_data(views(shards_), 0);
    engine_->set_evaluation_data(views(shards_));
    engine_->load(state);
  }

  int train(int images) override {
    const int steps = (images + batch_ - 1) / batch_;
    for (int i = 0; i < steps; ++i) {
      if (next_step_ % epoch_steps_ == 0) begin_epoch();
      engine_->step(next_step_++ % epoch_steps_, false, reduce_);
    }
    if (engine_->report(true).non_finite_at)
      throw Error(ExitCode::diverged, "bench: the training diverged",
                  "lower the learning rate with --set optimizer.learning_rate=...");
    return steps * batch_;
  }

  int evaluate(int images) override {
    int done = 0;
    for (; done < images; done += epoch_steps_ * batch_) engine_->evaluate(Weights::raw, nullptr);
    return done;
  }

 private:
  void begin_epoch() {
    const auto epoch = static_cast<std::uint32_t>(next_step_ / epoch_steps_);
    for (std::size_t shard = 0; shard < shards_.size(); ++shard) {
      const Range rows{shards_[shard].first_row, shards_[shard].first_row + shards_[shard].count()};
      orders_[shard] = epoch_order(rows, static_cast<int>(shard), seed_, epoch);
    }
    engine_->begin_epoch({.epoch = epoch,
                          .orders = orders_,
                          .learning_rates = rates_,
                          .before = {},
                          .whole_steps = epoch_steps_});
  }

  int batch_;
  std::uint64_t seed_;
  int epoch_steps_;
  Reduce reduce_;
  std::vector<float> rates_;
  std::vector<Images> shards_;
  std::vector<std::vector<std::uint32_t>> orders_;
  std::unique_ptr<Engine> engine_;  // ends before the images it reads
  int next_step_ = 0;
};

}  // namespace

std::unique_ptr<TrainingLoop> make_engine_loop(std::unique_ptr<Engine> engine, const Config& config,
                                               int steps, Reduce reduce) {
  return std::make_unique<EngineLoop>(std::move(engine), config, steps, std::move(reduce));
}

}  // namespace mnist_dist
