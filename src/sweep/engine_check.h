#pragma once
#include <optional>
#include <string>

namespace mnist_dist {

/// A key among engine, simd and device whose value no engine of this program has.
struct UnknownEngine {
  std::string key, expected;
};

/// Checks the names that an engine recorded, on any machine and in any build.
std::optional<UnknownEngine> unknown_engine(const std::string& engine, const std::string& simd,
                                            const std::string& device);

}  // namespace mnist_dist
