#include "cli/foreign_flags.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <optional>

#include "base/error.h"
#include "base/parse_number.h"
#include "base/shell_word.h"
#include "cli/compute_options.h"
#include "cli/config_options.h"
#include "cli/flag_names.h"
#include "cli/setting_hint.h"
#include "config/config.h"
#include "config/recipes.h"
#include "engine/registry.h"
#include "sweep/seeds.h"

namespace mnist_dist {
namespace {

/// A flag's value, where it has one.
using Value = std::optional<std::string>;

/// A flag without its dashes, in lower case with underscores.
struct Flag {
  std::string name;
  Value value;
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

std::optional<int> whole_number(const Value& text) {
  return text ? parse_number<int>(*text) : std::nullopt;
}

/// Gradients of several batches, added, are those of one larger batch.
std::string accumulation_hint(const CLI::App& command, const Value& value) {
  Value batch;
  if (const std::optional<int> batches = whole_number(value))
    batch = fmt::to_string(std::int64_t{*batches} *
                           load_config(default_recipe, {}, recipe_folders()).train.batch);
  return setting_hint(command, "train.batch", batch);
}

/// No more ranks than the default recipe has shards.
int rank_count(const CLI::App& command, const Value& value) {
  const int most = command.get_name() == "train" ? DataConfig{}.shards : shard_limit;
  return std::clamp(whole_number(value).value_or(2), 1, most);
}

std::string ranks_hint(const CLI::App& command, const Value& value) {
  return fmt::format("start the ranks with mpirun: mpirun -np {} mnist-dist {}",
                     rank_count(command, value), command.get_name());
}

std::string no_option(const CLI::App& command, const char* option) {
  return fmt::format("leave it out: {} has no {}", command.get_name(), option);
}

std::string gpus_hint(const CLI::App& command, const Value& value) {
  if (!has_option(command, "--device")) return no_option(command, "--device");
  if (!built_for_gpus())
    return fmt::format("build for GPUs: launch/local.sh --cuda -np {} {}",
                       rank_count(command, value), command.get_name());
  return ranks_hint(command, value) + " --device cuda";
}

std::string device_hint(const CLI::App& command, const std::string& device) {
  if (!has_option(command, "--device")) return no_option(command, "--device");
  if (device == "cuda" && !built_for_gpus())
    return fmt::format("build for GPUs: launch/local.sh --cuda {}", command.get_name());
  return "write it as --device " + device;
}

std::string threads_hint(const CLI::App& command, const Value& value) {
  const std::optional<int> threads = whole_number(value);
  if (!has_option(command, "--threads")) return no_option(command, "--threads");
  if (!threads || *threads < 1 || *threads > thread_limit)
    return "leave it out, or set the number of threads with --threads N";
  return fmt::format("write it as --threads {}", *threads);
}

std::string folder_hint(const CLI::App& command, const Value& value) {
  const std::string name = command.get_name();
  const std::string option = name == "train"                      ? "--run-dir"
                             : listed("sweep tune prepare", name) ? "--out"
                                                                  : "";
  if (option.empty()) return fmt::format("leave it out: {} writes to no folder of its own", name);
  return fmt::format("write it as {} {}", option, value ? shell_word(*value) : "FOLDER");
}

std::string data_hint(const CLI::App& command, const Value& value) {
  std::error_code unknown;
  const bool is_no_folder = value && !std::filesystem::is_directory(*value, unknown);
  if (has_option(command, "--raw") && !is_no_folder)
    return fmt::format("write it as --raw {}", value ? shell_word(*value) : "FOLDER");
  if (value && value->ends_with(".h5")) return setting_hint(command, "data.file", value);
  if (is_no_folder) return "leave it out: MNIST comes with the program";
  return fmt::format("make the data file from that folder first: mnist-dist prepare --raw {}",
                     value ? shell_word(*value) : "FOLDER");
}

/// Commands that take a run's folder or its checkpoint as a word.
bool takes_trained(const CLI::App& command) {
  return listed("evaluate predict export report verify", command.get_name());
}

std::string trained_hint(const CLI::App& command, const Value& value) {
  const std::string trained = value ? shell_word(*value) : "FOLDER";
  if (has_option(command, "--model"))
    return fmt::format("name it with --model: mnist-dist {} --model {} IMAGE", command.get_name(),
                       trained);
  return fmt::format("name it without the option: mnist-dist {} {}", command.get_name(), trained);
}

/// A folder of a run: the input of some commands, the output of others.
std::string run_folder_hint(const CLI::App& command, const Value& value) {
  return takes_trained(command) ? trained_hint(command, value) : folder_hint(command, value);
}

std::string recipe_hint(const CLI::App& command, const Value& value) {
  std::error_code unknown;
  if (takes_trained(command) && value && std::filesystem::exists(*value, unknown))
    return trained_hint(command, value);
  if (!has_option(command, "--config"))
    return has_option(command, "--space")
               ? "name a search space with --space"
               : fmt::format("leave it out: {} takes no recipe", command.get_name());
  try {
    if (value) find_recipe(*value, recipe_folders());
    return fmt::format("name a recipe with --config {}", value ? shell_word(*value) : "NAME");
  } catch (const std::exception&) {
    return fmt::format("name a recipe with --config, such as --config {}", default_recipe);
  }
}

std::string resume_hint(const CLI::App& command, const Value& value) {
  if (takes_trained(command)) return trained_hint(command, value);
  const std::string name = command.get_name();
  if (listed("sweep tune", name))
    return fmt::format("leave it out: the same {} command continues an existing folder", name);
  if (name != "train") return fmt::format("leave it out: {} reads no checkpoint", name);
  return value ? resume_command(*value) : "continue a run with --resume --run-dir FOLDER";
}

/// A value that the command would reject is not repeated.
std::string seeds_hint(const CLI::App& command, const Value& value) {
  bool one = false, several = false;
  if (value) {
    try {
      several = !parse_seeds(*value).empty();
      one = value->find_first_not_of("0123456789") == std::string::npos;
    } catch (const Error&) {
    }
  }
  const std::string name = command.get_name();
  if (name == "train" && several && !one)
    return fmt::format("train several seeds with mnist-dist sweep --seeds {}", shell_word(*value));
  if (has_option(command, "--seed"))
    return fmt::format("write it as --seed {}", one ? shell_word(*value) : "N");
  if (name == "sweep")
    return fmt::format("write it as --seeds {}", several ? shell_word(*value) : "0..9");
  return fmt::format("leave it out: {} takes no seed", name);
}

std::string runs_hint(const CLI::App& command, const Value& value) {
  const int runs = std::clamp(whole_number(value).value_or(10), 1, 1'000'000);
  const std::string name = command.get_name();
  if (name == "tune")
    return fmt::format("write it as --seeds N for each candidate, or --candidates {}", runs);
  return fmt::format("{} --seeds 0..{}",
                     name == "sweep" ? "write it as" : "train several seeds with mnist-dist sweep",
                     runs - 1);
}

using Hint = std::string (*)(const CLI::App& command, const Value& value);

/// Other programs' names of flags whose hint depends on the command or the value.
constexpr Named<Hint> hints[] = {
    {"gpus gpu ngpu ngpus n_gpu n_gpus num_gpus nproc_per_node", gpus_hint},
    {"n np nproc nprocs n_procs num_procs num_processes processes ntasks ranks nranks n_ranks "
     "num_ranks world_size nodes nnodes",
     ranks_hint},
    {"cpu no_cuda no_gpu cpu_only use_cpu no_accel no_mps",
     [](auto& command, auto&) { return device_hint(command, "cpu"); }},
    {"cuda use_cuda use_gpu", [](auto& command, auto&) { return device_hint(command, "cuda"); }},
    {"j jobs workers num_workers cores cpus num_threads nthreads n_jobs t w threads", threads_hint},
    {"run_dir dir folder results_dir exp_dir checkpoint_dir ckpt_dir logdir log_dir",
     run_folder_hint},
    {"o out output output_dir out_dir outdir save_dir savedir work_dir save_path", folder_hint},
    {"name exp_name experiment run_name tag",
     [](auto& command, auto& value) {
       return run_folder_hint(command, "runs/" + value.value_or("NAME"));
     }},
    {"data data_dir datadir data_path data_root dataset dataroot root raw d input", data_hint},
    {"model arch a net network recipe c cfg config_file conf", recipe_hint},
    {"resume resume_from resume_from_checkpoint r load checkpoint ckpt weights pretrained restore "
     "continue restart",
     resume_hint},
    {"random_seed manual_seed rng_seed s seed seeds", seeds_hint},
    {"runs num_runs repeat repeats trials num_seeds n_seeds", runs_hint},
    {"accum accumulate accumulation_steps accum_iter accum_steps accumulate_grad_batches "
     "grad_accum grad_accum_steps gradient_accumulation gradient_accumulation_steps iter_size",
     accumulation_hint},
    {"aug augment augmentation augmentations data_aug data_augmentation use_augmentation",
     [](auto& command, auto&) {
       return setting_hint(command, "augment.rotation", "10") +
              ", or with a different key of augment";
     }},
    {"warmup_epochs warmup_steps num_warmup_steps",
     [](auto& command, auto&) {
       return setting_hint(command, "schedule.warmup", std::nullopt) + ", as a share of all steps";
     }},
    {"dry_run", [](auto& command, auto&) { return setting_hint(command, "train.max_steps", "1"); }},
    {"val_split validation_split val_size split",
     [](auto& command, auto&) { return setting_hint(command, "data.split", "[50000,10000]"); }},
    {"log_interval print_freq print_interval log_every v verbose debug q quiet silent progress",
     [](auto& command, auto&) -> std::string {
       return has_option(command, "--quiet")
                  ? "give --quiet for the result only, or leave it out: progress goes to stderr"
                  : "leave it out: stdout has the result only";
     }},
};

/// Names of flags whose hint is always the same.
constexpr Named<const char*> fixed_hints[] = {
    {"no_aug no_augment no_augmentation",
     "write a recipe without its [augment] keys: mnist-dist --print-config >mine.toml shows them"},
    {"optimizer optim opt",
     "leave it out: the optimizer is SGD with momentum, see --set optimizer.momentum=0.9"},
    {"dropout drop p",
     "write a recipe with dropout in its layers: mnist-dist --print-config >mine.toml shows one"},
    {"save_model save save_weights save_every",
     "leave it out: a run's folder always has its weights, in checkpoint.h5"},
    {"test_batch_size eval_batch_size val_batch_size pin_memory amp fp16 bf16 deterministic "
     "local_rank backend download no_shuffle shuffle y yes f",
     "leave it out: there is nothing to choose"},
};

}  // namespace

std::string resume_command(const std::string& run_or_checkpoint) {
  std::string folder = run_or_checkpoint;  // a checkpoint is named by its folder
  if (folder.ends_with(".h5") || folder.ends_with(".pt")) {
    const std::size_t slash = folder.rfind('/');
    folder = slash == std::string::npos ? "." : folder.substr(0, std::max<std::size_t>(slash, 1));
  }
  return fmt::format("continue a run with --resume --run-dir {}", shell_word(folder));
}

std::string foreign_flag_hint(const CLI::App& command, std::span<const std::string> arguments) {
  const auto& [name, value] = read_flag(arguments);
  if (const Hint* hint = find_named(hints, name)) return (*hint)(command, value);
  if (const auto* hint = find_named(fixed_hints, name)) return *hint;
  if (const auto key = key_of_flag(name)) return setting_hint(command, *key, value);
  return "";
}

}  // namespace mnist_dist
