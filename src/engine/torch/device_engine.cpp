#include "engine/torch/device_engine.h"

#include <chrono>
#include <thread>

#include "base/awake_clock.h"
#include "base/device_memory.h"
#include "engine/device/input.h"
#include "engine/device/kernels.h"
#include "engine/device/state.h"
#include "engine/torch/device_evaluation.h"
#include "engine/torch/network.h"
#include "engine/torch/on_device.h"
#include "engine/torch/torch_worker.h"

namespace mnist_dist {
namespace {

constexpr int steps_before_recording = 3;  ///< for libraries that prepare themselves at first use
/// Replays, or an equivalent number of parts, between two reads of the device's progress.
/// All ranks read it after the same steps, so that all find a stop at the same one and none
/// enqueues a step, and waits in it, that another one skips. The host is never more than two looks
/// ahead: CUDA holds about a thousand launches, and a host that waits for space there does not
/// notice that another rank has ended. A step in parts has an estimated two hundred launches, slice
/// by slice two hundred each.
constexpr int look_after = 64, weight_in_parts = 32;
constexpr std::chrono::microseconds nap{100};  ///< between two looks at the device

class DeviceEngine final : public Engine {
 public:
  DeviceEngine(const EngineOptions& options, EngineInfo info, std::unique_ptr<DeviceQueue> queue)
      : options_(options),
        config_(options_.config),
        info_(std::move(info)),
        queue_(std::move(queue)),
        floats_(at::TensorOptions().dtype(at::kFloat).device(queue_->device())),
        network_(config_.model),
        layout_(network_.layout()),
        records_(queue_->can_record() && options_.recorded_reduce),
        input_(options_, queue_->queue()),
        state_(layout_, config_.optimizer, config_.average, queue_->queue()),
        total_(queue_->queue(), layout_.size()),
        stop_(queue_->queue(), 1),
        evaluation_(config_.model.side, options_.normalisation, *queue_),
        looks_{.progress = std::static_pointer_cast<DeviceProgress>(
                   pinned_allocate(queue_->queue().device, sizeof(DeviceProgress))),
               .reached = {}} {
    for (const at::Tensor& view :
         parameter_views(layout_, state_.parameters(Weights::raw), floats_))
      leaves_.push_back(view.detach().set_requires_grad(true));
  }

  EngineInfo info() const override { return info_; }
  Queue queue() const override { return queue_->queue(); }

  void set_training_data(std::span<const ImagesView> shards, int first_shard) override {
    on_device([&] { take_training_data(shards, first_shard); });
  }

  void set_evaluation_data(std::span<const ImagesView> shares) override {
    on_device([&] {
      const auto guard = queue_->use();
      evaluation_.set_data(shares);
    });
  }

  void load(const TrainState& state) override {
    state_.load(state);
    next_step_ = 0;
  }

  TrainState save() override {
    return on_device([&] {
      settle();
      return state_.save();
    });
  }

  void begin_epoch(const EpochPlan& plan) override {
    before_ = plan.before;
    whole_steps_ = plan.whole_steps;
    epoch_ = plan.epoch;
    input_.begin_epoch(plan);
    if (!state_.begin_epoch(plan.learning_rates)) recorded_ = false;
    // LibTorch writes statistics as new + 0 * old: values of a step that diverged would stay.
    statistics_.upload(queue_->queue(), std::vector<float>(statistics_.size()));
    next_step_ = 0;
    stop_.upload(queue_->queue(), std::array<std::int32_t, 1>{0});
    stopping_ = false;
    looks_.reached = {};
    unseen_ = 0;
    report_ = {};
    report_.sums = before_;
  }

  void step(int index, bool stop, const Reduce& reduce) override {
    on_device([&] { enqueue(index, stop, reduce); });
  }

  StepReport report(bool wait) override {
    if (!wait) return report_;
    return on_device([&] {
      settle();
      return report_of(state_.progress());
    });
  }

  std::vector<Sums> evaluate(Weights weights, std::vector<ClassIndex>* predictions,
                             std::vector<float>* logits) override {
    if (weights == Weights::averaged && !state_.averages())
      throw std::invalid_argument("device engine: this recipe keeps no averaged weights");
    return on_device([&] {
      const auto guard = queue_->use();
      const TensorViews views = tensor_views(layout_, state_.parameters(weights),
                                             state_.norm_statistics(weights), floats_);
      return evaluation_.run(network_, views, predictions, logits);
    });
  }

  /// On the host, with the reference engine's worker, which finds the same faults.
  std::optional<Diagnosis> diagnose(int index) override {
    const TrainState state = save();
    const std::unique_ptr<SliceWorker> worker = make_torch_worker(options_);
    SliceReader reader;
    for (int shard = 0; shard < input_.shards(); ++shard) {
      const std::span<const std::uint32_t> rows = input_.slice_rows(shard, index);
      if (rows.empty()) continue;
      if (auto found =
              worker->diagnose(reader.read(input_.images(shard), rows, epoch_), state.parameters)) {
        found->shard = first_shard_ + shard;
        return found;
      }
    }
    return {};
  }

 private:
  /// Norm statistics of a batch, and where VectorTail finds them.
  struct NormViews {
    std::vector<at::Tensor> means, variances;
    DeviceArray<std::int32_t> first, stride;
  };

  void take_training_data(std::span<const ImagesView> shards, int first_shard) {
    const auto guard = queue_->use();
    const Queue q = queue_->queue();
    first_shard_ = first_shard;
    input_.set_data(shards);
    vectors_ = DeviceArray<float>(q, shards.size() * layout_.stride());
    statistics_ = DeviceArray<float>(q, shards.size() * layout_.norm_count);
    vectors_view_ =
        at::from_blob(vectors_.data(), {static_cast<std::int64_t>(vectors_.size())}, floats_);
    const int side = config_.model.side;
    images_ = at::from_blob(input_.batch().images, {input_.batch_size(), 1, side, side}, floats_);
    stop_view_ = at::from_blob(stop_.data(), {}, floats_.dtype(at::kInt));
    targets_ =
        at::from_blob(input_.batch().labels, {input_.batch_size()}, floats_.dtype(at::kLong));
    make_factors();
    batched_ = norm_views(input_.shards());
    sliced_ = norm_views(1);
    recorded_ = false;
    enqueued_steps_ = 0;
  }

  /// The dropout layers' factors as tensors, by layer.
  void make_factors() {
    const std::vector<LayerShape> shapes = layer_shapes(config_.model);
    factors_.assign(shapes.size(), {});
    for (const DeviceInput::Dropout& dropout : input_.dropouts()) {
      const auto layer = static_cast<std::size_t>(dropout.layer);
      const LayerShape& shape = shapes[layer];
      factors_[layer] = at::from_blob(
          dropout.factors.data(),
          {input_.batch_size(), shape.out_channels, shape.out_side, shape.out_side}, floats_);
    }
  }

  /// A norm layer's statistics of `parts` slices: mean [parts][channels], then variance in the same
  /// way.
  NormViews norm_views(int parts) const {
    NormViews views;
    std::vector<std::int32_t> first, stride;
    for (const NormTensor& norm : layout_.norms) {
      const auto channels = static_cast<std::size_t>(norm.channels),
                 size = channels * static_cast<std::size_t>(parts);
      float* place = statistics_.data() + norm.offset * static_cast<std::size_t>(parts);
      for (std::vector<at::Tensor>* of : {&views.means, &views.variances}) {
        of->push_back(at::from_blob(place, {static_cast<std::int64_t>(size)}, floats_));
        for (std::size_t c = 0; c < channels; ++c) {
          first.push_back(static_cast<std::int32_t>(place - statistics_.data() +
                                                    static_cast<std::ptrdiff_t>(c)));
          stride.push_back(norm.channels);
        }
        place += size;
      }
    }
    views.first = DeviceArray<std::int32_t>(queue_->queue(), first);
    views.stride = DeviceArray<std::int32_t>(queue_->queue(), stride);
    return views;
  }

  void enqueue(int index, bool stop, const Reduce& reduce) {
    if (report_.stopped_at || report_.non_finite_at) return;
    const auto guard = queue_->use();
    if (index != next_step_) skip_to(index);
    if (stop && !stopping_) {
      settle();  // where a wait for other ranks is watched
      stop_.upload(queue_->queue(), std::array<std::int32_t, 1>{1});
      stopping_ = true;
    }
    const bool whole = index < whole_steps_;  // NCCL needs a call recorded by all ranks or by none
    if (whole && !recorded_ && records_ && enqueued_steps_ >= steps_before_recording) {
      settle();  // CUDA waits for the device before it records
      queue_->record([this, reduce, index] { enqueue_step(reduce, index, options_.per_slice); });
      recorded_ = true;
    }
    int weight = 1;
    if (whole && recorded_) {
      queue_->replay();
    } else {
      const bool by_slice = options_.per_slice || !whole;
      weight =
          weight_in_parts * (by_slice ? config_.data.shards
                                      : 1);  // on all ranks the same, however many shards they own
      if (weight > look_after) settle();     // it fills the queue alone
      enqueue_step(reduce, index, by_slice);
      if (whole) ++enqueued_steps_;
    }
    ++next_step_;
    unseen_ += weight;
    if (unseen_ >= look_after) look();
  }

  void enqueue_step(const Reduce& reduce, int index, bool by_slice) {
    input_.enqueue(state_.device_progress(),
                   by_slice ? BatchOrder::by_shard : BatchOrder::by_image);
    vectors_view_.zero_();
    if (by_slice) {
      for (int shard = 0; shard < input_.shards(); ++shard) {
        if (const auto count = static_cast<std::int64_t>(input_.slice_rows(shard, index).size());
            count > 0)
          train(shard * input_.slice(), count, 1, sliced_, shard);
        else
          vectors_view_[shard * static_cast<std::int64_t>(layout_.stride()) +
                        static_cast<std::int64_t>(layout_.stop())]
              .copy_(stop_view_);
      }
    } else {
      train(0, input_.batch_size(), input_.shards(), batched_, 0);
    }
    const std::span<float> total(total_.data(), total_.size());
    reduce({.data = vectors_.data(),
            .size = layout_.size(),
            .stride = layout_.stride(),
            .first_shard = first_shard_,
            .count = input_.shards()},
           total, queue_->queue());
    state_.enqueue(total_.data());
  }

  /// Forward and backward of `count` images of the batch, which are `parts` slices, into a shard's
  /// vector.
  void train(std::int64_t first, std::int64_t count, int parts, const NormViews& norms, int shard) {
    const at::Tensor labels = targets_.narrow(0, first, count);
    const TensorViews views{leaves_, norms.means, norms.variances};
    at::Tensor x = images_.narrow(0, first, count);
    for (int i = 0; i < network_.layers(); ++i) {
      const at::Tensor& factors = factors_[static_cast<std::size_t>(i)];
      x = network_.layer(i, x, views,
                         factors.defined() ? factors.narrow(0, first, count) : at::Tensor(), true,
                         parts);
    }
    const at::Tensor logits = x.flatten(1);
    const at::Tensor loss = at::cross_entropy_loss(logits, labels, {}, at::Reduction::Sum, no_image,
                                                   config_.train.label_smoothing);
    std::vector<at::Tensor> gradients = torch::autograd::grad({loss}, leaves_);
    for (at::Tensor& gradient : gradients) gradient = gradient.reshape(-1);
    const auto place = shard * static_cast<std::int64_t>(layout_.stride());
    at::Tensor gradient =
        vectors_view_.narrow(0, place, static_cast<std::int64_t>(layout_.parameter_count));
    at::cat_out(gradient, gradients);

    const at::Tensor values = logits.detach().contiguous();
    enqueue_tail(queue_->queue(), {.parameter_count = layout_.parameter_count,
                                   .norm_count = layout_.norm_count,
                                   .logits = values.data_ptr<float>(),
                                   .labels = labels.data_ptr<std::int64_t>(),
                                   .count = static_cast<int>(count),
                                   .classes = config_.model.classes,
                                   .loss = loss.data_ptr<float>(),
                                   .statistics = statistics_.data(),
                                   .first = norms.first.data(),
                                   .stride = norms.stride.data(),
                                   .parts = parts,
                                   .stop = stop_.data(),
                                   .vector = gradient.data_ptr<float>()});
  }

  /// Continues inside an epoch, after a resume.
  void skip_to(int index) {
    DeviceProgress progress = state_.progress();
    progress.step = progress.steps_done = index;
    state_.set_progress(progress);
    next_step_ = report_.steps_done = index;
  }

  StepReport report_of(const DeviceProgress& progress) const {
    StepReport report;
    report.steps_done = progress.steps_done;
    report.sums = before_;
    report.sums.images += progress.images;
    report.sums.correct += progress.correct;
    report.sums.loss += progress.loss;
    if (progress.stopped_at >= 0) report.stopped_at = progress.stopped_at;
    if (progress.non_finite_at >= 0) report.non_finite_at = progress.non_finite_at;
    return report;
  }

  /// Takes in the look before this one, and enqueues the next.
  void look() {
    if (looks_.reached) {
      wait_for(looks_.reached);
      report_ = report_of(*looks_.progress);
    }
    enqueue_copy(queue_->queue(), looks_.progress.get(), state_.device_progress(),
                 sizeof(DeviceProgress));
    looks_.reached = queue_->mark();
    unseen_ = 0;
  }

  /// Waits for all that is enqueued.
  void settle() {
    const auto guard = queue_->use();
    wait_for(queue_->mark());
  }

  void wait_for(const DeviceQueue::Reached& reached) const {
    for (AwakeClock waited; !reached();) {
      if (options_.while_waiting) options_.while_waiting(waited.seconds());
      std::this_thread::sleep_for(nap);
    }
  }

  const EngineOptions options_;
  const Config& config_;
  EngineInfo info_;
  std::unique_ptr<DeviceQueue> queue_;
  at::TensorOptions floats_;
  Network network_;
  const FlatLayout& layout_;
  bool records_;

  DeviceInput input_;
  DeviceState state_;
  DeviceArray<float> vectors_, total_, statistics_;
  DeviceArray<std::int32_t> stop_;  ///< the host's wish to stop
  int first_shard_ = 0;
  DeviceEvaluation evaluation_;

  // The same memory as LibTorch sees it.
  std::vector<at::Tensor> leaves_, factors_;
  at::Tensor images_, targets_, vectors_view_, stop_view_;
  NormViews batched_, sliced_;

  std::uint32_t epoch_ = 0;
  Sums before_;
  int next_step_ = 0, whole_steps_ = 0, enqueued_steps_ = 0;
  int unseen_ = 0;  ///< weight of the work enqueued since the last look
  bool recorded_ = false, stopping_ = false;
  StepReport report_;
  struct {
    std::shared_ptr<DeviceProgress> progress;  ///< pinned
    DeviceQueue::Reached reached;
  } looks_;
};

}  // namespace

std::unique_ptr<Engine> make_device_engine(const EngineOptions& options, EngineInfo info,
                                           std::unique_ptr<DeviceQueue> queue) {
  return std::make_unique<DeviceEngine>(options, std::move(info), std::move(queue));
}

}  // namespace mnist_dist
