// a * b + c with one rounding, on every SIMD target: where a CPU is without the instruction it is
// emulated.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

#include "base/random.h"
#include "engine/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/fused/mul_add_test.cpp"
#include <hwy/foreach_target.h>
// After foreach_target
#include "engine/fused/simd-inl.h"

#if HWY_TARGET != HWY_EMU128
HWY_BEFORE_NAMESPACE();
namespace mnist_dist::fused::HWY_NAMESPACE {

/// a, b and c have a multiple of 16 elements.
void mul_adds(const float* a, const float* b, const float* c, std::size_t count, float* out) {
  for (std::size_t i = 0; i < count; i += kLanes)
    hn::StoreU(mul_add(hn::LoadU(d, a + i), hn::LoadU(d, b + i), hn::LoadU(d, c + i)), d, out + i);
}

}  // namespace mnist_dist::fused::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#else
namespace mnist_dist::fused::HWY_NAMESPACE {
void mul_adds(const float*, const float*, const float*, std::size_t, float*) {
}  // no target of ours
}  // namespace mnist_dist::fused::HWY_NAMESPACE
#endif

#if HWY_ONCE
namespace mnist_dist::fused {
namespace {

HWY_EXPORT(mul_adds);

float from_bits(std::uint32_t bits) { return std::bit_cast<float>(bits); }

struct Terms {
  std::vector<float> a, b, c;
  void add(float x, float y, float z) { a.push_back(x), b.push_back(y), c.push_back(z); }
};

void expect_one_rounding(const Terms& terms) {
  ASSERT_EQ(terms.a.size() % 16, 0u);
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    if (target == HWY_EMU128) continue;
    std::vector<float> got(terms.a.size());
    HWY_DISPATCH_TABLE(mul_adds)
    [simd_target_index(simd_target_name(target))](terms.a.data(), terms.b.data(), terms.c.data(),
                                                  got.size(), got.data());
    for (std::size_t i = 0; i < got.size(); ++i) {
      const float wanted = std::fma(terms.a[i], terms.b[i], terms.c[i]);
      if (std::isnan(wanted) && std::isnan(got[i])) continue;
      ASSERT_EQ(std::bit_cast<std::uint32_t>(got[i]), std::bit_cast<std::uint32_t>(wanted))
          << simd_target_name(target) << ": " << std::hexfloat << terms.a[i] << " * " << terms.b[i]
          << " + " << terms.c[i];
    }
  }
}

// Any bits, and exponents near each other, where sums cancel.
TEST(MulAdd, RoundsOnceOnRandomNumbers) {
  Stream draws({.seed = 1, .purpose = Purpose::synthetic, .row = 1});
  Terms terms;
  for (int i = 0; i < 1 << 16; ++i) {
    terms.add(from_bits(draws.next()), from_bits(draws.next()), from_bits(draws.next()));
    const float a = draws.uniform(-1, 1), b = draws.uniform(-1, 1);
    terms.add(a, b, -a * b + draws.uniform(-1, 1) * 0x1p-24f);
  }
  expect_one_rounding(terms);
}

// The product is half a unit of c's last place less 2^-70: the double next to the sum is halfway
// between two floats.
TEST(MulAdd, RoundsOnceWhereTheDoubleIsHalfway) {
  Terms terms;
  for (const float product_sign : {1.0f, -1.0f})
    for (const float sign : {1.0f, -1.0f})
      for (int i = 0; i < 16; ++i)
        terms.add(product_sign * 0x1p-12f * (1 + 0x1p-23f), 0x1p-12f * (1 - 0x1p-23f),
                  sign * (1 + static_cast<float>(i) * 0x1p-23f));
  expect_one_rounding(terms);
}

TEST(MulAdd, RoundsOnceBelowTheNormalNumbers) {
  Stream draws({.seed = 1, .purpose = Purpose::synthetic, .row = 2});
  Terms terms;
  for (int i = 0; i < 1 << 14; ++i)
    terms.add(draws.uniform(-1, 1) * 0x1p-70f, draws.uniform(-1, 1) * 0x1p-70f,
              from_bits(draws.next() & 0x807fffffu));
  for (int i = 0; i < 16; ++i)  // half of the least number, plus or minus next to nothing
    terms.add(i & 1 ? 0x1p-75f : -0x1p-75f, (i & 2 ? 1 + 0x1p-23f : 1 - 0x1p-24f) * 0x1p-75f,
              i & 4 ? 0x1p-149f : 0.0f);
  expect_one_rounding(terms);
}

}  // namespace
}  // namespace mnist_dist::fused
#endif
