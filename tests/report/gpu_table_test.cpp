#include "report/gpu_table.h"

#include <gmock/gmock.h>

namespace mnist_dist {
namespace {

using testing::ElementsAre;
using testing::Field;
using testing::IsEmpty;

TEST(GpuTable, ReadsCardsAndInstancesAndNothingElse) {
  const auto cards = parse_gpu_table(
      "# type  gpus  gpu\n"
      "ami   ubuntu  /a/parameter  ubuntu\n"
      "card  4090    8.9    12.6-     2.11-\n"
      "\n"
      "p3.2xlarge    1  V100  16   7.0   8    10    0  12.6   2.11-2.14  -       g4dn.xlarge  -\n"
      "p3.8xlarge    4  V100  16   7.0   32   10    0  12.6   2.11-2.14  -       g4dn.xlarge  -\n"
      "p6-b200       8  B200  180  10.0  192  3200  8  12.8-  2.11-      ubuntu  yes          "
      "113.9\n"
      "c7a.4xlarge   0  -     0    -     16   12.5  0  -      -          ubuntu  yes          "
      "0.821\n"
      "card  torn");
  EXPECT_THAT(cards, ElementsAre(Field(&GpuCard::name, "4090"), Field(&GpuCard::name, "V100"),
                                 Field(&GpuCard::name, "B200")));
  EXPECT_EQ(cards[1].capability, 70);
  EXPECT_EQ(cards[1].cuda, "12.6");
  EXPECT_EQ(cards[1].libtorch, "2.11-2.14");
  EXPECT_EQ(cards[2].capability, 100);
  EXPECT_THAT(parse_gpu_table(""), IsEmpty());
}

/// The capability of the built-in table's card for a driver's name.
int capability_of(std::string_view model) {
  const auto card = find_card(gpu_table(), model);
  return card ? card->capability : 0;
}

TEST(GpuTable, KnowsTheCardsByTheNamesThatTheDriverGivesThem) {
  EXPECT_EQ(capability_of("Tesla V100-SXM2-16GB"), 70);
  EXPECT_EQ(capability_of("Tesla T4"), 75);
  EXPECT_EQ(capability_of("NVIDIA A100-SXM4-40GB"), 80);
  EXPECT_EQ(capability_of("NVIDIA A10G"), 86);
  EXPECT_EQ(capability_of("NVIDIA L4"), 89);
  EXPECT_EQ(capability_of("NVIDIA L40S"), 89);
  EXPECT_EQ(capability_of("NVIDIA H100 80GB HBM3"), 90);
  EXPECT_EQ(capability_of("NVIDIA H200"), 90);
  EXPECT_EQ(capability_of("NVIDIA B200"), 100);
  EXPECT_EQ(capability_of("NVIDIA GeForce RTX 5090"), 120);
  // A word of it, not a part of a word.
  EXPECT_EQ(capability_of("NVIDIA T400"), 0);
  EXPECT_EQ(capability_of(""), 0);
}

TEST(GpuTable, CodeRunsOnItsOwnGenerationAndPtxOnAllThatIsNewer) {
  const std::string_view wheel = "75,80,86,89,90,100,120";
  for (const int capability : {75, 80, 86, 87, 89, 90, 100, 103, 120, 121})
    EXPECT_TRUE(has_gpu_code(wheel, capability)) << capability;
  EXPECT_FALSE(has_gpu_code(wheel, 70));
  EXPECT_TRUE(has_gpu_code("80-real", 86));
  EXPECT_FALSE(has_gpu_code("86-real", 80));
  EXPECT_FALSE(has_gpu_code("80-real", 90));
  EXPECT_TRUE(has_gpu_code("80-virtual", 90));
  EXPECT_FALSE(has_gpu_code("80-virtual", 75));
  EXPECT_TRUE(has_gpu_code("90a-real", 90));
  EXPECT_FALSE(has_gpu_code("100a", 103));
  EXPECT_FALSE(has_gpu_code("", 90));
}

TEST(GpuTable, SaysWhatACardNeeds) {
  EXPECT_EQ(card_needs({"V100", 70, "12.6", "2.11-2.14"}),
            "LibTorch 2.11-2.14 built for CUDA 12.6");
  EXPECT_EQ(card_needs({"B200", 100, "12.8-", "2.11-"}),
            "LibTorch 2.11 or newer built for CUDA 12.8 or newer");
}

}  // namespace
}  // namespace mnist_dist
