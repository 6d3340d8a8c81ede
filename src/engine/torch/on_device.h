#pragma once
#include <c10/util/Exception.h>

#include <string>

#include "base/error.h"

namespace mnist_dist {

/// What `work` returns; LibTorch's errors in our words, which are mostly of a GPU that has no
/// memory left, or has failed.
template <class Work>
auto on_device(const Work& work) {
  try {
    return work();
  } catch (const c10::Error& error) {
    const std::string text = error.what_without_backtrace();
    throw device_error("LibTorch failed: " + text.substr(0, text.find('\n')),
                       "run mnist-dist doctor, and see what else uses the device");
  }
}

}  // namespace mnist_dist
