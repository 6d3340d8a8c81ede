#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>

#include "base/shell_word.h"
#include "base/standard_streams.h"
#include "cli/commands.h"
#include "cli/compute_options.h"
#include "cli/world.h"
#include "config/config.h"
#include "data/dataset.h"
#include "report/confusion.h"
#include "train/checkpoint.h"
#include "train/evaluation.h"
#include "train/session.h"

namespace mnist_dist {
namespace {

struct EvaluateArguments {
  std::string checkpoint, data_file = DataConfig{}.file;
  ComputeOptions compute;
  int show = 3;
};

void print_score(const char* weights, const Score& score) {
  print(fmt::format("{:<17} {:>6} of {} correct, {:.2f} %, loss {:.4f}\n", weights, score.correct,
                    score.images, score.accuracy, score.loss));
}

/// Confusion matrix, then the first few digits that were taken for another.
void print_mistakes(const Images& test, const std::vector<std::uint8_t>& predictions, int show) {
  print(fmt::format("\n{}", confusion_table(confusion_of(test.labels, predictions))));
  for (int i = 0; i < test.count() && show > 0; ++i) {
    const auto row = static_cast<std::size_t>(i);
    if (test.labels[row] == predictions[row]) continue;
    print(fmt::format("\ntest image {}: a {} taken for a {}\n{}", i, test.labels[row],
                      predictions[row], draw_digit({test.image(i), image_size})));
    --show;
  }
}

/// The checkpoint's recipe, for the whole test set of the data file.
Config scoring_config(const Checkpoint& checkpoint, const EvaluateArguments& arguments) {
  Config config = parse_config(checkpoint.recipe, arguments.checkpoint, {});
  config.data.file = arguments.data_file;
  if (!std::filesystem::exists(config.data.file))
    throw data_error(
        fmt::format("there is no data file {}", config.data.file),
        fmt::format("name one with --data, or make it with: mnist-dist prepare --out {}",
                    shell_word(config.data.file)));
  config.data.split.clear();  // this command is about the test set
  return config;
}

ExitCode run(Communicator& comm, const EvaluateArguments& arguments, const Checkpoint& checkpoint, const Config& config) {
  const auto session = make_session(comm, config, arguments.compute, say_line, Use::scoring);
  if (session->data_hash != checkpoint.data_hash && comm.rank() == 0)
    say_line(fmt::format("note: the run was trained on other data than {} (hash {:.12}..., here {:.12}...)", config.data.file, checkpoint.data_hash,
                         session->data_hash));
  Engine& engine = *session->engine;
  engine.set_evaluation_data(session->data.evaluation);
  engine.load(checkpoint.state);

  const bool averaged = !checkpoint.state.average_parameters.empty();
  std::vector<std::uint8_t> predictions;
  const Score raw = evaluate(comm, engine, Weights::raw, averaged ? nullptr : &predictions);
  const Score delivered = averaged ? evaluate(comm, engine, Weights::averaged, &predictions) : raw;
  if (comm.rank() != 0) return ExitCode::ok;
  print(fmt::format(
      "{} | seed {} | {} {} | {}\n", config.name, checkpoint.seed,
      session->synthetic ? "SYNTHETIC digits, not MNIST:" : "MNIST test set", config.data.file,
      checkpoint.finished ? "finished run"
                          : "after " + place_text(checkpoint.epoch, checkpoint.step)));
  if (averaged) print_score("averaged weights", delivered);
  print_score(averaged ? "raw weights" : "weights", raw);
  const Dataset dataset(config.data.file);
  print_mistakes(dataset.test({0, dataset.test_rows()}), predictions, arguments.show);
  return ExitCode::ok;
}

}  // namespace

Command add_evaluate(CLI::App& app) {
  auto arguments = std::make_shared<EvaluateArguments>();
  app.add_option("--checkpoint", arguments->checkpoint, "A run's checkpoint.h5; the recipe is in it")->type_name("FILE")->required();
  app.add_option("--data", arguments->data_file, "The prepared data file")->type_name("FILE")->capture_default_str();
  app.add_option("--show", arguments->show, "How many mistaken digits to draw")
      ->type_name("N")
      ->check(CLI::Range(0, 1'000'000))
      ->capture_default_str();
  add_compute_options(app, arguments->compute);
  return [arguments] {
    // What is wrong with the files all ranks find, so before they meet: then it is said once.
    const Checkpoint checkpoint = load_checkpoint(arguments->checkpoint);
    const Config config = scoring_config(checkpoint, *arguments);
    return in_world(config.comm.timeout, [&](Communicator& comm) { return run(comm, *arguments, checkpoint, config); });
  };
}

}  // namespace mnist_dist
