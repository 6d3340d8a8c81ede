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

/// What stands for the number of classes in conv and linear.
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
/// What a layer's `pool` may be.
constexpr auto names_of(LayerKind) {
  using enum LayerKind;
  return std::to_array<EnumName<LayerKind>>(
      {{max_pool, "max"}, {global_average, "global_average"}, {global_max, "global_max"}});
}

/// Calls visit(field, member) for each key outside the model, section by section. `config` is a
/// Config, const or not.
template <class AnyConfig, class Visit>
void visit_fields(AnyConfig& config, Visit&& visit) {
  constexpr auto circumstance = Identity::circumstance;
  constexpr double two_weeks = 14 * 24 * 3600;

  auto& data = config.data;
  visit(Field{"data", "file", {}, "the prepared HDF5 file", circumstance}, data.file);
  visit(Field{"data", "shards", from_to(1, 1024),
              "parts the training rows are cut into; fixes the bits, whatever the number of ranks"},
        data.shards);
  visit(Field{"data", "split", from_to(1, 1e9),
              "[training, validation] rows; []: train on all, test on the test set"},
        data.split);

  auto& augment = config.augment;
  visit(Field{"augment", "crop_scale_min", above(0, 1),
              "random resized crop: least share of the area"},
        augment.crop_scale_min);
  visit(Field{"augment", "crop_scale_max", above(0, 1), "and largest"}, augment.crop_scale_max);
  visit(Field{"augment", "crop_ratio_min", from_to(0.1, 10), "its least width / height"},
        augment.crop_ratio_min);
  visit(Field{"augment", "crop_ratio_max", from_to(0.1, 10), "and largest"},
        augment.crop_ratio_max);
  visit(Field{"augment", "rotation", from_to(0, 180), "degrees, +-"}, augment.rotation);
  visit(Field{"augment", "shift", from_to(0, 28), "pixels, +-, rows and columns each"},
        augment.shift);
  visit(Field{"augment", "scale", below(0, 1), "share, 1 +- scale"}, augment.scale);
  visit(Field{"augment", "shear", from_to(0, 60), "degrees, +-"}, augment.shear);
  visit(Field{"augment", "interpolation", {}, "of rotation, shift, scale, shear and elastic"},
        augment.interpolation);
  visit(Field{"augment", "elastic_alpha", from_to(0, 28),
              "elastic distortion: standard deviation of the displacement in pixels"},
        augment.elastic_alpha);
  visit(Field{"augment", "elastic_sigma", from_to(0.5, 28), "and its smoothness in pixels"},
        augment.elastic_sigma);
  visit(Field{"augment", "erase_probability", share, "random erasing: share of the images"},
        augment.erase_probability);
  visit(Field{"augment", "erase_area_min", above(0, 1), "its least share of the area"},
        augment.erase_area_min);
  visit(Field{"augment", "erase_area_max", above(0, 1), "and largest"}, augment.erase_area_max);
  visit(Field{"augment", "erase_ratio_min", from_to(0.1, 10), "its least height / width"},
        augment.erase_ratio_min);
  visit(Field{"augment", "erase_ratio_max", from_to(0.1, 10), "and largest"},
        augment.erase_ratio_max);
  visit(Field{"augment", "fade_after", from_to(0, 1e6),
              "epochs at full strength before augmentation fades"},
        augment.fade_after);
  visit(Field{"augment", "fade_epochs", from_to(0, 1e6),
              "epochs over which it fades; 0: it never does"},
        augment.fade_epochs);
  visit(Field{"augment", "fade_to", share, "its strength at the end, as a share"}, augment.fade_to);

  auto& train = config.train;
  visit(Field{"train", "epochs", from_to(1, 1e6), "times every image is shown"}, train.epochs);
  visit(Field{"train", "batch", from_to(1, 1e6), "images a step, over all shards"}, train.batch);
  visit(Field{"train", "seed", at_least(0), "of every random number", circumstance}, train.seed);
  visit(
      Field{"train", "label_smoothing", below(0, 1), "share of the target spread over all classes"},
      train.label_smoothing);
  visit(Field{"train", "evaluate_every", from_to(1, 1e6),
              "epochs between evaluations; the last always is one"},
        train.evaluate_every);
  visit(Field{"train", "max_steps", at_least(0), "stop after so many steps in all; 0: never"},
        train.max_steps);
  visit(Field{"train", "checkpoint_seconds", above(0, two_weeks),
              "between checkpoints inside an epoch", circumstance},
        train.checkpoint_seconds);

  auto& optimizer = config.optimizer;
  visit(Field{"optimizer", "learning_rate", above(0, 1000), "the schedule's peak"},
        optimizer.learning_rate);
  visit(Field{"optimizer", "momentum", below(0, 1), ""}, optimizer.momentum);
  visit(Field{"optimizer", "nesterov", {}, "look ahead along the momentum"}, optimizer.nesterov);
  visit(Field{"optimizer", "weight_decay", share, "L2, added to the gradient"},
        optimizer.weight_decay);
  visit(Field{"optimizer", "decay_norm", {}, "decay gamma, beta and biases too"},
        optimizer.decay_norm);

  auto& schedule = config.schedule;
  visit(Field{"schedule", "kind", {}, "constant, step, linear, cosine or one_cycle"},
        schedule.kind);
  visit(Field{"schedule", "step_epochs", from_to(1, 1e6), "step: epochs between two changes"},
        schedule.step_epochs);
  visit(Field{"schedule", "step_factor", above(0, 1), "step: what each multiplies the rate by"},
        schedule.step_factor);
  visit(Field{"schedule", "warmup", share,
              "share of all steps until the peak (linear, cosine, one_cycle)"},
        schedule.warmup);
  visit(Field{"schedule", "start_factor", share, "first rate / peak, when there is a warm-up"},
        schedule.start_factor);
  visit(Field{"schedule", "end_factor", share, "last rate / peak (linear, cosine, one_cycle)"},
        schedule.end_factor);

  visit(Field{"average", "decay", below(0, 1), "of the weights' moving average; 0: none"},
        config.average.decay);
  visit(Field{"comm", "timeout", above(0, two_weeks), "seconds of silence until ranks give up",
              circumstance},
        config.comm.timeout);
}

/// Calls visit(field, member) for the model's own keys besides name and layer. They follow the data
/// file, so a recipe gives them only where it fits no other data.
template <class AnyModel, class Visit>
void visit_model_fields(AnyModel& model, Visit&& visit) {
  visit(Field{"model", "side", from_to(1, image_side_limit), "of the images, in pixels"},
        model.side);
  visit(Field{"model", "classes", from_to(2, class_limit), "of the data"}, model.classes);
}

/// Calls visit(field, member) for the keys of one [[model.layer]] besides conv, linear and pool,
/// which say what it is.
template <class AnyLayer, class Visit>
void visit_layer_fields(AnyLayer& layer, Visit&& visit) {
  visit(Field{"model.layer", "depthwise", {}, "a kernel a channel"}, layer.depthwise);
  visit(Field{"model.layer", "kernel", from_to(1, image_side_limit),
              "side of the window; 3, of a max-pool 2"},
        layer.kernel);
  visit(Field{"model.layer", "padding", from_to(0, image_side_limit), "zeros around the input"},
        layer.padding);
  visit(Field{"model.layer", "bias", {}, ""}, layer.bias);
  visit(Field{"model.layer", "relu", {}, ""}, layer.relu);
  visit(Field{"model.layer", "norm", {}, "batch norm"}, layer.norm);
  visit(Field{"model.layer", "dropout", below(0, 1), "probability of dropping an element"},
        layer.dropout);
}

}  // namespace mnist_dist
