#include "base/arithmetic.h"

#include <fmt/format.h>

#include <bit>
#include <cstdint>

#include "base/error.h"

namespace mnist_dist {
namespace {

/// The value from memory, so that the compiler cannot compute with it.
float hidden(std::uint32_t bits) {
  const volatile std::uint32_t memory = bits;
  return std::bit_cast<float>(static_cast<std::uint32_t>(memory));
}

// Compared as bits: a comparison of floats also takes subnormal numbers for zero where they are
// off.
void expect(const char* problem, float got, std::uint32_t expected) {
  if (std::bit_cast<std::uint32_t>(got) == expected) return;
  throw device_error(fmt::format("floating-point arithmetic: {} (got {:#010x}, expected {:#010x})",
                                 problem, std::bit_cast<std::uint32_t>(got), expected),
                     "unset LD_PRELOAD, or rebuild without -ffast-math the library that changes it "
                     "(ldd lists those of the program)");
}

}  // namespace

void check_arithmetic() {
  const float one = hidden(0x3f800000), half = hidden(0x3f000000), two_to_24 = hidden(0x4b800000);
  expect("subnormal results are flushed to zero", hidden(0x00800000) * half, 0x00400000);
  expect("subnormal operands are treated as zero", hidden(0x00400000) * two_to_24, 0x0c000000);
  // Halfway between two floats: to the even one.
  expect("the rounding mode is not to nearest", one + hidden(0x33800000), 0x3f800000);
  expect("the rounding mode is not to nearest", one + hidden(0x34400000), 0x3f800002);
  // (1 + 2^-12)^2 - (1 + 2^-11) is 0 after one rounding, 2^-24 without.
  const float a = hidden(0x3f800800);
  expect("multiplications and additions were fused", a * a - hidden(0x3f801000), 0);
  expect("sums were reordered", (two_to_24 + one) - two_to_24, 0);
}

}  // namespace mnist_dist
