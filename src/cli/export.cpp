#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/nearest.h"
#include "base/printable.h"
#include "base/version.h"
#include "cli/commands.h"
#include "cli/trained_argument.h"
#include "config/recipes.h"
#include "data/data_name.h"
#include "export/model_py.h"
#include "export/npy.h"
#include "export/onnx.h"
#include "export/safetensors.h"
#include "export/torchscript.h"
#include "report/terminal.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;

struct ExportArguments {
  std::string trained, format, out;
  bool raw_weights = false, fold = false;
};

struct Format {
  const char* name;
  const char* extension;
  std::string (*write)(const ExportedModel& model);
};

/// The default first.
constexpr std::array formats{
    Format{"safetensors", ".safetensors",
           [](const ExportedModel& m) { return safetensors_file(state_dict(m), m.metadata); }},
    Format{"onnx", ".onnx", onnx_file},
    Format{"torchscript", ".pt", torchscript_file},
    Format{"npz", ".npz",
           [](const ExportedModel& m) { return npz_file(state_dict(m), m.metadata); }},
};

/// The format of --format, otherwise of the output's extension, otherwise the default.
/// Throws: Error (usage): there is no such format, or the extension is of something else.
const Format& chosen_format(const ExportArguments& arguments) {
  std::vector<std::string> names;
  for (const Format& format : formats) names.emplace_back(format.name);
  if (!arguments.format.empty() && std::ranges::find(names, arguments.format) == names.end())
    throw usage_error(fmt::format("--format: there is no format '{}'", arguments.format),
                      suggest(arguments.format, names));
  if (arguments.out == "-")
    throw usage_error("--out -: export writes files", "name a file, such as model.onnx");
  const std::string extension = fs::path(arguments.out).extension().string();
  const Format* chosen = nullptr;
  for (const Format& format : formats)
    if (arguments.format.empty() ? extension == format.extension : arguments.format == format.name)
      chosen = &format;
  if (!chosen && extension.empty()) chosen = &formats.front();
  if (chosen && (extension.empty() || extension == chosen->extension)) return *chosen;
  std::vector<std::string> extensions;
  for (const Format& format : formats)
    if (!chosen || chosen == &format) extensions.emplace_back(format.extension);
  throw usage_error(chosen ? fmt::format("--out: a file of format {} ends in {} (got '{}')",
                                         chosen->name, chosen->extension, arguments.out)
                           : fmt::format("--out: no format has the extension '{}'", extension),
                    fmt::format("name a file that ends in {}", fmt::join(extensions, ", ")));
}

/// The accuracy that the run's summary states, where it is about these weights.
void add_accuracy(const Trained& trained, const std::string& sha256,
                  std::map<std::string, std::string>& metadata) {
  const fs::path file = trained.file.parent_path() / "summary.json";
  std::error_code error;
  if (!fs::is_regular_file(file, error)) return;
  const auto summary = nlohmann::json::parse(read_text_file(file), nullptr, false);
  if (!summary.contains("parameters_sha256") || summary["parameters_sha256"] != sha256) return;
  for (const char* key : {"final_test_accuracy", "final_validation_accuracy"})
    if (summary.contains(key)) metadata[key] = summary[key].dump();
}

std::map<std::string, std::string> metadata_of(const Trained& trained, Weights weights, bool fold) {
  const Checkpoint& checkpoint = trained.checkpoint;
  const std::string sha256 = trained.sha256(weights);
  std::map<std::string, std::string> metadata{
      {"producer", "mnist-dist"},
      {"version", full_version()},
      {"recipe", recipe_title(trained.config)},
      {"recipe_toml", checkpoint.recipe},
      {"seed", std::to_string(checkpoint.seed)},
      {"data", data_name({.hash = checkpoint.data_hash, .set = checkpoint.data_set})},
      {"data_hash", checkpoint.data_hash},
      {"engine", checkpoint.engine},
      {"weights", weights == Weights::averaged ? "averaged" : "raw"},
      {"parameters_sha256", sha256},
      {"norm", fold ? "folded" : "kept"},
      {"trained", "to " + trained.trained_to()},
  };
  if (!checkpoint.initial_sha256.empty())
    metadata["initial_parameters_sha256"] = checkpoint.initial_sha256;
  add_accuracy(trained, sha256, metadata);
  return metadata;
}

/// A model.py that a user wrote, or that loads other weights than `weights`, stays as it is.
void check_replaceable(const fs::path& file, const std::string& weights) {
  std::error_code error;
  if (!fs::exists(file, error)) return;
  const std::string text = read_text_file(file);
  const bool ours = text.substr(0, text.find('\n')).find(model_py_mark) != std::string::npos;
  if (ours && text.find('"' + weights + '"') != std::string::npos) return;
  throw usage_error(
      fmt::format("{}: already exists, and {}", file.string(),
                  ours ? "belongs to different weights" : "not from mnist-dist export"),
      "give --out in a different folder, or move the file away");
}

ExitCode run(const ExportArguments& arguments) {
  const Format& format = chosen_format(arguments);
  const Trained trained = open_trained_argument(arguments.trained);
  const Weights weights = chosen_weights(trained, arguments.raw_weights);
  ExportedModel model{normalisation_of(trained),
                      operations_of(trained.config.model, trained.parameters(weights),
                                    trained.norm_statistics(weights)),
                      metadata_of(trained, weights, arguments.fold), trained.config.model.side,
                      trained.config.model.classes};
  if (arguments.fold) model.operations = folded(std::move(model.operations));

  const fs::path out = arguments.out.empty()
                           ? trained.file.parent_path() / (std::string("model") + format.extension)
                           : fs::path(arguments.out);
  const bool module = format.name == std::string("safetensors");
  const fs::path python = out.parent_path() / "model.py";
  if (module) check_replaceable(python, out.filename().string());
  std::error_code error;  // if the folder cannot be made, writing the file fails with the reason
  if (out.has_parent_path()) fs::create_directories(out.parent_path(), error);
  write_file_atomically(out, format.write(model));
  print_fitted(fmt::format("{}\n", printable(out.string())));
  if (!module) return ExitCode::ok;
  write_file_atomically(python, model_py(model, out.filename().string()));
  print_fitted(fmt::format("{}\n", printable(python.string())));
  return ExitCode::ok;
}

}  // namespace

Command add_export(CLI::App& app) {
  auto arguments = std::make_shared<ExportArguments>();
  app.add_option("trained", arguments->trained, trained_help)
      ->type_name("RUN|CHECKPOINT")
      ->required();
  app.add_option("--format", arguments->format,
                 "safetensors (with model.py, the network in PyTorch), onnx, torchscript or npz "
                 "(default: the format of --out's extension, otherwise safetensors)")
      ->type_name("F");
  app.add_option("--out", arguments->out, "Output file (default: model.F beside the checkpoint)")
      ->type_name("FILE");
  add_raw_weights(app, arguments->raw_weights);
  app.add_flag("--fold", arguments->fold,
               "Fold batch norm into convolutions where that is exact (docs/export.md)");
  return [arguments] { return run(*arguments); };
}

}  // namespace mnist_dist
