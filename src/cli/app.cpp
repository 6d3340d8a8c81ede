#include "cli/app.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/nearest.h"
#include "base/shell_word.h"
#include "base/version.h"
#include "cli/commands.h"
#include "cli/first_rank.h"
#include "cli/foreign_flags.h"
#include "cli/help.h"
#include "cli/world.h"

namespace mnist_dist {
namespace {

const char* const footer =
    "`mnist-dist --seed 3` is short for `mnist-dist train --seed 3`. Under mpirun, each rank "
    "trains its shards.\n"
    "Exit codes: 0 ok, 1 internal, 2 usage or config, 3 data or file system, 4 MPI or device, 5 "
    "diverged, 6 target missed, 130 interrupted.";

constexpr std::string_view example_mark = "Example: ";

enum class Ranks {
  first,  ///< rank 0 alone runs it. The others end at once, without an error
  all,
  all_with_all_reduce,  ///< all with --all-reduce, otherwise the first
};

struct Entry {
  const char *name, *what;
  Command (*declare)(CLI::App&);
  const char* example;
  Ranks ranks = Ranks::first;
};

Command add_help(CLI::App& app);

constexpr Entry entries[] = {
    {"train", "Train a recipe (the default command)", add_train,
     "--config step5 --seed 7 --run-dir runs/first", Ranks::all},
    {"prepare", "Make the HDF5 data file from MNIST's IDX files, or from drawn digits", add_prepare,
     "--synthetic --out data/synthetic.h5"},
    {"summary", "Show a model layer by layer", add_summary, "--config compact"},
    {"preview", "Show training images as the recipe's augmentation changes them", add_preview,
     "--config step5 --images 8 --out preview.png", Ranks::all},
    {"lr-find", "Train with a growing learning rate, show the loss and suggest a rate", add_lr_find,
     "--config step5 --out rates.svg", Ranks::all},
    {"evaluate", "Score a run or a checkpoint on the test set", add_evaluate, "runs/first",
     Ranks::all},
    {"predict", "Read the digits in images with a trained network", add_predict,
     "--model runs/first my.png"},
    {"export", "Write trained weights for PyTorch, ONNX, TorchScript or NumPy", add_export,
     "runs/first --format onnx --out digits.onnx"},
    {"sweep", "Train a recipe with many seeds and report the spread", add_sweep,
     "--config step5 --seeds 7..16 --target 99.4", Ranks::all},
    {"tune", "Search recipes on held-out training images by a race of random draws", add_tune,
     "--space configs/tune/recipe.toml", Ranks::all},
    {"merge", "Join sweeps of one recipe into one", add_merge,
     "runs/all runs/sweep-a runs/sweep-b"},
    {"report", "Rebuild the report of a run, a sweep or a search from its files", add_report,
     "docs/results/step4"},
    {"compare", "Compare runs or sweeps side by side", add_compare,
     "docs/results/step4 docs/results/compact"},
    {"runs", "List runs, sweeps and searches with status and result", add_runs, "runs"},
    {"verify", "Repeat a recorded run and compare its weights bit by bit", add_verify,
     "docs/results/step4 --seed 1000", Ranks::all},
    {"bench", "Measure training speed against a plain LibTorch loop", add_bench,
     "--config step5 --threads 1"},
    {"doctor", "Check this machine and suggest fixes", add_doctor, "--full",
     Ranks::all_with_all_reduce},
    {"help", "Print the help of a command", add_help, "train"},
};

/// A declared command: its parser and its body.
struct Declared {
  CLI::App* app;
  Command run;
};

std::vector<std::string> flags_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options())
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  return names;
}

/// "train.epochs=5": a setting whose --set is missing.
bool looks_like_setting(const std::string& argument) {
  const std::size_t equals = argument.find('='), dot = argument.find('.');
  return equals != std::string::npos && dot < equals && argument.find('/') > equals;
}

Error unexpected_word(const CLI::App& command, const std::string& word) {
  std::string hint = fmt::format("see mnist-dist {} --help", command.get_name());
  if (looks_like_setting(word) && command.get_option_no_throw("--set"))
    hint = "write it as --set " + shell_word(word);
  else if (command.get_name() == "train" && command.count("--resume") > 0)
    hint = resume_command(word);
  else if (command.get_name() == "train")
    hint = "name a recipe with --config, a run's folder with --run-dir, a key with --set";
  return usage_error(fmt::format("unexpected argument '{}'", word), hint);
}

/// The arguments that CLI11 has no use for, without "--", the end of the options.
std::vector<std::string> words_left(const CLI::App& command) {
  std::vector<std::string> words = command.remaining();
  std::erase(words, "--");
  return words;
}

/// CLI11's extras: a mistyped flag, one of another program, or a surplus word.
Error unknown_argument(const CLI::App& command, std::span<const std::string> extras) {
  const std::string& argument = extras.front();
  const std::string name = argument.substr(0, argument.find('='));
  if (!name.starts_with("-")) return unexpected_word(command, argument);
  // A slip of the keyboard is close to a flag of this command: -seed, --sead.
  std::string hint = foreign_flag_hint(command, extras);
  if (hint.empty()) hint = suggest(name, flags_of(command));
  return usage_error(fmt::format("unknown option {} for {}", name, command.get_name()), hint);
}

void require_command(const std::string& name) {
  std::vector<std::string> names;
  for (const Entry& entry : entries) names.emplace_back(entry.name);
  if (std::ranges::find(names, name) == names.end())
    throw usage_error(fmt::format("unknown command '{}'", name), suggest(name, names));
}

/// Whether all ranks run these arguments, which begin with a command's name.
bool all_ranks_run(std::span<const std::string> arguments) {
  const auto entry = std::ranges::find_if(
      entries, [&](const Entry& each) { return each.name == arguments.front(); });
  const auto has = [&](std::string_view flag) {
    return std::ranges::any_of(
        arguments, [&](const std::string& argument) { return argument.starts_with(flag); });
  };
  if (entry == std::end(entries) || entry->ranks == Ranks::first || has("--print-config") ||
      has("--compare"))
    return false;
  return entry->ranks == Ranks::all || has("--all-reduce");
}

/// `help` and `help COMMAND` never run: they are read as --help.
Command add_help(CLI::App& app) {
  const auto topic = std::make_shared<std::string>();
  app.add_option("command", *topic, "Command (default: the list of all commands)")
      ->type_name("COMMAND");
  return [topic] { return ExitCode::ok; };
}

std::vector<std::string> without_help(const std::vector<std::string>& arguments) {
  if (arguments[0] != "help" || arguments.size() > 2) return arguments;
  if (arguments.size() == 1) return {"--help"};
  const std::string& topic = arguments[1];
  if (topic.starts_with("-")) return arguments;
  require_command(topic);
  return {topic, "--help"};
}

/// The arguments, with the command that may be missing.
std::vector<std::string> with_command_name(std::vector<std::string> arguments) {
  constexpr std::string_view about_all[] = {"--help", "-h", "-V", "--version"};
  const bool flag_first = arguments.empty() || arguments[0].starts_with("-");
  if (flag_first &&
      (arguments.empty() || std::ranges::find(about_all, arguments[0]) == std::end(about_all)))
    arguments.insert(arguments.begin(), "train");
  return arguments;
}

/// The arguments without `help`. Throws: Error (usage) for an unknown command.
std::vector<std::string> known_command(const std::vector<std::string>& arguments) {
  if (!arguments[0].starts_with("-")) require_command(arguments[0]);
  return without_help(arguments);
}

/// For a command without one of its required arguments: names the first one, and shows the example
/// of the command's help.
Error missing_argument(const CLI::App& command) {
  const auto missing = command.get_options(
      [](const CLI::Option* option) { return option->get_required() && option->count() == 0; });
  std::string argument = "an argument";
  if (!missing.empty()) {
    const CLI::Option& first = *missing.front();
    argument = first.get_positional() ? "" : first.get_name() + " ";
    argument += first.get_type_name();
  }
  const std::string help = command.get_footer();
  return usage_error(
      fmt::format("{} needs {}", command.get_name(), argument),
      "write for example: " + help.substr(help.rfind(example_mark) + example_mark.size()));
}

/// The hint for an argument that CLI11 rejects.
std::string parse_hint(const std::vector<std::string>& arguments) {
  constexpr std::string_view resume = "--resume=";
  for (const std::string& argument : arguments)
    if (argument.starts_with(resume)) return resume_command(argument.substr(resume.size()));
  return fmt::format("see mnist-dist {} --help", arguments[0]);
}

std::vector<Declared> declare_commands(CLI::App& app) {
  std::vector<Declared> commands;
  for (const Entry& entry : entries) {
    CLI::App* sub = app.add_subcommand(entry.name, entry.what);
    sub->allow_extras();  // so that a mistyped flag can be answered with the nearest one
    commands.push_back({sub, entry.declare(*sub)});
    std::string below = sub->get_footer();
    if (!below.empty()) below += "\n\n";
    sub->footer(
        fmt::format("{}{}mnist-dist {} {}", below, example_mark, entry.name, entry.example));
  }
  return commands;
}

/// The command that was parsed. Throws: Error (usage) for unknown arguments.
const Declared* parsed_command(std::span<const Declared> commands) {
  const auto parsed =
      std::ranges::find_if(commands, [](const Declared& command) { return command.app->parsed(); });
  if (parsed == commands.end()) return nullptr;
  if (const auto extras = words_left(*parsed->app); !extras.empty())
    throw unknown_argument(*parsed->app, extras);
  return &*parsed;
}

/// Throws: Error (usage). False for --help and --version, which are answered.
bool parse(CLI::App& app, std::span<const Declared> commands,
           const std::vector<std::string>& arguments) {
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(),
                                       arguments.rend()));  // CLI11 takes them last first
    return true;
  } catch (const CLI::Success& help) {  // --help, --version
    if (is_first_rank()) app.exit(help);
    return false;
  } catch (const CLI::RequiredError& error) {
    if (const Declared* command = parsed_command(commands)) throw missing_argument(*command->app);
    throw usage_error(error.what(), parse_hint(arguments));
  } catch (const CLI::ParseError& error) {
    const std::string what = error.what();
    if (const std::size_t at = what.find(": At Most 1 "); at != std::string::npos)
      throw usage_error(what.substr(0, at) + ": given more than once", "give it once");
    throw usage_error(what, parse_hint(arguments));
  }
}

ExitCode run(const std::vector<std::string>& arguments) {
  CLI::App app(
      "Train tiny convolutional networks on MNIST. One recipe and one seed end in the same bytes, "
      "on any number of ranks.",
      "mnist-dist");
  app.formatter(std::make_shared<HelpFormatter>());
  app.footer(footer);
  app.set_version_flag("-V,--version", "mnist-dist " + full_version());
  app.require_subcommand(1);
  const std::vector<Declared> commands = declare_commands(app);
  if (!parse(app, commands, arguments)) return ExitCode::ok;
  const Declared* command = parsed_command(commands);
  return command ? command->run() : ExitCode::usage;
}

}  // namespace

ExitCode run_app(int argc, char** argv) {
  const std::vector<std::string> arguments = with_command_name({argv + 1, argv + argc});
  if (!all_ranks_run(arguments))
    return is_first_rank() ? run(known_command(arguments)) : ExitCode::ok;
  try {
    return run(arguments);
  } catch (...) {  // before the ranks met
    return end_in_world(as_error(std::current_exception()));
  }
}

}  // namespace mnist_dist
