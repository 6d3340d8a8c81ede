#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/error.h"
#include "base/file.h"
#include "base/json_text.h"
#include "base/printable.h"
#include "base/shell_word.h"
#include "base/standard_streams.h"
#include "cli/commands.h"
#include "cli/compute_options.h"
#include "cli/first_rank.h"
#include "cli/trained_argument.h"
#include "cli/world.h"
#include "comm/on_root.h"
#include "config/config.h"
#include "config/recipes.h"
#include "data/data_name.h"
#include "data/dataset.h"
#include "data/other_sets.h"
#include "export/npy.h"
#include "report/confusion.h"
#include "report/terminal.h"
#include "report/text_table.h"
#include "sweep/statistics.h"
#include "train/agreement.h"
#include "train/computation.h"
#include "train/data_fit.h"
#include "train/evaluation.h"

namespace mnist_dist {
namespace {

struct EvaluateArguments {
  std::string trained, data_file, logits, extra_test;
  bool old_name = false;  ///< --checkpoint
  ComputeOptions compute;
  bool raw_weights = false, json = false;
  int show = 3;
};

constexpr int score_column = 18;

void print_score(const char* weights, const Score& score) {
  print_fitted(fmt::format("{:<17} {:>6} of {} correct, {:.2f} %, loss {:.4f}\n", weights,
                           score.correct, score.images, score.accuracy, score.loss),
               score_column);
}

nlohmann::ordered_json as_json(const Score& score) {
  return {{"correct", score.correct},
          {"images", score.images},
          {"accuracy", score.accuracy},
          {"loss", score.loss}};
}

/// The scores of a second test set.
struct ExtraScore {
  std::string file, hash, name;
  Score raw = {}, delivered = {};
};

/// Opens the file on every rank, and reads this rank's shares of its test set. Collective. Throws:
/// Error: usage when its images or classes are not the model's, data.
ExtraScore score_extra(Communicator& comm, Engine& engine, const Config& config, bool averaged,
                       const std::string& file, std::vector<Images>& shares) {
  run_on_root(comm, [&] {
    check_data_shape(config.model, Dataset(file), "--extra-test " + file,
                     "name a data file with the model's classes and image size");
  });
  const Dataset extra(file);
  check_agreement(comm, {{"--extra-test (SHA-256)", extra.hash()}},
                  "copy one data file to every host");
  shares = load_test_shares(extra, config.data.shards, comm.rank(), comm.size());
  engine.set_evaluation_data(views(shares));
  ExtraScore score{.file = file, .hash = extra.hash(), .name = data_name(extra.data_source())};
  score.raw = evaluate(comm, engine, Weights::raw);
  score.delivered = averaged ? evaluate(comm, engine, Weights::averaged) : score.raw;
  return score;
}

void print_extra(const ExtraScore& extra, bool averaged) {
  print_fitted(fmt::format("extra test set | {}: {}\n", extra.name, printable(extra.file)));
  if (averaged) print_score("averaged weights", extra.delivered);
  print_score(averaged ? "raw weights" : "weights", extra.raw);
  print_fitted(
      fmt::format("{:<17} {:.3f} points, one standard error that {} images alone cause\n",
                  "resolution", resolution(extra.delivered.accuracy, extra.delivered.images),
                  extra.delivered.images),
      score_column);
}

nlohmann::ordered_json as_json(const ExtraScore& extra, bool averaged) {
  nlohmann::ordered_json json{
      {"data_file", extra.file}, {"data_hash", extra.hash}, {"data", extra.name}};
  if (averaged) json["averaged_weights"] = as_json(extra.delivered);
  json["raw_weights"] = as_json(extra.raw);
  json["standard_error"] = resolution(extra.delivered.accuracy, extra.delivered.images);
  return json;
}

nlohmann::ordered_json mistakes(const Images& test, const std::vector<ClassIndex>& predictions) {
  auto list = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < predictions.size(); ++i)
    if (test.labels[i] != predictions[i])
      list.push_back({{"image", i}, {"label", test.labels[i]}, {"predicted", predictions[i]}});
  return list;
}

/// Confusion matrix, then the first few misclassified digits.
void print_mistakes(const Images& test, const std::vector<ClassIndex>& predictions, int classes,
                    int show) {
  const int columns = terminal_columns(Output::standard_out);
  print(fmt::format("\n{}",
                    confusion_table(confusion_of(test.labels, predictions, classes), columns)));
  for (int i = 0; i < test.count() && show > 0; ++i) {
    const auto row = static_cast<std::size_t>(i);
    if (test.labels[row] == predictions[row]) continue;
    print(fmt::format("\ntest image {}: label {}, predicted {}\n{}", i, test.labels[row],
                      predictions[row], draw_digit({test.image(i), test.image_pixels()}, columns)));
    --show;
  }
}

/// The data file: --data, otherwise the run folder's, otherwise the default.
std::string data_file(const EvaluateArguments& arguments) {
  if (!arguments.data_file.empty()) return arguments.data_file;
  const std::filesystem::path recipe = std::filesystem::path(arguments.trained) / "config.toml";
  return std::filesystem::exists(recipe) ? load_config(recipe.string(), {}, {}).data.file
                                         : DataConfig{}.file;
}

/// The checkpoint's recipe, for the whole test set of the data file.
Config scoring_config(const Trained& trained, const EvaluateArguments& arguments) {
  Config config = trained.config;
  config.data.file = data_file(arguments);
  if (!std::filesystem::exists(config.data.file))
    throw data_error(fmt::format("no data file {}", config.data.file),
                     "name one with --data, or make it with: " + prepare_command(config.data.file));
  config.data.split.clear();  // this command is about the test set
  return config;
}

/// That of the training. Nothing where an older version did not record it: then that of the data
/// file.
std::optional<Normalisation> recorded_normalisation(const Trained& trained) {
  const bool known = trained.checkpoint.data_sd > 0 || is_mnist(trained.checkpoint.data_hash);
  return known ? std::optional(normalisation_of(trained)) : std::nullopt;
}

ExitCode run(Communicator& comm, const EvaluateArguments& arguments, const Trained& trained,
             const Config& config) {
  const Checkpoint& checkpoint = trained.checkpoint;
  const Session session = make_session(comm, config, arguments.compute, say_fitted,
                                       SessionPurpose::scoring, recorded_normalisation(trained));
  if (session.source.hash != checkpoint.data_hash && comm.rank() == 0)
    say_fitted(fmt::format(
        "note: {}: different data than the run was trained on (got hash {:.12}..., expected "
        "{:.12}...)",
        config.data.file, session.source.hash, checkpoint.data_hash));
  Computation computation(comm, comm, session, config);
  Engine& engine = computation.engine();
  engine.set_evaluation_data(session.data.evaluation);
  engine.load(checkpoint.state);

  const Weights detailed = chosen_weights(trained, arguments.raw_weights);
  std::vector<ClassIndex> predictions;
  std::vector<float> logits;
  std::vector<float>* const wanted = arguments.logits.empty() ? nullptr : &logits;
  const auto score = [&](Weights weights) {
    return weights == detailed ? evaluate(comm, engine, weights, &predictions, wanted)
                               : evaluate(comm, engine, weights);
  };
  const bool averaged = trained.averages();
  const Score raw = score(Weights::raw);
  const Score delivered = averaged ? score(Weights::averaged) : raw;
  std::vector<Images> extra_shares;  // as long as the engine may read them
  std::optional<ExtraScore> extra;
  if (!arguments.extra_test.empty())
    extra = score_extra(comm, engine, config, averaged, arguments.extra_test, extra_shares);
  if (comm.rank() != 0) return ExitCode::ok;
  if (wanted) {
    const std::array shape{static_cast<int>(predictions.size()), config.model.classes};
    write_file_atomically(arguments.logits, npy_file(logits, shape));
  }
  const Dataset dataset(config.data.file);
  const Images test = dataset.test({0, dataset.test_rows()});
  const std::string recipe = recipe_title(trained.config),
                    state = "trained to " + trained.trained_to();
  if (arguments.json) {
    nlohmann::ordered_json json{
        {"model", trained.file.string()},    {"recipe", recipe},
        {"seed", checkpoint.seed},           {"state", state},
        {"data_file", config.data.file},     {"data_hash", session.source.hash},
        {"data", data_name(session.source)}, {"parameters_sha256", trained.sha256(detailed)},
    };
    if (averaged) json["averaged_weights"] = as_json(delivered);
    json["raw_weights"] = as_json(raw);
    if (extra) json["extra_test"] = as_json(*extra, averaged);
    json["confusion"] = confusion_of(test.labels, predictions, config.model.classes);
    json["mistakes"] = mistakes(test, predictions);
    print(json_text(json));
    return ExitCode::ok;
  }
  print(wrapped_fields(fmt::format("{} | seed {} | {} | test set | {}", recipe, checkpoint.seed,
                                   data_title(session.source), state),
                       terminal_columns(Output::standard_out)));
  if (averaged) print_score("averaged weights", delivered);
  print_score(averaged ? "raw weights" : "weights", raw);
  if (extra) print_extra(*extra, averaged);
  print_mistakes(test, predictions, config.model.classes, arguments.show);
  return ExitCode::ok;
}

}  // namespace

Command add_evaluate(CLI::App& app) {
  auto arguments = std::make_shared<EvaluateArguments>();
  auto* name = app.add_option("trained", arguments->trained, trained_help)
                   ->type_name("RUN|CHECKPOINT")
                   ->required();
  app.add_option("--checkpoint", arguments->trained)
      ->group("")  // not in the help
      ->each([name, arguments](const std::string&) {
        if (name->count() > 0) throw usage_error("RUN: given more than once", "give it once");
        arguments->old_name = true;
        name->required(false);
      });
  app.add_option("--data", arguments->data_file,
                 "The prepared data file (default: that of the run folder, or data/mnist.h5)")
      ->type_name("FILE");
  app.add_option("--extra-test", arguments->extra_test,
                 "Also score the test set of this data file, such as QMNIST's")
      ->type_name("FILE");
  app.add_option("--show", arguments->show, "Number of misclassified digits to draw")
      ->type_name("N")
      ->check(CLI::Range(0, 1'000'000))
      ->capture_default_str();
  app.add_option("--logits", arguments->logits,
                 "Also write the logits, [images][classes], as a NumPy file")
      ->type_name("FILE.npy");
  add_raw_weights(app, arguments->raw_weights);
  app.add_flag("--json", arguments->json,
               "Print one JSON object: scores, confusion matrix, every misclassified image");
  add_compute_options(app, arguments->compute);
  return [arguments] {
    if (arguments->old_name && is_first_rank())
      say_fitted("note: --checkpoint is an old name. Write: mnist-dist evaluate " +
                 shell_word(arguments->trained));
    const Trained trained = open_trained_argument(arguments->trained);
    const Config config = scoring_config(trained, *arguments);
    return in_world(config.comm.timeout,
                    [&](Communicator& comm) { return run(comm, *arguments, trained, config); });
  };
}

}  // namespace mnist_dist
