#include "image/digit.h"

#include <algorithm>
#include <cmath>

#include "image/ink.h"
#include "image/parts.h"

namespace mnist_dist {
namespace {

constexpr int box_side = 20;
constexpr double thinnest = 1.6;  ///< stroke in the box, in pixels
constexpr double thickened = 2.2;

/// Half-open.
struct Box {
  int left, top, right, bottom;
  int width() const { return right - left; }
  int height() const { return bottom - top; }
  int side() const { return std::max(width(), height()); }
};

Box box_of(const Ink& ink, float above) {
  Box box{ink.width, ink.height, 0, 0};
  for (int y = 0; y < ink.height; ++y)
    for (int x = 0; x < ink.width; ++x) {
      if (ink.at(x, y) <= above) continue;
      box = {std::min(box.left, x), std::min(box.top, y), std::max(box.right, x + 1),
             std::max(box.bottom, y + 1)};
    }
  return box;
}

Ink cut(const Ink& ink, const Box& box, int margin) {
  Ink out{box.width() + 2 * margin, box.height() + 2 * margin};
  for (int y = 0; y < box.height(); ++y)
    for (int x = 0; x < box.width(); ++x)
      out.at(x + margin, y + margin) = ink.at(box.left + x, box.top + y);
  return out;
}

/// Mean width of the strokes: a line has twice its area over its outline. Steps of pixels make an
/// outline 4/pi as long as it is, on average over directions.
double stroke_width(const Ink& ink) {
  double area = 0, outline = 0;
  const auto drawn = [&](int x, int y) {
    return x >= 0 && y >= 0 && x < ink.width && y < ink.height && ink.at(x, y) > 0.5f;
  };
  for (int y = 0; y < ink.height; ++y)
    for (int x = 0; x < ink.width; ++x) {
      if (!drawn(x, y)) continue;
      area += 1;
      outline += !drawn(x - 1, y) + !drawn(x + 1, y) + !drawn(x, y - 1) + !drawn(x, y + 1);
    }
  return outline == 0 ? 0 : 2 * area / (outline * 0.785);
}

/// Grows the ink by about `radius` pixels: crosses and squares in turn, which make an octagon.
void thicken(Ink& ink, int radius) {
  for (int round = 0; round < radius; ++round) {
    const Ink before = ink;
    for (int y = 0; y < ink.height; ++y)
      for (int x = 0; x < ink.width; ++x)
        for (int dy = -1; dy <= 1; ++dy)
          for (int dx = -1; dx <= 1; ++dx) {
            const int nx = x + dx, ny = y + dy;
            if (nx < 0 || ny < 0 || nx >= ink.width || ny >= ink.height) continue;
            if (round % 2 == 0 && dx != 0 && dy != 0) continue;
            ink.at(x, y) = std::max(ink.at(x, y), before.at(nx, ny));
          }
  }
}

struct Point {
  double x, y;
};

Point centre_of_mass(const Ink& ink) {
  double sum = 0, x_sum = 0, y_sum = 0;
  for (int y = 0; y < ink.height; ++y)
    for (int x = 0; x < ink.width; ++x) {
      sum += ink.at(x, y);
      x_sum += ink.at(x, y) * (x + 0.5);
      y_sum += ink.at(x, y) * (y + 0.5);
    }
  return {x_sum / sum, y_sum / sum};
}

/// The drawing, scaled so that its longer side is that of the box.
Ink in_box(const Ink& ink, const Box& box) {
  const double scale = 1.0 * box_side / box.side();
  const double stroke = stroke_width(ink) * scale;
  Ink drawing = cut(ink, box, 0);
  if (stroke < thinnest) {
    const int radius = static_cast<int>(std::lround((thickened - stroke) / scale / 2));
    drawing = cut(ink, box, radius);
    thicken(drawing, radius);
  }
  const double fits = 1.0 * box_side / std::max(drawing.width, drawing.height);
  const auto scaled = [&](int length) {
    return std::clamp(static_cast<int>(std::lround(length * fits)), 1, box_side);
  };
  return resized(drawing, scaled(drawing.width), scaled(drawing.height));
}

void place(const Ink& drawing, DigitImage& digit) {
  const Point centre = centre_of_mass(drawing);
  const auto offset = [](double at, int length) {
    return std::clamp(static_cast<int>(std::lround(image_side / 2.0 - at)), 0, image_side - length);
  };
  const int left = offset(centre.x, drawing.width), top = offset(centre.y, drawing.height);
  for (int y = 0; y < drawing.height; ++y)
    for (int x = 0; x < drawing.width; ++x)
      digit.pixels[static_cast<std::size_t>((top + y) * image_side + left + x)] =
          static_cast<std::uint8_t>(std::lround(255 * drawing.at(x, y)));
}

/// True for MNIST's own images and their inverse.
bool is_in_form(const Picture& picture, const Ink& ink, const Box& box) {
  if (picture.width != image_side || picture.height != image_side || box.side() > box_side)
    return false;
  const Point centre = centre_of_mass(ink);
  return box.side() >= box_side - 1 && std::abs(centre.x - image_side / 2.0) <= 1 &&
         std::abs(centre.y - image_side / 2.0) <= 1;
}

/// The warning for a picture without ink.
DigitImage no_ink(int side) {
  DigitImage image;
  image.pixels.assign(static_cast<std::size_t>(side * side), 0);
  image.empty = true;
  image.warnings.emplace_back("no ink found");
  return image;
}

}  // namespace

DigitImage fitted_image(const Picture& picture, int side) {
  DigitImage image;
  if (picture.width == side && picture.height == side) {
    image.pixels = picture.grey;
    return image;
  }
  const Ink ink = find_ink(picture);
  if (ink.contrast == 0) return no_ink(side);
  Ink whole(picture.width, picture.height);
  for (std::size_t i = 0; i < picture.grey.size(); ++i) {
    const float light = static_cast<float>(picture.grey[i]) / 255.0f;
    whole.amount[i] = ink.dark ? 1 - light : light;
  }
  const double fits = 1.0 * side / std::max(picture.width, picture.height);
  const auto scaled = [&](int length) {
    return std::clamp(static_cast<int>(std::lround(length * fits)), 1, side);
  };
  const Ink drawn = resized(whole, scaled(picture.width), scaled(picture.height));
  const int left = (side - drawn.width) / 2, top = (side - drawn.height) / 2;
  image.pixels.assign(static_cast<std::size_t>(side * side), 0);
  for (int y = 0; y < drawn.height; ++y)
    for (int x = 0; x < drawn.width; ++x)
      image.pixels[static_cast<std::size_t>((top + y) * side + left + x)] =
          static_cast<std::uint8_t>(std::lround(255 * std::clamp(drawn.at(x, y), 0.0f, 1.0f)));
  return image;
}

DigitImage digit_of(const Picture& picture) {
  DigitImage digit;
  const Ink ink = find_ink(picture);
  const float clean = ink.noise < 0.6f ? 0.02f : 0.2f;
  const Box box = box_of(ink, clean);
  if (ink.contrast == 0 || box.right == 0) return no_ink(image_side);
  if (is_in_form(picture, ink, box)) {
    for (std::size_t i = 0; i < digit.pixels.size(); ++i)
      digit.pixels[i] =
          ink.dark ? static_cast<std::uint8_t>(255 - picture.grey[i]) : picture.grey[i];
  } else {
    place(in_box(ink, box), digit);
  }
  const Arrangement arrangement = arrangement_of(ink);
  if (arrangement == Arrangement::side_by_side)
    digit.warnings.emplace_back("drawings side by side: several digits?");
  else if (arrangement == Arrangement::above_each_other)
    digit.warnings.emplace_back("drawings above each other: several digits?");
  else if (box.width() > 1.5 * box.height())
    digit.warnings.emplace_back("wider than a digit: several digits?");
  return digit;
}

}  // namespace mnist_dist
