#include "engine/registry.h"

#include <gmock/gmock.h>

#include "base/error.h"
#include "test_model.h"

namespace mnist_dist {
namespace {

TEST(Registry, UnknownEngineIsAUsageErrorThatNamesTheNearest) {
  try {
    make_engine("torhc", {});
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::usage);
    EXPECT_STREQ(error.what(), "there is no engine \"torhc\"");
    EXPECT_THAT(error.hint(), testing::HasSubstr("torch"));
  }
}

TEST(Registry, TorchIsOpenedFromItsLibrary) {
  EXPECT_THAT(engine_names(), testing::Contains("torch"));
#if MNIST_DIST_TORCH
  const EngineInfo info = make_engine("torch", test_options(linear_model()))->info();
  EXPECT_EQ(info.name, "torch");
  EXPECT_EQ(info.device, "cpu");
  EXPECT_FALSE(info.simd.empty());
  EXPECT_TRUE(info.versions.contains("libtorch"));
#else
  EXPECT_THROW(make_engine("torch", test_options(linear_model())), Error);
#endif
}

}  // namespace
}  // namespace mnist_dist
