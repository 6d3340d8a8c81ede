#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "image/picture.h"
#include "model/spec.h"

namespace mnist_dist {

/// A picture as MNIST's makers would have stored it: ink is 255, the drawing fits a box of 20x20
/// pixels, and its centre of mass is the centre of the 28x28 image.
struct DigitImage {
  std::vector<std::uint8_t> pixels = std::vector<std::uint8_t>(image_size);
  bool empty = false;                 ///< no ink was found
  std::vector<std::string> warnings;  ///< why it may not be one digit
};

/// Finds the drawing (image/ink.h) and converts it. Strokes thinner than MNIST's are thickened. A
/// 28x28 picture that is in this form already keeps its pixels, or their inverse.
DigitImage digit_of(const Picture& picture);

/// A picture for a network that was trained on other images than MNIST's. One of side x side pixels
/// is taken as it is. Any other is shrunk or enlarged to fit, with light on dark where it is dark
/// on light.
DigitImage fitted_image(const Picture& picture, int side);

}  // namespace mnist_dist
