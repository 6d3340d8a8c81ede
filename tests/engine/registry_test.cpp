#include "engine/registry.h"

#include <gmock/gmock.h>

#include "engine/torch_library.h"
#include "failures.h"
#include "test_model.h"

namespace mnist_dist {
namespace {

TEST(Registry, UnknownEngineIsAUsageErrorThatNamesTheNearest) {
  const Error error = failure(ExitCode::usage, [] { make_engine("torhc", {}); });
  EXPECT_THAT(error.what(), testing::HasSubstr("torhc"));
  EXPECT_THAT(error.hint(), testing::HasSubstr("torch"));
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

#if MNIST_DIST_TORCH
TEST(Registry, ALibraryWithoutGpusIsADeviceError) {
  if (built_for_gpus()) GTEST_SKIP() << "the library has GPUs";
  const Error error = failure(ExitCode::device, [] { gpu_library(); });
  EXPECT_THAT(error.what(), testing::HasSubstr("without GPUs"));
}
#endif

/// The chosen engine, or the code of the error.
std::string chosen(const std::string& engine, const std::string& device) {
  try {
    return choose_engine(engine, device);
  } catch (const Error& error) {
    return "error " + std::to_string(static_cast<int>(error.code()));
  }
}

TEST(Registry, ChoosesAnEngineThatGoesWithTheDevice) {
  EXPECT_EQ(chosen("", "cpu"), "fused");
  EXPECT_EQ(chosen("torch", "auto"), "torch");
  EXPECT_EQ(chosen("fused", "cpu"), "fused");
  EXPECT_EQ(chosen("fsued", "auto"), "error 2");
  if (built_for_gpus()) {
    EXPECT_EQ(chosen("", "cuda"), "torch-cuda");
    EXPECT_EQ(chosen("torch-cuda", "auto"), "torch-cuda");
    EXPECT_EQ(chosen("torch-cuda", "cpu"), "error 2");
    EXPECT_EQ(chosen("fused", "cuda"), "error 2");
  } else {
    EXPECT_EQ(chosen("", "auto"), "fused");
    EXPECT_EQ(chosen("", "cuda"), "error 4");
    EXPECT_EQ(chosen("fused", "cuda"), "error 4");
    EXPECT_EQ(chosen("torch-cuda", "auto"), "error 4");
  }
}

}  // namespace
}  // namespace mnist_dist
