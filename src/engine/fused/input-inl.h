// Bytes of images to the network's input, images in the lanes.
#if defined(MNIST_DIST_FUSED_INPUT_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MNIST_DIST_FUSED_INPUT_INL_H
#undef MNIST_DIST_FUSED_INPUT_INL_H
#else
#define MNIST_DIST_FUSED_INPUT_INL_H
#endif

#include <array>

#include "data/augment.h"
#include "engine/fused/activation-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mnist_dist::fused {
namespace HWY_NAMESPACE {

inline void put_lane(const std::array<float, image_size>& image, int lane, float* out) {
  for (std::size_t i = 0; i < image_size; ++i) out[i * kLanes + static_cast<std::size_t>(lane)] = image[i];
}

}  // namespace HWY_NAMESPACE
}  // namespace mnist_dist::fused
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
