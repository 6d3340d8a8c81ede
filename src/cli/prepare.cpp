#include "data/prepare.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/nearest.h"
#include "base/printable.h"
#include "base/standard_streams.h"
#include "cli/commands.h"
#include "data/data_name.h"
#include "data/other_sets.h"
#include "report/terminal.h"

namespace mnist_dist {
namespace {

/// Of more classes than a line has room for.
constexpr std::size_t most_columns = 10;
constexpr int text_column = 10;

void print_extremes(const char* name, int rows, const std::vector<int>& classes) {
  const auto [least, most] = std::ranges::minmax_element(classes);
  print_fitted(fmt::format("{:<10}{:>7}  {} to {} per class (least: {}, most: {})\n", name, rows,
                           *least, *most, least - classes.begin(), most - classes.begin()),
               text_column);
}

/// One aligned row: name, total rows, rows of each digit.
void print_counts(const char* name, int rows, std::span<const int> classes) {
  print(fmt::format("{:<10}{:>7}  ", name, rows));
  for (const int count : classes) print(fmt::format("{:>6}", count));
  print("\n");
}

void print_end(const PrepareResult& result) {
  print_fitted(fmt::format("{:<10}{:.4f}, SD {:.4f} of the training pixels / 255\n", "mean",
                           result.mean, result.sd),
               text_column);
  print_fitted(fmt::format("{:<10}{}\n", "hash", result.hash), text_column);
}

void print_result(const PrepareResult& result) {
  const double megabytes = static_cast<double>(std::filesystem::file_size(result.file)) * 1e-6;
  print_fitted(fmt::format("{:<10}{} ({:.1f} MB, {})\n", "file", printable(result.file.string()),
                           megabytes, result.kept ? "existed, valid: kept" : "written, verified"),
               text_column);
  print_fitted(
      fmt::format("{:<10}{}{}\n", "source", printable(result.source),
                  result.synthetic ? ": not MNIST, results on them are not about MNIST" : ""),
      text_column);
  if (!result.name.empty())
    print_fitted(fmt::format("{:<10}{}: {} classes of {}x{} pixels\n", "set", result.name,
                             result.classes, result.side, result.side),
                 text_column);
  const int columns = terminal_columns(Output::standard_out),
            width = text_column + 9 + 6 * static_cast<int>(result.train_classes.size());
  if (result.train_classes.size() > most_columns || (columns > 0 && width > columns)) {
    print_extremes("training", result.train_rows, result.train_classes);
    print_extremes("test", result.test_rows, result.test_classes);
    return print_end(result);
  }
  print(fmt::format("{:<10}{:>7}  ", "", "rows"));
  for (int digit = 0; digit < result.classes; ++digit)
    print(fmt::format("{:>6}", fmt::format("of {}", digit)));
  print("\n");
  print_counts("training", result.train_rows, result.train_classes);
  print_counts("test", result.test_rows, result.test_classes);
  print_end(result);
}

/// Throws: Error (usage) for sets, names and files that do not go together.
void check_options(const PrepareOptions& options, bool counts_test) {
  const std::vector<std::string>& others = other_set_names();
  const std::string& dataset = options.dataset;
  const bool custom = dataset == "custom", other = dataset != "mnist";
  if (other && std::ranges::find(others, dataset) == others.end()) {
    std::vector<std::string> known(others);
    known.insert(known.begin(), "mnist");
    throw usage_error(fmt::format("--dataset: no data set is called \"{}\"", dataset),
                      suggest(dataset, known));
  }
  if (other && !options.raw)
    throw usage_error(
        fmt::format("--dataset {}: its files are not included in mnist-dist", dataset),
        custom ? "name a folder or a file with --raw" : "name the folder of its files with --raw");
  if (other && options.synthetic)
    throw usage_error(fmt::format("--synthetic: not possible with --dataset {}", dataset),
                      "leave --dataset or --synthetic out");
  if (!custom && !options.name.empty())
    throw usage_error(fmt::format("--name: {} has a name", dataset),
                      "leave --name out, or give --dataset custom");
  if (!options.synthetic && !custom && counts_test)
    throw usage_error(fmt::format("--test-count: {} has test images", dataset),
                      "leave --test-count out");
  if (!custom) return;
  const bool taken = std::ranges::find(others, options.name) != others.end();
  if (!is_set_name(options.name) || taken)
    throw usage_error(
        options.name.empty() ? "--dataset custom: it has no name"
                             : fmt::format("--name: \"{}\" cannot name a custom set", options.name),
        taken ? fmt::format("give a different name, or --dataset {}", options.name)
              : "give --name and up to 40 of a-z, 0-9, '.', '_' and '-', such as --name letters");
}

}  // namespace

Command add_prepare(CLI::App& app) {
  struct Arguments {
    PrepareOptions options;
    std::string raw, out;
    int test_count = 0;
  };
  const auto arguments = std::make_shared<Arguments>();
  PrepareOptions& options = arguments->options;
  constexpr int most_rows = 10'000'000;

  app.footer(
      "The four IDX files, gzipped or not, are searched in --raw if it is given, otherwise in\n"
      "$MNIST_DATA_DIR, data/raw/ and the MNIST that comes with mnist-dist. docs/data.md "
      "describes\n"
      "the other sets and their files.");
  app.add_option("--raw", arguments->raw,
                 "Folder of the set's files. No other folder is searched. For a custom set also a "
                 "CSV, npz or HDF5 file")
      ->type_name("FOLDER")
      ->check([](const std::string& folder) {
        return folder.empty() ? "empty folder name (is a shell variable unset?)" : "";
      });
  app.add_option("--dataset", options.dataset,
                 fmt::format("mnist, {}", fmt::join(other_set_names(), ", ")))
      ->type_name("SET")
      ->capture_default_str();
  app.add_option("--name", options.name, "Name of a custom set, printed in every output")
      ->type_name("NAME");
  app.add_option("--out", arguments->out, "File to write (default: data/SET.h5)")
      ->type_name("FILE");
  auto* synthetic = app.add_flag("--synthetic", options.synthetic, "Draw digits instead, for tests")
                        ->excludes("--raw");
  app.add_option("--count", options.train_count, "Synthetic training images")
      ->type_name("N")
      ->needs(synthetic)
      ->check(CLI::Range(1, most_rows))
      ->capture_default_str();
  app.add_option("--test-count", arguments->test_count,
                 "Synthetic test images (default: a sixth of --count). For a custom set without "
                 "test images, the number of images held out as its test set (default: a seventh)")
      ->type_name("N")
      ->check(CLI::Range(1, most_rows));
  app.add_flag("--force", options.force, "Overwrite an existing file");

  return [arguments] {
    PrepareOptions chosen = arguments->options;
    if (!arguments->raw.empty()) chosen.raw = arguments->raw;
    check_options(chosen, arguments->test_count > 0);
    if (chosen.dataset != "mnist")
      chosen.out =
          fmt::format("data/{}.h5", chosen.dataset == "custom" ? chosen.name : chosen.dataset);
    if (!arguments->out.empty()) chosen.out = arguments->out;
    if (arguments->test_count > 0) chosen.held_out = arguments->test_count;
    chosen.test_count =
        arguments->test_count > 0 ? arguments->test_count : std::max(1, chosen.train_count / 6);
    print_result(prepare(chosen, say_fitted));
    return ExitCode::ok;
  };
}

}  // namespace mnist_dist
