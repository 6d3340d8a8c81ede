#pragma once
#include <memory>
#include <string>

#include "comm/communicator.h"
#include "engine/engine.h"
#include "train/session.h"

namespace mnist_dist {

/// The engine of a session, and the sums over its group.
class Computation {
 public:
  /// Refers to `group`. `config`: as in make_session, of the engine.
  /// Collective over `world`.
  /// Throws: on every rank, Error (device) when ranks would compute other bits.
  Computation(Communicator& world, Communicator& group, const Session& session,
              const Config& config);
  Computation(const Computation&) = delete;
  Computation& operator=(const Computation&) = delete;

  Engine& engine() { return *engine_; }
  /// One more engine of the same kind, for a different seed of the recipe.
  std::unique_ptr<Engine> engine_for_seed(std::uint64_t seed) const;
  /// The GPUs' sums if vectors lie there, otherwise those of the group.
  Reducer& reducer() { return on_gpu_ ? *on_gpu_ : group_; }
  const EngineInfo& info() const { return info_; }
  /// Engine, libraries and options that decide a result's bits besides recipe, seed and data, one
  /// per line.
  const std::string& computed_by() const { return computed_by_; }

 private:
  Reducer& group_;
  const std::string name_;
  EngineOptions options_;
  std::unique_ptr<Reducer> on_gpu_;  ///< outlives the engine, whose recorded step may refer to it
  std::unique_ptr<Engine> engine_;
  EngineInfo info_;
  std::string computed_by_;
};

/// Whether a checkpoint's `computed_by` promises the bits of this program's. Older checkpoints have
/// the first line alone, and name AVX-512 where the same arithmetic now runs on every SIMD target.
bool computes_the_same(const std::string& recorded, const std::string& now);

}  // namespace mnist_dist
