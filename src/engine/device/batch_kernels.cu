#include "base/kernel.h"
#include "data/augment_draw.h"
#include "data/resample.h"
#include "engine/device/kernels.h"

namespace mnist_dist {
namespace {

/// One image: a block.
struct Decode {
  static constexpr int block_threads = 256;
  struct Scratch {};
  const std::uint8_t* pixels;
  int side;
  Normalisation normalisation;
  float* images;

  MNIST_DIST_HOST_DEVICE void operator()(const Team& team, int block, Scratch&) const {
    const int size = side * side;
    const std::size_t first = static_cast<std::size_t>(block) * static_cast<std::size_t>(size);
    for (int i = team.thread(); i < size; i += team.threads()) {
      const std::size_t at = first + static_cast<std::size_t>(i);
      images[at] = normalised(static_cast<float>(pixels[at]), normalisation);
    }
  }
};

/// augment_image, with the threads of a block on one image. data/augment.h names the definition.
struct Augment {
  static constexpr int block_threads = 256;
  struct Scratch {
    AugmentDraw draw;
  };
  DeviceRows rows;
  const DeviceEpoch* epoch;
  const DeviceProgress* progress;
  std::uint64_t seed;
  Normalisation normalisation;
  int slice;
  BatchOrder order;
  DeviceBatch batch;

  /// `block` counts slice by slice.
  MNIST_DIST_HOST_DEVICE void operator()(const Team& team, int block, Scratch& scratch) const {
    const int shard = block / slice, image = block % slice;
    const int place = order == BatchOrder::by_image ? image * rows.shards + shard : block;
    float* const out =
        batch.images + static_cast<std::size_t>(place) * static_cast<std::size_t>(size());
    const std::int64_t at = std::int64_t{progress->step} * slice + image;
    const std::int32_t begin = rows.shard_begin[shard];
    if (at >= rows.shard_begin[shard + 1] - begin) {
      for (int i = team.thread(); i < size(); i += team.threads()) out[i] = 0;
      if (team.thread() == 0) batch.labels[place] = no_image, batch.rows[place] = 0;
      return;
    }
    const std::uint32_t row = rows.orders[begin + at];
    const std::size_t local = row - rows.first_row;
    if (team.thread() == 0) {
      batch.labels[place] = rows.labels[local];
      batch.rows[place] = row;
      scratch.draw = draw_faded(epoch->augment, seed, row, epoch->epoch);
    }
    team.sync();
    augment(team, rows.pixels + local * static_cast<std::size_t>(size()), row, scratch.draw,
            batch.workspace + static_cast<std::size_t>(place) * augment_workspace(rows.side), out);
    team.sync();  // before the next image's draw, where one thread does all
  }

 private:
  MNIST_DIST_HOST_DEVICE int size() const { return rows.side * rows.side; }

  /// `workspace`: augment_workspace floats.
  MNIST_DIST_HOST_DEVICE void augment(const Team& team, const std::uint8_t* pixels,
                                      std::uint32_t row, const AugmentDraw& draw, float* workspace,
                                      float* out) const {
    float* const source = workspace + 3 * size();
    if (draw.crop || draw.move) {
      pad(team, pixels, source);
      if (draw.crop) {
        resample(team, source, draw.crop_map, nullptr, Interpolation::bilinear, out);
        if (draw.move) pad(team, out, source);
      }
      if (draw.elastic) bend(team, row, workspace);
      if (draw.move)
        resample(team, source, draw.move_map, draw.elastic ? workspace : nullptr,
                 epoch->augment.interpolation, out);
    }
    for (int i = team.thread(); i < size(); i += team.threads()) {
      const float pixel = draw.crop || draw.move ? out[i] : static_cast<float>(pixels[i]);
      const int y = i / rows.side - draw.erase_top, x = i % rows.side - draw.erase_left;
      const bool erased =
          draw.erase && y >= 0 && y < draw.erase_height && x >= 0 && x < draw.erase_width;
      out[i] = erased ? 0.0f : normalised(pixel, normalisation);
    }
  }

  template <class Pixel>
  MNIST_DIST_HOST_DEVICE void pad(const Team& team, const Pixel* pixels, float* source) const {
    const int side = rows.side, stride = padded_stride(side);
    for (int i = team.thread(); i < stride * stride; i += team.threads()) {
      const int y = i / stride - 1, x = i % stride - 1;
      const bool inside = y >= 0 && y < side && x >= 0 && x < side;
      source[i] = inside ? static_cast<float>(pixels[y * side + x]) : 0.0f;
    }
    team.sync();
  }

  MNIST_DIST_HOST_DEVICE void resample(const Team& team, const float* source, const AffineMap& map,
                                       const float* displacement, Interpolation interpolation,
                                       float* out) const {
    const int side = rows.side, stride = padded_stride(side);
    for (int i = team.thread(); i < size(); i += team.threads()) {
      auto [x, y] = source_point(map, i / side, i % side);
      if (displacement) x += displacement[i], y += displacement[size() + i];
      out[i] = interpolation == Interpolation::nearest ? read_nearest(source, x, y, side, stride)
                                                       : read_bilinear(source, x, y, side, stride);
    }
    team.sync();
  }

  /// elastic_field. `field`: [3][side][side], the last one for what is half smoothed.
  MNIST_DIST_HOST_DEVICE void bend(const Team& team, std::uint32_t row, float* field) const {
    const Draws draws{.seed = seed, .purpose = Purpose::elastic, .row = row, .epoch = epoch->epoch};
    for (int first = 8 * team.thread(); first < 2 * size(); first += 8 * team.threads()) {
      const auto words = draws.block(static_cast<std::uint32_t>(first / 8));
      for (int i = 0; i < 8 && first + i < 2 * size(); ++i)
        field[first + i] = elastic_noise(half_word(words, i));
    }
    team.sync();
    for (int axis = 0; axis < 2; ++axis) {
      smooth_transposed(team, field + axis * size(), field + 2 * size());
      smooth_transposed(team, field + 2 * size(), field + axis * size());
    }
  }

  MNIST_DIST_HOST_DEVICE void smooth_transposed(const Team& team, const float* in,
                                                float* out) const {
    const int side = rows.side;
    for (int i = team.thread(); i < size(); i += team.threads()) {
      const int row = i / side, at = i % side;
      const float* line = in + row * side;
      const auto value = [&](int column) {
        return column >= 0 && column < side ? line[column] : 0.0f;
      };
      float sum = epoch->tap[0] * line[at];
      for (int reach = 1; reach < epoch->taps; ++reach)
        sum += epoch->tap[reach] * (value(at - reach) + value(at + reach));
      out[at * side + row] = sum;
    }
    team.sync();
  }
};

/// One image's factors: a block.
struct Dropout {
  static constexpr int block_threads = 256;
  struct Scratch {};
  DropoutRule rule;
  const DeviceEpoch* epoch;
  std::uint64_t seed;
  std::uint32_t layer;
  const std::uint32_t* rows;
  int elements;
  float* factors;

  MNIST_DIST_HOST_DEVICE void operator()(const Team& team, int block, Scratch&) const {
    const Draws draws{.seed = seed,
                      .purpose = Purpose::dropout,
                      .row = rows[block],
                      .epoch = epoch->epoch,
                      .layer = layer};
    float* const out =
        factors + static_cast<std::size_t>(block) * static_cast<std::size_t>(elements);
    for (int first = 8 * team.thread(); first < elements; first += 8 * team.threads()) {
      const auto words = draws.block(static_cast<std::uint32_t>(first / 8));
      for (int i = 0; i < 8 && first + i < elements; ++i)
        out[first + i] = half_word(words, i) < rule.threshold ? 0.0f : rule.scale;
    }
  }
};

}  // namespace

bool kernels_run_on([[maybe_unused]] int device) {
#ifdef __CUDACC__
  cudaFuncAttributes attributes{};
  const bool runs = cudaSetDevice(device) == cudaSuccess &&
                    cudaFuncGetAttributes(&attributes, run_kernel<Decode>) == cudaSuccess;
  cudaGetLastError();  // or the next call would report it again
  return runs;
#else
  return false;
#endif
}

void enqueue_batch(const Queue& queue, const DeviceRows& rows, const DeviceEpoch* epoch,
                   const DeviceProgress* progress, std::uint64_t seed,
                   const Normalisation& normalisation, int slice, BatchOrder order,
                   const DeviceBatch& batch) {
  launch(queue, slice * rows.shards,
         Augment{rows, epoch, progress, seed, normalisation, slice, order, batch});
}

void enqueue_decode(const Queue& queue, const std::uint8_t* pixels, int count, int side,
                    const Normalisation& normalisation, float* images) {
  launch(queue, count, Decode{pixels, side, normalisation, images});
}

void enqueue_dropout(const Queue& queue, const DropoutRule& rule, const DeviceEpoch* epoch,
                     std::uint64_t seed, std::uint32_t layer, const std::uint32_t* rows, int count,
                     int elements, float* factors) {
  launch(queue, count, Dropout{rule, epoch, seed, layer, rows, elements, factors});
}

}  // namespace mnist_dist
