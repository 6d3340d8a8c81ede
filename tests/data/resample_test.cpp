#include "data/resample.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace mnist_dist {
namespace {

using Picture = std::vector<float>;  // [28][28]

/// Every pixel another value, the border included, so that nothing hides.
Picture picture() {
  Picture pixels(image_size);
  for (std::size_t i = 0; i < pixels.size(); ++i)
    pixels[i] = static_cast<float>((i * 37) % 251 + 1);
  return pixels;
}

/// The pixel, 0 outside.
float at(const Picture& pixels, int row, int column) {
  const bool inside = row >= 0 && row < image_side && column >= 0 && column < image_side;
  return inside ? pixels[static_cast<std::size_t>(row * image_side + column)] : 0.0f;
}

Picture resampled(const Picture& pixels, const AffineMap& map, Interpolation interpolation,
                  const Picture& displacement = {}) {
  Picture out(image_size, -1);
  resample(PaddedImage(std::span<const float>(pixels)), map, displacement, interpolation, out);
  return out;
}

constexpr Interpolation both[] = {Interpolation::nearest, Interpolation::bilinear};

TEST(Resample, IdentityKeepsEveryPixel) {
  for (const auto interpolation : both)
    EXPECT_EQ(resampled(picture(), {1, 0, 0, 0, 1, 0}, interpolation), picture());
}

TEST(Resample, WholeShiftsMoveAndFillWithZero) {
  const Picture source = picture();
  for (const auto interpolation : both) {
    const Picture out =
        resampled(source, {1, 0, 3, 0, 1, -2}, interpolation);  // reads 3 to the right, 2 up
    for (int row = 0; row < image_side; ++row)
      for (int column = 0; column < image_side; ++column)
        EXPECT_EQ(at(out, row, column), at(source, row - 2, column + 3)) << row << " " << column;
  }
}

TEST(Resample, FarAwayIsZero) {
  for (const auto interpolation : both)
    for (const float away : {1e9f, -1e9f, 29.0f, -29.0f})
      EXPECT_EQ(resampled(picture(), {1, 0, away, 0, 1, 0}, interpolation), Picture(image_size, 0));
}

TEST(Resample, BilinearHalfAPixelIsTheMeanOfTwo) {
  const Picture source = picture();
  const Picture out = resampled(source, {1, 0, 0.5f, 0, 1, 0}, Interpolation::bilinear);
  for (int row = 0; row < image_side; ++row)
    for (int column = 0; column < image_side; ++column)
      EXPECT_FLOAT_EQ(at(out, row, column),
                      (at(source, row, column) + at(source, row, column + 1)) /
                          2);  // half a pixel of border at column 27
}

TEST(Resample, BilinearWeighsFourNeighbours) {
  const Picture source = picture();
  const Picture out = resampled(source, {1, 0, -0.25f, 0, 1, 0.75f}, Interpolation::bilinear);
  for (int row = 0; row < image_side; ++row)
    for (int column = 0; column < image_side; ++column) {
      const float expected =
          0.25f * (0.25f * at(source, row, column - 1) + 0.75f * at(source, row, column)) +
          0.75f * (0.25f * at(source, row + 1, column - 1) + 0.75f * at(source, row + 1, column));
      EXPECT_NEAR(at(out, row, column), expected, 1e-4) << row << " " << column;
    }
}

TEST(Resample, NearestTakesHalvesToTheRightAndDown) {
  const Picture source = picture();
  const Picture half = resampled(source, {1, 0, 0.5f, 0, 1, 0.5f}, Interpolation::nearest);
  const Picture less = resampled(source, {1, 0, 0.49f, 0, 1, 0.49f}, Interpolation::nearest);
  const Picture left = resampled(source, {1, 0, -0.5f, 0, 1, -0.51f}, Interpolation::nearest);
  for (int row = 0; row < image_side; ++row)
    for (int column = 0; column < image_side; ++column) {
      EXPECT_EQ(at(half, row, column), at(source, row + 1, column + 1));
      EXPECT_EQ(at(less, row, column), at(source, row, column));
      EXPECT_EQ(at(left, row, column), at(source, row - 1, column));
    }
}

TEST(Resample, QuarterTurn) {
  const Picture source = picture();
  for (const auto interpolation : both) {
    const Picture out =
        resampled(source, {0, -1, 27, 1, 0, 0}, interpolation);  // x = 27 - row, y = column
    for (int row = 0; row < image_side; ++row)
      for (int column = 0; column < image_side; ++column)
        EXPECT_EQ(at(out, row, column), at(source, column, 27 - row));
  }
}

TEST(Resample, DisplacementIsAddedToTheCoordinates) {
  const Picture source = picture();
  Picture displacement(2 * image_size, 0);
  displacement[5 * image_side + 6] = 2;                // x of pixel (5, 6)
  displacement[image_size + 7 * image_side + 8] = -3;  // y of pixel (7, 8)
  const Picture out = resampled(source, {1, 0, 0, 0, 1, 0}, Interpolation::bilinear, displacement);
  EXPECT_EQ(at(out, 5, 6), at(source, 5, 8));
  EXPECT_EQ(at(out, 7, 8), at(source, 4, 8));
  EXPECT_EQ(at(out, 6, 6), at(source, 6, 6));
}

}  // namespace
}  // namespace mnist_dist
