// Bytes of images to the network's input: decoding, augmentation and normalisation, images in the
// lanes.
#if defined(MNIST_DIST_FUSED_INPUT_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MNIST_DIST_FUSED_INPUT_INL_H
#undef MNIST_DIST_FUSED_INPUT_INL_H
#else
#define MNIST_DIST_FUSED_INPUT_INL_H
#endif

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <vector>

#include "data/augment.h"
#include "data/augment_draw.h"
#include "data/resample.h"
#include "engine/fused/simd-inl.h"
#include "engine/slice_worker.h"

HWY_BEFORE_NAMESPACE();
namespace mnist_dist::fused {
namespace HWY_NAMESPACE {

/// The same pixels as augment_image's, to rounding: there resample reads one image at many places,
/// here a vector reads one place of many images.
class InputReader {
 public:
  InputReader(int side, const AugmentConfig& augment, const Normalisation& normalisation,
              std::uint64_t seed)
      : side_(side),
        stride_bits_(stride_bits(side)),
        padded_size_((side + 4) << stride_bits_),
        augment_(augment),
        normalisation_(normalisation),
        seed_(seed),
        bytes_(static_cast<std::size_t>(kLanes * padded_size_)),
        cropped_(static_cast<std::size_t>(kLanes * padded_size_)),
        field_(augment.elastic_alpha > 0 ? static_cast<std::size_t>(2 * size() * kLanes) : 0),
        places_(static_cast<std::size_t>(side * kLanes)),
        x_shares_(static_cast<std::size_t>(side * kLanes)),
        y_shares_(static_cast<std::size_t>(side * kLanes)) {}

  /// A lane block of a slice to [row][column][lanes].
  void read_training(const Slice& slice, int lane_block, float* out);

  /// [count] of [side][side] bytes to [row][column][lanes].
  void read_evaluation(const std::uint8_t* pixels, int count, float* out) const {
    for (int lane = 0; lane < count; ++lane)
      spread(pixels + static_cast<std::size_t>(lane * size()), lane, out);
    normalise(out);
  }

 private:
  int size() const { return side_ * side_; }
  /// Distance of two rows of a padded image: a power of two, and room for the border.
  int stride() const { return 1 << stride_bits_; }
  static int stride_bits(int side) {
    int bits = 5;
    while (1 << bits < side + 4) ++bits;
    return bits;
  }
  static_assert(std::endian::native == std::endian::little, "pixels are read two at a time");

  using DI = hn::RebindToSigned<D>;
  using VI = hn::Vec<DI>;
  static constexpr DI i32{};

  /// A number for each lane: an AffineMap's entries.
  struct Maps {
    HWY_ALIGN float entry[6][kLanes];
    void set(int lane, const AffineMap& map) {
      const float entries[6] = {map.a00, map.a01, map.a02, map.a10, map.a11, map.a12};
      for (std::size_t i = 0; i < 6; ++i) entry[i][lane] = entries[i];
    }
  };

  /// The pixel at the corner of a cell of four, its neighbours to the right and below, and the one
  /// across.
  struct Cell {
    V p0, p1, q0, q1;
  };

  /// Images as they are stored, each [side + 4][stride] with a border of 0. A cell is two times two
  /// bytes. They are collected lane by lane, one row of places at a time, which is faster than four
  /// gathers per place.
  class ByteSource {
   public:
    explicit ByteSource(const InputReader& reader)
        : images_(reader.bytes_.data()),
          places_(reader.places_.data()),
          count_(reader.side_ * kLanes),
          stride_bits_(reader.stride_bits_),
          image_size_(reader.padded_size_) {}

    HWY_INLINE void seek(int column, VI row, VI image_column) {
      hn::Store(hn::Add(hn::Add(hn::ShiftLeftSame(row, stride_bits_), image_column),
                        hn::Mul(hn::Iota(i32, 0), hn::Set(i32, image_size_))),
                i32, places_ + column * kLanes);
    }
    void fetch() {
      for (int i = 0; i < count_; ++i) {
        const std::uint8_t* const corner = images_ + places_[i];
        std::uint16_t upper, lower;
        std::memcpy(&upper, corner, 2);
        std::memcpy(&lower, corner + (1 << stride_bits_), 2);
        places_[i] = static_cast<std::int32_t>(upper | static_cast<std::uint32_t>(lower) << 16);
      }
    }
    HWY_INLINE V pixel(int column) const { return byte<0>(word(column)); }
    HWY_INLINE Cell cell(int column) const {
      const VI w = word(column);
      return {byte<0>(w), byte<8>(w), byte<16>(w), byte<24>(w)};
    }

   private:
    HWY_INLINE VI word(int column) const { return hn::Load(i32, places_ + column * kLanes); }
    template <int kShift>
    static HWY_INLINE V byte(VI word) {
      return hn::ConvertTo(d, hn::And(hn::ShiftRight<kShift>(word), hn::Set(i32, 0xff)));
    }

    const std::uint8_t* images_;
    std::int32_t* places_;  // where a cell lies, then its bytes
    int count_, stride_bits_, image_size_;
  };

  /// Images that were computed: [row][column][lanes], also in a border of 0.
  class FloatSource {
   public:
    explicit FloatSource(const InputReader& reader)
        : images_(reader.cropped_.data()),
          places_(reader.places_.data()),
          stride_bits_(reader.stride_bits_) {}

    HWY_INLINE void seek(int column, VI row, VI image_column) {
      hn::Store(hn::Add(hn::Mul(hn::Add(hn::ShiftLeftSame(row, stride_bits_), image_column),
                                hn::Set(i32, kLanes)),
                        hn::Iota(i32, 0)),
                i32, places_ + column * kLanes);
    }
    void fetch() {}
    HWY_INLINE V pixel(int column) const { return gather(column, 0); }
    HWY_INLINE Cell cell(int column) const {
      const int stride = 1 << stride_bits_;
      return {gather(column, 0), gather(column, kLanes), gather(column, stride * kLanes),
              gather(column, (stride + 1) * kLanes)};
    }

   private:
    HWY_INLINE V gather(int column, int offset) const {
      return hn::GatherIndex(d, images_ + offset, hn::Load(i32, places_ + column * kLanes));
    }

    const float* images_;
    std::int32_t* places_;
    int stride_bits_;
  };

  void put(const std::uint8_t* pixels, int lane) const {
    std::uint8_t* to = bytes_.data() + lane * padded_size_ + stride() + 1;
    for (int row = 0; row < side_; ++row, pixels += side_, to += stride())
      std::memcpy(to, pixels, static_cast<std::size_t>(side_));
  }
  void spread(const std::uint8_t* pixels, int lane, float* out) const {
    const auto count = static_cast<std::size_t>(size());
    for (std::size_t i = 0; i < count; ++i)
      out[i * kLanes + static_cast<std::size_t>(lane)] = static_cast<float>(pixels[i]);
  }

  /// (pixel / 255 - mean) / sd.
  V normalised(V pixel) const {
    return mul_add(pixel, broadcast(1 / (255 * normalisation_.sd)),
                   broadcast(-normalisation_.mean / normalisation_.sd));
  }
  void normalise(float* out) const {
    for (const float* const end = out + size() * kLanes; out < end; out += kLanes)
      store(normalised(load(out)), out);
  }

  /// resample() of all lanes. `put` gets each output pixel.
  template <bool kBilinear, class Source, class Put>
  void resample_lanes(Source source, const Maps& maps, const float* field, Put put_pixel) const;

  int side_, stride_bits_, padded_size_;
  AugmentConfig augment_;
  Normalisation normalisation_;
  std::uint64_t seed_;
  Buffer<std::uint8_t> bytes_;         // [lanes][side + 4][stride]. The border stays 0
  Buffer<float> cropped_;              // [side + 4][stride][lanes]. The border stays 0
  Buffer<float> field_;                // [2][side][side][lanes]
  Buffer<std::int32_t> places_;        // of a row of pixels: [side][lanes]
  Buffer<float> x_shares_, y_shares_;  // of the right and the lower pixels of cells
};

template <bool kBilinear, class Source, class Put>
void InputReader::resample_lanes(Source source, const Maps& maps, const float* field,
                                 Put put_pixel) const {
  const V a00 = load(maps.entry[0]), a01 = load(maps.entry[1]), a02 = load(maps.entry[2]);
  const V a10 = load(maps.entry[3]), a11 = load(maps.entry[4]), a12 = load(maps.entry[5]);
  const V low = broadcast(-1), high = broadcast(static_cast<float>(side_)), one = broadcast(1),
          half = broadcast(0.5f);
  const auto padded = [&](V coordinate) HWY_ATTR {
    return hn::Add(hn::Min(hn::Max(coordinate, low), high), one);
  };
  float *const x_shares = x_shares_.data(), *const y_shares = y_shares_.data();
  for (int row = 0; row < side_; ++row) {
    const V row_x = hn::Mul(a01, broadcast(static_cast<float>(row))),
            row_y = hn::Mul(a11, broadcast(static_cast<float>(row)));
    for (int column = 0; column < side_; ++column) {
      const V at = broadcast(static_cast<float>(column));
      V x = hn::Add(hn::Add(hn::Mul(a00, at), row_x), a02);
      V y = hn::Add(hn::Add(hn::Mul(a10, at), row_y), a12);
      if (field) {
        const float* displacement = field + (row * side_ + column) * kLanes;
        x = hn::Add(x, load(displacement));
        y = hn::Add(y, load(displacement + size() * kLanes));
      }
      const V u = padded(x), v = padded(y);
      if constexpr (kBilinear) {
        const VI i = hn::ConvertTo(i32, u), j = hn::ConvertTo(i32, v);
        store(hn::Sub(u, hn::ConvertTo(d, i)), x_shares + column * kLanes);
        store(hn::Sub(v, hn::ConvertTo(d, j)), y_shares + column * kLanes);
        source.seek(column, j, i);
      } else {
        source.seek(column, hn::ConvertTo(i32, hn::Add(v, half)),
                    hn::ConvertTo(i32, hn::Add(u, half)));
      }
    }
    source.fetch();
    for (int column = 0; column < side_; ++column) {
      if constexpr (kBilinear) {
        const auto [p0, p1, q0, q1] = source.cell(column);
        const V f = load(x_shares + column * kLanes), g = load(y_shares + column * kLanes);
        const V top = hn::Add(p0, hn::Mul(f, hn::Sub(p1, p0))),
                bottom = hn::Add(q0, hn::Mul(f, hn::Sub(q1, q0)));
        put_pixel(row, column, hn::Add(top, hn::Mul(g, hn::Sub(bottom, top))));
      } else {
        put_pixel(row, column, source.pixel(column));
      }
    }
  }
}

inline void InputReader::read_training(const Slice& slice, int lane_block, float* out) {
  const int first = lane_block * kLanes, count = std::min(kLanes, slice.count() - first);
  std::array<AugmentDraw, kLanes> draws;
  Maps crops{}, moves{};
  const EpochAugment augment = at_epoch(augment_, slice.epoch, side_);
  // Lanes that the last block has no images for repeat the last one: their values reach no sum, and
  // it stays finite as long as that image's does.
  for (int lane = 0; lane < kLanes; ++lane) {
    const auto image = static_cast<std::size_t>(first + std::min(lane, count - 1)),
               l = static_cast<std::size_t>(lane);
    draws[l] = draw_faded(augment, seed_, slice.rows[image], slice.epoch);
    crops.set(lane, draws[l].crop_map);
    moves.set(lane, draws[l].move_map);
    if (draws[l].crop || draws[l].move)
      put(slice.images[image], lane);
    else
      spread(slice.images[image], lane, out);
    if (!draws[l].elastic) continue;
    std::vector<float> field(static_cast<std::size_t>(2 * size()));
    elastic_field(augment_, seed_, slice.rows[image], slice.epoch, field, side_);
    for (std::size_t i = 0; i < field.size(); ++i) field_[i * kLanes + l] = field[i];
  }

  const auto into_cropped = [&](int row, int column, V pixel) HWY_ATTR {
    store(pixel, cropped_.data() + ((row + 1) * stride() + column + 1) * kLanes);
  };
  const auto into_out = [&](int row, int column, V pixel) HWY_ATTR {
    store(normalised(pixel), out + (row * side_ + column) * kLanes);
  };
  // Whether images are cropped and moved is the recipe's choice, the same for all.
  const bool crop = draws[0].crop, move = draws[0].move;
  const ByteSource bytes(*this);
  if (crop && move) resample_lanes<true>(bytes, crops, nullptr, into_cropped);
  if (crop && !move) resample_lanes<true>(bytes, crops, nullptr, into_out);
  if (!crop && !move) normalise(out);
  if (move) {
    const float* field = draws[0].elastic ? field_.data() : nullptr;
    choose(augment_.interpolation == Interpolation::bilinear, crop,
           [&](auto kBilinear, auto kCropped) HWY_ATTR {
             if constexpr (kCropped)
               resample_lanes<kBilinear>(FloatSource(*this), moves, field, into_out);
             else
               resample_lanes<kBilinear>(bytes, moves, field, into_out);
           });
  }

  for (int lane = 0; lane < kLanes; ++lane) {
    const AugmentDraw& draw = draws[static_cast<std::size_t>(lane)];
    for (int row = draw.erase_top; row < draw.erase_top + draw.erase_height; ++row)
      for (int column = draw.erase_left; column < draw.erase_left + draw.erase_width; ++column)
        out[(row * side_ + column) * kLanes + lane] = 0;
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace mnist_dist::fused
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
