#include "image/digit.h"

#include <gmock/gmock.h>

#include <cmath>
#include <numeric>
#include <random>
#include <utility>

#include "data/synthetic.h"

namespace mnist_dist {
namespace {

/// A white vertical stroke on black, from MNIST's form: 20 pixels high, in the middle of 28x28.
Picture stroke() {
  Picture picture{image_side, image_side, std::vector<std::uint8_t>(image_size)};
  for (int y = 4; y < 24; ++y)
    for (int x = 12; x < 16; ++x)
      picture.grey[static_cast<std::size_t>(y * image_side + x)] = x == 12 ? 100 : 255;
  return picture;
}

Picture enlarged(const Picture& from, int times) {
  Picture out{from.width * times, from.height * times, {}};
  for (int y = 0; y < out.height; ++y)
    for (int x = 0; x < out.width; ++x)
      out.grey.push_back(from.grey[static_cast<std::size_t>(y / times * from.width + x / times)]);
  return out;
}

Picture inverse(Picture picture) {
  for (std::uint8_t& grey : picture.grey) grey = static_cast<std::uint8_t>(255 - grey);
  return picture;
}

int largest_difference(const DigitImage& digit, const Picture& picture) {
  int largest = 0;
  for (std::size_t i = 0; i < picture.grey.size(); ++i)
    largest = std::max(largest, std::abs(digit.pixels[i] - picture.grey[i]));
  return largest;
}

TEST(Digit, ImagesInMnistsFormKeepTheirPixels) {
  EXPECT_EQ(largest_difference(digit_of(stroke()), stroke()), 0);
  EXPECT_EQ(largest_difference(digit_of(inverse(stroke())), stroke()), 0);
}

TEST(Digit, AnEnlargedImageComesBack) {
  for (const int times : {2, 10, 40}) {
    const Picture picture = enlarged(stroke(), times);
    // More than 400 pixels are shrunk to 400 first, of which 28 is no divisor.
    const int tolerance = picture.width <= 400 ? 2 : 12;
    EXPECT_LE(largest_difference(digit_of(picture), stroke()), tolerance) << times;
    EXPECT_LE(largest_difference(digit_of(inverse(picture)), stroke()), tolerance) << times;
  }
}

TEST(Digit, UnevenLightAndSpecksChangeLittle) {
  Picture picture = enlarged(stroke(), 10);
  for (int y = 0; y < picture.height; ++y)
    for (int x = 0; x < picture.width; ++x) {
      std::uint8_t& grey = picture.grey[static_cast<std::size_t>(y * picture.width + x)];
      grey = static_cast<std::uint8_t>(40 + x / 4 + y / 5 + grey / 4);
    }
  for (int x = 20; x < 24; ++x)
    picture.grey[static_cast<std::size_t>(20 * picture.width + x)] = 255;
  const DigitImage digit = digit_of(picture);
  EXPECT_FALSE(digit.empty);
  EXPECT_THAT(digit.warnings, testing::IsEmpty());
  EXPECT_LE(largest_difference(digit, stroke()), 40);
}

TEST(Digit, LongAndFlatPicturesAreRead) {
  for (const auto& [width, height] :
       {std::pair{300, 1}, {1, 300}, {5000, 2}, {4000, 10}, {10, 4000}, {20000, 1}}) {
    Picture picture{width, height, {}};
    picture.grey.assign(static_cast<std::size_t>(width) * static_cast<std::size_t>(height), 255);
    EXPECT_TRUE(digit_of(picture).empty) << width << "x" << height;
    picture.grey[picture.grey.size() / 2] = 0;
    digit_of(picture);
  }
}

TEST(Digit, AStrokeThatFillsHalfOfItsPictureIsFound) {
  const Picture whole = enlarged(stroke(), 10);
  Picture cropped{40 + 36, 200, {}};
  for (int y = 40; y < 240; ++y)
    for (int x = 102; x < 102 + cropped.width; ++x)
      cropped.grey.push_back(whole.grey[static_cast<std::size_t>(y * whole.width + x)]);
  EXPECT_LE(largest_difference(digit_of(cropped), stroke()), 12);
  EXPECT_LE(largest_difference(digit_of(inverse(cropped)), stroke()), 12);
}

TEST(Digit, NoiseIsNoInk) {
  for (const double sd : {1.0, 3.0, 10.0, 40.0}) {
    std::mt19937 bits(7);
    std::normal_distribution<double> noise(128, sd);
    Picture picture{300, 300, {}};
    for (int i = 0; i < 300 * 300; ++i)
      picture.grey.push_back(static_cast<std::uint8_t>(std::clamp(noise(bits), 0.0, 255.0)));
    EXPECT_TRUE(digit_of(picture).empty) << sd;
  }
}

TEST(Digit, NoInkIsSaid) {
  for (const std::uint8_t grey : {0, 128, 255}) {
    const DigitImage digit = digit_of({50, 30, std::vector<std::uint8_t>(std::size_t{1500}, grey)});
    EXPECT_TRUE(digit.empty);
    EXPECT_THAT(digit.warnings, testing::SizeIs(1));
  }
  EXPECT_TRUE(digit_of({1, 1, {7}}).empty);
}

TEST(Digit, FitsTheBoxAndIsCentredByMass) {
  const Images drawn = synthetic_digits(3, SyntheticSet::test, 40);
  for (int i = 0; i < drawn.count(); ++i) {
    Picture small{image_side, image_side, {drawn.image(i), drawn.image(i) + image_size}};
    const DigitImage digit = digit_of(enlarged(small, 3));
    double sum = 0, x_sum = 0, y_sum = 0;
    int left = image_side, right = 0, top = image_side, bottom = 0;
    for (int y = 0; y < image_side; ++y)
      for (int x = 0; x < image_side; ++x) {
        const int ink = digit.pixels[static_cast<std::size_t>(y * image_side + x)];
        if (ink == 0) continue;
        sum += ink, x_sum += ink * (x + 0.5), y_sum += ink * (y + 0.5);
        left = std::min(left, x), right = std::max(right, x);
        top = std::min(top, y), bottom = std::max(bottom, y);
      }
    EXPECT_LE(right - left, 19);
    EXPECT_LE(bottom - top, 19);
    EXPECT_NEAR(x_sum / sum, 14, 0.51) << i;
    EXPECT_NEAR(y_sum / sum, 14, 0.51) << i;
  }
}

TEST(FittedImage, KeepsAPictureOfItsSizeAndScalesOthers) {
  EXPECT_EQ(fitted_image(stroke(), image_side).pixels, stroke().grey);
  EXPECT_EQ(fitted_image(inverse(stroke()), image_side).pixels, inverse(stroke()).grey);
  for (const Picture& picture : {enlarged(stroke(), 3), enlarged(inverse(stroke()), 3)}) {
    EXPECT_LE(largest_difference(fitted_image(picture, image_side), stroke()), 1);
    EXPECT_EQ(fitted_image(picture, 40).pixels.size(), 1600u);
  }
  EXPECT_TRUE(fitted_image({90, 30, std::vector<std::uint8_t>(2700, 7)}, 20).empty);
}

}  // namespace
}  // namespace mnist_dist
