#pragma once
#include <c10/util/Exception.h>

#include <string>

#include "base/error.h"

namespace mnist_dist {

/// Returns the result of `work`. Rethrows LibTorch's errors, mostly of a GPU without memory or a
/// failed one, as our Error.
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
