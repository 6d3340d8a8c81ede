#include "engine/host_engine.h"

#include <algorithm>
#include <new>
#include <stdexcept>

#include "base/arithmetic.h"
#include "engine/thread_pool.h"
#include "engine/update.h"
#include "model/reduce_tree.h"

namespace mnist_dist {
namespace {

/// Floats on a 64-byte boundary: a cache line of its own and any SIMD target's aligned loads.
class AlignedFloats {
 public:
  explicit AlignedFloats(std::size_t size)
      : size_(size),
        data_(static_cast<float*>(::operator new (std::max<std::size_t>(size, 1) * sizeof(float),
                                                  std::align_val_t{64}))) {
    std::fill_n(data_.get(), size, 0.0f);
  }
  float* data() const { return data_.get(); }
  std::size_t size() const { return size_; }

 private:
  struct Free {
    void operator()(float* data) const { ::operator delete (data, std::align_val_t{64}); }
  };
  std::size_t size_;
  std::unique_ptr<float, Free> data_;
};

/// State of one thread.
struct Seat {
  std::unique_ptr<SliceWorker> worker;
  SliceReader reader;
};

/// Part of an evaluation share that one call of a worker gets.
struct Chunk {
  const ImagesView* share;
  Range rows;         ///< of the share
  std::size_t first;  ///< where its results lie among those of all shares
};

void check_size(const char* what, std::size_t size, std::size_t expected) {
  if (size != expected)
    throw std::invalid_argument(std::string("host engine: wrong size of ") + what);
}

class HostEngine final : public Engine {
 public:
  HostEngine(const EngineOptions& options, EngineInfo info, const MakeWorker& make_worker)
      : info_(std::move(info)),
        pixels_(static_cast<std::size_t>(options.config.model.pixels())),
        classes_(static_cast<std::size_t>(options.config.model.classes)),
        layout_(flat_layout(options.config.model)),
        update_(layout_, options.config.optimizer, options.config.average),
        averages_(options.config.average.decay > 0),
        slice_size_(options.config.train.batch / options.config.data.shards),
        pool_(options.threads),
        seats_(static_cast<std::size_t>(pool_.size())),
        vectors_(0),
        total_(layout_.size()) {
    // On its own thread, so that a worker's buffers lie in the memory nearest to it and
    // thread-local settings of its library hold.
    pool_.run([&](int thread) {
      seats_[static_cast<std::size_t>(thread)].worker = make_worker();
      check_arithmetic();
    });
  }

  EngineInfo info() const override { return info_; }

  void set_training_data(std::span<const ImagesView> shards, int first_shard) override {
    shards_.assign(shards.begin(), shards.end());
    first_shard_ = first_shard;
    vectors_ = AlignedFloats(shards.size() * layout_.stride());
  }

  void set_evaluation_data(std::span<const ImagesView> shares) override {
    shares_.assign(shares.begin(), shares.end());
    chunks_.clear();
    std::size_t rows = 0;
    for (const ImagesView& share : shares_)
      for (int first = 0; first < share.count(); first += evaluation_chunk) {
        const Range chunk{first, std::min(share.count(), first + evaluation_chunk)};
        chunks_.push_back({&share, chunk, rows});
        rows += static_cast<std::size_t>(chunk.size());
      }
    losses_.resize(rows);
    predictions_.resize(rows);
  }

  void load(const TrainState& state) override {
    check_size("parameters", state.parameters.size(), layout_.parameter_count);
    check_size("momentum", state.momentum.size(), layout_.parameter_count);
    check_size("norm statistics", state.norm_statistics.size(), layout_.norm_count);
    check_size("averaged parameters", state.average_parameters.size(),
               averages_ ? layout_.parameter_count : 0);
    check_size("averaged norm statistics", state.average_norm_statistics.size(),
               averages_ ? layout_.norm_count : 0);
    state_ = state;
  }

  TrainState save() override { return state_; }

  void begin_epoch(const EpochPlan& plan) override {
    check_size("the epoch's orders", plan.orders.size(), shards_.size());
    epoch_ = plan.epoch;
    orders_.assign(plan.orders.begin(), plan.orders.end());
    learning_rates_.assign(plan.learning_rates.begin(), plan.learning_rates.end());
    report_ = {};
    report_.sums = plan.before;
  }

  void step(int index, bool stop, const Reduce& reduce) override {
    if (report_.stopped_at || report_.non_finite_at) return;
    const auto shards = static_cast<int>(shards_.size());
    pool_.run([&](int thread) {
      const Range owned = even_share(thread, pool_.size(), shards);
      for (int shard = owned.first; shard < owned.last; ++shard)
        train(seats_[static_cast<std::size_t>(thread)], shard, index, stop);
    });

    const std::span<float> total(total_.data(), layout_.size());
    reduce({.data = vectors_.data(),
            .size = layout_.size(),
            .stride = layout_.stride(),
            .first_shard = first_shard_,
            .count = shards},
           total, Queue{});

    if (!all_finite(total)) {
      report_.non_finite_at = index;
      return;
    }
    update_.apply(total, learning_rates_[static_cast<std::size_t>(index)], state_);
    report_.sums.images += static_cast<std::int64_t>(total[layout_.images()]);
    report_.sums.correct += static_cast<std::int64_t>(total[layout_.correct()]);
    report_.sums.loss += static_cast<double>(total[layout_.loss()]);
    report_.steps_done = index + 1;
    if (total[layout_.stop()] > 0) report_.stopped_at = index;
  }

  StepReport report(bool /*wait*/) override { return report_; }

  std::vector<Sums> evaluate(Weights weights, std::vector<ClassIndex>* predictions,
                             std::vector<float>* logits) override {
    if (weights == Weights::averaged && !averages_)
      throw std::invalid_argument("host engine: this recipe keeps no averaged weights");
    const WeightsView view =
        weights == Weights::raw
            ? WeightsView{state_.parameters, state_.norm_statistics}
            : WeightsView{state_.average_parameters, state_.average_norm_statistics};
    std::span<float> logits_out;
    if (logits) {
      logits->resize(losses_.size() * classes_);
      logits_out = *logits;
    }
    const auto chunks = static_cast<int>(chunks_.size());
    pool_.run([&](int thread) {
      const Range owned = even_share(thread, pool_.size(), chunks);
      for (int i = owned.first; i < owned.last; ++i)
        evaluate(*seats_[static_cast<std::size_t>(thread)].worker,
                 chunks_[static_cast<std::size_t>(i)], view, logits_out);
    });
    if (predictions) *predictions = predictions_;
    return sum_shares();
  }

  std::optional<Diagnosis> diagnose(int index) override {
    Seat& seat = seats_.front();
    for (std::size_t shard = 0; shard < shards_.size(); ++shard) {
      const Slice slice = gather(seat, static_cast<int>(shard), index);
      if (slice.count() == 0) continue;
      if (auto found = seat.worker->diagnose(slice, state_.parameters)) {
        found->shard = first_shard_ + static_cast<int>(shard);
        return found;
      }
    }
    return {};
  }

 private:
  /// The images that a shard shows at a step. None when it is exhausted.
  Slice gather(Seat& seat, int shard, int index) const {
    const std::span<const std::uint32_t> order = orders_[static_cast<std::size_t>(shard)];
    const std::size_t first = std::min(
        order.size(), static_cast<std::size_t>(index) * static_cast<std::size_t>(slice_size_));
    const auto rows =
        order.subspan(first, std::min(order.size() - first, static_cast<std::size_t>(slice_size_)));
    return seat.reader.read(shards_[static_cast<std::size_t>(shard)], rows, epoch_);
  }

  void train(Seat& seat, int shard, int index, bool stop) const {
    const std::span<float> out(vectors_.data() + static_cast<std::size_t>(shard) * layout_.stride(),
                               layout_.size());
    const Slice slice = gather(seat, shard, index);
    if (slice.count() > 0)
      seat.worker->train(slice, state_.parameters, out);
    else
      std::ranges::fill(out, 0.0f);
    out[layout_.stop()] = stop ? 1.0f : 0.0f;
  }

  void evaluate(SliceWorker& worker, const Chunk& chunk, const WeightsView& view,
                std::span<float> logits) {
    const auto first = static_cast<std::size_t>(chunk.rows.first),
               count = static_cast<std::size_t>(chunk.rows.size());
    worker.evaluate(
        chunk.share->pixels.subspan(first * pixels_, count * pixels_),
        chunk.share->labels.subspan(first, count), view,
        std::span(losses_).subspan(chunk.first, count),
        std::span(predictions_).subspan(chunk.first, count),
        logits.empty() ? logits : logits.subspan(chunk.first * classes_, count * classes_));
  }

  /// Row after row, whichever thread computed it.
  std::vector<Sums> sum_shares() const {
    std::vector<Sums> sums;
    std::size_t row = 0;
    for (const ImagesView& share : shares_) {
      Sums& sum = sums.emplace_back(Sums{.images = share.count()});
      for (const ClassIndex label : share.labels) {
        sum.correct += predictions_[row] == label ? 1 : 0;
        sum.loss += static_cast<double>(losses_[row++]);
      }
    }
    return sums;
  }

  EngineInfo info_;
  std::size_t pixels_, classes_;  ///< of an image, and of the data
  FlatLayout layout_;
  Update update_;
  bool averages_;
  int slice_size_;
  ThreadPool pool_;
  std::vector<Seat> seats_;

  std::vector<ImagesView> shards_, shares_;
  int first_shard_ = 0;
  AlignedFloats vectors_, total_;
  std::vector<Chunk> chunks_;
  std::vector<float> losses_;
  std::vector<ClassIndex> predictions_;

  TrainState state_;
  std::uint32_t epoch_ = 0;
  std::vector<std::vector<std::uint32_t>> orders_;
  std::vector<float> learning_rates_;
  StepReport report_;
};

}  // namespace

std::unique_ptr<Engine> make_host_engine(const EngineOptions& options, EngineInfo info,
                                         const MakeWorker& make_worker) {
  return std::make_unique<HostEngine>(options, std::move(info), make_worker);
}

}  // namespace mnist_dist
