#include "engine/fused/arithmetic.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "data/augment.h"
#include "data/resample.h"
#include "model/layout.h"

namespace mnist_dist {
namespace {

constexpr int lane_count = 16;
using Lanes = std::array<float, lane_count>;

/// [channel][row][column], and 0 outside.
struct Map {
  int channels, side;
  std::vector<float> values;
  Map(int channel_count, int map_side)
      : channels(channel_count),
        side(map_side),
        values(static_cast<std::size_t>(channels * side * side)) {}
  std::size_t at(int c, int y, int x) const {
    return static_cast<std::size_t>((c * side + y) * side + x);
  }
  bool holds(int y, int x) const { return y >= 0 && x >= 0 && y < side && x < side; }
  float operator()(int c, int y, int x) const { return holds(y, x) ? values[at(c, y, x)] : 0.0f; }
  float& set(int c, int y, int x) { return values[at(c, y, x)]; }
};

/// A layer and its values during a pass, with one map per image.
struct LayerPass {
  Layer layer;
  LayerShape shape{};
  std::span<const float> weight, bias, gamma, beta;
  float keep = 1;
  std::vector<Map> value, gradient;  ///< v, and the gradient with respect to x
  std::vector<std::vector<std::uint8_t>> dropped;
  std::vector<float> scale, shift, mean, inverse;
};

// ---- sums over lanes

float in_halves(Lanes l) {
  for (std::size_t half = 8; half > 0; half /= 2)
    for (std::size_t i = 0; i < half; ++i) l[i] = l[i] + l[i + half];
  return l[0];
}
float in_blocks(const Lanes& l) {
  float block[4];
  for (std::size_t k = 0; k < 4; ++k)
    block[k] = (l[4 * k] + l[4 * k + 2]) + (l[4 * k + 1] + l[4 * k + 3]);
  return (block[0] + block[2]) + (block[1] + block[3]);
}
float sum_of_lanes(const Lanes& lanes, std::size_t index, std::size_t count) {
  return index < count / 4 * 4 ? in_blocks(lanes) : in_halves(lanes);
}

// ---- Winograd's transforms. `stride` floats lie between a transform's numbers

using Six = std::array<float, 6>;

Six weight_points(float w0, float w1, float w2) {
  const float sixth = -1 / 6.0f, part = 1 / 24.0f;
  return {w0 * 0.25f,
          ((w0 + w2) + w1) * sixth,
          ((w0 + w2) - w1) * sixth,
          ((w0 + 4 * w2) + 2 * w1) * part,
          ((w0 + 4 * w2) - 2 * w1) * part,
          w2};
}
Six input_points(const Six& x) {
  const float e1 = std::fma(-4.0f, x[2], x[4]), o1 = std::fma(-4.0f, x[1], x[3]);
  const float e2 = x[4] - x[2], o2 = x[3] - x[1];
  return {std::fma(4.0f, x[0], std::fma(-5.0f, x[2], x[4])),
          e1 + o1,
          e1 - o1,
          std::fma(2.0f, o2, e2),
          std::fma(-2.0f, o2, e2),
          std::fma(4.0f, x[1], std::fma(-5.0f, x[3], x[5]))};
}
std::array<float, 4> outputs_of(const Six& m) {
  const float s1 = m[1] + m[2], d1 = m[1] - m[2], s2 = m[3] + m[4], d2 = m[3] - m[4];
  return {m[0] + (s1 + s2), std::fma(2.0f, d2, d1), std::fma(4.0f, s2, s1),
          m[5] + std::fma(8.0f, d2, d1)};
}
Six gradient_points(float g0, float g1, float g2, float g3) {
  const float e1 = g0 + g2, o1 = g1 + g3, e2 = std::fma(4.0f, g2, g0), o2 = std::fma(4.0f, g3, g1);
  return {g0, e1 + o1, e1 - o1, std::fma(2.0f, o2, e2), std::fma(-2.0f, o2, e2), g3};
}
Six input_gradients_of(const Six& m) {
  const float s1 = m[1] + m[2], d1 = m[1] - m[2], s2 = m[3] + m[4], t2 = 2 * (m[3] - m[4]);
  return {4 * m[0],
          std::fma(4.0f, m[5] - d1, -t2),
          std::fma(-5.0f, m[0], std::fma(-4.0f, s1, -s2)),
          std::fma(-5.0f, m[5], d1 + t2),
          m[0] + (s1 + s2),
          m[5]};
}
std::array<float, 3> taps_of(const Six& m) {
  const float s1 = m[1] + m[2], d1 = m[2] - m[1], s2 = m[3] + m[4], d2 = m[3] - m[4];
  return {std::fma(0.25f, m[0], std::fma(1 / 24.0f, s2, -1 / 6.0f * s1)),
          std::fma(1 / 12.0f, d2, 1 / 6.0f * d1), std::fma(1 / 6.0f, s2 - s1, m[5])};
}

/// 6x6 points, [column point][row point].
using Points = std::array<Six, 6>;

Points input_tile(const Map& x, int c, int top, int left) {
  std::array<Six, 6> rows;
  for (int r = 0; r < 6; ++r) {
    Six row;
    for (int i = 0; i < 6; ++i) row[static_cast<std::size_t>(i)] = x(c, top + r, left + i);
    rows[static_cast<std::size_t>(r)] = input_points(row);
  }
  Points points;
  for (std::size_t p = 0; p < 6; ++p)
    points[p] =
        input_points({rows[0][p], rows[1][p], rows[2][p], rows[3][p], rows[4][p], rows[5][p]});
  return points;
}
Points gradient_tile(const Map& g, int c, int top, int left) {
  std::array<Six, 4> rows;
  for (int r = 0; r < 4; ++r)
    rows[static_cast<std::size_t>(r)] =
        gradient_points(g(c, top + r, left), g(c, top + r, left + 1), g(c, top + r, left + 2),
                        g(c, top + r, left + 3));
  Points points;
  for (std::size_t p = 0; p < 6; ++p)
    points[p] = gradient_points(rows[0][p], rows[1][p], rows[2][p], rows[3][p]);
  return points;
}
Points weight_tile(const float* w) {
  std::array<Six, 3> rows;
  for (std::size_t y = 0; y < 3; ++y) rows[y] = weight_points(w[3 * y], w[3 * y + 1], w[3 * y + 2]);
  Points points;
  for (std::size_t p = 0; p < 6; ++p) points[p] = weight_points(rows[0][p], rows[1][p], rows[2][p]);
  return points;
}
/// Sum over `from` channels, point by point.
template <class Weight>
Points products(const std::vector<Points>& from, Weight weight) {
  Points sums{};
  for (std::size_t c = 0; c < from.size(); ++c) {
    const Points w = weight(static_cast<int>(c));
    for (std::size_t i = 0; i < 6; ++i)
      for (std::size_t j = 0; j < 6; ++j) sums[i][j] = std::fma(w[i][j], from[c][i][j], sums[i][j]);
  }
  return sums;
}

// ---- operations: x to what is computed, and the gradient of that to those of x and of the weights

class Operation {
 public:
  explicit Operation(const LayerPass& pass)
      : p_(pass), s_(pass.shape), k_(s_.kernel), pad_(pass.layer.padding) {
    winograd_ = has_weights(p_.layer.kind) && !p_.layer.depthwise && k_ == 3 && s_.out_side >= 16 &&
                s_.in_channels >= 4 && s_.out_channels >= 4;
  }

  Map forward(const Map& x) const {
    Map out(s_.out_channels, s_.out_side);
    switch (p_.layer.kind) {
      case LayerKind::max_pool:
      case LayerKind::global_max:
        for_outputs([&](int c, int y, int i) { out.set(c, y, i) = largest(x, c, y, i); });
        break;
      case LayerKind::global_average:
        for (int c = 0; c < s_.out_channels; ++c) {
          float sum = 0;
          for (int y = 0; y < s_.in_side; ++y)
            for (int i = 0; i < s_.in_side; ++i) sum += x(c, y, i);
          out.set(c, 0, 0) = sum * share();
        }
        break;
      default:
        winograd_ ? winograd_forward(x, out) : direct_forward(x, out);
    }
    return out;
  }

  Map input_gradient(const Map& x, const Map& g) const {
    Map in(s_.in_channels, s_.in_side);
    switch (p_.layer.kind) {
      case LayerKind::max_pool:
      case LayerKind::global_max:
        for_outputs([&](int c, int y, int i) {
          const float target = largest(x, c, y, i);
          for (int w = 0; w < k_ * k_; ++w) {
            const int row = y * k_ + w / k_, column = i * k_ + w % k_;
            if (x(c, row, column) != target) continue;
            in.set(c, row, column) = g(c, y, i);
            break;
          }
        });
        break;
      case LayerKind::global_average:
        for (int c = 0; c < s_.in_channels; ++c)
          for (int y = 0; y < s_.in_side; ++y)
            for (int i = 0; i < s_.in_side; ++i) in.set(c, y, i) = g(c, 0, 0) * share();
        break;
      default:
        winograd_ ? winograd_input_gradient(g, in) : direct_input_gradient(g, in);
    }
    return in;
  }

  void weight_gradient(const std::vector<Map>& xs, const std::vector<Map>& gs, float* out) const {
    if (!has_weights(p_.layer.kind)) return;
    for (int oc = 0; oc < s_.out_channels; ++oc)
      for (int ic = 0; ic < s_.kernel_channels; ++ic) {
        const int x_channel = p_.layer.depthwise ? oc : ic;
        const std::size_t first = static_cast<std::size_t>(oc * s_.kernel_channels + ic) * taps();
        if (winograd_)
          winograd_weight_gradient(xs, gs, oc, ic, out + first);
        else
          for (std::size_t tap = 0; tap < taps(); ++tap)
            out[first + tap] =
                sum_of_lanes(direct_lanes(xs, gs, oc, x_channel, static_cast<int>(tap)),
                             first + tap, p_.weight.size());
      }
  }

 private:
  std::size_t taps() const { return static_cast<std::size_t>(k_ * k_); }
  float share() const { return 1.0f / static_cast<float>(s_.in_side * s_.in_side); }
  const float* filter(int oc, int ic) const {
    return p_.weight.data() + static_cast<std::size_t>(oc * s_.kernel_channels + ic) * taps();
  }
  template <class Use>
  void for_outputs(Use use) const {
    for (int c = 0; c < s_.out_channels; ++c)
      for (int y = 0; y < s_.out_side; ++y)
        for (int i = 0; i < s_.out_side; ++i) use(c, y, i);
  }
  float largest(const Map& x, int c, int y, int i) const {
    float most = x(c, y * k_, i * k_);
    for (int w = 0; w < k_ * k_; ++w) most = std::max(most, x(c, y * k_ + w / k_, i * k_ + w % k_));
    return most;
  }

  void direct_forward(const Map& x, Map& out) const {
    for_outputs([&](int oc, int y, int i) {
      float sum = 0;
      for (int ky = 0; ky < k_; ++ky) {
        if (y + ky - pad_ < 0 || y + ky - pad_ >= s_.in_side) continue;
        for (int ic = 0; ic < s_.kernel_channels; ++ic)
          for (int kx = 0; kx < k_; ++kx)
            sum = std::fma(filter(oc, ic)[ky * k_ + kx],
                           x(p_.layer.depthwise ? oc : ic, y + ky - pad_, i + kx - pad_), sum);
      }
      out.set(oc, y, i) = sum;
    });
  }
  void direct_input_gradient(const Map& g, Map& in) const {
    for (int ic = 0; ic < s_.in_channels; ++ic)
      for (int y = 0; y < s_.in_side; ++y)
        for (int i = 0; i < s_.in_side; ++i) {
          float sum = 0;
          for (int gy = std::max(0, y + pad_ - k_ + 1); gy <= std::min(y + pad_, s_.out_side - 1);
               ++gy)
            for (int c = 0; c < (p_.layer.depthwise ? 1 : s_.out_channels); ++c)
              for (int gx = i + pad_ - k_ + 1; gx <= i + pad_; ++gx) {
                const int oc = p_.layer.depthwise ? ic : c;
                const float* const w = filter(oc, p_.layer.depthwise ? 0 : ic);
                sum = std::fma(w[(y + pad_ - gy) * k_ + i + pad_ - gx], g(oc, gy, gx), sum);
              }
          in.set(ic, y, i) = sum;
        }
  }
  Lanes direct_lanes(const std::vector<Map>& xs, const std::vector<Map>& gs, int oc, int ic,
                     int tap) const {
    Lanes lanes{};
    for (std::size_t image = 0; image < xs.size(); ++image)
      for (int y = 0; y < s_.out_side; ++y)
        for (int i = 0; i < s_.out_side; ++i) {
          float& lane = lanes[image % lane_count];
          lane = std::fma(gs[image](oc, y, i),
                          xs[image](ic, y + tap / k_ - pad_, i + tap % k_ - pad_), lane);
        }
    return lanes;
  }

  int tiles() const { return (s_.out_side + 3) / 4; }
  template <class Tile>
  std::vector<Points> all_channels(const Map& map, int top, int left, Tile tile) const {
    std::vector<Points> points;
    for (int c = 0; c < map.channels; ++c) points.push_back(tile(map, c, top, left));
    return points;
  }
  void winograd_forward(const Map& x, Map& out) const {
    for (int tile = 0; tile < tiles() * tiles(); ++tile) {
      const int top = tile / tiles() * 4, left = tile % tiles() * 4;
      const auto from = all_channels(x, top - pad_, left - pad_, input_tile);
      for (int oc = 0; oc < s_.out_channels; ++oc) {
        const Points sums = products(from, [&](int ic) { return weight_tile(filter(oc, ic)); });
        std::array<std::array<float, 4>, 6> columns;
        for (std::size_t p = 0; p < 6; ++p) columns[p] = outputs_of(sums[p]);
        for (int r = 0; r < 4; ++r) {
          Six row;
          for (std::size_t p = 0; p < 6; ++p) row[p] = columns[p][static_cast<std::size_t>(r)];
          const auto values = outputs_of(row);
          for (int i = 0; i < 4; ++i)
            if (out.holds(top + r, left + i))
              out.set(oc, top + r, left + i) = values[static_cast<std::size_t>(i)];
        }
      }
    }
  }
  void winograd_input_gradient(const Map& g, Map& in) const {
    const int n = tiles(), side = 4 * n + 2;
    for (int ic = 0; ic < s_.in_channels; ++ic) {
      // [column of tiles][column point][row]
      std::vector<std::array<std::vector<float>, 6>> rows(static_cast<std::size_t>(n));
      for (auto& points : rows) points.fill(std::vector<float>(static_cast<std::size_t>(side)));
      for (int tile = 0; tile < n * n; ++tile) {
        const auto from = all_channels(g, tile / n * 4, tile % n * 4, gradient_tile);
        const Points sums = products(from, [&](int oc) { return weight_tile(filter(oc, ic)); });
        for (std::size_t p = 0; p < 6; ++p) {
          const Six six = input_gradients_of(sums[p]);
          float* const at = rows[static_cast<std::size_t>(tile % n)][p].data() + tile / n * 4;
          for (std::size_t r = 0; r < 6; ++r) at[r] = r < 2 ? six[r] + at[r] : six[r];
        }
      }
      for (int y = 0; y < side; ++y) {
        std::vector<float> line(static_cast<std::size_t>(side));
        for (int tile = 0; tile < n; ++tile) {
          Six points;
          for (std::size_t p = 0; p < 6; ++p)
            points[p] = rows[static_cast<std::size_t>(tile)][p][static_cast<std::size_t>(y)];
          const Six six = input_gradients_of(points);
          float* const at = line.data() + 4 * tile;
          for (std::size_t i = 0; i < 6; ++i) at[i] = i < 2 ? six[i] + at[i] : six[i];
        }
        for (int i = 0; i < side; ++i)
          if (in.holds(y - pad_, i - pad_))
            in.set(ic, y - pad_, i - pad_) = line[static_cast<std::size_t>(i)];
      }
    }
  }
  void winograd_weight_gradient(const std::vector<Map>& xs, const std::vector<Map>& gs, int oc,
                                int ic, float* out) const {
    std::array<std::array<Lanes, 6>, 6> sums{};
    for (std::size_t image = 0; image < xs.size(); ++image)
      for (int tile = 0; tile < tiles() * tiles(); ++tile) {
        const int top = tile / tiles() * 4, left = tile % tiles() * 4;
        const Points x = input_tile(xs[image], ic, top - pad_, left - pad_),
                     g = gradient_tile(gs[image], oc, top, left);
        for (std::size_t i = 0; i < 6; ++i)
          for (std::size_t j = 0; j < 6; ++j) {
            float& lane = sums[i][j][image % lane_count];
            lane = std::fma(g[i][j], x[i][j], lane);
          }
      }
    std::array<Lanes, 9> weights;
    for (std::size_t lane = 0; lane < lane_count; ++lane) {
      std::array<std::array<float, 3>, 6> columns;
      for (std::size_t p = 0; p < 6; ++p)
        columns[p] = taps_of({sums[p][0][lane], sums[p][1][lane], sums[p][2][lane],
                              sums[p][3][lane], sums[p][4][lane], sums[p][5][lane]});
      for (std::size_t y = 0; y < 3; ++y) {
        const auto row = taps_of({columns[0][y], columns[1][y], columns[2][y], columns[3][y],
                                  columns[4][y], columns[5][y]});
        for (std::size_t i = 0; i < 3; ++i) weights[3 * y + i][lane] = row[i];
      }
    }
    for (std::size_t i = 0; i < 9; ++i) out[i] = sum_of_lanes(weights[i], i, 9);
  }

  const LayerPass& p_;
  const LayerShape& s_;
  int k_, pad_;
  bool winograd_;
};

// ---- the network

Map input_map(const EngineOptions& options, const Slice& slice, std::size_t image) {
  const Config& config = options.config;
  const Normalisation& n = options.normalisation;
  const std::span<const std::uint8_t> pixels(slice.images[image], image_size);
  Map map(1, image_side);
  std::copy(pixels.begin(), pixels.end(), map.values.begin());
  const AugmentDraw draw =
      draw_augmentation(config.augment, config.train.seed, slice.rows[image], slice.epoch);
  if (draw.crop)
    resample(PaddedImage(std::span<const float>(map.values)), draw.crop_map, {},
             Interpolation::bilinear, map.values);
  if (draw.move) {
    std::vector<float> field(draw.elastic ? 2 * image_size : 0);
    if (draw.elastic)
      elastic_field(config.augment, config.train.seed, slice.rows[image], slice.epoch, field);
    resample(PaddedImage(std::span<const float>(map.values)), draw.move_map, field,
             config.augment.interpolation, map.values);
  }
  for (float& value : map.values) value = std::fma(value, 1 / (255 * n.sd), -n.mean / n.sd);
  for (int r = draw.erase_top; r < draw.erase_top + draw.erase_height; ++r)
    for (int c = draw.erase_left; c < draw.erase_left + draw.erase_width; ++c) map.set(0, r, c) = 0;
  return map;
}

/// The next layer's input for an image.
Map x_of(const LayerPass& pass, std::size_t image) {
  Map x = pass.value[image];
  if (!pass.layer.norm && pass.dropped.empty()) return x;
  const auto pixels = static_cast<std::size_t>(x.side * x.side);
  for (std::size_t i = 0; i < x.values.size(); ++i) {
    x.values[i] = std::fma(pass.scale[i / pixels], x.values[i], pass.shift[i / pixels]);
    if (!pass.dropped.empty() && pass.dropped[image][i]) x.values[i] = 0;
  }
  return x;
}

/// Of a channel: pivot, first and second sum.
std::array<float, 3> channel_sums(const Map& value, int c) {
  std::array<float, 3> sums{value(c, 0, 0), 0, 0};
  for (int y = 0; y < value.side; ++y)
    for (int i = 0; i < value.side; ++i) {
      const float difference = value(c, y, i) - sums[0];
      sums[1] += difference;
      sums[2] = std::fma(difference, difference, sums[2]);
    }
  return sums;
}

void normalise(LayerPass& pass, float* statistics) {
  const auto n = static_cast<int>(pass.value.size());
  const int channels = pass.shape.out_channels, side = pass.shape.out_side;
  pass.scale.assign(static_cast<std::size_t>(channels), pass.keep);
  pass.shift.assign(static_cast<std::size_t>(channels), 0.0f);
  pass.mean = pass.inverse = pass.shift;
  if (!pass.layer.norm) return;
  const double pixels = static_cast<double>(side) * side,
               values = static_cast<double>(n) * side * side;
  for (int c = 0; c < channels; ++c) {
    std::vector<std::array<float, 3>> sums;
    for (const Map& value : pass.value) sums.push_back(channel_sums(value, c));
    const auto image_mean = [&](const std::array<float, 3>& s) {
      return static_cast<double>(s[0]) + static_cast<double>(s[1]) / pixels;
    };
    double mean = 0, squares = 0;
    for (const auto& s : sums) mean += image_mean(s);
    mean /= n;
    for (const auto& s : sums) {
      const double first = static_cast<double>(s[1]), off = image_mean(s) - mean;
      squares += static_cast<double>(s[2]) - first * first / pixels + pixels * off * off;
    }
    if (squares < 0) squares = 0;
    const auto i = static_cast<std::size_t>(c);
    const double inverse = 1 / std::sqrt(squares / values + 1e-5),
                 slope = static_cast<double>(pass.gamma[i]) * inverse;
    const double keep = static_cast<double>(pass.keep);
    pass.mean[i] = static_cast<float>(mean);
    pass.inverse[i] = static_cast<float>(inverse);
    pass.scale[i] = static_cast<float>(slope * keep);
    pass.shift[i] = static_cast<float>((static_cast<double>(pass.beta[i]) - slope * mean) * keep);
    statistics[c] = static_cast<float>(mean * n);
    statistics[channels + c] = static_cast<float>(squares / (values - 1) * n);
  }
}

float exp_of(float x) {
  const auto q = static_cast<int>(std::fma(x, 1.442695040888963407f, std::copysign(0.5f, x)));
  const auto qf = static_cast<float>(q);
  const float r = std::fma(qf, -1.428606765330187045e-6f, std::fma(qf, -0.693145751953125f, x));
  const float r2 = r * r, r4 = r2 * r2;
  const float p01 = std::fma(0.166666671633720397949219f, r, 0.5f);
  const float p23 = std::fma(0.00833336077630519866943359f, r, 0.0416664853692054748535156f);
  const float p45 = std::fma(0.000198527617612853646278381f, r, 0.00139304355252534151077271f);
  const float e = std::fma(std::fma(r4, p45, std::fma(r2, p23, p01)), r2, r) + 1;
  const int half = q >> 1;
  return x >= -104 ? e * std::ldexp(1.0f, half) * std::ldexp(1.0f, q - half) : 0;
}
float log_of(float x) {
  const auto bits = std::bit_cast<std::int32_t>(x) + (0x3f800000 - 0x3f3504f3);
  const auto e = static_cast<float>((bits >> 23) - 127);
  const float m = std::bit_cast<float>((bits & 0x7fffff) + 0x3f3504f3), m1 = m - 1,
              z = m1 / (m + 1);
  const float z2 = z * z, z4 = z2 * z2;
  const float odd = std::fma(0.24279078841f, z4, 0.40000972152f) * z4;
  const float polynomial = std::fma(std::fma(0.28498786688f, z4, 0.66666662693f), z2, odd);
  const float low = std::fma(z, m1 - polynomial, -(e * 9.0580006145e-6f));
  return std::fma(e, 0.69313812256f, -(low - m1));
}

/// Returns an image's loss. Writes its class to `prediction`, and the gradient with respect to its
/// outputs to `gradient`.
float loss_of(const Map& x, int label, float smoothing, int& prediction, Map& gradient) {
  const auto& z = x.values;
  prediction = static_cast<int>(std::max_element(z.begin(), z.end()) - z.begin());
  const float most = z[static_cast<std::size_t>(prediction)], share = smoothing / class_count,
              rest = 1 - smoothing;
  float sum = 0, differences = 0;
  for (const float value : z) sum += exp_of(value - most), differences += value - most;
  const float normaliser = 1 / sum;
  for (int c = 0; c < class_count; ++c)
    gradient.set(c, 0, 0) = exp_of(z[static_cast<std::size_t>(c)] - most) * normaliser -
                            (share + (c == label ? rest : 0));
  float expected = rest * (z[static_cast<std::size_t>(label)] - most);
  if (smoothing > 0) expected = expected + share * differences;
  return log_of(sum) - expected;
}

/// From the gradients with respect to x: those of gamma, beta and bias, and with respect to what
/// was computed.
std::vector<Map> through_norm_and_relu(const LayerPass& pass, float* gamma, float* beta,
                                       float* bias) {
  const std::size_t n = pass.value.size(), channels = pass.mean.size();
  const int side = pass.shape.out_side;
  const double values = static_cast<double>(n) * side * side, keep = static_cast<double>(pass.keep);
  std::vector<Map> d = pass.gradient;
  for (std::size_t image = 0; image < n && !pass.dropped.empty(); ++image)
    for (std::size_t i = 0; i < d[image].values.size(); ++i)
      if (pass.dropped[image][i]) d[image].values[i] = 0;
  std::vector<Map> g = d;
  for (std::size_t c = 0; c < channels; ++c) {
    float from_gradient = pass.keep, from_value = 0, constant = 0;
    const auto channel = static_cast<int>(c);
    if (pass.layer.norm) {
      double first = 0, second = 0;
      for (std::size_t image = 0; image < n; ++image) {
        float image_first = 0, image_second = 0;
        for (int y = 0; y < side; ++y)
          for (int i = 0; i < side; ++i) {
            const float of = d[image](channel, y, i);
            image_first += of;
            image_second =
                std::fma(of, pass.value[image](channel, y, i) - pass.mean[c], image_second);
          }
        first += static_cast<double>(image_first);
        second += static_cast<double>(image_second);
      }
      first *= keep;
      second *= keep;
      const double inverse = static_cast<double>(pass.inverse[c]),
                   slope = static_cast<double>(pass.gamma[c]) * inverse;
      gamma[c] = static_cast<float>(second * inverse);
      beta[c] = static_cast<float>(first);
      const double per_value = -slope * inverse * inverse * second / values;
      from_gradient = static_cast<float>(slope * keep);
      from_value = static_cast<float>(per_value);
      constant = static_cast<float>(-slope * first / values -
                                    per_value * static_cast<double>(pass.mean[c]));
    }
    double bias_sum = 0;
    for (std::size_t image = 0; image < n; ++image) {
      float image_sum = 0;
      for (int y = 0; y < side; ++y)
        for (int i = 0; i < side; ++i) {
          const float v = pass.value[image](channel, y, i);
          float& of = g[image].set(channel, y, i);
          of = std::fma(from_gradient, of, std::fma(from_value, v, constant));
          if (pass.layer.relu && !(v > 0)) of = 0;
          image_sum += of;
        }
      bias_sum += static_cast<double>(image_sum);
    }
    if (pass.layer.bias) bias[c] = static_cast<float>(bias_sum);
  }
  return g;
}

}  // namespace

std::vector<float> arithmetic_train(const EngineOptions& options, const Slice& slice,
                                    std::span<const float> parameters) {
  const Config& config = options.config;
  const FlatLayout layout = flat_layout(config.model);
  const auto shapes = layer_shapes(config.model);
  const auto n = static_cast<std::size_t>(slice.count());
  std::vector<float> out(layout.size());

  std::vector<LayerPass> passes;
  for (std::size_t l = 0; l < shapes.size(); ++l) {
    LayerPass& pass = passes.emplace_back();
    pass.layer = config.model.layers[l];
    pass.shape = shapes[l];
  }
  std::vector<std::array<float*, 4>> gradients(passes.size());  // by ParameterKind
  for (const ParameterTensor& tensor : layout.parameters) {
    LayerPass& pass = passes[static_cast<std::size_t>(tensor.layer)];
    std::span<const float>* const spans[] = {&pass.weight, &pass.bias, &pass.gamma, &pass.beta};
    *spans[static_cast<int>(tensor.kind)] = parameters.subspan(tensor.offset, tensor.size);
    gradients[static_cast<std::size_t>(tensor.layer)][static_cast<std::size_t>(tensor.kind)] =
        out.data() + tensor.offset;
  }

  std::vector<Map> images;
  for (std::size_t image = 0; image < n; ++image)
    images.push_back(input_map(options, slice, image));
  const auto x = [&](std::size_t layer, std::size_t image) {
    return layer == 0 ? images[image] : x_of(passes[layer - 1], image);
  };
  for (std::size_t l = 0; l < passes.size(); ++l) {
    LayerPass& pass = passes[l];
    const DropoutRule rule = dropout_rule(pass.layer.dropout);
    pass.keep = rule.scale;
    for (std::size_t image = 0; image < n; ++image) {
      Map value = Operation(pass).forward(x(l, image));
      const auto pixels = static_cast<std::size_t>(value.side * value.side);
      for (std::size_t i = 0; i < value.values.size(); ++i) {
        float& v = value.values[i];
        v += pass.layer.bias ? pass.bias[i / pixels] : 0;
        if (pass.layer.relu && v < 0) v = 0;
      }
      if (rule.threshold > 0)
        dropout_mask(rule, config.train.seed, slice.rows[image], slice.epoch,
                     static_cast<std::uint32_t>(l), pass.dropped.emplace_back(value.values.size()));
      pass.value.push_back(std::move(value));
    }
    float* statistics = nullptr;
    for (const NormTensor& norm : layout.norms)
      if (norm.layer == static_cast<int>(l))
        statistics = out.data() + layout.parameter_count + norm.offset;
    normalise(pass, statistics);
  }

  double loss = 0;
  for (std::size_t image = 0; image < n; ++image) {
    int prediction = 0;
    Map gradient(class_count, 1);
    loss += static_cast<double>(loss_of(x(passes.size(), image), slice.labels[image],
                                        static_cast<float>(config.train.label_smoothing),
                                        prediction, gradient));
    out[layout.correct()] += prediction == slice.labels[image] ? 1.0f : 0.0f;
    passes.back().gradient.push_back(std::move(gradient));
  }
  out[layout.images()] = static_cast<float>(n);
  out[layout.loss()] = static_cast<float>(loss);

  for (std::size_t l = passes.size(); l-- > 0;) {
    const auto& to = gradients[l];
    const std::vector<Map> g = through_norm_and_relu(passes[l], to[2], to[3], to[1]);
    std::vector<Map> xs;
    for (std::size_t image = 0; image < n; ++image) xs.push_back(x(l, image));
    const Operation operation(passes[l]);
    operation.weight_gradient(xs, g, to[0]);
    for (std::size_t image = 0; image < n && l > 0; ++image)
      passes[l - 1].gradient.push_back(operation.input_gradient(xs[image], g[image]));
  }
  return out;
}

}  // namespace mnist_dist
