#include "cli/setting_hint.h"

#include <fmt/format.h>

#include <vector>

#include "base/error.h"
#include "base/shell_word.h"
#include "cli/config_options.h"
#include "cli/flag_names.h"
#include "config/check.h"
#include "config/config.h"
#include "config/fields.h"
#include "config/recipes.h"

namespace mnist_dist {
namespace {

/// Other programs' names of our keys.
constexpr Named<const char*> key_names[] = {
    {"ema ema_decay", "average.decay"},
    {"base_lr init_lr lr", "optimizer.learning_rate"},
    {"m", "optimizer.momentum"},
    {"l2 wd", "optimizer.weight_decay"},
    {"lr_policy lr_schedule lr_scheduler lr_scheduler_type schedule scheduler", "schedule.kind"},
    {"lr_step_size step_size", "schedule.step_epochs"},
    {"gamma lr_gamma", "schedule.step_factor"},
    {"warmup_proportion warmup_ratio", "schedule.warmup"},
    {"b batch_size batchsize bs per_device_train_batch_size train_batch_size", "train.batch"},
    {"save_interval", "train.checkpoint_seconds"},
    {"e epoch max_epochs n_epochs num_epochs num_train_epochs", "train.epochs"},
    {"smoothing", "train.label_smoothing"},
    {"iterations max_iter max_iters steps", "train.max_steps"},
};

/// A kind of schedule with the keys that the default recipe must not have then.
std::vector<std::string> settings_for(const std::string& key, const std::string& value) {
  std::vector<std::string> settings{fmt::format("{}={}", key, value)};
  if (key != "schedule.kind" || (value != "constant" && value != "step")) return settings;
  const ScheduleConfig usual = load_config(default_recipe, {}, recipe_folders()).schedule;
  if (usual.warmup != 0) settings.emplace_back("schedule.warmup=0");
  if (usual.start_factor != 0) settings.emplace_back("schedule.start_factor=0");
  if (usual.end_factor != 0) settings.emplace_back("schedule.end_factor=0");
  return settings;
}

/// Whether the settings are accepted, otherwise a hint for the value.
std::string setting_problem(const std::vector<std::string>& settings) {
  try {
    reject_keys_without_effect(load_config(default_recipe, settings, recipe_folders()));
    return "";
  } catch (const Error& error) {
    return error.hint();
  }
}

}  // namespace

bool has_option(const CLI::App& command, const char* option) {
  return command.get_option_no_throw(option) != nullptr;
}

std::string setting_hint(const CLI::App& command, const std::string& key,
                         const std::optional<std::string>& value) {
  const std::string set = has_option(command, "--set") ? "write it as --set"
                                                       : "give it to train: mnist-dist train --set";
  if (!value) return fmt::format("{} {}=VALUE", set, key);
  const std::vector<std::string> settings = settings_for(key, *value);
  if (const std::string problem = setting_problem(settings); !problem.empty())
    return fmt::format("{} {}=VALUE, and {}", set, key, problem);
  std::string hint = fmt::format("{} {}", set, shell_word(settings.front()));
  for (std::size_t i = 1; i < settings.size(); ++i) hint += " --set " + settings[i];
  return hint;
}

std::optional<std::string> key_of_flag(const std::string& flag) {
  if (const auto* key = find_named(key_names, flag)) return *key;
  std::vector<std::string> keys;
  Config any;
  visit_fields(any, [&](const Field& field, const auto&) {
    const std::string full = fmt::format("{}.{}", field.section, field.key);
    if (flag == field.key || flag == full) keys.push_back(full);
  });
  if (keys.size() == 1) return keys.front();
  return std::nullopt;
}

}  // namespace mnist_dist
