#include "comm/device_reducer.h"

namespace mnist_dist {
namespace {

constexpr DeviceCommLibrary library{make_device_reducer};

}  // namespace
}  // namespace mnist_dist

extern "C" __attribute__((visibility("default"))) const mnist_dist::DeviceCommLibrary*
mnist_dist_device_comm_library() {
  return &mnist_dist::library;
}
