// One thread's worker: a network forward and backward on one slice.
#if defined(MNIST_DIST_FUSED_WORKER_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MNIST_DIST_FUSED_WORKER_INL_H
#undef MNIST_DIST_FUSED_WORKER_INL_H
#else
#define MNIST_DIST_FUSED_WORKER_INL_H
#endif

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <memory>
#include <vector>

#include "base/error.h"
#include "engine/fused/activation-inl.h"
#include "engine/fused/depthwise-inl.h"
#include "engine/fused/direct-inl.h"
#include "engine/fused/dropout-inl.h"
#include "engine/fused/input-inl.h"
#include "engine/fused/loss-inl.h"
#include "engine/fused/phase_clock.h"
#include "engine/fused/plan.h"
#include "engine/fused/pool-inl.h"
#include "engine/fused/winograd-inl.h"
#include "engine/slice_worker.h"
#include "engine/update.h"

HWY_BEFORE_NAMESPACE();
namespace mnist_dist::fused {
namespace HWY_NAMESPACE {

class Worker final : public SliceWorker {
 public:
  Worker(const EngineOptions& options, PhaseClock* watch)
      : watch_(watch),
        config_(options.config),
        reader_(config_.model.side, config_.augment, options.normalisation, config_.train.seed),
        layout_(flat_layout(config_.model)),
        weights_(static_cast<std::size_t>(layout_.parameter_count)) {
    const int slice = std::max(1, config_.train.batch / config_.data.shards);
    const int lane_blocks = part_count(slice, kLanes);
    input_ = std::make_unique<Activation>(image_plan(config_.model.side), lane_blocks);
    class_scratch_ = Buffer<float>(static_cast<std::size_t>(2 * config_.model.classes * kLanes));
    std::size_t workspace = 0, gradients = 0;
    for (const LayerPlan& plan : make_plan(config_.model)) {
      operations_.push_back(make_operation(plan));
      outputs_.push_back(std::make_unique<Activation>(plan, lane_blocks));
      workspace = std::max(workspace, operations_.back()->workspace_size());
      gradients = std::max(gradients, outputs_.back()->size());
    }
    workspace_ = Buffer<float>(workspace);
    for (Buffer<float>& buffer : gradients_) buffer = Buffer<float>(gradients);
    for (std::size_t i = 0; i < operations_.size(); ++i) {
      operations_[i]->use_workspace(workspace_.data());
      operations_[i]->set_phase_clock(watch_);
      outputs_[i]->use_gradients(gradients_[i % 2].data());
    }
  }

  void train(const Slice& slice, std::span<const float> parameters, std::span<float> out) override {
    begin(parameters, slice.count(), true);
    read_input(slice);
    for (std::size_t i = 0; i < outputs_.size(); ++i) forward(i, slice, out);
    loss(slice, out);
    for (std::size_t i = outputs_.size(); i-- > 0;) backward(i, slice.count(), out);
  }

  void evaluate(std::span<const std::uint8_t> pixels, std::span<const ClassIndex> labels,
                const WeightsView& weights, std::span<float> losses,
                std::span<ClassIndex> predictions, std::span<float> logits) override {
    begin(weights.parameters, kLanes, false);
    for (const auto& output : outputs_)
      output->norm().use_running_statistics(weights.norm_statistics.data() + output->plan().norm);
    const int count = static_cast<int>(labels.size());
    for (int first = 0; first < count; first += kLanes) {
      const int images = std::min(kLanes, count - first);
      reader_.read_evaluation(
          pixels.data() + static_cast<std::size_t>(first * config_.model.pixels()), images,
          input_->row(0, 0));
      for (std::size_t i = 0; i < outputs_.size(); ++i)
        operations_[i]->forward(i == 0 ? *input_ : *outputs_[i - 1], 0, *outputs_[i]);
      LaneBlockLoss result;
      lane_block_loss(*outputs_.back(), 0, labels.data() + first, images, 0, false,
                      class_scratch_.data(), result);
      for (int lane = 0; lane < images; ++lane) {
        losses[static_cast<std::size_t>(first + lane)] = result.loss[lane];
        predictions[static_cast<std::size_t>(first + lane)] =
            static_cast<ClassIndex>(result.prediction[lane]);
      }
      if (!logits.empty())
        read_logits(images,
                    logits.subspan(static_cast<std::size_t>(first * config_.model.classes)));
    }
  }

  std::optional<Diagnosis> diagnose(const Slice& slice,
                                    std::span<const float> parameters) override {
    const auto found = [](std::size_t layer, const char* where) {
      return Diagnosis{.shard = -1, .layer = static_cast<int>(layer), .where = where};
    };
    for (const ParameterTensor& tensor : layout_.parameters)
      if (!all_finite(parameters.subspan(tensor.offset, tensor.size)))
        return found(static_cast<std::size_t>(tensor.layer), "parameter");
    std::vector<float> out(layout_.size());
    begin(parameters, slice.count(), true);
    read_input(slice);
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      forward(i, slice, out);
      // Values that are finite may have squares that are not.
      const LayerPlan& plan = outputs_[i]->plan();
      const auto statistics = std::span<const float>(out).subspan(
          layout_.parameter_count + plan.norm,
          plan.layer.norm ? 2 * static_cast<std::size_t>(outputs_[i]->channels()) : 0);
      if (!outputs_[i]->finite() || !all_finite(statistics)) return found(i, "activation");
    }
    loss(slice, out);
    if (!std::isfinite(out[layout_.loss()])) return found(outputs_.size(), "loss");
    for (std::size_t i = outputs_.size(); i-- > 0;) {
      backward(i, slice.count(), out);
      for (const ParameterTensor& tensor : layout_.parameters)
        if (tensor.layer == static_cast<int>(i) &&
            !all_finite(std::span<const float>(out).subspan(tensor.offset, tensor.size)))
          return found(i, "gradient");
    }
    return std::nullopt;
  }

 private:
  /// The last layer's output of one lane block, image after image.
  void read_logits(int images, std::span<float> out) const {
    const int classes = config_.model.classes;
    float* const row = class_scratch_.data();
    outputs_.back()->read_row(0, 0, 0, row);
    for (int lane = 0; lane < images; ++lane)
      for (int c = 0; c < classes; ++c)
        out[static_cast<std::size_t>(lane * classes + c)] = row[c * kLanes + lane];
  }

  static LayerPlan image_plan(int side) {
    LayerPlan plan{};
    plan.shape.out_channels = 1;
    plan.shape.out_side = side;
    return plan;
  }

  static std::unique_ptr<Operation> make_operation(const LayerPlan& plan) {
    switch (plan.layer.kind) {
      case LayerKind::convolution:
      case LayerKind::linear:
        switch (plan.algorithm) {
          case Algorithm::direct:
            return std::make_unique<DirectConvolution>(plan);
          case Algorithm::winograd:
            return std::make_unique<WinogradConvolution>(plan);
          case Algorithm::depthwise:
            return std::make_unique<DepthwiseConvolution>(plan);
        }
        break;
      case LayerKind::max_pool:
      case LayerKind::global_max:
        return std::make_unique<MaxPool>(plan);
      case LayerKind::global_average:
        return std::make_unique<GlobalAverage>(plan);
    }
    throw usage_error("layer " + std::to_string(plan.index + 1) +
                          " is of a kind that the fused engine does not support",
                      "use --engine torch");
  }

  /// The slices of a step and the chunks of an evaluation share their weights: bytes are compared
  /// (NaN too) sooner than put in order again.
  void use_weights(std::span<const float> parameters) {
    if (has_weights_ &&
        std::memcmp(weights_.data(), parameters.data(), parameters.size_bytes()) == 0)
      return;
    std::copy(parameters.begin(), parameters.end(), weights_.begin());
    has_weights_ = true;
    for (const auto& operation : operations_) operation->use_weights(weights_.data());
  }

  void begin(std::span<const float> parameters, int images, bool training) {
    enter(-1, Phase::weights);
    use_weights(parameters);
    input_->begin(parameters.data(), images, false);
    for (const auto& output : outputs_) output->begin(parameters.data(), images, training);
  }

  void read_input(const Slice& slice) {
    enter(-1, Phase::input);
    for (int lane_block = 0; lane_block < part_count(slice.count(), kLanes); ++lane_block)
      reader_.read_training(slice, lane_block, input_->row(lane_block, 0));
  }

  void forward(std::size_t layer, const Slice& slice, std::span<float> out) {
    Activation& output = *outputs_[layer];
    const LayerPlan& plan = output.plan();
    for (int lane_block = 0; lane_block < part_count(slice.count(), kLanes); ++lane_block) {
      enter(plan.index, Phase::forward);
      operations_[layer]->forward(layer == 0 ? *input_ : *outputs_[layer - 1], lane_block, output);
      if (plan.dropout.threshold == 0) continue;
      enter(plan.index, Phase::dropout);
      const int first = lane_block * kLanes;
      std::array<std::uint32_t, kLanes> rows;
      for (int lane = 0; lane < kLanes; ++lane)
        rows[static_cast<std::size_t>(lane)] =
            slice.rows[static_cast<std::size_t>(std::min(first + lane, slice.count() - 1))];
      draw_dropout({config_.train.seed, slice.epoch, static_cast<std::uint32_t>(layer)},
                   plan.dropout, rows.data(), output.channels() * output.side() * output.side(),
                   output.dropped(lane_block));
    }
    enter(plan.index, Phase::pointwise);
    output.norm().use_batch_statistics(out.data() + layout_.parameter_count + plan.norm);
  }

  /// Loss sum, number of correct images and the gradient of the last output.
  void loss(const Slice& slice, std::span<float> out) {
    enter(-1, Phase::loss);
    double total = 0;
    int correct = 0;
    for (int lane_block = 0; lane_block < part_count(slice.count(), kLanes); ++lane_block) {
      const int first = lane_block * kLanes, images = std::min(kLanes, slice.count() - first);
      LaneBlockLoss result;
      lane_block_loss(*outputs_.back(), lane_block, slice.labels.data() + first, images,
                      static_cast<float>(config_.train.label_smoothing), true,
                      class_scratch_.data(), result);
      outputs_.back()->finish_gradient_row(lane_block, 0);
      for (int lane = 0; lane < images; ++lane) {
        total += static_cast<double>(result.loss[lane]);
        correct += static_cast<int>(result.prediction[lane]) ==
                   slice.labels[static_cast<std::size_t>(first + lane)];
      }
    }
    out[layout_.images()] = static_cast<float>(slice.count());
    out[layout_.loss()] = static_cast<float>(total);
    out[layout_.correct()] = static_cast<float>(correct);
    out[layout_.stop()] = 0;
  }

  void backward(std::size_t layer, int images, std::span<float> out) {
    Activation& output = *outputs_[layer];
    enter(static_cast<int>(layer), Phase::pointwise);
    output.norm().write_gradients(out.data());
    enter(static_cast<int>(layer), Phase::weight_gradient);
    Operation& operation = *operations_[layer];
    for (int part = 0; part < kParts; ++part) {
      operation.begin_part(part);
      for (int lane_block = part; lane_block < part_count(images, kLanes); lane_block += kParts)
        operation.backward(layer == 0 ? *input_ : *outputs_[layer - 1], lane_block, output);
      operation.finish_part(part);
    }
    enter(static_cast<int>(layer), Phase::weights);
    output.write_bias_gradient(out.data());
    operation.finish_gradient(out.data());
  }

  void enter(int layer, Phase phase) const {
    if (watch_) watch_->enter(layer, phase);
  }

  PhaseClock* watch_;
  Config config_;
  InputReader reader_;
  Buffer<float> class_scratch_;  // [2][classes][lanes]
  FlatLayout layout_;
  std::vector<float> weights_;  // that the operations have put in order
  bool has_weights_ = false;
  std::unique_ptr<Activation> input_;
  std::vector<std::unique_ptr<Operation>> operations_;
  std::vector<std::unique_ptr<Activation>> outputs_;
  Buffer<float> workspace_;
  std::array<Buffer<float>, 2> gradients_;  // of neighbouring layers
};

}  // namespace HWY_NAMESPACE
}  // namespace mnist_dist::fused
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
