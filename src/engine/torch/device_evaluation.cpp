#include "engine/torch/device_evaluation.h"

#include <algorithm>

#include "engine/device/kernels.h"

namespace mnist_dist {
namespace {

constexpr int images_at_once = 2000;

/// Adds the scores of rows of logits against `labels`, one per row, and appends the predicted
/// classes if requested.
void score(const at::Tensor& logits, std::span<const ClassIndex> labels, Sums& sums,
           std::vector<ClassIndex>* predictions) {
  std::vector<std::int64_t> targets(labels.begin(), labels.end());
  const at::Tensor wanted =
      at::from_blob(targets.data(), {static_cast<std::int64_t>(targets.size())}, at::kLong);
  const at::Tensor losses =
      at::cross_entropy_loss(logits, wanted, {}, at::Reduction::None).contiguous();
  std::vector<ClassIndex> classes(labels.size());
  classify(logits, classes);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    sums.correct += classes[i] == labels[i] ? 1 : 0;
    sums.loss += static_cast<double>(losses.data_ptr<float>()[i]);
  }
  if (predictions) predictions->insert(predictions->end(), classes.begin(), classes.end());
}

}  // namespace

void DeviceEvaluation::set_data(std::span<const ImagesView> shares) {
  shares_.assign(shares.begin(), shares.end());
  pixels_.clear();
  for (const ImagesView& share : shares) pixels_.emplace_back(queue_.queue(), share.pixels);
}

std::vector<Sums> DeviceEvaluation::run(const Network& network, const TensorViews& views,
                                        std::vector<ClassIndex>* predictions,
                                        std::vector<float>* logits) const {
  const c10::InferenceMode no_gradients;
  if (predictions) predictions->clear();
  if (logits) logits->clear();
  std::vector<Sums> sums;
  for (std::size_t share = 0; share < shares_.size(); ++share) {
    const ImagesView& images = shares_[share];
    Sums& sum = sums.emplace_back(Sums{.images = images.count()});
    for (int first = 0; first < images.count(); first += images_at_once) {
      const int count = std::min(images_at_once, images.count() - first);
      const at::Tensor rows = logits_of(share, first, count, network, views).contiguous();
      score(rows, {images.labels.data() + first, static_cast<std::size_t>(count)}, sum,
            predictions);
      if (logits)
        logits->insert(logits->end(), rows.data_ptr<float>(),
                       rows.data_ptr<float>() + rows.numel());
    }
  }
  return sums;
}

at::Tensor DeviceEvaluation::logits_of(std::size_t share, int first, int count,
                                       const Network& network, const TensorViews& views) const {
  at::Tensor x = at::empty({count, 1, side_, side_},
                           at::TensorOptions().dtype(at::kFloat).device(queue_.device()));
  const std::size_t skipped = static_cast<std::size_t>(first) * shares_[share].image_pixels();
  enqueue_decode(queue_.queue(), pixels_[share].data() + skipped, count, side_, normalisation_,
                 x.data_ptr<float>());
  for (int i = 0; i < network.layers(); ++i) x = network.layer(i, x, views, {}, false);
  return x.flatten(1).cpu();
}

}  // namespace mnist_dist
