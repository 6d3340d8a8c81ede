#include "config/check.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/error.h"
#include "config/values.h"

namespace mnist_dist {
namespace {

void check_order(const char* key, double low, double high) {
  if (low > high)
    throw usage_error(
        fmt::format("{0}_min: too large (got {1}, expected at most {0}_max = {2})", key, low, high),
        "swap them, or set both to one value");
}

}  // namespace

void check_config(const Config& config) {
  if (config.name.empty() || config.name.find('/') != std::string::npos ||
      !is_line_of_text(config.name))
    throw usage_error(
        fmt::format("model.name: not usable in the name of a run folder (got \"{}\")", config.name),
        "give a name of letters and digits");
  if (config.data.file.empty())
    throw usage_error("data.file is empty",
                      "give the path of the prepared data, for example data/mnist.h5");
  const auto& [batch, shards] = std::pair(config.train.batch, config.data.shards);
  if (batch % shards != 0) {
    const int below = batch / shards * shards;
    throw usage_error(
        fmt::format("train.batch: not divisible by data.shards (got {} and {})", batch, shards),
        fmt::format(
            "use train.batch={}, or change data.shards",
            below > 0 ? fmt::format("{} or {}", below, below + shards) : fmt::to_string(shards)));
  }
  if (const auto& split = config.data.split; !split.empty()) {
    if (split.size() != 2 && split.size() != 3)
      throw usage_error(
          fmt::format("data.split = [{}] is not two or three numbers", fmt::join(split, ", ")),
          "give [training, validation] rows, [training, validation, block], or []");
    if (split[1] < 1)
      throw usage_error("data.split: no rows to score on", "give at least 1 validation row");
    if (split[0] < shards)
      throw usage_error(
          fmt::format(
              "data.split: too few training rows (got {}, expected at least {}, one per shard)",
              split[0], shards),
          "give every shard at least one row");
  }
  const AugmentConfig& augment = config.augment;
  check_order("augment.crop_scale", augment.crop_scale_min, augment.crop_scale_max);
  check_order("augment.crop_ratio", augment.crop_ratio_min, augment.crop_ratio_max);
  check_order("augment.erase_area", augment.erase_area_min, augment.erase_area_max);
  check_order("augment.erase_ratio", augment.erase_ratio_min, augment.erase_ratio_max);
  if (config.optimizer.nesterov && config.optimizer.momentum == 0)
    throw usage_error("optimizer.nesterov without optimizer.momentum",
                      "give a momentum, or set nesterov=false");
  layer_shapes(config.model);
  check_norm_slices(config.model, batch / shards);
}

void reject_keys_without_effect(const Config& config) {
  const ScheduleConfig& schedule = config.schedule;
  if (schedule.kind != ScheduleKind::constant && schedule.kind != ScheduleKind::step) return;
  const char* kind = schedule.kind == ScheduleKind::step ? "step" : "constant";
  for (const auto& [key, value] :
       {std::pair("warmup", schedule.warmup), std::pair("start_factor", schedule.start_factor),
        std::pair("end_factor", schedule.end_factor)})
    if (value != 0)
      throw usage_error(
          fmt::format("schedule.{} = {} has no effect with schedule.kind = \"{}\"", key, value,
                      kind),
          fmt::format("set schedule.{}=0, or schedule.kind to linear, cosine or one_cycle", key));
}

}  // namespace mnist_dist
