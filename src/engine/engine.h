#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "config/config.h"
#include "data/augment.h"
#include "data/images.h"
#include "engine/engine_info.h"
#include "model/flat_view.h"
#include "model/layout.h"

namespace mnist_dist {

/// Configuration of an engine.
struct EngineOptions {
  Config
      config;  ///< model, augmentation, optimiser, averaging, label smoothing, batch / shards, seed
  Normalisation normalisation;  ///< from the data set
  int threads = 1;              ///< over owned shards
  std::string simd;             ///< force a SIMD target. "": the best one here

  // For engines on a GPU.
  int gpu = 0;  ///< CUDA's number of it
  bool replay =
      true;  ///< record a step once and replay it, rather than enqueue its parts each time
  bool recorded_reduce =
      true;  ///< the reduction only enqueues, so that it can be part of a recorded step
  bool per_slice =
      false;  ///< compute each slice by itself: slower, but the same bits for any number of ranks
  std::function<void(double)> while_waiting =
      {};  ///< called again and again while the host waits for the device, with the seconds so far
};

/// Everything a run must carry from step to step, as a checkpoint stores it. Vectors as FlatLayout
/// lays them out.
struct TrainState {
  std::vector<float> parameters, norm_statistics, momentum;
  std::vector<float> average_parameters,
      average_norm_statistics;  ///< empty when the recipe does not average
  std::int64_t updates = 0;     ///< optimiser steps so far
};

/// Sums over images. Ranks exchange sums, never means.
struct Sums {
  std::int64_t images = 0, correct = 0;
  double loss = 0;
};

/// One epoch of the rows an engine owns.
struct EpochPlan {
  std::uint32_t epoch = 0;  ///< counted from 0
  std::span<const std::vector<std::uint32_t>>
      orders;  ///< one per owned shard: rows of the file, in the order they are shown
  std::span<const float> learning_rates;  ///< one per step. Its size is the number of steps
  Sums before;  ///< of the steps before a resume inside an epoch: report() continues from them
  int whole_steps = 0;  ///< leading steps in which every shard of every rank has a full slice
};

/// Adds the owned shards' vectors over all shards of all ranks into `total` ([size], same memory),
/// on the given queue.
using Reduce =
    std::function<void(const ShardVectors& shards, std::span<float> total, const Queue& queue)>;

/// Training as seen at some point of an epoch. A host engine is always up to date, a device engine
/// up to a second behind.
struct StepReport {
  int steps_done = 0;  ///< in this epoch
  Sums sums;           ///< of the steps of this epoch since begin_epoch, over all ranks
  std::optional<int>
      stopped_at;  ///< step after which some rank's stop flag was seen. Later steps do nothing
  std::optional<int> non_finite_at;  ///< step whose reduced vector was not finite. It is not
                                     ///< applied, and later steps do nothing
};

enum class Weights { raw, averaged };

/// The first place where a value stopped being finite.
struct Diagnosis {
  int shard = -1;
  int layer = -1;     ///< index in ModelSpec::layers, layers.size(): the loss
  std::string where;  ///< "parameter", "activation", "loss" or "gradient"
};

/// Runs a model: forward and backward of slices into flat vectors, their update, evaluation. Trains
/// the shards of one rank. Independent of MPI, files and other ranks. One thread calls it.
class Engine {
 public:
  virtual ~Engine() = default;
  virtual EngineInfo info() const = 0;
  /// Where its vectors lie and its work is enqueued. Default: the host.
  virtual Queue queue() const { return {}; }

  /// The rows to train on, one entry per owned shard, and to evaluate on, one per owned share.
  /// Their memory outlives the engine.
  virtual void set_training_data(std::span<const ImagesView> shards, int first_shard) = 0;
  virtual void set_evaluation_data(std::span<const ImagesView> shares) = 0;

  virtual void load(const TrainState& state) = 0;
  virtual TrainState save() = 0;

  virtual void begin_epoch(const EpochPlan& plan) = 0;

  /// Step `index` of the epoch: next slice of every owned shard -> flat vectors -> reduce -> update
  /// of parameters, norm statistics and averages. `stop` requests a stop of all ranks after this
  /// step. A device engine may call `reduce` once only, while it records the step, and replay it
  /// from then on.
  virtual void step(int index, bool stop, const Reduce& reduce) = 0;

  /// Flushes the queue when `wait`.
  virtual StepReport report(bool wait) = 0;

  /// Forward over the evaluation data: sums, one entry per owned share. `predictions`, when given,
  /// gets one class per row, share after share, and `logits` a float per class and row.
  virtual std::vector<Sums> evaluate(Weights weights,
                                     std::vector<ClassIndex>* predictions = nullptr,
                                     std::vector<float>* logits = nullptr) = 0;

  /// Runs the owned slices of a step again, layer by layer, with the current parameters. Nothing
  /// when all values are finite.
  virtual std::optional<Diagnosis> diagnose(int index) = 0;
};

/// Names: "fused", "torch", and in a build for GPUs "torch-cuda" (engine/registry.h).
/// Throws: Error: usage for an unknown name (with the nearest), device when its library cannot be
/// opened.
std::unique_ptr<Engine> make_engine(const std::string& name, const EngineOptions& options);

}  // namespace mnist_dist
