// Bytes of images to the network's input: decoding, augmentation and normalisation, images in the lanes.
#if defined(MNIST_DIST_FUSED_INPUT_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MNIST_DIST_FUSED_INPUT_INL_H
#undef MNIST_DIST_FUSED_INPUT_INL_H
#else
#define MNIST_DIST_FUSED_INPUT_INL_H
#endif

#include <algorithm>
#include <array>

#include "data/augment.h"
#include "data/resample.h"
#include "engine/fused/simd-inl.h"
#include "engine/slice_worker.h"

HWY_BEFORE_NAMESPACE();
namespace mnist_dist::fused {
namespace HWY_NAMESPACE {

/// The same pixels as augment_image's, to rounding: there resample reads one image at many places, here a vector reads one place of many images.
class InputReader {
 public:
  InputReader(const AugmentConfig& augment, const Normalisation& normalisation, std::uint64_t seed)
      : augment_(augment),
        normalisation_(normalisation),
        seed_(seed),
        image_(kPaddedSize),
        cropped_(kPaddedSize),
        field_(augment.elastic_alpha > 0 ? 2 * image_size * kLanes : 0) {}

  /// Group `group` of a slice to [row][column][lanes].
  void read_training(const Slice& slice, int group, float* out);

  /// [count] of [28][28] bytes to [row][column][lanes].
  void read_evaluation(const std::uint8_t* pixels, int count, float* out) {
    for (int lane = 0; lane < count; ++lane) put(pixels + static_cast<std::size_t>(lane) * image_size, lane);
    copy_and_normalise(out);
  }

 private:
  static constexpr int kStride = PaddedImage::stride;
  static constexpr std::size_t kPaddedSize = static_cast<std::size_t>(kStride * kStride * kLanes);
  static constexpr std::size_t kInside = static_cast<std::size_t>((kStride + 1) * kLanes);  // where the image begins in its border

  /// A number for each lane: an AffineMap's entries.
  struct Maps {
    HWY_ALIGN float entry[6][kLanes];
    void set(int lane, const AffineMap& map) {
      const float entries[6] = {map.a00, map.a01, map.a02, map.a10, map.a11, map.a12};
      for (std::size_t i = 0; i < 6; ++i) entry[i][lane] = entries[i];
    }
  };

  void put(const std::uint8_t* pixels, int lane) {
    float* at = image_.data() + kInside + lane;
    for (int row = 0; row < image_side; ++row, at += (kStride - image_side) * kLanes)
      for (int column = 0; column < image_side; ++column, at += kLanes) *at = static_cast<float>(*pixels++);
  }

  /// (pixel / 255 - mean) / sd.
  V normalise(V pixel) const {
    return hn::MulAdd(pixel, broadcast(1 / (255 * normalisation_.sd)), broadcast(-normalisation_.mean / normalisation_.sd));
  }
  void copy_and_normalise(float* out) const {
    const float* at = image_.data() + kInside;
    for (int row = 0; row < image_side; ++row, at += (kStride - image_side) * kLanes)
      for (int column = 0; column < image_side; ++column, at += kLanes, out += kLanes) store(normalise(load(at)), out);
  }

  /// resample() of all lanes; `put` gets each output pixel.
  template <bool kBilinear, class Put>
  void resample_lanes(const Buffer<float>& source, const Maps& maps, const float* field, Put put_pixel) const;

  AugmentConfig augment_;
  Normalisation normalisation_;
  std::uint64_t seed_;
  Buffer<float> image_, cropped_;  // [32][32][lanes], as PaddedImage; the border stays 0
  Buffer<float> field_;            // [2][28][28][lanes]
};

template <bool kBilinear, class Put>
void InputReader::resample_lanes(const Buffer<float>& source, const Maps& maps, const float* field, Put put_pixel) const {
  using DI = hn::RebindToSigned<D>;
  const DI i32;
  const V a00 = load(maps.entry[0]), a01 = load(maps.entry[1]), a02 = load(maps.entry[2]);
  const V a10 = load(maps.entry[3]), a11 = load(maps.entry[4]), a12 = load(maps.entry[5]);
  const V low = broadcast(-1), high = broadcast(image_side), one = broadcast(1);
  const auto padded = [&](V coordinate) HWY_ATTR { return hn::Add(hn::Min(hn::Max(coordinate, low), high), one); };
  const auto lane = hn::Iota(i32, 0);
  const auto index_of = [&](auto row, auto column)
                            HWY_ATTR { return hn::Add(hn::Mul(hn::Add(hn::ShiftLeft<5>(row), column), hn::Set(i32, kLanes)), lane); };
  static_assert(kStride == 1 << 5);
  const float* image = source.data();
  for (int row = 0; row < image_side; ++row) {
    const V row_x = hn::Mul(a01, broadcast(static_cast<float>(row))), row_y = hn::Mul(a11, broadcast(static_cast<float>(row)));
    for (int column = 0; column < image_side; ++column) {
      const V at = broadcast(static_cast<float>(column));
      V x = hn::Add(hn::Add(hn::Mul(a00, at), row_x), a02);
      V y = hn::Add(hn::Add(hn::Mul(a10, at), row_y), a12);
      if (field) {
        const float* displacement = field + (row * image_side + column) * kLanes;
        x = hn::Add(x, load(displacement));
        y = hn::Add(y, load(displacement + image_size * kLanes));
      }
      if constexpr (kBilinear) {
        const V u = padded(x), v = padded(y);
        const auto i = hn::ConvertTo(i32, u), j = hn::ConvertTo(i32, v);
        const V f = hn::Sub(u, hn::ConvertTo(d, i)), g = hn::Sub(v, hn::ConvertTo(d, j));
        const auto index = index_of(j, i);
        const auto pixel = [&](int offset) HWY_ATTR { return hn::GatherIndex(d, image + offset, index); };
        const V p0 = pixel(0), p1 = pixel(kLanes), q0 = pixel(kStride * kLanes), q1 = pixel((kStride + 1) * kLanes);
        const V top = hn::Add(p0, hn::Mul(f, hn::Sub(p1, p0))), bottom = hn::Add(q0, hn::Mul(f, hn::Sub(q1, q0)));
        put_pixel(row, column, hn::Add(top, hn::Mul(g, hn::Sub(bottom, top))));
      } else {
        const V half = broadcast(0.5f);
        const auto i = hn::ConvertTo(i32, hn::Add(padded(x), half)), j = hn::ConvertTo(i32, hn::Add(padded(y), half));
        put_pixel(row, column, hn::GatherIndex(d, image, index_of(j, i)));
      }
    }
  }
}

inline void InputReader::read_training(const Slice& slice, int group, float* out) {
  const int first = group * kLanes, count = std::min(kLanes, slice.count() - first);
  std::array<AugmentDraw, kLanes> draws;
  Maps crops{}, moves{};
  for (int lane = 0; lane < count; ++lane) {
    const auto image = static_cast<std::size_t>(first + lane), l = static_cast<std::size_t>(lane);
    put(slice.images[image], lane);
    draws[l] = draw_augmentation(augment_, seed_, slice.rows[image], slice.epoch);
    crops.set(lane, draws[l].crop_map);
    moves.set(lane, draws[l].move_map);
    if (!draws[l].elastic) continue;
    std::array<float, 2 * image_size> field;
    elastic_field(augment_, seed_, slice.rows[image], slice.epoch, field);
    for (std::size_t i = 0; i < field.size(); ++i) field_[i * kLanes + l] = field[i];
  }

  const auto into_cropped = [&](int row, int column, V pixel)
                                HWY_ATTR { store(pixel, cropped_.data() + kInside + static_cast<std::size_t>((row * kStride + column) * kLanes)); };
  const auto into_out = [&](int row, int column, V pixel) HWY_ATTR { store(normalise(pixel), out + (row * image_side + column) * kLanes); };
  // Whether images are cropped and moved is the recipe's choice, the same for all.
  const bool crop = draws[0].crop, move = draws[0].move;
  if (crop && move) resample_lanes<true>(image_, crops, nullptr, into_cropped);
  if (crop && !move) resample_lanes<true>(image_, crops, nullptr, into_out);
  if (!crop && !move) copy_and_normalise(out);
  if (move) {
    const Buffer<float>& source = crop ? cropped_ : image_;
    const float* field = draws[0].elastic ? field_.data() : nullptr;
    if (augment_.interpolation == Interpolation::bilinear)
      resample_lanes<true>(source, moves, field, into_out);
    else
      resample_lanes<false>(source, moves, field, into_out);
  }

  for (int lane = 0; lane < count; ++lane) {
    const AugmentDraw& draw = draws[static_cast<std::size_t>(lane)];
    for (int row = draw.erase_top; row < draw.erase_top + draw.erase_height; ++row)
      for (int column = draw.erase_left; column < draw.erase_left + draw.erase_width; ++column) out[(row * image_side + column) * kLanes + lane] = 0;
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace mnist_dist::fused
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
