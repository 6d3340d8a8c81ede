// 3x3 convolution with half the multiplications.
#if defined(MNIST_DIST_FUSED_WINOGRAD_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MNIST_DIST_FUSED_WINOGRAD_INL_H
#undef MNIST_DIST_FUSED_WINOGRAD_INL_H
#else
#define MNIST_DIST_FUSED_WINOGRAD_INL_H
#endif

#include "engine/fused/block_kernels-inl.h"
#include "engine/fused/operation-inl.h"
#include "engine/fused/winograd_transforms-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mnist_dist::fused {
namespace HWY_NAMESPACE {

/// F(4,3) along the columns (Winograd 1980; Lavin & Gray, CVPR 2016), as defined down the rows: a tile of four output columns needs six products for
/// each pair of channels and kernel row instead of twelve. With the matrices A, B, G of winograd_transforms-inl.h, and sums over rows and channels:
///   forward          y  = A^T ((G w) * (B^T x))
///   input gradient   dx = B   ((G w) * (A dy)), tiles of six columns overlapping by two
///   weight gradient  dw = G^T ((B^T x) * (A dy))
/// In between, each of the six points is a 3x1 convolution of maps that are as wide as there are tiles, done by the same kernels as the direct one.
/// Transformed rows are [point][channel][tile][lanes] and go through rings; A dy serves both gradients.
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
        in_padding_{padding_, tiles_ * kTile + kKernel - 1 - in_side_ - padding_},
        out_padding_{0, tiles_ * kTile - out_side_},
        forward_weights_(weight_count()),
        backward_weights_(weight_count()),
        sums_(weight_count() * kLanes),
        zero_row_(padding_ > 0 ? in_row() : 0),
        row_pointers_(kDepth),
        gradient_pointers_(kDepth) {
    for (int channel = 0; channel < in_channels_; ++channel)
      for (int y = 0; y < kKernel; ++y) taps_.push_back({y, static_cast<std::size_t>(channel * tiles_ * kLanes)});
  }

  std::size_t workspace_size() const override { return kDepth * (in_row() + out_row()) + std::max(in_row(), out_row()) + plain_row(); }
  void use_workspace(float* memory) override {
    inputs_ = RowRing(memory, kDepth, in_row());
    gradients_ = RowRing(memory + kDepth * in_row(), kDepth, out_row());
    products_ = memory + kDepth * (in_row() + out_row());
    plain_ = products_ + std::max(in_row(), out_row());
  }

  void begin(const float* parameters) override {
    transform_weights(parameters + plan_.weight);
    std::fill_n(sums_.data(), sums_.size(), 0.0f);
  }

  void forward(const Activation& in, int group, Activation& out) override {
    int read = 0;
    for (int y = 0; y < out_side_; ++y) {
      read_inputs(in, group, read, y + kKernel - padding_);
      multiply(inputs_, in_channels_, in_side_, y - padding_, forward_weights_.data(), out_channels_);
      transform_output_row(products_, out_channels_, tiles_, out_side_, out.row(group, y));
      out.finish_row(group, y);
    }
  }

  void backward(Activation& in, int group, Activation& out) override {
    int read = 0, done = 0;
    for (int first = 0; first < out_side_; first += kStripRows) {
      const int last = std::min(first + kStripRows, out_side_);
      for (int y = first; y < last; ++y) {
        out.read_gradient_row(group, y, out_padding_, plain_);
        transform_gradient_row(plain_, out_channels_, tiles_, gradients_.row(y));
      }
      read_inputs(in, group, read, last - 1 + kKernel - padding_);
      correlate(first, last);
      if (!in.wants_gradient()) continue;
      for (const int end = last == out_side_ ? in_side_ : last - padding_; done < end; ++done) {
        multiply(gradients_, out_channels_, out_side_, done + padding_ - (kKernel - 1), backward_weights_.data(), in_channels_);
        transform_input_gradient_row(products_, in_channels_, tiles_, padding_, in_side_, in.gradient_row(group, done));
        in.finish_gradient_row(group, done);
      }
    }
  }

  void finish_gradient(float* gradient) override {
    float* const weights = gradient + plan_.weight;
    const std::size_t filters = weight_count() / kPoints;
    for (std::size_t filter = 0; filter < filters; ++filter) {  // one row of a kernel: [out][in][kernel row]
      V point[kPoints], tap[kKernel];
      for (std::size_t p = 0; p < kPoints; ++p) point[p] = load(sums_.data() + (p * filters + filter) * kLanes);
      transform_weight_gradient(point, tap);
      for (std::size_t x = 0; x < kKernel; ++x) weights[filter * kKernel + x] = hn::GetLane(hn::SumOfLanes(d, tap[x]));
    }
  }

 private:
  static constexpr int kStripRows = 6;
  static constexpr int kDepth = kStripRows + kKernel - 1;

  std::size_t weight_count() const { return static_cast<std::size_t>(kPoints * out_channels_ * in_channels_ * kKernel); }
  std::size_t in_row() const { return static_cast<std::size_t>(kPoints * in_channels_ * tiles_ * kLanes); }
  std::size_t out_row() const { return static_cast<std::size_t>(kPoints * out_channels_ * tiles_ * kLanes); }
  /// Room for a row before its transform.
  std::size_t plain_row() const { return static_cast<std::size_t>(std::max(in_channels_, out_channels_) * (tiles_ * kTile + kKernel - 1) * kLanes); }

  void transform_weights(const float* weights);

  void read_inputs(const Activation& in, int group, int& read, int end) const {
    for (; read < std::min(end, in_side_); ++read) {
      in.read_row(group, read, in_padding_, plain_);
      transform_input_row(plain_, in_channels_, tiles_, inputs_.row(read));
    }
  }

  /// products[point][out channel][tile] of the kernel whose top row meets row `first`, perhaps above the map.
  void multiply(const RowRing& ring, int channels, int side, int first, const float* weights, int out_channels) {
    const int top = std::max(first, 0), bottom = std::min(first + kKernel, side);
    const auto tiles = static_cast<std::size_t>(tiles_ * kLanes);
    for (int point = 0; point < kPoints; ++point) {
      ring.rows(top, bottom, row_pointers_);
      for (const float*& row : row_pointers_) row += static_cast<std::size_t>(point * channels) * tiles;
      const ConvolutionInput input{row_pointers_.data(), bottom - top, channels, tiles, 1};
      convolve_row(input, kKernel, top - first, weights + static_cast<std::size_t>(point * channels * out_channels * kKernel), out_channels, tiles_,
                   products_ + static_cast<std::size_t>(point * out_channels) * tiles, tiles);
    }
  }

  void correlate(int first, int last) {
    const int top = first - padding_, bottom = last - 1 - padding_ + kKernel;
    const auto tiles = static_cast<std::size_t>(tiles_ * kLanes);
    for (int point = 0; point < kPoints; ++point) {
      for (int y = top; y < bottom; ++y)
        row_pointers_[static_cast<std::size_t>(y - top)] =
            (y < 0 || y >= in_side_ ? zero_row_.data() : inputs_.row(y)) + static_cast<std::size_t>(point * in_channels_) * tiles;
      const CorrelationInput input{row_pointers_.data(), gradients_.rows(first, last, gradient_pointers_), tiles, last - first, tiles_};
      correlate_rows(input, out_channels_, static_cast<std::size_t>(point * out_channels_) * tiles, taps_.data(), static_cast<int>(taps_.size()),
                     sums_.data() + static_cast<std::size_t>(point) * weight_count() / kPoints * kLanes);
    }
  }

  LayerPlan plan_;
  int padding_, in_channels_, out_channels_, in_side_, out_side_, tiles_;
  Padding in_padding_, out_padding_;
  Buffer<float> forward_weights_, backward_weights_;  // [point] of pack_weights'
  Buffer<float> sums_;                                // [point][out][in][kernel row][lanes]
  Buffer<float> zero_row_;                            // stands for the rows above and below the map
  std::vector<const float*> row_pointers_, gradient_pointers_;
  std::vector<Tap> taps_;
  RowRing inputs_, gradients_;
  float *products_ = nullptr, *plain_ = nullptr;
};

inline void WinogradConvolution::transform_weights(const float* weights) {
  const auto at = [&](int out, int in, int y) { return weights + ((out * in_channels_ + in) * kKernel + y) * kKernel; };
  for (int point = 0; point < kPoints; ++point) {
    const std::size_t first = static_cast<std::size_t>(point) * weight_count() / kPoints;
    pack_weights(out_channels_, kKernel, in_channels_, 1, forward_weights_.data() + first,
                 [&](int out, int y, int in, int) { return transform_weight(point, at(out, in, y)); });
    pack_weights(in_channels_, kKernel, out_channels_, 1, backward_weights_.data() + first,
                 [&](int in, int y, int out, int) { return transform_weight(point, at(out, in, kKernel - 1 - y)); });
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace mnist_dist::fused
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
