// The bytes of a PNG, JPEG or PGM image, and the conversion to MNIST's form.
// Property: a picture has as many pixels as its size names, at most pixel_limit. Its digit has
// 28x28 pixels, and it is empty, with a warning, or has ink.
#include <algorithm>

#include "fuzz/fuzz.h"
#include "image/decode.h"
#include "image/digit.h"

using namespace mnist_dist;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t slow = 1'000'000;  // pixels: a conversion takes a second
  constexpr int other_side = 40;
  Picture picture;
  if (!fuzz::accepted([&] { picture = decode_image(std::as_bytes(std::span(data, size)), "any"); }))
    return 0;
  fuzz::require(picture.width > 0 && picture.height > 0, "a picture has pixels");
  const std::int64_t pixels = std::int64_t{picture.width} * picture.height;
  fuzz::require(pixels <= pixel_limit, "a picture is no larger than the limit");
  fuzz::require(static_cast<std::int64_t>(picture.grey.size()) == pixels,
                "a picture has the pixels of its size");
  if (picture.grey.size() > slow) return 0;
  const DigitImage digit = digit_of(picture);
  fuzz::require(digit.pixels.size() == image_size, "a digit has 28x28 pixels");
  const bool has_ink = std::ranges::any_of(digit.pixels, [](int value) { return value > 0; });
  fuzz::require(has_ink != digit.empty, "a digit is empty or has ink");
  fuzz::require(!digit.empty || !digit.warnings.empty(), "an empty digit has a warning");
  fuzz::require(fitted_image(picture, other_side).pixels.size() == other_side * other_side,
                "an image for a different set has its size");
  return 0;
}
