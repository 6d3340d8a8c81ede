#include "cli/foreign_flags.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/parse_number.h"
#include "base/shell_word.h"
#include "cli/config_options.h"
#include "config/check.h"
#include "config/config.h"
#include "config/fields.h"
#include "config/recipes.h"
#include "engine/registry.h"
#include "sweep/seeds.h"

namespace mnist_dist {
namespace {

/// A flag without its dashes, in lower case with underscores, and its value where it has one.
struct Flag {
  std::string name;
  std::optional<std::string> value;
};

bool is_option(const std::string& argument) {
  return argument.size() > 1 && argument[0] == '-' &&
         (std::isdigit(static_cast<unsigned char>(argument[1])) == 0);
}

Flag read_flag(std::span<const std::string> arguments) {
  const std::string& first = arguments.front();
  Flag flag;
  const std::size_t equals = first.find('='),
                    begin = std::min(first.find_first_not_of('-'), first.size());
  flag.name = first.substr(begin, equals - begin);
  if (equals != std::string::npos)
    flag.value = first.substr(equals + 1);
  else if (begin == 1 && flag.name.size() > 1 &&
           std::isdigit(static_cast<unsigned char>(flag.name[1])) != 0)
    flag = {flag.name.substr(0, 1), flag.name.substr(1)};  // -j4
  else if (arguments.size() > 1 && !is_option(arguments[1]))
    flag.value = arguments[1];
  std::ranges::transform(flag.name, flag.name.begin(), [](unsigned char c) {
    return c == '-' ? '_' : static_cast<char>(std::tolower(c));
  });
  return flag;
}

/// Other programs' name of one of our keys.
const std::map<std::string, std::string, std::less<>> key_names = {
    {"b", "train.batch"},
    {"base_lr", "optimizer.learning_rate"},
    {"batch_size", "train.batch"},
    {"batchsize", "train.batch"},
    {"bs", "train.batch"},
    {"e", "train.epochs"},
    {"ema", "average.decay"},
    {"ema_decay", "average.decay"},
    {"epoch", "train.epochs"},
    {"gamma", "schedule.step_factor"},
    {"init_lr", "optimizer.learning_rate"},
    {"iterations", "train.max_steps"},
    {"l2", "optimizer.weight_decay"},
    {"lr", "optimizer.learning_rate"},
    {"lr_gamma", "schedule.step_factor"},
    {"lr_policy", "schedule.kind"},
    {"lr_schedule", "schedule.kind"},
    {"lr_scheduler", "schedule.kind"},
    {"lr_scheduler_type", "schedule.kind"},
    {"lr_step_size", "schedule.step_epochs"},
    {"m", "optimizer.momentum"},
    {"max_epochs", "train.epochs"},
    {"max_iter", "train.max_steps"},
    {"max_iters", "train.max_steps"},
    {"n_epochs", "train.epochs"},
    {"num_epochs", "train.epochs"},
    {"num_train_epochs", "train.epochs"},
    {"per_device_train_batch_size", "train.batch"},
    {"save_interval", "train.checkpoint_seconds"},
    {"schedule", "schedule.kind"},
    {"scheduler", "schedule.kind"},
    {"smoothing", "train.label_smoothing"},
    {"step_size", "schedule.step_epochs"},
    {"steps", "train.max_steps"},
    {"train_batch_size", "train.batch"},
    {"warmup_proportion", "schedule.warmup"},
    {"warmup_ratio", "schedule.warmup"},
    {"wd", "optimizer.weight_decay"},
};

/// The key that a flag means: by another program's name, by its own (weight_decay), or in full.
std::optional<std::string> key_of(const std::string& name) {
  if (const auto found = key_names.find(name); found != key_names.end()) return found->second;
  std::vector<std::string> keys;
  Config any;
  visit_fields(any, [&](const Field& field, const auto&) {
    const std::string full = fmt::format("{}.{}", field.section, field.key);
    if (name == field.key || name == full) keys.push_back(full);
  });
  if (keys.size() == 1) return keys.front();
  return std::nullopt;
}

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
    refuse_keys_without_effect(load_config(default_recipe, settings, recipe_folders()));
    return "";
  } catch (const Error& error) {
    return error.hint();
  }
}

std::string setting_hint(const std::string& command, const std::string& key,
                         const std::optional<std::string>& value) {
  const bool takes_settings = command == "train" || command == "sweep" || command == "tune" ||
                              command == "summary" || command == "bench";
  const std::string set =
      takes_settings ? "write it as --set" : "give it to train: mnist-dist train --set";
  if (!value) return fmt::format("{} {}=VALUE", set, key);
  const std::vector<std::string> settings = settings_for(key, *value);
  if (const std::string problem = setting_problem(settings); !problem.empty())
    return fmt::format("{} {}=VALUE, and {}", set, key, problem);
  std::string hint = fmt::format("{} {}", set, shell_word(settings.front()));
  for (std::size_t i = 1; i < settings.size(); ++i) hint += " --set " + settings[i];
  return hint;
}

std::optional<int> whole_number(const std::optional<std::string>& text) {
  return text ? parse_number<int>(*text) : std::nullopt;
}

/// Gradients of several batches, added, are those of one larger batch.
std::string accumulation_hint(const std::string& command, const std::optional<std::string>& value) {
  std::optional<std::string> batch;
  if (const std::optional<int> batches = whole_number(value))
    batch = fmt::to_string(std::int64_t{*batches} *
                           load_config(default_recipe, {}, recipe_folders()).train.batch);
  return setting_hint(command, "train.batch", batch);
}

bool any_of(const std::string& name, std::initializer_list<std::string_view> names) {
  return std::ranges::find(names, name) != names.end();
}

/// "mpirun -np 4 mnist-dist train": no more ranks than the default recipe has shards.
std::string ranks_hint(const std::string& command, std::optional<int> ranks, bool gpus) {
  const int most = DataConfig{}.shards;
  const int n = std::clamp(ranks.value_or(2), 1, command == "train" ? most : 1024);
  if (gpus && !built_for_gpus())
    return fmt::format("build for GPUs: launch/local.sh --cuda -np {} {}", n, command);
  return fmt::format("start the ranks with mpirun: mpirun -np {} mnist-dist {}{}", n, command,
                     gpus ? " --device cuda" : "");
}

bool computes(const std::string& command) {
  return any_of(command, {"train", "sweep", "tune", "evaluate"});
}

std::string device_hint(const std::string& command, const std::string& device) {
  if (!computes(command)) return fmt::format("leave it out: {} computes nothing", command);
  if (device == "cuda" && !built_for_gpus())
    return fmt::format("build for GPUs: launch/local.sh --cuda {}", command);
  return "write it as --device " + device;
}

std::string threads_hint(const std::string& command, const std::optional<std::string>& value) {
  const std::optional<int> threads = whole_number(value);
  if (!computes(command) && command != "bench")
    return fmt::format("leave it out: {} runs on one thread", command);
  if (!threads || *threads < 1 || *threads > 1024)
    return "leave it out, or set the number of threads with --threads N";
  return fmt::format("write it as --threads {}", *threads);
}

std::string folder_hint(const std::string& command, const std::optional<std::string>& value) {
  const std::string option = command == "train"                              ? "--run-dir"
                             : any_of(command, {"sweep", "tune", "prepare"}) ? "--out"
                                                                             : "";
  if (option.empty())
    return fmt::format("leave it out: {} writes to no folder of its own", command);
  return fmt::format("write it as {} {}", option, value ? shell_word(*value) : "FOLDER");
}

std::string data_hint(const std::string& command, const std::optional<std::string>& value) {
  std::error_code unknown;
  const bool is_no_folder = value && !std::filesystem::is_directory(*value, unknown);
  if (command == "prepare" && !is_no_folder)
    return fmt::format("write it as --raw {}", value ? shell_word(*value) : "FOLDER");
  if (value && value->ends_with(".h5")) return setting_hint(command, "data.file", value);
  if (is_no_folder) return "leave it out: MNIST comes with the program";
  return fmt::format("make the data file from that folder first: mnist-dist prepare --raw {}",
                     value ? shell_word(*value) : "FOLDER");
}

/// Commands that take a run's folder or its checkpoint as a word.
bool takes_trained(const std::string& command) {
  return any_of(command, {"evaluate", "predict", "export", "report", "verify"});
}

std::string trained_hint(const std::string& command, const std::optional<std::string>& value) {
  return fmt::format("name it without the option: mnist-dist {} {}", command,
                     value ? shell_word(*value) : "FOLDER");
}

std::string recipe_hint(const std::string& command, const std::optional<std::string>& value) {
  std::error_code unknown;
  if (takes_trained(command) && value && std::filesystem::exists(*value, unknown))
    return trained_hint(command, value);
  if (takes_trained(command) || any_of(command, {"prepare", "doctor"}))
    return fmt::format("leave it out: {} takes no recipe", command);
  try {
    if (value) find_recipe(*value, recipe_folders());
    return fmt::format("name a recipe with --config {}", value ? shell_word(*value) : "NAME");
  } catch (const std::exception&) {
    return fmt::format("name a recipe with --config, such as --config {}", default_recipe);
  }
}

std::string resume_hint(const std::string& command, const std::optional<std::string>& value) {
  if (takes_trained(command)) return trained_hint(command, value);
  if (any_of(command, {"sweep", "tune"}))
    return fmt::format("leave it out: the same {} command continues an existing folder", command);
  if (command != "train") return fmt::format("leave it out: {} reads no checkpoint", command);
  return value ? resume_command(*value) : "continue a run with --resume --run-dir FOLDER";
}

/// A value that the command would reject is not repeated.
std::string seeds_hint(const std::string& command, const std::optional<std::string>& value) {
  bool one = false, several = false;
  if (value) {
    try {
      several = !parse_seeds(*value).empty();
      one = value->find_first_not_of("0123456789") == std::string::npos;
    } catch (const Error&) {
    }
  }
  if (command == "train" && several && !one)
    return fmt::format("train several seeds with mnist-dist sweep --seeds {}", shell_word(*value));
  if (command == "train")
    return fmt::format("write it as --seed {}", one ? shell_word(*value) : "N");
  if (command == "sweep")
    return fmt::format("write it as --seeds {}", several ? shell_word(*value) : "0..9");
  return fmt::format("leave it out: {} takes no seed", command);
}

std::string runs_hint(const std::string& command, const std::optional<std::string>& value) {
  const int runs = std::clamp(whole_number(value).value_or(10), 1, 1'000'000);
  if (command == "tune")
    return fmt::format("write it as --seeds N for each candidate, or --candidates {}", runs);
  return fmt::format(
      "{} --seeds 0..{}",
      command == "sweep" ? "write it as" : "train several seeds with mnist-dist sweep", runs - 1);
}

}  // namespace

std::string resume_command(const std::string& run_or_checkpoint) {
  std::string folder = run_or_checkpoint;  // a checkpoint is named by its folder
  if (folder.ends_with(".h5") || folder.ends_with(".pt")) {
    const std::size_t slash = folder.rfind('/');
    folder = slash == std::string::npos ? "." : folder.substr(0, std::max<std::size_t>(slash, 1));
  }
  return fmt::format("continue a run with --resume --run-dir {}", shell_word(folder));
}

std::string foreign_flag_hint(const std::string& command, std::span<const std::string> arguments) {
  const auto& [name, value] = read_flag(arguments);
  if (any_of(name,
             {"gpus", "gpu", "ngpu", "ngpus", "n_gpu", "n_gpus", "num_gpus", "nproc_per_node"}))
    return ranks_hint(command, whole_number(value), true);
  if (any_of(name, {"n", "np", "nproc", "nprocs", "n_procs", "num_procs", "num_processes",
                    "processes", "ntasks", "ranks", "nranks", "n_ranks", "num_ranks", "world_size",
                    "nodes", "nnodes"}))
    return ranks_hint(command, whole_number(value), false);
  if (any_of(name, {"cpu", "no_cuda", "no_gpu", "cpu_only", "use_cpu", "no_accel", "no_mps"}))
    return device_hint(command, "cpu");
  if (any_of(name, {"cuda", "use_cuda", "use_gpu"})) return device_hint(command, "cuda");
  if (any_of(name, {"j", "jobs", "workers", "num_workers", "cores", "cpus", "num_threads",
                    "nthreads", "n_jobs", "t", "w", "threads"}))
    return threads_hint(command, value);
  if (takes_trained(command) &&
      any_of(name, {"run_dir", "dir", "folder", "results_dir", "exp_dir", "checkpoint_dir",
                    "ckpt_dir", "logdir", "log_dir", "name"}))
    return trained_hint(command, value);
  if (any_of(name, {"o", "out", "output", "output_dir", "out_dir", "outdir", "save_dir", "savedir",
                    "log_dir", "logdir", "work_dir", "run_dir", "checkpoint_dir", "ckpt_dir",
                    "exp_dir", "dir", "folder", "results_dir", "save_path"}))
    return folder_hint(command, value);
  if (any_of(name, {"name", "exp_name", "experiment", "run_name", "tag"}))
    return folder_hint(command, "runs/" + value.value_or("NAME"));
  if (any_of(name, {"data", "data_dir", "datadir", "data_path", "data_root", "dataset", "dataroot",
                    "root", "raw", "d", "input"}))
    return data_hint(command, value);
  if (any_of(name,
             {"model", "arch", "a", "net", "network", "recipe", "c", "cfg", "config_file", "conf"}))
    return recipe_hint(command, value);
  if (any_of(name, {"resume", "resume_from", "resume_from_checkpoint", "r", "load", "checkpoint",
                    "ckpt", "weights", "pretrained", "restore", "continue", "restart"}))
    return resume_hint(command, value);
  if (any_of(name, {"random_seed", "manual_seed", "rng_seed", "s", "seed", "seeds"}))
    return seeds_hint(command, value);
  if (any_of(name, {"runs", "num_runs", "repeat", "repeats", "trials", "num_seeds", "n_seeds"}))
    return runs_hint(command, value);
  if (any_of(name, {"accum", "accumulate", "accumulation_steps", "accum_iter", "accum_steps",
                    "accumulate_grad_batches", "grad_accum", "grad_accum_steps",
                    "gradient_accumulation", "gradient_accumulation_steps", "iter_size"}))
    return accumulation_hint(command, value);
  if (any_of(name, {"aug", "augment", "augmentation", "augmentations", "data_aug",
                    "data_augmentation", "use_augmentation"}))
    return setting_hint(command, "augment.rotation", "10") + ", or with a different key of augment";
  if (any_of(name, {"no_aug", "no_augment", "no_augmentation"}))
    return "write a recipe without its [augment] keys: mnist-dist --print-config >mine.toml shows "
           "them";
  if (any_of(name, {"warmup_epochs", "warmup_steps", "num_warmup_steps"}))
    return setting_hint(command, "schedule.warmup", std::nullopt) + ", as a share of all steps";
  if (any_of(name, {"compare"})) return "compare folders with mnist-dist compare A B";
  if (any_of(name, {"dry_run"})) return setting_hint(command, "train.max_steps", "1");
  if (any_of(name, {"optimizer", "optim", "opt"}))
    return "leave it out: the optimizer is SGD with momentum, see --set optimizer.momentum=0.9";
  if (any_of(name, {"dropout", "drop", "p"}))
    return "write a recipe with dropout in its layers: mnist-dist --print-config >mine.toml shows "
           "one";
  if (any_of(name, {"log_interval", "print_freq", "print_interval", "log_every", "v", "verbose",
                    "debug", "q", "quiet", "silent", "progress"}))
    return any_of(command, {"train", "sweep", "tune"})
               ? "give --quiet for the result only, or leave it out: progress goes to stderr"
               : "leave it out: stdout has the result only";
  if (any_of(name, {"save_model", "save", "save_weights", "save_every"}))
    return "leave it out: a run's folder always has its weights, in checkpoint.h5";
  if (any_of(name, {"test_batch_size", "eval_batch_size", "val_batch_size", "pin_memory", "amp",
                    "fp16", "bf16", "deterministic", "local_rank", "backend", "download",
                    "no_shuffle", "shuffle", "y", "yes", "f"}))
    return "leave it out: there is nothing to choose";
  if (any_of(name, {"val_split", "validation_split", "val_size", "split"}))
    return "write it as --set data.split=[50000,10000]";
  if (const auto key = key_of(name)) return setting_hint(command, *key, value);
  return "";
}

}  // namespace mnist_dist
