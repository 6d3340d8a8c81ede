#include "engine/torch/device_engine.h"

#include <chrono>
#include <thread>

#include "base/device_memory.h"
#include "base/error.h"
#include "engine/device/kernels.h"
#include "engine/torch/network.h"
#include "engine/torch/torch_worker.h"

namespace mnist_dist {
namespace {

constexpr int steps_before_recording = 3;  ///< for libraries that prepare themselves at first use
/// Steps between two looks at the device's progress. All ranks look after the same steps, so that all find a stop at the same one and none enqueues
/// a step, and waits in it, that another has left out. The host is never more than two looks ahead: CUDA holds about a thousand launches, of which a
/// step that is not recorded has some two hundred, and whoever has to wait for room there does not see that another rank is gone.
constexpr int recorded_look_interval = 64, look_interval = 2;
constexpr int evaluation_batch = 2000;

/// LibTorch's errors in our words: mostly a GPU that has no memory left, or has failed.
template <class Work>
auto on_device(const Work& work) {
  try {
    return work();
  } catch (const c10::Error& error) {
    const std::string text = error.what_without_backtrace();
    throw device_error("LibTorch failed: " + text.substr(0, text.find('\n')), "run mnist-dist doctor, and see what else uses the device");
  }
}

/// One dropout layer's factors for a batch.
struct DropoutLayer {
  int layer = 0;
  DropoutRule rule{};
  int elements = 0;         ///< of one image
  at::Tensor factors = {};  ///< [batch, shape]
};

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
        averages_(config_.average.decay > 0),
        records_(queue_->can_record() && options_.recorded_reduce),
        slice_(config_.train.batch / config_.data.shards) {
    const auto guard = queue_->use();
    const Queue q = queue_->queue();
    for (DeviceArray<float>* array : {&parameters_, &velocity_, &average_parameters_}) *array = DeviceArray<float>(q, layout_.parameter_count);
    for (DeviceArray<float>* array : {&norms_, &average_norms_}) *array = DeviceArray<float>(q, layout_.norm_count);
    total_ = DeviceArray<float>(q, layout_.size());
    progress_ = DeviceArray<DeviceProgress>(q, 1);
    epoch_ = DeviceArray<DeviceEpoch>(q, 1);
    stop_ = DeviceArray<std::int32_t>(q, 1);
    decay_ = DeviceArray<float>(q, decays());
    for (const at::Tensor& view : parameter_views(layout_, {parameters_.data(), parameters_.size()}, floats_))
      leaves_.push_back(view.detach().set_requires_grad(true));
  }

  EngineInfo info() const override { return info_; }
  Queue queue() const override { return queue_->queue(); }

  void set_training_data(std::span<const Images> shards, int first_shard) override {
    const auto guard = queue_->use();
    const Queue q = queue_->queue();
    shards_ = shards;
    first_shard_ = first_shard;
    std::vector<std::uint8_t> pixels, labels;
    std::vector<std::int32_t> begins{0};
    for (const Images& shard : shards) {
      pixels.insert(pixels.end(), shard.pixels.begin(), shard.pixels.end());
      labels.insert(labels.end(), shard.labels.begin(), shard.labels.end());
      begins.push_back(static_cast<std::int32_t>(labels.size()));
    }
    pixels_ = DeviceArray<std::uint8_t>(q, pixels);
    labels_ = DeviceArray<std::uint8_t>(q, labels);
    shard_begins_ = DeviceArray<std::int32_t>(q, begins);
    orders_ = DeviceArray<std::uint32_t>(q, labels.size());
    vectors_ = DeviceArray<float>(q, shards.size() * layout_.stride());
    vectors_view_ = at::from_blob(vectors_.data(), {static_cast<std::int64_t>(vectors_.size())}, floats_);
    recorded_ = false;
    enqueued_steps_ = 0;
    const auto first_row = static_cast<std::uint32_t>(shards.empty() ? 0 : shards.front().first_row);
    rows_ = {pixels_.data(), labels_.data(), first_row, orders_.data(), shard_begins_.data(), static_cast<int>(shards.size())};

    images_ = at::empty({batch_size(), 1, image_side, image_side}, floats_);
    targets_ = at::empty({batch_size()}, floats_.dtype(at::kLong));
    batch_rows_ = DeviceArray<std::uint32_t>(q, static_cast<std::size_t>(batch_size()));
    statistics_ = DeviceArray<float>(q, layout_.norm_count * shards.size());
    make_dropouts();
    batched_ = norm_views(static_cast<int>(shards.size()));
    sliced_ = norm_views(1);
  }

  void set_evaluation_data(std::span<const Images> shares) override {
    const auto guard = queue_->use();
    shares_ = shares;
    share_pixels_.clear();
    for (const Images& share : shares) share_pixels_.emplace_back(queue_->queue(), std::span<const std::uint8_t>(share.pixels));
  }

  void load(const TrainState& state) override {
    const Queue q = queue_->queue();
    parameters_.upload(q, checked(state.parameters, layout_.parameter_count));
    velocity_.upload(q, checked(state.momentum, layout_.parameter_count));
    norms_.upload(q, checked(state.norm_statistics, layout_.norm_count));
    average_parameters_.upload(q, checked(state.average_parameters, averages_ ? layout_.parameter_count : 0));
    average_norms_.upload(q, checked(state.average_norm_statistics, averages_ ? layout_.norm_count : 0));
    DeviceProgress progress;
    progress.updates = state.updates;
    put(progress);
  }

  TrainState save() override {
    const Queue q = queue_->queue();
    settle();
    TrainState state;
    const auto get = [&](const DeviceArray<float>& from, std::vector<float>& to) {
      to.resize(from.size());
      from.download(q, to);
    };
    get(parameters_, state.parameters);
    get(velocity_, state.momentum);
    get(norms_, state.norm_statistics);
    if (averages_) {
      get(average_parameters_, state.average_parameters);
      get(average_norms_, state.average_norm_statistics);
    }
    state.updates = fetch().updates;
    return state;
  }

  void begin_epoch(const EpochPlan& plan) override {
    const Queue q = queue_->queue();
    before_ = plan.before;
    whole_steps_ = plan.whole_steps;
    lengths_.clear();
    std::vector<std::uint32_t> orders;
    for (const std::vector<std::uint32_t>& order : plan.orders) {
      orders.insert(orders.end(), order.begin(), order.end());
      lengths_.push_back(static_cast<int>(order.size()));
    }
    orders_.upload(q, checked(orders, orders_.size()));
    if (rates_.size() < plan.learning_rates.size()) {
      rates_ = DeviceArray<float>(q, plan.learning_rates);
      recorded_ = false;  // a recording knows where the old ones were
    }
    rates_.upload(q, plan.learning_rates);

    DeviceEpoch epoch{.epoch = plan.epoch, .augment = at_epoch(config_.augment, plan.epoch)};
    epoch_number_ = plan.epoch;
    if (epoch.augment.elastic_alpha > 0)
      for (const float tap : elastic_taps(epoch.augment)) epoch.tap[epoch.taps++] = tap;
    epoch_.upload(q, {&epoch, 1});

    DeviceProgress progress;
    progress.updates = fetch().updates;
    put(progress);
    stop_.upload(q, std::array<std::int32_t, 1>{0});
    stopping_ = false;
    looks_ = {};
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
      return report_of(fetch());
    });
  }

  std::vector<Sums> evaluate(Weights weights, std::vector<std::uint8_t>* predictions) override {
    if (weights == Weights::averaged && !averages_) throw std::invalid_argument("device engine: this recipe keeps no averaged weights");
    const auto guard = queue_->use();
    const c10::InferenceMode no_gradients;
    const bool raw = weights == Weights::raw;
    const DeviceArray<float>&parameters = raw ? parameters_ : average_parameters_, &norms = raw ? norms_ : average_norms_;
    const TensorViews views = tensor_views(layout_, {parameters.data(), parameters.size()}, {norms.data(), norms.size()}, floats_);
    if (predictions) predictions->clear();
    std::vector<Sums> sums;
    for (std::size_t share = 0; share < shares_.size(); ++share) on_device([&] { sums.push_back(evaluate(share, views, predictions)); });
    return sums;
  }

  /// On the host, with the reference engine's worker: what it looks for is there as well.
  std::optional<Diagnosis> diagnose(int index) override {
    const TrainState state = save();
    const std::unique_ptr<SliceWorker> worker = make_torch_worker(options_);
    std::vector<std::uint32_t> orders(orders_.size());
    orders_.download(queue_->queue(), orders);
    std::span<const std::uint32_t> left(orders);
    for (std::size_t shard = 0; shard < shards_.size(); ++shard) {
      const Images& images = shards_[shard];
      const auto rows =
          left.first(images.labels.size())
              .subspan(static_cast<std::size_t>(std::min(index * slice_, lengths_[shard])), static_cast<std::size_t>(slice_count(shard, index)));
      left = left.subspan(images.labels.size());
      std::vector<const std::uint8_t*> pixels;
      std::vector<std::uint8_t> labels;
      for (const std::uint32_t row : rows) {
        const int local = static_cast<int>(row) - images.first_row;
        pixels.push_back(images.image(local));
        labels.push_back(images.labels[static_cast<std::size_t>(local)]);
      }
      if (rows.empty()) continue;
      if (auto found = worker->diagnose({pixels, labels, rows, epoch_number_}, state.parameters)) {
        found->shard = first_shard_ + static_cast<int>(shard);
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

  int batch_size() const { return slice_ * static_cast<int>(shards_.size()); }
  int slice_count(std::size_t shard, int index) const { return std::clamp(lengths_[shard] - index * slice_, 0, slice_); }

  static std::span<const float> checked(const std::vector<float>& values, std::size_t size) {
    if (values.size() != size) throw std::invalid_argument("device engine: wrong size of a state's vector");
    return values;
  }
  static std::span<const std::uint32_t> checked(const std::vector<std::uint32_t>& values, std::size_t size) {
    if (values.size() != size) throw std::invalid_argument("device engine: wrong size of the epoch's orders");
    return values;
  }

  std::vector<float> decays() const {
    std::vector<float> decays(layout_.parameter_count);
    for (const ParameterTensor& tensor : layout_.parameters)
      if (tensor.kind == ParameterKind::weight || config_.optimizer.decay_norm)
        std::fill_n(decays.begin() + static_cast<std::ptrdiff_t>(tensor.offset), tensor.size, static_cast<float>(config_.optimizer.weight_decay));
    return decays;
  }

  void make_dropouts() {
    dropouts_.clear();
    const std::vector<LayerShape> shapes = layer_shapes(config_.model);
    for (std::size_t i = 0; i < shapes.size(); ++i) {
      DropoutLayer dropout{.layer = static_cast<int>(i), .rule = dropout_rule(config_.model.layers[i].dropout)};
      if (dropout.rule.threshold == 0) continue;
      dropout.elements = shapes[i].out_channels * shapes[i].out_side * shapes[i].out_side;
      dropout.factors = at::empty({batch_size(), shapes[i].out_channels, shapes[i].out_side, shapes[i].out_side}, floats_);
      dropouts_.push_back(std::move(dropout));
    }
  }

  /// A norm layer's statistics of `parts` slices: mean [parts][channels], then variance alike.
  NormViews norm_views(int parts) const {
    NormViews views;
    std::vector<std::int32_t> first, stride;
    for (const NormTensor& norm : layout_.norms) {
      const auto channels = static_cast<std::size_t>(norm.channels), size = channels * static_cast<std::size_t>(parts);
      float* place = statistics_.data() + norm.offset * static_cast<std::size_t>(parts);
      for (std::vector<at::Tensor>* of : {&views.means, &views.variances}) {
        of->push_back(at::from_blob(place, {static_cast<std::int64_t>(size)}, floats_));
        for (std::size_t c = 0; c < channels; ++c) {
          first.push_back(static_cast<std::int32_t>(place - statistics_.data() + static_cast<std::ptrdiff_t>(c)));
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
    if (index >= whole_steps_) {  // on all ranks alike: NCCL wants a call recorded by all or by none
      enqueue_step(reduce, index, true);
    } else if (recorded_) {
      queue_->replay();
    } else if (records_ && enqueued_steps_ >= steps_before_recording) {
      queue_->record([&] { enqueue_step(reduce, index, options_.per_slice); });
      recorded_ = true;
      queue_->replay();
    } else {
      enqueue_step(reduce, index, options_.per_slice);
      ++enqueued_steps_;
    }
    ++next_step_;
    if (next_step_ % (records_ ? recorded_look_interval : look_interval) == 0) look();
  }

  void enqueue_step(const Reduce& reduce, int index, bool by_slice) {
    const Queue q = queue_->queue();
    enqueue_batch(q, rows_, epoch_.data(), progress_.data(), config_.train.seed, options_.normalisation, slice_,
                  by_slice ? BatchOrder::by_shard : BatchOrder::by_image,
                  {images_.data_ptr<float>(), targets_.data_ptr<std::int64_t>(), batch_rows_.data()});
    for (const DropoutLayer& dropout : dropouts_)
      enqueue_dropout(q, dropout.rule, epoch_.data(), config_.train.seed, static_cast<std::uint32_t>(dropout.layer), batch_rows_.data(), batch_size(),
                      dropout.elements, dropout.factors.data_ptr<float>());
    vectors_view_.zero_();
    if (by_slice) {
      for (std::size_t shard = 0; shard < shards_.size(); ++shard)
        if (const int count = slice_count(shard, index); count > 0) train(static_cast<int>(shard) * slice_, count, 1, sliced_, shard);
    } else {
      train(0, batch_size(), static_cast<int>(shards_.size()), batched_, 0);
    }
    const std::span<float> total(total_.data(), total_.size());
    reduce({vectors_.data(), layout_.size(), layout_.stride(), first_shard_, static_cast<int>(shards_.size())}, total, q);
    update(q);
  }

  /// Forward and backward of `count` images of the batch, which are `parts` slices, into a shard's vector.
  void train(std::int64_t first, std::int64_t count, int parts, const NormViews& norms, std::size_t shard) {
    const at::Tensor labels = targets_.narrow(0, first, count);
    const TensorViews views{leaves_, norms.means, norms.variances};
    at::Tensor x = images_.narrow(0, first, count);
    auto dropout = dropouts_.begin();
    for (int i = 0; i < network_.layers(); ++i) {
      const bool drops = dropout != dropouts_.end() && dropout->layer == i;
      x = network_.layer(i, x, views, drops ? (dropout++)->factors.narrow(0, first, count) : at::Tensor(), true, parts);
    }
    const at::Tensor logits = x.flatten(1);
    const at::Tensor loss = at::cross_entropy_loss(logits, labels, {}, at::Reduction::Sum, no_image, config_.train.label_smoothing);
    std::vector<at::Tensor> gradients = torch::autograd::grad({loss}, leaves_);
    for (at::Tensor& gradient : gradients) gradient = gradient.reshape(-1);
    const auto place = static_cast<std::int64_t>(shard * layout_.stride());
    at::Tensor gradient = vectors_view_.narrow(0, place, static_cast<std::int64_t>(layout_.parameter_count));
    at::cat_out(gradient, gradients);

    const at::Tensor values = logits.detach().contiguous();
    enqueue_tail(queue_->queue(), {.parameter_count = layout_.parameter_count,
                                   .norm_count = layout_.norm_count,
                                   .logits = values.data_ptr<float>(),
                                   .labels = labels.data_ptr<std::int64_t>(),
                                   .count = static_cast<int>(count),
                                   .loss = loss.data_ptr<float>(),
                                   .statistics = statistics_.data(),
                                   .first = norms.first.data(),
                                   .stride = norms.stride.data(),
                                   .parts = parts,
                                   .stop = stop_.data(),
                                   .vector = gradient.data_ptr<float>()});
  }

  void update(const Queue& q) {
    enqueue_update(q, {.parameter_count = layout_.parameter_count,
                       .norm_count = layout_.norm_count,
                       .total = total_.data(),
                       .rates = rates_.data(),
                       .decay = decay_.data(),
                       .momentum = static_cast<float>(config_.optimizer.momentum),
                       .nesterov = config_.optimizer.nesterov,
                       .average_decay = config_.average.decay,
                       .parameters = parameters_.data(),
                       .velocity = velocity_.data(),
                       .norm_statistics = norms_.data(),
                       .average_parameters = average_parameters_.data(),
                       .average_norm_statistics = average_norms_.data(),
                       .progress = progress_.data()});
  }

  Sums evaluate(std::size_t share, const TensorViews& views, std::vector<std::uint8_t>* predictions) {
    const Images& images = shares_[share];
    Sums sums{.images = images.count()};
    for (int first = 0; first < images.count(); first += evaluation_batch) {
      const int count = std::min(evaluation_batch, images.count() - first);
      at::Tensor x = at::empty({count, 1, image_side, image_side}, floats_);
      enqueue_decode(queue_->queue(), share_pixels_[share].data() + static_cast<std::size_t>(first) * image_size, count, options_.normalisation,
                     x.data_ptr<float>());
      for (int i = 0; i < network_.layers(); ++i) x = network_.layer(i, x, views, {}, false);
      const at::Tensor logits = x.flatten(1).cpu();
      const std::span labels(images.labels.data() + first, static_cast<std::size_t>(count));
      std::vector<std::int64_t> targets(labels.begin(), labels.end());
      const at::Tensor each = at::cross_entropy_loss(logits, at::from_blob(targets.data(), {count}, at::kLong), {}, at::Reduction::None).contiguous();
      std::vector<std::uint8_t> classes(labels.size());
      classify(logits, classes);
      for (std::size_t i = 0; i < labels.size(); ++i) {
        sums.correct += classes[i] == labels[i] ? 1 : 0;
        sums.loss += static_cast<double>(each.data_ptr<float>()[i]);
      }
      if (predictions) predictions->insert(predictions->end(), classes.begin(), classes.end());
    }
    return sums;
  }

  /// Goes on inside an epoch, after a resume.
  void skip_to(int index) {
    DeviceProgress progress = fetch();
    progress.step = progress.steps_done = index;
    put(progress);
    report_.steps_done = index;
  }

  void put(const DeviceProgress& progress) {
    progress_.upload(queue_->queue(), {&progress, 1});
    next_step_ = progress.step;
  }

  DeviceProgress fetch() const {
    DeviceProgress progress;
    progress_.download(queue_->queue(), {&progress, 1});
    return progress;
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
      report_ = report_of(*reinterpret_cast<const DeviceProgress*>(looks_.copy.data_ptr()));
    }
    constexpr auto size = static_cast<std::int64_t>(sizeof(DeviceProgress));
    const at::Tensor now = at::from_blob(progress_.data(), {size}, floats_.dtype(at::kByte));
    if (!looks_.copy.defined()) looks_.copy = at::empty({size}, at::TensorOptions().dtype(at::kByte).pinned_memory(queue_->device().is_cuda()));
    looks_.copy.copy_(now, true);
    looks_.reached = queue_->mark();
  }

  /// Waits for all that is enqueued.
  void settle() {
    const auto guard = queue_->use();
    wait_for(queue_->mark());
  }

  void wait_for(const DeviceQueue::Reached& reached) const {
    using Clock = std::chrono::steady_clock;
    for (const Clock::time_point start = Clock::now(); !reached();) {
      if (options_.while_waiting) options_.while_waiting(std::chrono::duration<double>(Clock::now() - start).count());
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
  }

  const EngineOptions options_;
  const Config& config_;
  EngineInfo info_;
  std::unique_ptr<DeviceQueue> queue_;
  at::TensorOptions floats_;
  Network network_;
  const FlatLayout& layout_;
  bool averages_, records_;
  int slice_;

  std::span<const Images> shards_, shares_;
  int first_shard_ = 0;
  DeviceArray<std::uint8_t> pixels_, labels_;
  DeviceArray<std::int32_t> shard_begins_;
  DeviceArray<std::uint32_t> orders_, batch_rows_;
  DeviceRows rows_;
  std::vector<DeviceArray<std::uint8_t>> share_pixels_;

  DeviceArray<float> parameters_, velocity_, average_parameters_, norms_, average_norms_, vectors_, total_, statistics_, rates_, decay_;
  DeviceArray<DeviceProgress> progress_;
  DeviceArray<DeviceEpoch> epoch_;
  DeviceArray<std::int32_t> stop_;
  std::vector<at::Tensor> leaves_;
  at::Tensor images_, targets_, vectors_view_;
  std::vector<DropoutLayer> dropouts_;
  NormViews batched_, sliced_;

  std::uint32_t epoch_number_ = 0;
  std::vector<int> lengths_;
  Sums before_;
  int next_step_ = 0, whole_steps_ = 0, enqueued_steps_ = 0;
  bool recorded_ = false, stopping_ = false;
  StepReport report_;
  struct {
    at::Tensor copy;
    DeviceQueue::Reached reached;
  } looks_;
};

}  // namespace

std::unique_ptr<Engine> make_device_engine(const EngineOptions& options, EngineInfo info, std::unique_ptr<DeviceQueue> queue) {
  return std::make_unique<DeviceEngine>(options, std::move(info), std::move(queue));
}

}  // namespace mnist_dist
