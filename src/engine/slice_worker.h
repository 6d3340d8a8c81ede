#pragma once
#include <optional>
#include <span>
#include <vector>

#include "engine/engine.h"

namespace mnist_dist {

/// A few images of one shard that are computed together.
struct Slice {
  std::span<const std::uint8_t* const> images;  ///< [n] of [side][side]
  std::span<const ClassIndex> labels;           ///< [n]
  std::span<const std::uint32_t>
      rows;  ///< [n] rows of the file: with seed and epoch they key every random draw
  std::uint32_t epoch = 0;
  int count() const { return static_cast<int>(labels.size()); }
};

/// Makes slices of rows of a shard. A slice is valid until the next one is made. Allocates memory
/// only while slices grow.
class SliceReader {
 public:
  Slice read(const ImagesView& shard, std::span<const std::uint32_t> rows, std::uint32_t epoch) {
    images_.clear();
    labels_.clear();
    for (const std::uint32_t row : rows) {
      const int local = static_cast<int>(row) - shard.first_row;
      images_.push_back(shard.image(local));
      labels_.push_back(shard.labels[static_cast<std::size_t>(local)]);
    }
    return {images_, labels_, rows, epoch};
  }

 private:
  std::vector<const std::uint8_t*> images_;
  std::vector<ClassIndex> labels_;
};

/// The weights of a forward pass.
struct WeightsView {
  std::span<const float> parameters, norm_statistics;  ///< as FlatLayout lays them out
};

/// The part that each CPU engine adds: one slice at a time, on the calling thread. HostEngine has
/// one worker per thread and does the rest (threads, all-reduce, optimiser, averages), so that CPU
/// engines differ in nothing else.
class SliceWorker {
 public:
  virtual ~SliceWorker() = default;
  /// Forward and backward of 1..batch/shards images with batch statistics. Overwrites `out`
  /// (FlatLayout::size() floats): gradient of the *sum* of the images' losses, norm statistics
  /// times n, n, loss sum, correct, stop = 0.
  virtual void train(const Slice& slice, std::span<const float> parameters,
                     std::span<float> out) = 0;
  /// Forward with running statistics of up to evaluation_chunk images. Writes one loss (negative
  /// log-likelihood, without label smoothing) and one predicted class (lowest of equal logits) per
  /// image, and the logits [n][classes], unless `logits` is empty.
  virtual void evaluate(std::span<const std::uint8_t> pixels, std::span<const ClassIndex> labels,
                        const WeightsView& weights, std::span<float> losses,
                        std::span<ClassIndex> predictions, std::span<float> logits = {}) = 0;
  /// As train, but checks every layer. Nothing when all values are finite. The shard is filled in
  /// by the caller.
  virtual std::optional<Diagnosis> diagnose(const Slice& slice,
                                            std::span<const float> parameters) = 0;
};

/// Images an evaluate call gets at most. Fixed, so that no result depends on how the work was
/// split.
inline constexpr int evaluation_chunk = 256;

}  // namespace mnist_dist
