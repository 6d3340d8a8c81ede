// Common parts of convolutions as defined: rings of rows, the loop down them, strips.
#if defined(MNIST_DIST_FUSED_SLIDING_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MNIST_DIST_FUSED_SLIDING_INL_H
#undef MNIST_DIST_FUSED_SLIDING_INL_H
#else
#define MNIST_DIST_FUSED_SLIDING_INL_H
#endif

#include "engine/fused/block_kernels-inl.h"
#include "engine/fused/lane_sums-inl.h"
#include "engine/fused/operation-inl.h"
#include "engine/fused/row_ring.h"

HWY_BEFORE_NAMESPACE();
namespace mnist_dist::fused {
namespace HWY_NAMESPACE {

/// The input's rows go through a ring of them with zero columns beside them. Rows above and below
/// are skipped. The input gradient is the same convolution of the gradient, padded by kernel - 1 -
/// padding, with the weights turned round. The backward pass goes down in strips: long enough that
/// the weight gradient's sums are seldom loaded and stored, short enough that the strip stays in
/// cache for both of its users.
class SlidingConvolution : public Operation {
 public:
  explicit SlidingConvolution(const LayerPlan& plan)
      : plan_(plan),
        kernel_(plan.shape.kernel),
        padding_(plan.layer.padding),
        gradient_padding_(kernel_ - 1 - padding_),
        in_channels_(plan.shape.in_channels),
        out_channels_(plan.shape.out_channels),
        in_side_(plan.shape.in_side),
        out_side_(plan.shape.out_side),
        in_stride_(static_cast<std::size_t>((in_side_ + 2 * padding_) * kLanes)),
        gradient_stride_(static_cast<std::size_t>((out_side_ + 2 * gradient_padding_) * kLanes)),
        all_sums_(kParts * weight_count() * kLanes),
        strip_rows_(part_count(
            out_side_, part_count(out_side_, std::max(kLeastRows, kStripPixels / out_side_)))),
        depth_(strip_rows_ + kernel_ - 1),
        zero_row_(padding_ > 0 ? in_row() : 0),
        row_pointers_(static_cast<std::size_t>(depth_)),
        gradient_pointers_(static_cast<std::size_t>(depth_)) {
    for (int channel = 0; channel < in_channels_; ++channel)
      for (int y = 0; y < kernel_; ++y)
        for (int x = 0; x < kernel_; ++x)
          taps_.push_back({y, static_cast<std::size_t>(channel) * in_stride_ +
                                  static_cast<std::size_t>(x * kLanes)});
  }

  std::size_t workspace_size() const override {
    return static_cast<std::size_t>(depth_) * (in_row() + gradient_row());
  }
  void use_workspace(float* memory) override {
    ring_ = RowRing(memory, depth_, in_row());
    gradients_ =
        RowRing(memory + static_cast<std::size_t>(depth_) * in_row(), depth_, gradient_row());
  }

  void begin_part(int part) override {
    sums_ = all_sums_.data() + static_cast<std::size_t>(part) * weight_count() * kLanes;
    fresh_ = true;
  }
  void finish_part(int /*part*/) override {
    if (fresh_) std::fill_n(sums_, weight_count() * kLanes, 0.0f);
  }

  void forward(const Activation& in, int lane_block, Activation& out) override {
    int read = choose_inputs(in, lane_block);
    for (int y = 0; y < out_side_; ++y) {
      read_inputs(in, lane_block, read, y + kernel_ - padding_);
      convolve(inputs_, in_side_, y - padding_, Pass::forward, out.row(lane_block, y));
      const Timed pointwise = timed(Phase::pointwise);
      out.finish_row(lane_block, y);
    }
  }

  void backward(Activation& in, int lane_block, Activation& out) override {
    int read = choose_inputs(in, lane_block), done = 0;
    for (int first = 0; first < out_side_; first += strip_rows_) {
      const int last = std::min(first + strip_rows_, out_side_);
      read_gradients(out, lane_block, first, last);
      read_inputs(in, lane_block, read, last - 1 + kernel_ - padding_);
      correlate(first, last);
      const Timed input_gradient = timed(Phase::input_gradient);
      if (!in.wants_gradient()) continue;
      for (const int end = last == out_side_ ? in_side_ : last - padding_; done < end; ++done) {
        convolve(gradients_, out_side_, done - gradient_padding_, Pass::backward,
                 in.gradient_row(lane_block, done));
        const Timed pointwise = timed(Phase::pointwise);
        in.finish_gradient_row(lane_block, done);
      }
    }
  }

  void finish_gradient(float* gradient) override {
    sum_lanes(all_sums_.data(), weight_count(), gradient + plan_.weight);
  }

 protected:
  /// The rows that are convolved: the input's with the weights, or the gradient's with the weights
  /// turned round.
  enum class Pass { forward, backward };
  /// Writes a row from the `rows` padded rows that meet the kernel, from its row `skipped` on.
  virtual void write_row(const float* const* row, int rows, int skipped, Pass pass, float* out) = 0;
  /// Adds to sums_.
  virtual void add_weight_gradient(const CorrelationInput& input) = 0;

  std::size_t weight_count() const {
    return static_cast<std::size_t>(out_channels_) *
           static_cast<std::size_t>(plan_.shape.kernel_channels * kernel_ * kernel_);
  }

  LayerPlan plan_;
  int kernel_, padding_, gradient_padding_, in_channels_, out_channels_, in_side_, out_side_;
  std::size_t in_stride_, gradient_stride_;  // floats from channel to channel of a row in the rings
  std::vector<Tap> taps_;                    // [in channel][kernel][kernel]
  float* sums_ = nullptr;                    // a part's of the weight gradient: [weight][lanes]

 private:
  static constexpr int kLeastRows = 4, kStripPixels = 96;  // of a strip: small maps are one

  std::size_t in_row() const { return static_cast<std::size_t>(in_channels_) * in_stride_; }
  std::size_t gradient_row() const {
    return static_cast<std::size_t>(out_channels_) * gradient_stride_;
  }

  void read_gradients(Activation& out, int lane_block, int first, int last) const {
    const Timed pointwise = timed(Phase::pointwise);
    for (int y = first; y < last; ++y)
      out.read_gradient_row(lane_block, y, gradient_padding_, gradients_.row(y));
  }
  /// Where x is the stored value, rows are used where they lie. Returns the first row that is to be
  /// read into the ring.
  int choose_inputs(const Activation& in, int lane_block) {
    const bool in_place = padding_ == 0 && in.reads_as_stored();
    inputs_ = in_place ? RowRing(in.row(lane_block, 0), in_side_, in_row()) : ring_;
    return in_place ? in_side_ : 0;
  }
  void read_inputs(const Activation& in, int lane_block, int& read, int end) const {
    const Timed pointwise = timed(Phase::pointwise);
    for (; read < std::min(end, in_side_); ++read)
      in.read_row(lane_block, read, padding_, inputs_.row(read));
  }

  /// One output row. `first` is the input row that the kernel's top row meets, perhaps above the
  /// map.
  void convolve(const RowRing& ring, int side, int first, Pass pass, float* out) {
    const int top = std::max(first, 0), bottom = std::min(first + kernel_, side);
    write_row(ring.rows(top, bottom, row_pointers_), bottom - top, top - first, pass, out);
  }

  /// Adds the gradient rows [first, last) to the weight gradient's sums.
  void correlate(int first, int last) {
    const int top = first - padding_, bottom = last - 1 - padding_ + kernel_;
    for (int y = top; y < bottom; ++y)
      row_pointers_[static_cast<std::size_t>(y - top)] =
          y < 0 || y >= in_side_ ? zero_row_.data() : inputs_.row(y);
    add_weight_gradient({.input_row = row_pointers_.data(),
                         .gradient_row = gradients_.rows(first, last, gradient_pointers_),
                         .gradient_stride = gradient_stride_,
                         .rows = last - first,
                         .columns = out_side_,
                         .fresh = fresh_});
    fresh_ = false;
  }

  Buffer<float> all_sums_;  // [part]
  int strip_rows_, depth_;
  Buffer<float> zero_row_;  // stands for the rows above and below the map
  std::vector<const float*> row_pointers_, gradient_pointers_;
  RowRing ring_, gradients_;
  RowRing inputs_;  // the ring or a whole map
  bool fresh_ = true;
};

}  // namespace HWY_NAMESPACE
}  // namespace mnist_dist::fused
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
