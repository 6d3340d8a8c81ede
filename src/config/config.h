#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "model/spec.h"

namespace mnist_dist {

// Plain structs for a recipe. The keys, ranges and help texts are declared once, in
// config/fields.h.

/// The largest data.shards.
inline constexpr int shard_limit = 1024;

struct DataConfig {
  std::string file = "data/mnist.h5";  ///< the prepared HDF5 file, not part of a recipe's identity
  int shards = 4;  ///< parts of the training rows. Decides the bits, for any number of ranks
  /// Rows of the training images, to tune without the test set. Empty: train on all, score on the
  /// test set. Otherwise [training, validation] or [training, validation, block]. The training
  /// images are blocks of `validation` rows, counted from 1. The block is scored on (without a
  /// third number, the last rows of the file), and the first `training` of all other rows are
  /// trained on. 0: the block follows the seed, in turn.
  std::vector<int> split;
};

/// How an image is read between pixels when it is moved.
enum class Interpolation { nearest, bilinear };

/// Random changes to each training image, in this order. All are off by default.
struct AugmentConfig {
  double crop_scale_min = 1,
         crop_scale_max = 1;  ///< random resized crop: share of the area kept (bilinear)
  double crop_ratio_min = 1, crop_ratio_max = 1;  ///< its width / height, drawn log-uniformly
  double rotation = 0;                            ///< degrees, uniform in +-
  double shift = 0;  ///< pixels, uniform in +- for rows and columns each
  double scale = 0;  ///< share, uniform in 1 +- scale
  double shear = 0;  ///< degrees, uniform in +-
  Interpolation interpolation = Interpolation::bilinear;  ///< of rotation, shift, scale, shear and
                                                          ///< elastic, done in one resampling
  double elastic_alpha = 0;  ///< elastic distortion (Simard et al., ICDAR 2003): standard deviation
                             ///< of the displacement in pixels
  double elastic_sigma = 4;  ///< and how smooth it is, in pixels
  double erase_probability =
      0;  ///< random erasing (Zhong et al., AAAI 2020): a rectangle set to 0 after normalising
  double erase_area_min = 0.02, erase_area_max = 0.33;
  double erase_ratio_min = 0.3, erase_ratio_max = 3.3;  ///< height / width, drawn log-uniformly
  int fade_after = 0;  ///< epochs at full strength. Then see at_epoch in data/augment.h
  int fade_epochs =
      0;  ///< epochs of the fade to fade_to, so that the last ones are like test images. 0: no fade
  double fade_to = 0;  ///< strength at the end, as a share
};

struct TrainConfig {
  int epochs = 15;
  int batch = 64;              ///< images per step, over all shards. A multiple of data.shards
  std::uint64_t seed = 1;      ///< not part of a recipe's identity
  double label_smoothing = 0;  ///< share of the target spread over all classes
  int evaluate_every = 1;      ///< epochs between evaluations. The last epoch is always evaluated
  std::int64_t max_steps =
      0;  ///< number of steps after which the run stops, 0: no limit. For tests and fingerprints
  double checkpoint_seconds =
      60;  ///< time between checkpoints inside an epoch. Not part of a recipe's identity
};

struct OptimizerConfig {
  double learning_rate = 0.01;  ///< the schedule's peak
  double momentum = 0.9;
  bool nesterov = false;
  double weight_decay = 0;
  bool decay_norm = false;  ///< also apply weight decay to gamma, beta and biases
};

enum class ScheduleKind {
  constant,
  step,
  linear,
  cosine,
  one_cycle
};  ///< formulas: train/schedule.h

struct ScheduleConfig {
  ScheduleKind kind = ScheduleKind::constant;
  int step_epochs = 7;  ///< step: epochs between two multiplications by step_factor
  double step_factor = 0.1;
  double warmup = 0;        ///< share of all steps until the peak (linear, cosine, one_cycle)
  double start_factor = 0;  ///< first learning rate as a share of the peak, when there is a warm-up
  double end_factor = 0;  ///< last learning rate as a share of the peak (linear, cosine, one_cycle)
};

struct AverageConfig {
  double decay = 0;  ///< exponential moving average of the weights after each step, min(decay,
                     ///< (1+t)/(10+t)). 0: none
};

struct CommConfig {
  double timeout = 120;  ///< seconds without an answer after which ranks name the silent ones and
                         ///< stop. Not part of a recipe's identity
};

struct Config {
  std::string name;  ///< the recipe's name: "step3"
  ModelSpec model;
  DataConfig data;
  AugmentConfig augment;
  TrainConfig train;
  OptimizerConfig optimizer;
  ScheduleConfig schedule;
  AverageConfig average;
  CommConfig comm;
};

/// Reads a recipe by name ("step3") or file, applies `settings` ("section.key=value", in order),
/// checks every key, type and range, and that values fit together (batch divisible by shards,
/// slices long enough for batch norm, the split). The recipe is named by [model] name, else by its
/// file. `search` are the folders in which a name is looked up, as NAME.toml.
/// Throws: Error (usage) naming the key, and the nearest known name.
Config load_config(const std::string& name_or_file, const std::vector<std::string>& settings,
                   const std::vector<std::string>& search);

/// The same from a recipe's text. `source` names it in messages, and its stem names the recipe
/// unless the text does.
Config parse_config(const std::string& toml, const std::string& source,
                    const std::vector<std::string>& settings = {});

/// The resolved recipe as TOML that load_config reads back to the same Config.
std::string to_toml(const Config& config);

/// The part of to_toml that decides the result for a given seed: without file, seed,
/// checkpoint_seconds and comm. Two runs of the same recipe text, seed, data and engine give the
/// same bytes.
std::string recipe_toml(const Config& config);

}  // namespace mnist_dist
