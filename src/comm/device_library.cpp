#include "comm/device_reducer.h"

extern "C" __attribute__((visibility("default"))) decltype(mnist_dist::make_device_reducer)*
mnist_dist_device_comm_library() {
  return mnist_dist::make_device_reducer;
}
