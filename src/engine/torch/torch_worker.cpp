#include "engine/torch/torch_worker.h"

#include <malloc.h>

#include <algorithm>
#include <mutex>

#include "engine/torch/network.h"
#include "engine/update.h"

// OpenBLAS has threads of its own, outside of LibTorch's control. Another BLAS leaves this
// undefined.
extern "C" __attribute__((weak)) void openblas_set_num_threads(int threads);

namespace mnist_dist {
namespace {

bool finite(const at::Tensor& tensor) {
  if (!tensor.defined()) return true;
  const at::Tensor flat = tensor.contiguous();
  return all_finite({flat.data_ptr<float>(), static_cast<std::size_t>(flat.numel())});
}

class TorchWorker final : public SliceWorker {
 public:
  explicit TorchWorker(const EngineOptions& options)
      : config_(options.config),
        normalisation_(options.normalisation),
        pixels_(static_cast<std::size_t>(config_.model.pixels())),
        network_(config_.model),
        layout_(network_.layout()) {
    use_one_torch_thread();
    const auto slice = static_cast<std::size_t>(config_.train.batch / config_.data.shards);
    const std::vector<LayerShape> shapes = layer_shapes(config_.model);
    for (std::size_t i = 0; i < shapes.size(); ++i) {
      Dropout dropout{.rule = dropout_rule(config_.model.layers[i].dropout),
                      .channels = shapes[i].out_channels,
                      .side = shapes[i].out_side};
      if (dropout.rule.threshold > 0) {
        dropout.mask.resize(
            static_cast<std::size_t>(dropout.channels * dropout.side * dropout.side));
        dropout.factors.resize(slice * dropout.mask.size());
      }
      dropouts_.push_back(std::move(dropout));
    }
    images_.resize(std::max<std::size_t>(slice, evaluation_chunk) * pixels_);
    labels_.resize(std::max<std::size_t>(slice, evaluation_chunk));
    gradients_.resize(layout_.size());
  }

  void train(const Slice& slice, std::span<const float> parameters, std::span<float> out) override {
    std::ranges::fill(out, 0.0f);  // backward adds to it
    const TensorViews views = training_views(parameters, out);
    at::Tensor x = training_input(slice);
    for (int i = 0; i < network_.layers(); ++i)
      x = network_.layer(i, x, views, dropout_factors(i, slice), true);
    const at::Tensor logits = x.flatten(1);
    const at::Tensor loss = training_loss(logits, slice);
    loss.backward();

    const auto images = static_cast<float>(slice.count());
    for (float& statistic : out.subspan(layout_.parameter_count, layout_.norm_count))
      statistic *= images;
    out[layout_.images()] = images;
    out[layout_.loss()] = loss.item<float>();
    out[layout_.correct()] = static_cast<float>(count_correct(logits.detach(), slice.labels));
  }

  void evaluate(std::span<const std::uint8_t> pixels, std::span<const ClassIndex> labels,
                const WeightsView& weights, std::span<float> losses,
                std::span<ClassIndex> predictions, std::span<float> logits_out) override {
    const c10::InferenceMode no_gradients;
    const TensorViews views = tensor_views(layout_, weights.parameters, weights.norm_statistics);
    for (std::size_t i = 0; i < labels.size(); ++i)
      decode_image(pixels.subspan(i * pixels_, pixels_), normalisation_,
                   std::span(images_).subspan(i * pixels_, pixels_));
    at::Tensor x = image_view(labels.size());
    for (int i = 0; i < network_.layers(); ++i) x = network_.layer(i, x, views, {}, false);
    const at::Tensor logits = x.flatten(1);
    const at::Tensor each =
        at::cross_entropy_loss(logits, targets(labels), {}, at::Reduction::None).contiguous();
    std::copy_n(each.data_ptr<float>(), labels.size(), losses.begin());
    classify(logits, predictions);
    std::copy_n(logits.contiguous().data_ptr<float>(), logits_out.size(), logits_out.begin());
  }

  std::optional<Diagnosis> diagnose(const Slice& slice,
                                    std::span<const float> parameters) override {
    std::ranges::fill(gradients_, 0.0f);
    const TensorViews views = training_views(parameters, gradients_);
    at::Tensor x = training_input(slice);
    std::vector<at::Tensor> activations{x};
    for (int i = 0; i < network_.layers(); ++i) {
      const auto in_layer = [&](const char* where) {
        return Diagnosis{.layer = i, .where = where};
      };
      if (!parameters_finite(i, parameters)) return in_layer("parameter");
      x = network_.layer(i, x, views, dropout_factors(i, slice), true);
      if (!finite(x) || !statistics_finite(i, gradients_)) return in_layer("activation");
      if (x.requires_grad()) x.retain_grad();
      activations.push_back(x);
    }
    const at::Tensor loss = training_loss(x.flatten(1), slice);
    if (!finite(loss)) return Diagnosis{.layer = network_.layers(), .where = "loss"};
    loss.backward();
    // A layer's part of backward is the gradient of its parameters and of its input.
    if (!finite(activations.back().grad()))
      return Diagnosis{.layer = network_.layers(), .where = "gradient"};
    for (int i = network_.layers() - 1; i >= 0; --i) {
      const at::Tensor& input = activations[static_cast<std::size_t>(i)];
      const bool input_finite = i == 0 || finite(input.grad());
      if (!input_finite || !parameters_finite(i, gradients_))
        return Diagnosis{.layer = i, .where = "gradient"};
    }
    return {};
  }

 private:
  struct Dropout {
    DropoutRule rule;
    int channels, side;
    std::vector<std::uint8_t> mask = {};  ///< of one image
    std::vector<float> factors = {};      ///< of a slice
  };

  /// Parameters whose gradients backward adds to `out`, and norm statistics that forward writes
  /// there.
  TensorViews training_views(std::span<const float> parameters, std::span<float> out) const {
    TensorViews views =
        tensor_views(layout_, parameters, out.subspan(layout_.parameter_count, layout_.norm_count));
    const std::vector<at::Tensor> gradients = parameter_views(layout_, out);
    for (std::size_t i = 0; i < gradients.size(); ++i) {
      views.parameters[i].set_requires_grad(true);
      views.parameters[i].mutable_grad() = gradients[i];
    }
    return views;
  }

  at::Tensor image_view(std::size_t count) {
    return at::from_blob(
        images_.data(),
        {static_cast<std::int64_t>(count), 1, config_.model.side, config_.model.side}, at::kFloat);
  }

  at::Tensor training_input(const Slice& slice) {
    for (std::size_t i = 0; i < slice.images.size(); ++i)
      augment_image({slice.images[i], pixels_}, config_.augment, normalisation_, config_.train.seed,
                    slice.rows[i], slice.epoch, std::span(images_).subspan(i * pixels_, pixels_),
                    config_.model.side);
    return image_view(slice.images.size());
  }

  at::Tensor dropout_factors(int layer, const Slice& slice) {
    Dropout& dropout = dropouts_[static_cast<std::size_t>(layer)];
    if (dropout.mask.empty()) return {};
    float* factor = dropout.factors.data();
    for (const std::uint32_t row : slice.rows) {
      dropout_mask(dropout.rule, config_.train.seed, row, slice.epoch,
                   static_cast<std::uint32_t>(layer), dropout.mask);
      for (const std::uint8_t dropped : dropout.mask)
        *factor++ = dropped ? 0.0f : dropout.rule.scale;
    }
    return at::from_blob(dropout.factors.data(),
                         {slice.count(), dropout.channels, dropout.side, dropout.side}, at::kFloat);
  }

  at::Tensor targets(std::span<const ClassIndex> labels) {
    std::ranges::copy(labels, labels_.begin());
    return at::from_blob(labels_.data(), {static_cast<std::int64_t>(labels.size())}, at::kLong);
  }

  at::Tensor training_loss(const at::Tensor& logits, const Slice& slice) {
    return at::cross_entropy_loss(logits, targets(slice.labels), {}, at::Reduction::Sum, -100,
                                  config_.train.label_smoothing);
  }

  int count_correct(const at::Tensor& logits, std::span<const ClassIndex> labels) {
    predictions_.resize(labels.size());
    classify(logits, predictions_);
    int correct = 0;
    for (std::size_t i = 0; i < labels.size(); ++i) correct += predictions_[i] == labels[i] ? 1 : 0;
    return correct;
  }

  /// A layer's part of a parameter vector, or of a gradient.
  bool parameters_finite(int layer, std::span<const float> flat) const {
    return std::ranges::all_of(layout_.parameters, [&](const ParameterTensor& tensor) {
      return tensor.layer != layer || all_finite(flat.subspan(tensor.offset, tensor.size));
    });
  }
  bool statistics_finite(int layer, std::span<const float> out) const {
    return std::ranges::all_of(layout_.norms, [&](const NormTensor& norm) {
      return norm.layer != layer ||
             all_finite(out.subspan(layout_.parameter_count + norm.offset,
                                    2 * static_cast<std::size_t>(norm.channels)));
    });
  }

  Config config_;
  Normalisation normalisation_;
  std::size_t pixels_;  ///< of an image
  Network network_;
  const FlatLayout& layout_;
  std::vector<Dropout> dropouts_;
  std::vector<float> images_;
  std::vector<std::int64_t> labels_;
  std::vector<ClassIndex> predictions_;
  std::vector<float> gradients_;  ///< for diagnose
};

/// LibTorch allocates and frees every activation again. glibc would hand such blocks back to the
/// system each time, and the page faults of getting them again are a tenth of a step, and more when
/// threads meet in the kernel.
void keep_freed_memory() {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 256 << 20);
#endif
}

}  // namespace

void use_one_torch_thread() {
  at::set_num_threads(1);
  static std::once_flag once;
  std::call_once(once, [] {
    at::set_num_interop_threads(1);  // allowed once in a process
    if (openblas_set_num_threads) openblas_set_num_threads(1);
    keep_freed_memory();
  });
}

std::unique_ptr<SliceWorker> make_torch_worker(const EngineOptions& options) {
  return std::make_unique<TorchWorker>(options);
}

}  // namespace mnist_dist
