#pragma once
#include <cstddef>
#include <vector>

#include "image/picture.h"

namespace mnist_dist {

/// How much ink each pixel has, from 0 to 1.
struct Ink {
  Ink(int w, int h)
      : width(w), height(h), amount(static_cast<std::size_t>(w) * static_cast<std::size_t>(h)) {}
  int width, height;
  std::vector<float> amount;  ///< [height][width]
  bool dark = false;          ///< drawn dark on light
  float noise = 0;            ///< of the background, in grey levels (a standard deviation)
  float contrast = 0;         ///< between ink and background, in grey levels (0: no ink)

  float& at(int x, int y) { return amount[index(x, y)]; }
  float at(int x, int y) const { return amount[index(x, y)]; }

 private:
  std::size_t index(int x, int y) const {
    return static_cast<std::size_t>(y) * static_cast<std::size_t>(width) +
           static_cast<std::size_t>(x);
  }
};

/// Separates ink from background. Large pictures are shrunk to a side of 400 pixels first. The
/// background is a smooth surface (a polynomial of degree 2 in x and y), fitted without the pixels
/// that stand out from it, so that uneven light does no harm. Ink is the part that stands out, on
/// the side, darker or lighter, that stands out more. Where nothing stands out, but the grey levels
/// fall into two clear classes, ink is the class that has fewer corners of the picture. Specks,
/// noise, and parts that enter from the edge beside a larger drawing, are left out.
Ink find_ink(const Picture& picture);

/// Shrinks by averaging areas and enlarges by linear interpolation.
Ink resized(const Ink& ink, int width, int height);

}  // namespace mnist_dist
