#pragma once
#include <cmath>

#include "base/host_device.h"

// Functions whose bits must not depend on a C library, a compiler or a CPU. They use + - * / and
// floor of doubles, which IEEE 754 rounds in the same way everywhere. They compute to more than 90
// bits and round once, so that they return the double next to the exact value for all but one
// argument in 2^37.

namespace mnist_dist::portable {

/// The sum of two doubles, of which `low` is at most half a unit in the last place of `high`.
struct Pair {
  double high, low;
};

/// Exact. |a| >= |b|, or a = 0.
MNIST_DIST_HOST_DEVICE inline Pair ordered_sum(double a, double b) {
  const double sum = a + b;
  return {sum, b - (sum - a)};
}
/// Exact (Knuth).
MNIST_DIST_HOST_DEVICE inline Pair exact_sum(double a, double b) {
  const double sum = a + b, b_part = sum - a;
  return {sum, (a - (sum - b_part)) + (b - b_part)};
}
/// Exact (Dekker): products of halves of 26 bits. Factors below 2^996 and a product above 2^-960.
MNIST_DIST_HOST_DEVICE inline Pair exact_product(double a, double b) {
  constexpr double splitter = 0x1p27 + 1;
  const double a_scaled = splitter * a, a_high = a_scaled - (a_scaled - a), a_low = a - a_high;
  const double b_scaled = splitter * b, b_high = b_scaled - (b_scaled - b), b_low = b - b_high;
  const double product = a * b;
  return {product, ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low};
}

MNIST_DIST_HOST_DEVICE inline Pair operator+(Pair a, Pair b) {
  const Pair sum = exact_sum(a.high, b.high);
  return ordered_sum(sum.high, sum.low + (a.low + b.low));
}
MNIST_DIST_HOST_DEVICE inline Pair operator-(Pair a) { return {-a.high, -a.low}; }
MNIST_DIST_HOST_DEVICE inline Pair operator*(Pair a, Pair b) {
  const Pair product = exact_product(a.high, b.high);
  return ordered_sum(product.high, product.low + (a.high * b.low + a.low * b.high));
}
MNIST_DIST_HOST_DEVICE inline Pair operator/(Pair a, Pair b) {
  const double first = a.high / b.high;
  const Pair rest = a + -(b * Pair{first, 0});
  const double second = rest.high / b.high;
  const Pair last = rest + -(b * Pair{second, 0});
  return ordered_sum(first, second) + Pair{last.high / b.high, 0};
}

/// The sum of coefficient[i] * x^i. From coefficient `pairs` on doubles are precise enough.
template <int kCount>
MNIST_DIST_HOST_DEVICE Pair polynomial(const Pair (&coefficient)[kCount], int pairs, Pair x) {
  double tail = 0;
  for (int i = kCount - 1; i >= pairs; --i) tail = coefficient[i].high + tail * x.high;
  Pair sum{tail, 0};
  for (int i = pairs - 1; i >= 0; --i) sum = coefficient[i] + sum * x;
  return sum;
}

/// x - k * constant for a whole k below 2^20, the constant in three parts of which k times the
/// first two is exact.
struct Reduced {
  double k;
  Pair rest;
};
MNIST_DIST_HOST_DEVICE inline Reduced reduce(Pair x, double inverse, double part1, double part2,
                                             Pair part3) {
  const double k = std::floor(x.high * inverse + 0.5);
  const Pair rest = exact_sum(x.high, -k * part1) + Pair{-k * part2, x.low};
  return {k, rest + Pair{-k, 0} * part3};
}

struct SineCosine {
  Pair sine, cosine;
};
/// Of |x| below 10^5: x less a multiple of half pi, then Taylor series.
MNIST_DIST_HOST_DEVICE inline SineCosine sine_cosine(double x) {
  constexpr Pair sine_terms[] = {{1, 0},
                                 {-0x1.5555555555555p-3, -0x1.5555555555555p-57},
                                 {0x1.1111111111111p-7, 0x1.1111111111111p-63},
                                 {-0x1.a01a01a01a01ap-13, -0x1.a01a01a01a01ap-73},
                                 {0x1.71de3a556c734p-19, -0x1.c154f8ddc6c00p-73},
                                 {-0x1.ae64567f544e4p-26, 0x1.c062e06d1f209p-80},
                                 {0x1.6124613a86d09p-33, 0x1.f28e0cc748ebep-87},
                                 {-0x1.ae7f3e733b81fp-41, -0x1.1d8656b0ee8cbp-97},
                                 {0x1.952c77030ad4ap-49, 0},
                                 {-0x1.2f49b46814157p-57, 0},
                                 {0x1.71b8ef6dcf572p-66, 0},
                                 {-0x1.761b41316381ap-75, 0},
                                 {0x1.3f3ccdd165fa9p-84, 0},
                                 {-0x1.d1ab1c2dccea3p-94, 0}};
  constexpr Pair cosine_terms[] = {{1, 0},
                                   {-0.5, 0},
                                   {0x1.5555555555555p-5, 0x1.5555555555555p-59},
                                   {-0x1.6c16c16c16c17p-10, 0x1.f49f49f49f49fp-65},
                                   {0x1.a01a01a01a01ap-16, 0x1.a01a01a01a01ap-76},
                                   {-0x1.27e4fb7789f5cp-22, -0x1.cbbc05b4fa99ap-76},
                                   {0x1.1eed8eff8d898p-29, -0x1.2aec959e14c06p-83},
                                   {-0x1.93974a8c07c9dp-37, -0x1.05d6f8a2efd1fp-92},
                                   {0x1.ae7f3e733b81fp-45, 0x1.1d8656b0ee8cbp-101},
                                   {-0x1.6827863b97d97p-53, 0},
                                   {0x1.e542ba4020225p-62, 0},
                                   {-0x1.0ce396db7f853p-70, 0},
                                   {0x1.f2cf01972f578p-80, 0},
                                   {-0x1.88e85fc6a4e5ap-89, 0},
                                   {0x1.0a18a2635085dp-98, 0}};
  const auto [k, rest] = reduce({x, 0}, 0x1.45f306dc9c883p-1, 0x1.921fb544p+0, 0x1.0b4611a6p-34,
                                {0x1.3198a2e037073p-69, 0x1.129024e088a68p-123});
  const Pair square = rest * rest;
  const Pair sine = rest * polynomial(sine_terms, 8, square),
             cosine = polynomial(cosine_terms, 9, square);
  switch (static_cast<int>(k) & 3) {
    case 0:
      return {sine, cosine};
    case 1:
      return {cosine, -sine};
    case 2:
      return {-sine, -cosine};
    default:
      return {-cosine, sine};
  }
}
/// All three of |x| below 10^5.
MNIST_DIST_HOST_DEVICE inline double sine(double x) { return sine_cosine(x).sine.high; }
MNIST_DIST_HOST_DEVICE inline double cosine(double x) { return sine_cosine(x).cosine.high; }
MNIST_DIST_HOST_DEVICE inline double tangent(double x) {
  const SineCosine of = sine_cosine(x);
  return (of.sine / of.cosine).high;
}

/// x = k ln 2 + r, with e^(r / 16) as a Taylor series, squared four times.
MNIST_DIST_HOST_DEVICE inline Pair exponential_of(Pair x) {
  constexpr Pair terms[] = {{1, 0},
                            {1, 0},
                            {0.5, 0},
                            {0x1.5555555555555p-3, 0x1.5555555555555p-57},
                            {0x1.5555555555555p-5, 0x1.5555555555555p-59},
                            {0x1.1111111111111p-7, 0x1.1111111111111p-63},
                            {0x1.6c16c16c16c17p-10, -0x1.f49f49f49f49fp-65},
                            {0x1.a01a01a01a01ap-13, 0x1.a01a01a01a01ap-73},
                            {0x1.a01a01a01a01ap-16, 0x1.a01a01a01a01ap-76},
                            {0x1.71de3a556c734p-19, 0},
                            {0x1.27e4fb7789f5cp-22, 0},
                            {0x1.ae64567f544e4p-26, 0},
                            {0x1.1eed8eff8d898p-29, 0},
                            {0x1.6124613a86d09p-33, 0}};
  const auto [k, rest] = reduce(x, 0x1.71547652b82fep+0, 0x1.62e42fefp-1, 0x1.473de6afp-34,
                                {0x1.3c7673007e5edp-69, 0x1.7a079a193394cp-123});
  Pair power = polynomial(terms, 9, {rest.high / 16, rest.low / 16});
  for (int i = 0; i < 4; ++i) power = power * power;
  double scale = 1;
  for (double i = 0; i < std::fabs(k); ++i) scale *= k < 0 ? 0.5 : 2;
  return {power.high * scale, power.low * scale};
}
/// Of |x| up to 700.
MNIST_DIST_HOST_DEVICE inline double exponential(double x) { return exponential_of({x, 0}).high; }

/// Normal x > 0 below 10^300. With y near ln x and t = x e^-y - 1, ln x = y + ln(1 + t).
MNIST_DIST_HOST_DEVICE inline Pair logarithm_of(double x) {
  double power = 0, m = x;
  for (; m > 0x1.6a09e667f3bcdp+0; m *= 0.5) power += 1;
  for (; m < 0x1.6a09e667f3bcdp-1; m *= 2) power -= 1;
  // ln m = 2 (s + s^3 / 3 + s^5 / 5 ...), to some 50 bits.
  const double s = (m - 1) / (m + 1), square = s * s;
  double series = 0;
  for (int i = 21; i >= 1; i -= 2) series = 1.0 / i + series * square;
  const double y = power * 0x1.62e42fefa39efp-1 + 2 * s * series;
  const Pair t = exponential_of({-y, 0}) * Pair{x, 0} + Pair{-1, 0};
  return Pair{y, 0} + t + t * t * Pair{-0.5, 0};
}
MNIST_DIST_HOST_DEVICE inline double logarithm(double x) { return logarithm_of(x).high; }

/// Normal x > 0 below 10^300, a result between 10^-300 and 10^300.
MNIST_DIST_HOST_DEVICE inline double power(double x, double exponent) {
  return exponential_of(logarithm_of(x) * Pair{exponent, 0}).high;
}

}  // namespace mnist_dist::portable
