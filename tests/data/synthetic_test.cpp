#include "data/synthetic.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <set>
#include <string>

#include "base/sha256.h"

namespace mnist_dist {
namespace {

constexpr std::uint64_t seed = 5;

TEST(Synthetic, IsAFunctionOfSeedSetAndRow) {
  const Images few = synthetic_digits(seed, SyntheticSet::train, 30),
               more = synthetic_digits(seed, SyntheticSet::train, 50);
  EXPECT_TRUE(std::equal(few.pixels.begin(), few.pixels.end(), more.pixels.begin()))
      << "a longer set begins with the shorter one";
  EXPECT_TRUE(std::equal(few.labels.begin(), few.labels.end(), more.labels.begin()));
  EXPECT_NE(synthetic_digits(seed + 1, SyntheticSet::train, 30).pixels, few.pixels);
  EXPECT_NE(synthetic_digits(seed, SyntheticSet::test, 30).pixels, few.pixels);
}

TEST(Synthetic, IsTheSameOnEveryMachine) {
  const Images images = synthetic_digits(1, SyntheticSet::train, 1000);
  EXPECT_EQ(hex(sha256(std::as_bytes(std::span(images.pixels)))),
            "91b5073129cfee650a039f56eb81060eb7c053dcd357460edbde4529e73255bf");
}

TEST(Synthetic, RowsDifferAndAllDigitsAppear) {
  const Images images = synthetic_digits(seed, SyntheticSet::train, 2000);
  std::set<std::string> distinct;
  std::array<int, class_count> counts{};
  for (int i = 0; i < images.count(); ++i) {
    distinct.insert(std::string(images.image(i), images.image(i) + image_size));
    ++counts[images.labels[static_cast<std::size_t>(i)]];
  }
  EXPECT_EQ(distinct.size(), 2000u);
  for (const int count : counts) EXPECT_NEAR(count, 200, 60);
}

TEST(Synthetic, InkIsWhereMnistHasIt) {
  const Images images = synthetic_digits(seed, SyntheticSet::train, 2000);
  double sum = 0, edge = 0;
  for (int i = 0; i < images.count(); ++i)
    for (int pixel = 0; pixel < image_size; ++pixel) {
      const int row = pixel / image_side, column = pixel % image_side;
      sum += images.image(i)[pixel];
      if (row == 0 || column == 0 || row == image_side - 1 || column == image_side - 1)
        edge += images.image(i)[pixel];
    }
  const double mean = sum / (2000.0 * image_size * 255);
  EXPECT_GT(mean, .07);  // MNIST: .13
  EXPECT_LT(mean, .2);
  EXPECT_LT(edge, .002 * sum) << "digits are cut off at the edge";
}

/// Test accuracy of softmax regression on pixels, by plain SGD.
double linear_accuracy(const Images& train, const Images& test) {
  constexpr int inputs = image_size + 1;  // a constant 1 for the bias
  std::vector<float> weights(std::size_t{class_count} * inputs);
  std::array<float, inputs> x{};
  std::array<float, class_count> p{};
  const auto forward = [&](const Images& images, int i) {
    std::transform(images.image(i), images.image(i) + image_size, x.begin(),
                   [](std::uint8_t pixel) { return static_cast<float>(pixel) / 255; });
    x.back() = 1;
    for (std::size_t k = 0; k < p.size(); ++k) {
      p[k] = 0;
      for (std::size_t j = 0; j < x.size(); ++j) p[k] += weights[k * inputs + j] * x[j];
    }
    return static_cast<int>(std::ranges::max_element(p) - p.begin());
  };
  for (int epoch = 0; epoch < 15; ++epoch)
    for (int i = 0; i < train.count(); ++i) {
      forward(train, i);
      float sum = 0;
      for (float& value : p) sum += value = std::exp(value);
      for (std::size_t k = 0; k < p.size(); ++k) {
        const float gradient =
            p[k] / sum - (train.labels[static_cast<std::size_t>(i)] == k ? 1.f : 0.f);
        for (std::size_t j = 0; j < x.size(); ++j)
          weights[k * inputs + j] -= .02f / (1 + .3f * static_cast<float>(epoch)) * gradient * x[j];
      }
    }
  int correct = 0;
  for (int i = 0; i < test.count(); ++i)
    correct += forward(test, i) == test.labels[static_cast<std::size_t>(i)];
  return static_cast<double>(correct) / test.count();
}

/// Test accuracy of the nearest training image.
double nearest_accuracy(const Images& train, const Images& test) {
  int correct = 0;
  for (int i = 0; i < test.count(); ++i) {
    int best = std::numeric_limits<int>::max();
    std::size_t nearest = 0;
    for (int t = 0; t < train.count(); ++t) {
      int distance = 0;
      for (int pixel = 0; pixel < image_size; ++pixel) {
        const int difference = train.image(t)[pixel] - test.image(i)[pixel];
        distance += difference * difference;
      }
      if (distance < best) best = distance, nearest = static_cast<std::size_t>(t);
    }
    correct += train.labels[nearest] == test.labels[static_cast<std::size_t>(i)];
  }
  return static_cast<double>(correct) / test.count();
}

TEST(Synthetic, IsHardForALinearModelButCanBeLearnt) {
  const Images train = synthetic_digits(seed, SyntheticSet::train, 5000),
               test = synthetic_digits(seed, SyntheticSet::test, 1000);
  const double linear = linear_accuracy(train, test);
  EXPECT_LT(linear, .95);
  EXPECT_GT(linear, .6);
  EXPECT_GT(nearest_accuracy(train, synthetic_digits(seed, SyntheticSet::test, 300)), .8);
}

}  // namespace
}  // namespace mnist_dist
