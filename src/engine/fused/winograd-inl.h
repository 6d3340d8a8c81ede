// 3x3 convolution with a quarter of the multiplications.
#if defined(MNIST_DIST_FUSED_WINOGRAD_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MNIST_DIST_FUSED_WINOGRAD_INL_H
#undef MNIST_DIST_FUSED_WINOGRAD_INL_H
#else
#define MNIST_DIST_FUSED_WINOGRAD_INL_H
#endif

#include <utility>

#include "engine/fused/block_kernels-inl.h"
#include "engine/fused/lane_sums-inl.h"
#include "engine/fused/operation-inl.h"
#include "engine/fused/outer_product-inl.h"
#include "engine/fused/point_product-inl.h"
#include "engine/fused/row_ring.h"
#include "engine/fused/winograd_transforms-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mnist_dist::fused {
namespace HWY_NAMESPACE {

/// Winograd (1980), as Lavin & Gray (CVPR 2016) use it, with the matrices A, B and G of
/// winograd_transforms-inl.h. In one dimension, F(4,3), with * elementwise and sums over channels
/// understood,
///   forward          y  = A^T ((G w) * (B^T x))
///   input gradient   dx = B   ((G w) * (A dy)), tiles of six overlapping by two
///   weight gradient  dw = G^T ((A dy) * (B^T x))
/// A row is transformed along its columns once, to [point][channel][tile][lanes], and goes into a
/// ring. Each pass transforms four or six such rows again, down the rows, one column point after
/// the other so that intermediate values stay in the cache: F(4x4,3x3), in the backward pass once
/// for both gradients. The weight gradient has 36 sums per filter, too many to stay in the cache,
/// so it takes two rows of tiles each time it loads and stores them.
class WinogradConvolution final : public Operation {
 public:
  explicit WinogradConvolution(const LayerPlan& plan)
      : plan_(plan),
        padding_(plan.layer.padding),
        in_channels_(plan.shape.in_channels),
        out_channels_(plan.shape.out_channels),
        in_side_(plan.shape.in_side),
        out_side_(plan.shape.out_side),
        tiles_(part_count(out_side_, kTile)),
        tile_row_(static_cast<std::size_t>(tiles_ * kLanes)),
        filters_(static_cast<std::size_t>(in_channels_ * out_channels_)),
        points_(filters_ * kPoints * kPoints),
        forward_weights_(points_.size()),
        backward_weights_(points_.size()),
        sums_(points_.size() * kLanes),
        taps_(filters_ * kFilterTaps),
        zero_row_(largest_row()),
        row_pointers_(kDepth),
        gradient_pointers_(kDepth),
        order_(outer_product_order(out_channels_, in_channels_)) {}

  std::size_t workspace_size() const override {
    return kDepth * in_row() + kStripRows * out_row() + kStripTiles * (in_row() + out_row()) +
           (kStripRows + 2 + 1) * largest_row();
  }
  void use_workspace(float* memory) override {
    const auto take = [&](std::size_t size) { return std::exchange(memory, memory + size); };
    inputs_ = RowRing(take(kDepth * in_row()), kDepth, in_row());
    gradients_ = RowRing(take(kStripRows * out_row()), kStripRows, out_row());
    transformed_ = take(kStripTiles * in_row());
    transformed_gradient_ = take(kStripTiles * out_row());
    products_ = take(largest_row());
    rows_ = take(kStripRows * largest_row());
    carry_ = take(2 * largest_row());
  }

  void use_weights(const float* parameters) override {
    transform_weights(parameters + plan_.weight);
  }
  void begin_part(int /*part*/) override { fresh_ = true; }

  void forward(const Activation& in, int lane_block, Activation& out) override {
    int read = 0;
    for (int first = 0; first < out_side_; first += kTile) {
      const int top = first - padding_;
      read_inputs(in, lane_block, read, top + kPoints);
      for (int y = 0; y < kPoints; ++y)
        row_pointers_[static_cast<std::size_t>(y)] = input_row(top + y);
      for (int point = 0; point < kPoints; ++point) {
        transform_input_rows(row_pointers_.data(), static_cast<std::size_t>(point) * in_point(),
                             in_channels_, tiles_, transformed_, {tile_row_, in_point()});
        multiply(transformed_, {tile_row_, in_point()}, point, in_channels_,
                 forward_weights_.data(), out_channels_,
                 [&](std::size_t first_vector, std::size_t count) {
                   transform_output_rows(products_, count,
                                         rows_ + static_cast<std::size_t>(point) * out_point() +
                                             first_vector * kLanes,
                                         out_row());
                 });
      }
      for (int y = first; y < std::min(first + kTile, out_side_); ++y)
        write_output(rows_ + static_cast<std::size_t>(y - first) * out_row(), out, lane_block, y);
    }
  }

  void backward(Activation& in, int lane_block, Activation& out) override {
    int read = 0;
    std::fill_n(carry_, 2 * in_row(), 0.0f);
    for (int first = 0; first < out_side_; first += kStripRows) {
      const int last = std::min(first + kStripRows, out_side_),
                tile_rows = part_count(last - first, kTile);
      for (int y = first; y < last; ++y) read_gradient(out, lane_block, y);
      read_inputs(in, lane_block, read, first - padding_ + tile_rows * kTile + kKernel - 1);
      for (int point = 0; point < kPoints; ++point) {
        for (int tile_row = 0; tile_row < tile_rows; ++tile_row)
          transform_rows(first + tile_row * kTile, tile_row, point);
        correlate(tile_rows, point);
        const Timed input_gradient = timed(Phase::input_gradient);
        for (int tile_row = 0; tile_row < tile_rows && in.wants_gradient(); ++tile_row)
          add_input_gradient(tile_row, point);
      }
      fresh_ = false;
      const Timed input_gradient = timed(Phase::input_gradient);
      for (int y = 0; y < tile_rows * kTile && in.wants_gradient(); ++y)
        write_input_gradient(in, lane_block, first + y - padding_,
                             rows_ + static_cast<std::size_t>(y) * in_row());
    }
    const Timed input_gradient = timed(Phase::input_gradient);
    for (int i = 0; i < 2 && in.wants_gradient(); ++i)
      write_input_gradient(in, lane_block, tiles_ * kTile + i - padding_,
                           carry_ + static_cast<std::size_t>(i) * in_row());
  }

  /// The sums are transformed lane by lane, so that the next part can use their memory.
  void finish_part(int part) override {
    float* taps = taps_.data() + static_cast<std::size_t>(part * kTaps * kLanes);
    for (std::size_t filter = 0; filter < filters_; ++filter, taps += kFilterTaps) {
      if (fresh_) {
        std::fill_n(taps, kTaps * kLanes, 0.0f);
        continue;
      }
      V half[kKernel][kPoints];  // [kernel row][column point]
      for (std::size_t column = 0; column < kPoints; ++column) {
        V point[kPoints], tap[kKernel];
        for (std::size_t row = 0; row < kPoints; ++row)
          point[row] = load(sums_.data() + ((column * kPoints + row) * filters_ + filter) * kLanes);
        transform_weight_gradient(point, tap);
        for (std::size_t y = 0; y < kKernel; ++y) half[y][column] = tap[y];
      }
      for (int y = 0; y < kKernel; ++y) {
        V tap[kKernel];
        transform_weight_gradient(half[y], tap);
        for (int x = 0; x < kKernel; ++x) store(tap[x], taps + (y * kKernel + x) * kLanes);
      }
    }
  }
  void finish_gradient(float* gradient) override {
    for (std::size_t filter = 0; filter < filters_; ++filter)
      sum_lanes(taps_.data() + filter * kFilterTaps, kTaps,
                gradient + plan_.weight + order_[filter] * kTaps);
  }

 private:
  static constexpr int
      kStripTiles = 2,
      kStripRows = kStripTiles *
                   kTile;  // rows of tiles that the backward pass takes at a time, and their rows
  static constexpr int kDepth = kStripRows + kKernel - 1;
  static constexpr int kTaps = kKernel * kKernel;
  static constexpr std::size_t kFilterTaps = kParts * kTaps * kLanes;  // floats

  // Floats of a transformed row and of one point of it.
  std::size_t in_point() const { return static_cast<std::size_t>(in_channels_ * tiles_ * kLanes); }
  std::size_t out_point() const {
    return static_cast<std::size_t>(out_channels_ * tiles_ * kLanes);
  }
  std::size_t in_row() const { return kPoints * in_point(); }
  std::size_t out_row() const { return kPoints * out_point(); }
  std::size_t largest_row() const { return std::max(in_row(), out_row()); }

  /// (G w) along the rows and the columns, in the order of the blocks.
  void transform_weights(const float* weights) {
    const auto filters = static_cast<std::ptrdiff_t>(filters_);
    for (std::ptrdiff_t filter = 0; filter < filters; ++filter) {
      const float* const kernel = weights + filter * kKernel * kKernel;
      float columns[kKernel * kPoints];
      for (int y = 0; y < kKernel; ++y)
        transform_weight(kernel + y * kKernel, 1, columns + y, kKernel);
      for (int point = 0; point < kPoints; ++point)
        transform_weight(columns + point * kKernel, 1,
                         points_.data() + point * kPoints * filters + filter, filters);
    }
    for (std::ptrdiff_t point = 0; point < kPoints * kPoints; ++point) {
      pack_weights(points_.data() + point * filters, {in_channels_, 0, 1, 0}, out_channels_, 1,
                   in_channels_, 1, kPointChannels, forward_weights_.data() + point * filters);
      pack_weights(points_.data() + point * filters, {1, 0, in_channels_, 0}, in_channels_, 1,
                   out_channels_, 1, kPointChannels, backward_weights_.data() + point * filters);
    }
  }

  /// Rows up to `end` into the ring.
  void read_inputs(const Activation& in, int lane_block, int& read, int end) const {
    for (; read < std::min(end, in_side_); ++read) {
      float* to = inputs_.row(read);
      in.read_channels(lane_block, read, [&](auto& x) HWY_ATTR {
        transform_input_channel(x, padding_, in_side_, tiles_, to, in_point());
        to += tile_row_;
      });
    }
  }
  void read_gradient(Activation& out, int lane_block, int y) const {
    float* to = gradients_.row(y);
    out.read_gradient_channels(lane_block, y, [&](auto& g) HWY_ATTR {
      transform_gradient_channel(g, out_side_, tiles_, to, out_point());
      to += tile_row_;
    });
  }
  void write_output(const float* points, Activation& out, int lane_block, int y) const {
    float* to = out.row(lane_block, y);
    out.finish_channels(lane_block, y, [&](auto& finish) HWY_ATTR {
      transform_output_channel(points, out_point(), tiles_, out_side_, finish, to);
      points += tile_row_;
      to += out_side_ * kLanes;
    });
  }
  /// `y` may lie outside the map, in the padding.
  void write_input_gradient(Activation& in, int lane_block, int y, const float* points) const {
    if (y < 0 || y >= in_side_) return;
    float* to = in.gradient_row(lane_block, y);
    in.finish_gradient_channels(lane_block, y, [&](auto& finish) HWY_ATTR {
      transform_input_gradient_channel(points, in_point(), tiles_, padding_, in_side_, finish, to);
      points += tile_row_;
      to += in_side_ * kLanes;
    });
  }
  // Of transformed strips.
  PointStrides in_strides() const { return {kStripTiles * tile_row_, kStripTiles * in_point()}; }
  PointStrides out_strides() const { return {kStripTiles * tile_row_, kStripTiles * out_point()}; }
  const float* input_row(int y) const {
    return y < 0 || y >= in_side_ ? zero_row_.data() : inputs_.row(y);
  }

  /// products[row point][out channel][tile] of transformed[row point][channel][tile], for one
  /// column point. A block of channels at a time, so that `use`, called with the first vector and
  /// the number per row point, finds them in the L1 cache.
  template <class Use>
  void multiply(const float* transformed, PointStrides strides, int column_point, int channels,
                const float* weights, int out_channels, Use use) {
    const std::size_t point = static_cast<std::size_t>(column_point * kPoints) * filters_;
    const int parts = part_count(out_channels, kPointChannels);
    for (int part = 0; part < parts; ++part) {
      const int first = part_begin(part, parts, out_channels),
                count = part_begin(part + 1, parts, out_channels) - first;
      multiply_points({transformed, channels, strides}, tiles_, weights + point + first * channels,
                      filters_, count, products_);
      use(static_cast<std::size_t>(first * tiles_), static_cast<std::size_t>(count * tiles_));
    }
  }

  /// Input and gradient of the tiles from row `first` on, for one column point.
  void transform_rows(int first, int tile_row, int point) {
    for (int y = 0; y < kPoints; ++y)
      row_pointers_[static_cast<std::size_t>(y)] = input_row(first - padding_ + y);
    for (int y = 0; y < kTile; ++y)
      gradient_pointers_[static_cast<std::size_t>(y)] =
          first + y < out_side_ ? gradients_.row(first + y) : zero_row_.data();
    const auto at = static_cast<std::size_t>(point);
    transform_input_rows(row_pointers_.data(), at * in_point(), in_channels_, tiles_,
                         transformed_ + tile_row * tile_row_, in_strides());
    transform_gradient_rows(gradient_pointers_.data(), at * out_point(), out_channels_, tiles_,
                            transformed_gradient_ + tile_row * tile_row_, out_strides());
  }

  /// Adds their products to the weight gradient's sums.
  void correlate(int tile_rows, int column_point) {
    for (std::size_t row_point = 0; row_point < kPoints; ++row_point) {
      const OuterProductInput input{transformed_gradient_ + row_point * out_strides().point,
                                    transformed_ + row_point * in_strides().point,
                                    static_cast<std::ptrdiff_t>(in_strides().channel),
                                    static_cast<std::ptrdiff_t>(tile_rows * tile_row_), fresh_};
      outer_product(input, out_channels_, in_channels_,
                    sums_.data() + (column_point * kPoints + row_point) * filters_ * kLanes);
    }
  }

  /// The output of a row of tiles for one column point: four rows of the input's gradient and two
  /// that the next row of tiles still adds to.
  void add_input_gradient(int tile_row, int point) {
    float* const rows = rows_ + static_cast<std::size_t>(tile_row * kTile) * in_row();
    multiply(transformed_gradient_ + tile_row * tile_row_, out_strides(), point, out_channels_,
             backward_weights_.data(), in_channels_,
             [&](std::size_t first_vector, std::size_t count) {
               const std::size_t at =
                   static_cast<std::size_t>(point) * in_point() + first_vector * kLanes;
               transform_input_gradient_rows(products_, count, rows + at, carry_ + at, in_row());
             });
  }

  LayerPlan plan_;
  int padding_, in_channels_, out_channels_, in_side_, out_side_;
  int tiles_;             // along a side
  std::size_t tile_row_;  // floats of a row of tiles
  std::size_t filters_;
  Buffer<float> points_;                              // [column point][row point][out][in]
  Buffer<float> forward_weights_, backward_weights_;  // [column point][row point] of pack_weights'
  Buffer<float> sums_;      // a part's: [column point][row point][order_][lanes]
  Buffer<float> taps_;      // [order_][part][kernel][kernel][lanes]
  Buffer<float> zero_row_;  // stands for the rows above and below the map
  std::vector<const float*> row_pointers_, gradient_pointers_;
  std::vector<int> order_;  // filters in the order of the sums
  RowRing inputs_, gradients_;
  // [tile row][row point][channel][tile][lanes], of one column point (and block of channels)
  float *transformed_ = nullptr, *transformed_gradient_ = nullptr, *products_ = nullptr;
  float *rows_ = nullptr, *carry_ = nullptr;  // a strip's and two transformed rows
  bool fresh_ = true;
};

}  // namespace HWY_NAMESPACE
}  // namespace mnist_dist::fused
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
