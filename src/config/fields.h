#pragma once
#include <array>
#include <limits>
#include <string_view>

#include "config/config.h"

namespace mnist_dist {

// Every key of a recipe, declared once: reading, type and range checks, did-you-mean,
// --print-config and a recipe's identity all come from here.

/// Where a number (or each number of a list) may lie.
struct Bounds {
  double low = std::numeric_limits<double>::lowest(), high = std::numeric_limits<double>::max();
  bool low_open = false, high_open = false;  ///< an open end does not belong to the range
};
constexpr Bounds at_least(double low) { return {.low = low}; }
constexpr Bounds from_to(double low, double high) { return {low, high}; }
constexpr Bounds above(double low, double high) { return {low, high, true, false}; }
constexpr Bounds below(double low, double high) { return {low, high, false, true}; }
inline constexpr Bounds share = from_to(0, 1);

/// Whether a key changes the bytes that a seed trains to.
enum class Identity { part_of_recipe, circumstance };

/// Stands for the number of classes in conv and linear.
inline constexpr std::string_view classes_word = "classes";

struct Field {
  std::string_view section, key;
  Bounds bounds;
  std::string_view help;
  Identity identity = Identity::part_of_recipe;
};

template <class Enum>
struct EnumName {
  Enum value;
  std::string_view name;
};
constexpr auto names_of(Interpolation) {
  using enum Interpolation;
  return std::to_array<EnumName<Interpolation>>({{nearest, "nearest"}, {bilinear, "bilinear"}});
}
constexpr auto names_of(ScheduleKind) {
  using enum ScheduleKind;
  return std::to_array<EnumName<ScheduleKind>>({{constant, "constant"},
                                                {step, "step"},
                                                {linear, "linear"},
                                                {cosine, "cosine"},
                                                {one_cycle, "one_cycle"}});
}
/// Values of a layer's `pool`.
constexpr auto names_of(LayerKind) {
  using enum LayerKind;
  return std::to_array<EnumName<LayerKind>>(
      {{max_pool, "max"}, {global_average, "global_average"}, {global_max, "global_max"}});
}

/// For times in seconds.
inline constexpr double two_weeks = 14 * 24 * 3600;

// The keys of one section each.

template <class AnyData, class Visit>
void visit_data(AnyData& data, Visit&& visit) {
  visit(Field{"data", "file", {}, "the prepared HDF5 file", Identity::circumstance}, data.file);
  visit(Field{"data", "shards", from_to(1, shard_limit),
              "number of parts of the training rows. Decides the bits, for any number of ranks"},
        data.shards);
  visit(Field{"data", "split", from_to(0, 1e9),
              "[training, validation] rows. A third number: the block of rows to score on, 0: in "
              "turn by seed. []: train on all, score on the test set"},
        data.split);
}

template <class AnyAugment, class Visit>
void visit_augment(AnyAugment& augment, Visit&& visit) {
  visit(Field{"augment", "crop_scale_min", above(0, 1),
              "random resized crop: minimum area, as a share"},
        augment.crop_scale_min);
  visit(Field{"augment", "crop_scale_max", above(0, 1),
              "random resized crop: maximum area, as a share"},
        augment.crop_scale_max);
  visit(Field{"augment", "crop_ratio_min", from_to(0.1, 10),
              "random resized crop: minimum width / height"},
        augment.crop_ratio_min);
  visit(Field{"augment", "crop_ratio_max", from_to(0.1, 10),
              "random resized crop: maximum width / height"},
        augment.crop_ratio_max);
  visit(
      Field{"augment", "rotation", from_to(0, 180), "maximum rotation in degrees, both directions"},
      augment.rotation);
  visit(Field{"augment", "shift", from_to(0, 28),
              "maximum shift in pixels, both directions of rows and of columns"},
        augment.shift);
  visit(Field{"augment", "scale", below(0, 1), "maximum change of size, as a share"},
        augment.scale);
  visit(Field{"augment", "shear", from_to(0, 60), "maximum shear in degrees, both directions"},
        augment.shear);
  visit(Field{"augment",
              "interpolation",
              {},
              "sampling of rotation, shift, scale, shear and elastic distortion"},
        augment.interpolation);
  visit(Field{"augment", "elastic_alpha", from_to(0, 28),
              "elastic distortion: standard deviation of the displacement in pixels"},
        augment.elastic_alpha);
  visit(Field{"augment", "elastic_sigma", from_to(0.5, 28),
              "elastic distortion: smoothness in pixels"},
        augment.elastic_sigma);
  visit(Field{"augment", "erase_probability", share, "random erasing: share of the images"},
        augment.erase_probability);
  visit(Field{"augment", "erase_area_min", above(0, 1), "random erasing: minimum area, as a share"},
        augment.erase_area_min);
  visit(Field{"augment", "erase_area_max", above(0, 1), "random erasing: maximum area, as a share"},
        augment.erase_area_max);
  visit(Field{"augment", "erase_ratio_min", from_to(0.1, 10),
              "random erasing: minimum height / width"},
        augment.erase_ratio_min);
  visit(Field{"augment", "erase_ratio_max", from_to(0.1, 10),
              "random erasing: maximum height / width"},
        augment.erase_ratio_max);
  visit(Field{"augment", "fade_after", from_to(0, 1e6),
              "epochs at full strength before augmentation fades"},
        augment.fade_after);
  visit(Field{"augment", "fade_epochs", from_to(0, 1e6), "epochs of the fade (0: no fade)"},
        augment.fade_epochs);
  visit(Field{"augment", "fade_to", share, "strength after the fade, as a share"}, augment.fade_to);
}

template <class AnyTrain, class Visit>
void visit_train(AnyTrain& train, Visit&& visit) {
  visit(Field{"train", "epochs", from_to(1, 1e6), "passes over the training data"}, train.epochs);
  visit(Field{"train", "batch", from_to(1, 1e6), "images per step, over all shards"}, train.batch);
  visit(Field{"train", "seed", at_least(0), "random seed", Identity::circumstance}, train.seed);
  visit(
      Field{"train", "label_smoothing", below(0, 1), "share of the target spread over all classes"},
      train.label_smoothing);
  visit(Field{"train", "evaluate_every", from_to(1, 1e6),
              "epochs between evaluations. The last epoch is always evaluated"},
        train.evaluate_every);
  visit(Field{"train", "max_steps", at_least(0),
              "number of steps after which the run stops (0: no limit)"},
        train.max_steps);
  visit(Field{"train", "checkpoint_seconds", above(0, two_weeks),
              "seconds between checkpoints inside an epoch", Identity::circumstance},
        train.checkpoint_seconds);
}

template <class AnyOptimizer, class Visit>
void visit_optimizer(AnyOptimizer& optimizer, Visit&& visit) {
  visit(Field{"optimizer", "learning_rate", above(0, 1000), "the schedule's peak"},
        optimizer.learning_rate);
  visit(Field{"optimizer", "momentum", below(0, 1), "share of the previous update that is kept"},
        optimizer.momentum);
  visit(Field{"optimizer", "nesterov", {}, "use Nesterov momentum"}, optimizer.nesterov);
  visit(Field{"optimizer", "weight_decay", share, "L2, added to the gradient"},
        optimizer.weight_decay);
  visit(Field{"optimizer", "decay_norm", {}, "also apply weight decay to gamma, beta and biases"},
        optimizer.decay_norm);
}

template <class AnySchedule, class Visit>
void visit_schedule(AnySchedule& schedule, Visit&& visit) {
  visit(Field{"schedule", "kind", {}, "constant, step, linear, cosine or one_cycle"},
        schedule.kind);
  visit(Field{"schedule", "step_epochs", from_to(1, 1e6), "step: epochs between two changes"},
        schedule.step_epochs);
  visit(Field{"schedule", "step_factor", above(0, 1), "step: factor of the rate at each change"},
        schedule.step_factor);
  visit(Field{"schedule", "warmup", share,
              "share of all steps until the peak (linear, cosine, one_cycle)"},
        schedule.warmup);
  visit(Field{"schedule", "start_factor", share, "first rate / peak, when there is a warm-up"},
        schedule.start_factor);
  visit(Field{"schedule", "end_factor", share, "last rate / peak (linear, cosine, one_cycle)"},
        schedule.end_factor);
}

/// Calls visit(field, member) for each key outside the model, section by section. `config` is a
/// Config, const or not.
template <class AnyConfig, class Visit>
void visit_fields(AnyConfig& config, Visit&& visit) {
  visit_data(config.data, visit);
  visit_augment(config.augment, visit);
  visit_train(config.train, visit);
  visit_optimizer(config.optimizer, visit);
  visit_schedule(config.schedule, visit);
  visit(Field{"average", "decay", below(0, 1),
              "decay of the weights' moving average (0: no average)"},
        config.average.decay);
  visit(Field{"comm", "timeout", above(0, two_weeks),
              "seconds without an answer after which ranks stop", Identity::circumstance},
        config.comm.timeout);
}

/// Calls visit(field, member) for the model's own keys besides name and layer. They follow the data
/// file, so a recipe gives them only where it fits no other data.
template <class AnyModel, class Visit>
void visit_model_fields(AnyModel& model, Visit&& visit) {
  visit(Field{"model", "side", from_to(1, image_side_limit), "side of the images, in pixels"},
        model.side);
  visit(Field{"model", "classes", from_to(2, class_limit), "classes of the data"}, model.classes);
}

/// Calls visit(field, member) for the keys of one [[model.layer]] besides conv, linear and pool,
/// which give its kind.
template <class AnyLayer, class Visit>
void visit_layer_fields(AnyLayer& layer, Visit&& visit) {
  visit(Field{"model.layer", "depthwise", {}, "one kernel per channel"}, layer.depthwise);
  visit(Field{"model.layer", "kernel", from_to(1, image_side_limit),
              "side of the window (default: 3, max-pool: 2)"},
        layer.kernel);
  visit(Field{"model.layer", "padding", from_to(0, image_side_limit), "zeros around the input"},
        layer.padding);
  visit(Field{"model.layer", "bias", {}, "add a bias per channel"}, layer.bias);
  visit(Field{"model.layer", "relu", {}, "apply ReLU"}, layer.relu);
  visit(Field{"model.layer", "norm", {}, "batch norm"}, layer.norm);
  visit(Field{"model.layer", "dropout", below(0, 1), "probability of dropping an element"},
        layer.dropout);
}

}  // namespace mnist_dist
