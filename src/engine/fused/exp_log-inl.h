// The exponential and the logarithm, so that no library decides their last bit.
#if defined(MNIST_DIST_FUSED_EXP_LOG_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MNIST_DIST_FUSED_EXP_LOG_INL_H
#undef MNIST_DIST_FUSED_EXP_LOG_INL_H
#else
#define MNIST_DIST_FUSED_EXP_LOG_INL_H
#endif

#include "engine/fused/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mnist_dist::fused {
namespace HWY_NAMESPACE {

// The arithmetic of Highway 1.0.3's Exp and Log (Apache 2.0) with fused multiply-adds: the
// published sweeps were computed with it. Other versions of Highway have other polynomials.

/// 2^n for n in -126 .. 127.
template <class DI, class VI>
HWY_INLINE V power_of_two(DI i32, VI n) {
  return hn::BitCast(d, hn::ShiftLeft<23>(hn::Add(n, hn::Set(i32, 127))));
}

/// e^x of x up to 88, within 1 unit in the last place. 0 below -104 and of NaN.
HWY_INLINE V exp_of(V x) {
  const hn::RebindToSigned<D> i32;
  const auto k = [](float value) HWY_ATTR { return broadcast(value); };
  // Of NaN there is no nearest whole number, so 0 stands for numbers that do not count.
  const auto counts = hn::Ge(x, k(-104));
  x = hn::IfThenElseZero(counts, x);
  // x = q ln 2 + r, q the nearest whole number.
  const V sign = hn::And(x, k(-0.0f));
  const auto q = hn::ConvertTo(i32, mul_add(x, k(1.442695040888963407f), hn::Or(k(0.5f), sign)));
  const V qf = hn::ConvertTo(d, q);
  const V r = mul_add(qf, k(-1.428606765330187045e-6f), mul_add(qf, k(-0.693145751953125f), x));

  const V r2 = hn::Mul(r, r), r4 = hn::Mul(r2, r2);
  const V p01 = mul_add(k(0.166666671633720397949219f), r, k(0.5f));
  const V p23 = mul_add(k(0.00833336077630519866943359f), r, k(0.0416664853692054748535156f));
  const V p45 = mul_add(k(0.000198527617612853646278381f), r, k(0.00139304355252534151077271f));
  const V polynomial = mul_add(r4, p45, mul_add(r2, p23, p01));
  const V e_to_r = add(mul_add(polynomial, r2, r), k(1));

  // In two halves: 2^q alone may be below the normal numbers.
  const auto half = hn::ShiftRight<1>(q);
  const V scaled =
      hn::Mul(hn::Mul(e_to_r, power_of_two(i32, half)), power_of_two(i32, hn::Sub(q, half)));
  return hn::IfThenElseZero(counts, scaled);
}

/// ln x of normal x > 0, within 4 units in the last place.
HWY_INLINE V log_of(V x) {
  const hn::RebindToSigned<D> i32;
  const auto k = [](float value) HWY_ATTR { return broadcast(value); };
  constexpr std::int32_t one = 0x3f800000, root_of_half = 0x3f3504f3;  // bits of floats
  // x = 2^e m, m between the root of a half and that of two.
  const auto bits = hn::Add(hn::BitCast(i32, x), hn::Set(i32, one - root_of_half));
  const V e = hn::ConvertTo(d, hn::Sub(hn::ShiftRight<23>(bits), hn::Set(i32, 127)));
  const V m =
      hn::BitCast(d, hn::Add(hn::And(bits, hn::Set(i32, 0x7fffff)), hn::Set(i32, root_of_half)));

  const V m1 = hn::Sub(m, k(1));
  const V z = hn::Div(m1, add(m, k(1)));
  const V z2 = hn::Mul(z, z), z4 = hn::Mul(z2, z2);
  const V odd = hn::Mul(mul_add(k(0.24279078841f), z4, k(0.40000972152f)), z4);
  const V polynomial = mul_add(mul_add(k(0.28498786688f), z4, k(0.66666662693f)), z2, odd);
  const V low = mul_add(z, hn::Sub(m1, polynomial), hn::Neg(hn::Mul(e, k(9.0580006145e-6f))));
  return mul_add(e, k(0.69313812256f), hn::Neg(hn::Sub(low, m1)));
}

}  // namespace HWY_NAMESPACE
}  // namespace mnist_dist::fused
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
