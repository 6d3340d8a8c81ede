#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>

#include "base/error.h"
#include "base/json_text.h"
#include "base/printable.h"
#include "base/standard_streams.h"
#include "cli/commands.h"
#include "cli/failure.h"
#include "cli/trained_argument.h"
#include "config/recipes.h"
#include "data/data_name.h"
#include "engine/engine.h"
#include "image/decode.h"
#include "image/digit.h"
#include "report/confusion.h"
#include "report/terminal.h"
#include "report/text_table.h"
#include "train/predictions.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;

constexpr double doubtful = 0.6;  ///< probability below which a warning is due

struct PredictArguments {
  std::string trained;
  std::vector<std::string> images;
  bool raw_weights = false, show = false, json = false;
};

/// The network's result for one image.
struct ImagePrediction {
  std::string file;
  DigitImage digit;
  std::vector<float> logits = {};
  std::vector<double> probabilities = {};
  int first = 0, second = 0;  ///< the most probable classes
  std::vector<std::string> warnings = {};
  std::optional<Error> error = {};  ///< the image cannot be read
};

/// A folder stands for the images in it, by name.
std::vector<fs::path> files_of(const std::vector<std::string>& arguments) {
  std::vector<fs::path> files;
  for (const fs::path argument : arguments) {
    if (!fs::is_directory(argument)) {
      files.push_back(argument);
      continue;
    }
    std::vector<fs::path> inside;
    for (const fs::directory_entry& entry : fs::directory_iterator(argument))
      if (is_image_name(entry.path())) inside.push_back(entry.path());
    if (inside.empty())
      throw data_error(fmt::format("{}: no PNG, JPEG or PGM image found", argument.string()),
                       "give images, or a folder of images");
    std::ranges::sort(inside);
    files.insert(files.end(), inside.begin(), inside.end());
  }
  return files;
}

void add_probabilities(ImagePrediction& prediction) {
  const auto& logits = prediction.logits;
  prediction.probabilities = softmax(logits);
  std::vector<int> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, [&](int a, int b) {
    return logits[static_cast<std::size_t>(a)] > logits[static_cast<std::size_t>(b)];
  });
  prediction.first = order[0];
  prediction.second = order[1];
}

double probability(const ImagePrediction& prediction, int digit) {
  return prediction.probabilities[static_cast<std::size_t>(digit)];
}

/// Whether the training images were made as MNIST's: a drawing in a box of 20x20 pixels.
bool is_like_mnist(const Trained& trained) {
  const std::string& set = trained.checkpoint.data_set;
  return trained.config.model.side == image_side &&
         (set.empty() || set == name_in_checkpoint({.synthetic = true}) || set == "qmnist" ||
          set.starts_with("emnist-"));
}

void classify(const Trained& trained, Weights weights, std::vector<ImagePrediction>& predictions) {
  Images images;
  images.side = trained.config.model.side;
  for (const ImagePrediction& prediction : predictions) {
    if (prediction.error) continue;
    const auto& pixels = prediction.digit.pixels;
    images.pixels.insert(images.pixels.end(), pixels.begin(), pixels.end());
    images.labels.push_back(0);
  }
  EngineOptions options;
  options.config = trained.config;
  options.normalisation = normalisation_of(trained);
  const auto engine = make_engine("fused", options);
  const ImagesView shown = view(images);
  engine->set_evaluation_data({&shown, 1});
  engine->load(trained.checkpoint.state);
  std::vector<float> logits;
  engine->evaluate(weights, nullptr, &logits);
  const auto classes = static_cast<std::ptrdiff_t>(trained.config.model.classes);
  auto first = logits.begin();
  for (ImagePrediction& prediction : predictions) {
    if (prediction.error) continue;
    prediction.logits.assign(first, first + classes);
    first += classes;
    add_probabilities(prediction);
    prediction.warnings = prediction.digit.warnings;
    if (!prediction.digit.empty && probability(prediction, prediction.first) < doubtful)
      prediction.warnings.emplace_back(is_like_mnist(trained)
                                           ? "low probability: is it a digit?"
                                           : "low probability: is it of these classes?");
  }
}

nlohmann::ordered_json as_json(const ImagePrediction& p) {
  nlohmann::ordered_json json{{"file", p.file}};
  if (p.error) {
    json["error"] = p.error->what();
    return json;
  }
  const bool empty = p.digit.empty;
  json["digit"] = empty ? nlohmann::ordered_json() : nlohmann::ordered_json(p.first);
  if (!empty) {
    json["probability"] = probability(p, p.first);
    json["runner_up"] = p.second;
    json["runner_up_probability"] = probability(p, p.second);
    json["probabilities"] = p.probabilities;
    json["logits"] = p.logits;
  }
  json["warnings"] = p.warnings;
  return json;
}

std::string set_of(const Trained& trained) {
  const Checkpoint& checkpoint = trained.checkpoint;
  return data_name({.hash = checkpoint.data_hash, .set = checkpoint.data_set});
}

void print_json(const Trained& trained, Weights weights,
                const std::vector<ImagePrediction>& predictions) {
  nlohmann::ordered_json json{{"model", trained.file.string()},
                              {"recipe", recipe_title(trained.config)},
                              {"data", set_of(trained)},
                              {"parameters_sha256", trained.sha256(weights)},
                              {"images", nlohmann::ordered_json::array()}};
  for (const ImagePrediction& prediction : predictions)
    json["images"].push_back(as_json(prediction));
  print(json_text(json));
}

/// File, class, its probability, the runner-up and that one's.
std::vector<std::string> cells_of(const ImagePrediction& p) {
  if (p.error || p.digit.empty) return {p.file, "-", "", "", ""};
  return {p.file, fmt::format("{}", p.first),
          fmt::format("{:.2f} %", 100 * probability(p, p.first)),
          fmt::format("runner-up {}", p.second),
          fmt::format("{:.2f} %", 100 * probability(p, p.second))};
}

void print_lines(const std::vector<ImagePrediction>& predictions, bool show) {
  const int columns = terminal_columns(Output::standard_out);
  std::vector<TextColumn> layout{{.left = true, .importance = 9, .narrowest = 12},
                                 {.width = 1, .importance = 9},
                                 {.width = 8, .importance = 8},
                                 {.width = 11, .left = true, .importance = 1},
                                 {.width = 7}};
  std::vector<std::vector<std::string>> rows;
  for (const ImagePrediction& p : predictions) {
    rows.push_back(cells_of(p));
    for (std::size_t i = 0; i < layout.size(); ++i)
      layout[i].width = std::max(layout[i].width, characters(printable(rows.back()[i])));
  }
  const TextTable table(layout, columns);
  for (std::size_t i = 0; i < predictions.size(); ++i) {
    const ImagePrediction& p = predictions[i];
    print(table.row(rows[i]));
    if (show && !p.error) print(draw_digit(p.digit.pixels, columns));
    if (p.error) print_error(*p.error);
    for (const std::string& warning : p.warnings)
      say_fitted(fmt::format("warning: {}: {}", p.file, warning));
  }
}

/// One image that cannot be read does not stop the others.
ImagePrediction read_digit(const fs::path& file, const Trained& trained) {
  ImagePrediction prediction;
  prediction.file = file.string();
  try {
    const Picture picture = read_image(file);
    prediction.digit = is_like_mnist(trained) ? digit_of(picture)
                                              : fitted_image(picture, trained.config.model.side);
  } catch (const Error& error) {
    prediction.error = error;
  }
  return prediction;
}

ExitCode run(const PredictArguments& arguments) {
  const Trained trained = open_trained_argument(arguments.trained);
  const Weights weights = chosen_weights(trained, arguments.raw_weights);
  std::vector<ImagePrediction> predictions;
  for (const fs::path& file : files_of(arguments.images))
    predictions.push_back(read_digit(file, trained));
  const auto failed = [](const ImagePrediction& p) { return p.error.has_value(); };
  if (predictions.size() == 1 && failed(predictions[0])) throw Error(*predictions[0].error);
  if (!std::ranges::all_of(predictions, failed)) classify(trained, weights, predictions);
  if (arguments.json)
    print_json(trained, weights, predictions);
  else {
    if (!is_mnist(trained.checkpoint.data_hash))
      say_fitted(fmt::format("trained on {}", set_of(trained)));
    print_lines(predictions, arguments.show);
  }
  const auto first_failed = std::ranges::find_if(predictions, failed);
  return first_failed == predictions.end() ? ExitCode::ok : first_failed->error->code();
}

}  // namespace

Command add_predict(CLI::App& app) {
  auto arguments = std::make_shared<PredictArguments>();
  app.add_option("--model", arguments->trained, trained_help)
      ->type_name("RUN|CHECKPOINT")
      ->required();
  app.add_option("images", arguments->images,
                 "PNG, JPEG or PGM images of one digit each, folders of them, or - for standard "
                 "input")
      ->type_name("IMAGE")
      ->required();
  app.add_flag("--show", arguments->show, "Draw each image as the network sees it");
  app.add_flag("--json", arguments->json, "Print one JSON object instead of lines");
  add_raw_weights(app, arguments->raw_weights);
  return [arguments] { return run(*arguments); };
}

}  // namespace mnist_dist
