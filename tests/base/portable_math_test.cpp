#include "base/portable_math.h"

#include <gtest/gtest.h>

#include <bit>
#include <cstdint>

namespace mnist_dist::portable {
namespace {

struct Case {
  double argument, sine, cosine, tangent, exponential, logarithm;  ///< NaN where it has none
};

// Rounded from 250 bits (mpmath 1.2.1).
constexpr Case cases[] = {
    {-0x1.5bc435d85fc41p-3, -0x1.5a18f9f8d8199p-3, 0x1.f8a2d350a895fp-1, -0x1.5f25e5a450b07p-3,
     0x1.b00a162cbccdcp-1, -0x1.5bc435d85fc43p-3},
    {0x1.657a8aec15ffcp-3, 0x1.63aa8b0470a4fp-3, 0x1.f838547bfe7a8p-1, 0x1.69276ccfdb014p-3,
     0x1.30d266411660ep+0, 0x1.657a8aec15ffap-3},
    {0x1.1df1d64e015f0p-2, 0x1.1a3e338b6a1bdp-2, 0x1.ec2ad925b896bp-1, 0x1.259dcb00c8951p-2,
     0x1.5277016d9fbefp+0, 0x1.1df1d64e015f0p-2},
    {-0x1.d49489a346eedp-2, -0x1.c465c03f58aa0p-2, 0x1.cb52d4e0f5f61p-1, -0x1.f84793ed898a2p-2,
     0x1.43fe9bfae2fcfp-1, -0x1.d49489a346eecp-2},
    {0x1.fca284ca590e8p-4, 0x1.fb54212600218p-4, 0x1.fc0eb6e0ae44fp-1, 0x1.ff43f79bedf43p-4,
     0x1.21d907caded78p+0, 0x1.fca284ca590eap-4},
    {-0x1.76c4724fbb9d0p-4, -0x1.763ea43b3f810p-4, 0x1.fddbbf5f9f30ap-1, -0x1.77d1116fc3b35p-4,
     0x1.d33bb8f495aa4p-1, -0x1.76c4724fbb9d2p-4},
    {-0x1.881303208239ep-1, -0x1.62dcfe473d34cp-1, 0x1.711319dd58e35p-1, -0x1.ec4905d3c89b3p-1,
     0x1.dc22998be1897p-2, -0x1.881303208239fp-1},
    {0x1.56815275516aap-1, 0x1.3d8682fe1b4e1p-1, 0x1.91a60a9a58f81p-1, 0x1.94c3aaac4768bp-1,
     0x1.f3c32e8eaa1fdp+0, 0x1.56815275516a9p-1},
    {0x1.86dfe3b272b30p-3, 0x1.8481809242328p-3, 0x1.f6b401245635ep-1, 0x1.8bb0d7bb24a37p-3,
     0x1.35d54e3342db0p+0, 0x1.86dfe3b272b31p-3},
    {0x1.a439258f2d350p-2, 0x1.98870316d959cp-2, 0x1.d57d4c879d764p-1, 0x1.bd849ef830c5ap-2,
     0x1.81e3c646cacabp+0, 0x1.a439258f2d351p-2},
    {0x1.p-1, 0x1.eaee8744b05f0p-2, 0x1.c1528065b7d50p-1, 0x1.17b4f5bf3474ap-1,
     0x1.a61298e1e069cp+0, 0x1.p-1},
    {-0x1.1df46a2529d37p-3, -0x1.1d06c968d9e17p-3, 0x1.fb046a930947ap-1, -0x1.1fd3df8664fe3p-3,
     0x1.bd471bcb6d806p-1, -0x1.1df46a2529d37p-3},
    {0x1.8000000000000p+1, 0x1.210386db6d55bp-3, -0x1.fae04be85e5d2p-1, -0x1.23ef71254b86fp-3,
     0x1.415e5bf6fb106p+4, 0x1.8000000000000p+1},
    {-0x1.8cccccccccccdp+1, -0x1.54a0f8298102ep-5, -0x1.ff8ea4756a624p-1, 0x1.54ec734d41690p-5,
     0x1.710b065fb809fp-5, -0x1.8cccccccccccdp+1},
    {0x1.921fb54442d18p+0, 0x1.p+0, 0x1.1a62633145c07p-54, 0x1.d02967c31cdb5p+53,
     0x1.33dedc855935fp+2, 0x1.921fb54442d18p+0},
    {0x1.12e0be826d695p-30, 0x1.12e0be826d695p-30, 0x1.p+0, 0x1.12e0be826d695p-30,
     0x1.000000044b830p+0, 0x1.12e0bffdb1b44p-30},
    {-0x1.2666666666666p+1, -0x1.7dcd12d582f24p-1, -0x1.5522217302fe1p-1, 0x1.1e84c9047c337p+0,
     0x1.9aa9046ec997cp-4, -0x1.2666666666666p+1},
};

std::uint64_t bits(double value) { return std::bit_cast<std::uint64_t>(value); }

TEST(PortableMath, ReturnsTheNextDouble) {
  for (const Case& c : cases) {
    SCOPED_TRACE(c.argument);
    EXPECT_EQ(bits(sine(c.argument)), bits(c.sine));
    EXPECT_EQ(bits(cosine(c.argument)), bits(c.cosine));
    EXPECT_EQ(bits(tangent(c.argument)), bits(c.tangent));
    EXPECT_EQ(bits(exponential(c.argument)), bits(c.exponential));
    EXPECT_EQ(bits(logarithm(c.exponential)), bits(c.logarithm));
  }
}

TEST(PortableMath, PowersRoundAsTheExactOnes) {
  EXPECT_EQ(power(0.1, 0), 1);
  EXPECT_EQ(power(0.1, 1), 0.1);
  EXPECT_EQ(power(0.5, 30), 0x1p-30);
  EXPECT_EQ(power(1, 0.3), 1);
  EXPECT_EQ(power(0.75, 0.3), 0x1.d5aa478ea79e4p-1);
  EXPECT_EQ(power(1.3333333333333333, 0.625), 0x1.326d3f84c9855p+0);
  EXPECT_EQ(power(0.1, 2), 0x1.47ae147ae147cp-7);
  EXPECT_EQ(power(0.3, 5), 0x1.3e81450efdc9bp-9);
}

// The published sweeps drew with glibc 2.36, which is off by one unit for some of these arguments.
TEST(PortableMath, IsTheSameFloatAsTheCLibrarys) {
  for (int i = -4000; i <= 4000; ++i) {
    const double x = i * 0x1.921fb54442d18p-11;
    EXPECT_EQ(static_cast<float>(sine(x)), static_cast<float>(std::sin(x))) << x;
    EXPECT_EQ(static_cast<float>(cosine(x)), static_cast<float>(std::cos(x))) << x;
    EXPECT_EQ(static_cast<float>(exponential(x)), static_cast<float>(std::exp(x))) << x;
  }
}

}  // namespace
}  // namespace mnist_dist::portable
