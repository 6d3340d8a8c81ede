#pragma once
#include <optional>
#include <string>

#include "engine/engine_info.h"

namespace mnist_dist {

/// A key among engine, simd and device whose value no engine of this program has.
struct UnknownEngine {
  std::string key, got, expected;
};

/// Checks the names that an engine recorded, on any machine and in any build.
std::optional<UnknownEngine> unknown_engine(const EngineInfo& engine);

}  // namespace mnist_dist
