#include "data/synthetic.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <vector>

#include "base/random.h"
#include "data/digit_strokes.h"

namespace mnist_dist {
namespace {

// Only + - * / and square roots, which IEEE 754 rounds the same way everywhere: no sine, no
// exponential. So the digits are the same bytes on every machine.

struct Point {
  float x, y;
};
Point operator+(Point a, Point b) { return {a.x + b.x, a.y + b.y}; }
Point operator-(Point a, Point b) { return {a.x - b.x, a.y - b.y}; }
Point operator*(float s, Point p) { return {s * p.x, s * p.y}; }

/// The polyline of one stroke.
using Path = std::vector<Point>;

/// How one writer bends the plane, in the digit's box centred on 0: slant, rotation and width, then
/// a smooth (cubic) warp.
class Hand {
 public:
  explicit Hand(Stream& draws) {
    const float half_tangent =
        draws.uniform(-.12f, .12f);  // of half the angle: rotation by up to 14 degrees
    const float cosine = (1 - half_tangent * half_tangent) / (1 + half_tangent * half_tangent);
    const float sine = 2 * half_tangent / (1 + half_tangent * half_tangent);
    const float width = draws.uniform(.5f, .9f), slant = draws.uniform(-.45f, .15f);
    // Shear, then rotate.
    xx_ = cosine * width, xy_ = cosine * slant - sine;
    yx_ = sine * width, yy_ = sine * slant + cosine;
    for (Point& coefficient : warp_)
      coefficient = {draws.uniform(-.35f, .35f), draws.uniform(-.35f, .35f)};
  }
  Point operator()(Point p) const {
    const float x = p.x - .5f, y = p.y - .5f;
    const float monomials[warp_terms] = {x * x,         x * y,         y * y,
                                         2 * x * x * y, 2 * x * y * y, 2 * y * y * y};
    Point warped{x, y};
    for (int i = 0; i < warp_terms; ++i)
      warped = warped + monomials[i] * warp_[static_cast<std::size_t>(i)];
    return {xx_ * warped.x + xy_ * warped.y, yx_ * warped.x + yy_ * warped.y};
  }

 private:
  static constexpr int warp_terms = 6;
  float xx_, xy_, yx_, yy_;
  std::array<Point, warp_terms> warp_;
};

/// A cubic Hermite spline through the points (Catmull-Rom tangents, none at corners), each moved a
/// little by the unsteady hand.
Path draw_stroke(const Stroke& stroke, const Hand& hand, Stream& draws) {
  constexpr float unsteadiness = .045f;
  constexpr int pieces = 6;  // straight pieces a span: shorter than a pixel or two
  std::vector<Point> points;
  for (const StrokePoint& point : stroke)
    points.push_back({point.x + draws.uniform(-unsteadiness, unsteadiness),
                      point.y + draws.uniform(-unsteadiness, unsteadiness)});
  const std::size_t last = points.size() - 1;
  const auto tangent = [&](std::size_t i) -> Point {
    if (stroke[i].corner) return {0, 0};
    const std::size_t before = i == 0 ? 0 : i - 1, after = std::min(i + 1, last);
    return 1.f / static_cast<float>(after - before) * (points[after] - points[before]);
  };
  Path path{hand(points[0])};
  for (std::size_t i = 0; i < last; ++i) {
    const Point m0 = tangent(i), m1 = tangent(i + 1);
    for (int piece = 1; piece <= pieces; ++piece) {
      const float t = static_cast<float>(piece) / pieces, t2 = t * t, t3 = t2 * t;
      path.push_back(hand((2 * t3 - 3 * t2 + 1) * points[i] + (t3 - 2 * t2 + t) * m0 +
                          (3 * t2 - 2 * t3) * points[i + 1] + (t3 - t2) * m1));
    }
  }
  return path;
}

/// Moves and scales the paths so that they fill a box of about 20 pixels, as MNIST's digits do,
/// about the middle of the image.
void fit_to_image(std::span<Path> paths, Stream& draws) {
  Point low = paths[0][0], high = low;
  for (const Path& path : paths)
    for (const Point p : path) {
      low = {std::min(low.x, p.x), std::min(low.y, p.y)};
      high = {std::max(high.x, p.x), std::max(high.y, p.y)};
    }
  const float side = std::max(high.x - low.x, high.y - low.y);
  const float scale = draws.uniform(15.f, 20.f) / side;
  const Point centre = .5f * (low + high);
  const float middle = .5f * (image_side - 1);
  const Point target{middle + draws.uniform(-2.5f, 2.5f), middle + draws.uniform(-2.5f, 2.5f)};
  for (Path& path : paths)
    for (Point& p : path) p = target + scale * (p - centre);
}

float distance_to_segment(Point p, Point a, Point b) {
  const Point along = b - a, to = p - a;
  const float length2 = along.x * along.x + along.y * along.y;
  const float t =
      length2 > 0 ? std::clamp((to.x * along.x + to.y * along.y) / length2, 0.f, 1.f) : 0.f;
  const Point off = to - t * along;
  return std::sqrt(off.x * off.x + off.y * off.y);
}

/// Puts ink on every pixel in reach of the path: full inside the pen's radius, fading over one
/// pixel around it.
void ink(const Path& path, float radius, std::span<float> image) {
  const float reach = radius + .5f;
  const auto pixel = [](float at) {
    return static_cast<int>(std::clamp(at, 0.f, static_cast<float>(image_side - 1)));
  };
  for (std::size_t i = 1; i < path.size(); ++i) {
    const Point a = path[i - 1], b = path[i];
    const int left = pixel(std::min(a.x, b.x) - reach),
              right = pixel(std::max(a.x, b.x) + reach + 1);
    const int top = pixel(std::min(a.y, b.y) - reach),
              bottom = pixel(std::max(a.y, b.y) + reach + 1);
    for (int row = top; row <= bottom; ++row)
      for (int column = left; column <= right; ++column) {
        const float cover =
            reach -
            distance_to_segment({static_cast<float>(column), static_cast<float>(row)}, a, b);
        float& value = image[static_cast<std::size_t>(row * image_side + column)];
        value = std::max(value, std::min(cover, 1.f));
      }
  }
}

void draw_digit(int digit, Stream& draws, std::span<std::uint8_t> pixels) {
  const auto writings = ways_of_writing(digit);
  const Writing& writing = writings[draws.below(static_cast<std::uint32_t>(writings.size()))];
  const Hand hand(draws);
  std::vector<Path> paths;
  for (const Stroke& stroke : writing) paths.push_back(draw_stroke(stroke, hand, draws));
  fit_to_image(paths, draws);

  std::array<float, image_size> image{};
  const float radius = draws.uniform(.6f, 1.7f);
  for (const Path& path : paths) ink(path, radius, image);
  const float darkness = draws.uniform(.85f, 1.f);
  for (std::size_t i = 0; i < image.size(); ++i) {
    const float grain = 1 - .15f * draws.uniform();  // ink is never even
    pixels[i] = static_cast<std::uint8_t>(image[i] * darkness * grain * 255 + .5f);
  }
}

}  // namespace

Images synthetic_digits(std::uint64_t seed, SyntheticSet set, int count) {
  Images images;
  images.pixels.resize(static_cast<std::size_t>(count) * image_size);
  images.labels.resize(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < images.labels.size(); ++i) {
    Stream draws({.seed = seed,
                  .purpose = Purpose::synthetic,
                  .row = static_cast<std::uint32_t>(i),
                  .epoch = static_cast<std::uint32_t>(set)});
    const std::uint32_t digit = draws.below(class_count);
    images.labels[i] = static_cast<ClassIndex>(digit);
    draw_digit(static_cast<int>(digit), draws,
               std::span(images.pixels).subspan(i * image_size, image_size));
  }
  return images;
}

}  // namespace mnist_dist
