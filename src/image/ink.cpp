#include "image/ink.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <numeric>

#include "image/otsu.h"

namespace mnist_dist {
namespace {

constexpr int working_side = 400;
constexpr float least_contrast = 10;  ///< grey levels
constexpr float ink_level = 0.35f;    ///< of the contrast: pixels above it count as drawn

using Surface = std::array<double, 6>;  ///< coefficients of 1, x, y, x*x, x*y, y*y

/// Of an even number of values the larger middle one, which is a grey level of the picture.
float upper_median(std::vector<float> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

/// x and y from -1 to 1.
double place(int index, int size) { return size > 1 ? 2.0 * index / (size - 1) - 1 : 0; }

std::array<double, 6> terms(double x, double y) { return {1, x, y, x * x, x * y, y * y}; }

double height_at(const Surface& surface, double x, double y) {
  const auto t = terms(x, y);
  return std::inner_product(t.begin(), t.end(), surface.begin(), 0.0);
}

/// A sample of the picture that the surface is fitted to.
struct Sample {
  double x, y;
  float grey;
};

std::vector<Sample> samples_of(const Ink& grey) {
  const int step_x = std::max(1, grey.width / 64), step_y = std::max(1, grey.height / 64);
  std::vector<Sample> samples;
  for (int y = step_y / 2; y < grey.height; y += step_y)
    for (int x = step_x / 2; x < grey.width; x += step_x)
      samples.push_back({place(x, grey.width), place(y, grey.height), grey.at(x, y)});
  return samples;
}

/// Solves the weighted least squares by Gauss's elimination. The terms from `count` on stay 0.
Surface fit(const std::vector<Sample>& samples, const std::vector<double>& weights,
            std::size_t count) {
  std::array<std::array<double, 7>, 6> rows{};
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const auto t = terms(samples[i].x, samples[i].y);
    for (std::size_t r = 0; r < count; ++r) {
      for (std::size_t c = 0; c < count; ++c) rows[r][c] += weights[i] * t[r] * t[c];
      rows[r][6] += weights[i] * t[r] * samples[i].grey;
    }
  }
  for (std::size_t r = 0; r < count; ++r) rows[r][r] += 1e-6;  // a row of pixels has no slope in y
  for (std::size_t r = 0; r < count; ++r)
    for (std::size_t below = r + 1; below < count; ++below) {
      const double factor = rows[below][r] / rows[r][r];
      for (std::size_t c = r; c < 7; ++c) rows[below][c] -= factor * rows[r][c];
    }
  Surface surface{};
  for (std::size_t r = count; r-- > 0;) {
    double rest = rows[r][6];
    for (std::size_t c = r + 1; c < count; ++c) rest -= rows[r][c] * surface[c];
    surface[r] = rest / rows[r][r];
  }
  return surface;
}

/// The median of the outermost pixels: where a drawing begins last.
float border_level(const Ink& grey) {
  const int frame = std::max(1, std::min(grey.width, grey.height) / 25);
  std::vector<float> values;
  for (int y = 0; y < grey.height; ++y)
    for (int x = 0; x < grey.width; ++x)
      if (std::min({x, y, grey.width - 1 - x, grey.height - 1 - y}) < frame)
        values.push_back(grey.at(x, y));
  return upper_median(std::move(values));
}

/// Iteratively reweighted least squares with Tukey's weights, from a constant over a plane to the
/// whole surface, so that the first fits cannot bend towards the ink.
Surface background_of(const Ink& grey) {
  const std::vector<Sample> samples = samples_of(grey);
  Surface surface{border_level(grey)};
  for (const std::size_t count : {1, 1, 3, 3, 3, 6, 6, 6, 6, 6}) {
    std::vector<float> distance;
    for (const Sample& s : samples)
      distance.push_back(std::abs(s.grey - static_cast<float>(height_at(surface, s.x, s.y))));
    const double scale = std::clamp(1.48 * upper_median(distance), 2.0, 20.0);
    std::vector<double> weights;
    double sum = 0;
    for (const float d : distance) {
      const double u = d / (4.685 * scale);
      weights.push_back(u < 1 ? (1 - u * u) * (1 - u * u) : 0);
      sum += weights.back();
    }
    if (sum < 0.05 * static_cast<double>(samples.size())) break;  // hardly any background
    surface = fit(samples, weights, count);
  }
  return surface;
}

Ink shrunk(const Picture& picture) {
  Ink grey{picture.width, picture.height};
  grey.amount.assign(picture.grey.begin(), picture.grey.end());
  const int side = std::max(picture.width, picture.height);
  if (side <= working_side) return grey;
  const auto scaled = [&](int length) {
    return std::max(1, static_cast<int>(std::lround(1.0 * length * working_side / side)));
  };
  return resized(grey, scaled(picture.width), scaled(picture.height));
}

/// The value that a share of the values exceeds.
float exceeded_by(std::vector<float>& values, double share) {
  const auto rank = static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size()));
  std::ranges::nth_element(values, values.begin() + rank, std::greater());
  return values[static_cast<std::size_t>(rank)];
}

/// Full ink: the amount that a quarter of the drawn pixels exceeds. A pixel is drawn if it has at
/// least half of the strongest ink, for which highlights (the strongest 2 %) do not count.
float full_ink(const Ink& ink, float stands_out) {
  std::vector<float> values = ink.amount;
  std::erase_if(values, [&](float value) { return value <= stands_out; });
  const float half = exceeded_by(values, 0.02) / 2;
  std::erase_if(values, [&](float value) { return value < half; });
  return exceeded_by(values, 0.25);
}

/// Connected drawn pixels.
struct Part {
  std::vector<int> pixels;  ///< indices
  bool at_edge = false;
};

std::vector<Part> parts_of(const Ink& ink) {
  std::vector<bool> seen(ink.amount.size());
  std::vector<Part> parts;
  for (int first = 0; first < static_cast<int>(ink.amount.size()); ++first) {
    const auto start = static_cast<std::size_t>(first);
    if (seen[start] || ink.amount[start] < ink_level) continue;
    Part part;
    part.pixels.push_back(first);
    seen[start] = true;
    for (std::size_t next = 0; next < part.pixels.size(); ++next) {
      const int x = part.pixels[next] % ink.width, y = part.pixels[next] / ink.width;
      part.at_edge |= x == 0 || y == 0 || x == ink.width - 1 || y == ink.height - 1;
      for (int ny = std::max(0, y - 1); ny <= std::min(ink.height - 1, y + 1); ++ny)
        for (int nx = std::max(0, x - 1); nx <= std::min(ink.width - 1, x + 1); ++nx) {
          const int neighbour = ny * ink.width + nx;
          const auto index = static_cast<std::size_t>(neighbour);
          if (seen[index] || ink.amount[index] < ink_level) continue;
          seen[index] = true;
          part.pixels.push_back(neighbour);
        }
    }
    parts.push_back(std::move(part));
  }
  return parts;
}

/// Keeps the ink in and around the parts that can belong to the drawing. Returns the number of
/// pixels of the largest of them.
std::size_t remove_specks(Ink& ink) {
  const std::vector<Part> parts = parts_of(ink);
  std::size_t largest = 0, inside = 0;
  for (const Part& part : parts) {
    largest = std::max(largest, part.pixels.size());
    if (!part.at_edge) inside = std::max(inside, part.pixels.size());
  }
  const bool drop_edge = inside * 5 > largest;  // shadows and table edges, not a tight crop
  if (drop_edge) largest = inside;
  const int reach = 1 + std::max(ink.width, ink.height) / 100;
  std::vector<float> kept(ink.amount.size(), 0.0f);
  for (const Part& part : parts) {
    if (part.pixels.size() * 20 < largest || (drop_edge && part.at_edge)) continue;
    for (const int pixel : part.pixels) {
      const int x = pixel % ink.width, y = pixel / ink.width;
      for (int ny = std::max(0, y - reach); ny <= std::min(ink.height - 1, y + reach); ++ny)
        for (int nx = std::max(0, x - reach); nx <= std::min(ink.width - 1, x + reach); ++nx)
          kept[static_cast<std::size_t>(ny * ink.width + nx)] = ink.at(nx, ny);
    }
  }
  ink.amount = std::move(kept);
  return largest;
}

/// Two clear classes of grey, such as a drawing that fills its picture: no surface can be fitted
/// beside it. The background is the class of most corners.
bool split_in_two(Ink& ink, const Ink& grey) {
  constexpr double least_separability = 0.75;  // one normal distribution has 0.64
  constexpr float least_distance = 30;
  const Split split = otsu(grey.amount);
  if (split.separability < least_separability) return false;
  std::vector<float> dark, light;
  for (const float value : grey.amount) (value < split.level ? dark : light).push_back(value);
  const float dark_level = upper_median(std::move(dark)),
              light_level = upper_median(std::move(light));
  if (light_level - dark_level < least_distance) return false;
  const int right = grey.width - 1, bottom = grey.height - 1;
  int light_corners = 0;
  for (const float corner :
       {grey.at(0, 0), grey.at(right, 0), grey.at(0, bottom), grey.at(right, bottom)})
    light_corners += corner > split.level;
  ink.dark = light_corners >= 2;
  const float paper = ink.dark ? light_level : dark_level;
  for (std::size_t i = 0; i < ink.amount.size(); ++i) ink.amount[i] = grey.amount[i] - paper;
  return true;
}

/// True for the highest peaks of a noisy background. Of 160,000 normally distributed pixels one
/// reaches 4.5 standard deviations.
bool is_noise(const Ink& ink, std::size_t largest_part) {
  constexpr float highest_peak = 7;
  constexpr std::size_t largest_cluster = 20;
  return ink.contrast < highest_peak * ink.noise && largest_part < largest_cluster;
}

/// [first, last) of an output pixel in the input, for averages over areas.
float area_average(const Ink& ink, double x0, double x1, double y0, double y1) {
  double sum = 0, area = 0;
  for (int y = static_cast<int>(y0); y < ink.height && y < y1; ++y) {
    const double high = std::min(y1, y + 1.0) - std::max(y0, 1.0 * y);
    for (int x = static_cast<int>(x0); x < ink.width && x < x1; ++x) {
      const double part = high * (std::min(x1, x + 1.0) - std::max(x0, 1.0 * x));
      sum += part * ink.at(x, y);
      area += part;
    }
  }
  return static_cast<float>(sum / area);
}

float interpolated(const Ink& ink, double x, double y) {
  const double in_x = std::clamp(x, 0.0, ink.width - 1.0);
  const double in_y = std::clamp(y, 0.0, ink.height - 1.0);
  const int left = static_cast<int>(in_x), top = static_cast<int>(in_y);
  const int right = std::min(left + 1, ink.width - 1), bottom = std::min(top + 1, ink.height - 1);
  const double dx = in_x - left, dy = in_y - top;
  return static_cast<float>((1 - dy) * ((1 - dx) * ink.at(left, top) + dx * ink.at(right, top)) +
                            dy * ((1 - dx) * ink.at(left, bottom) + dx * ink.at(right, bottom)));
}

}  // namespace

Ink resized(const Ink& ink, int width, int height) {
  Ink out(width, height);
  const double step_x = 1.0 * ink.width / width, step_y = 1.0 * ink.height / height;
  const bool enlarges = step_x < 1 || step_y < 1;
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      out.at(x, y) =
          enlarges ? interpolated(ink, (x + 0.5) * step_x - 0.5, (y + 0.5) * step_y - 0.5)
                   : area_average(ink, x * step_x, (x + 1) * step_x, y * step_y, (y + 1) * step_y);
  return out;
}

Ink find_ink(const Picture& picture) {
  const Ink grey = shrunk(picture);
  Ink ink = grey;
  const Surface background = background_of(ink);
  std::vector<float> distance;
  for (int y = 0; y < ink.height; ++y)
    for (int x = 0; x < ink.width; ++x) {
      ink.at(x, y) -=
          static_cast<float>(height_at(background, place(x, ink.width), place(y, ink.height)));
      distance.push_back(std::abs(ink.at(x, y)));
    }
  ink.noise = 1.48f * upper_median(std::move(distance));
  float stands_out = std::max(4 * ink.noise, least_contrast);
  double darker = 0, lighter = 0;
  for (const float value : ink.amount) {
    if (value < -stands_out) darker += value * value;
    if (value > stands_out) lighter += value * value;
  }
  ink.dark = darker > lighter;
  if (darker == 0 && lighter == 0) {
    if (!split_in_two(ink, grey)) {
      std::ranges::fill(ink.amount, 0.0f);
      return ink;
    }
    ink.noise = 0;
    stands_out = least_contrast;
  }
  for (float& value : ink.amount) value = std::max(0.0f, ink.dark ? -value : value);
  ink.contrast = full_ink(ink, stands_out);
  const float floor = ink.noise < 0.6f ? 0 : std::min(3 * ink.noise, 0.3f * ink.contrast);
  for (float& value : ink.amount)
    value = std::clamp((value - floor) / (ink.contrast - floor), 0.0f, 1.0f);
  if (is_noise(ink, remove_specks(ink))) {
    std::ranges::fill(ink.amount, 0.0f);
    ink.contrast = 0;
  }
  return ink;
}

}  // namespace mnist_dist
