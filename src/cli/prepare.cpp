#include "data/prepare.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <span>
#include <string>

#include "base/standard_streams.h"
#include "cli/commands.h"
#include "cli/first_rank.h"

namespace mnist_dist {
namespace {

/// One aligned row: name, rows in all, rows of each digit.
void print_counts(const char* name, int rows, std::span<const int> classes) {
  print(fmt::format("{:<10}{:>7}  ", name, rows));
  for (const int count : classes) print(fmt::format("{:>6}", count));
  print("\n");
}

void print_result(const PrepareResult& result) {
  const double megabytes = static_cast<double>(std::filesystem::file_size(result.file)) * 1e-6;
  print(fmt::format("{:<10}{} ({:.1f} MB, {})\n", "file", result.file.string(), megabytes,
                    result.kept ? "was there, valid: kept" : "written, verified"));
  print(fmt::format("{:<10}{}{}\n", "source", result.source,
                    result.synthetic ? ": not MNIST, results on them say nothing about it" : ""));
  print(fmt::format("{:<10}{:>7}  ", "", "rows"));
  for (int digit = 0; digit < class_count; ++digit)
    print(fmt::format("{:>6}", fmt::format("of {}", digit)));
  print("\n");
  print_counts("training", result.train_rows, result.train_classes);
  print_counts("test", result.test_rows, result.test_classes);
  print(fmt::format("{:<10}{:.4f}, SD {:.4f} of the training pixels / 255\n", "mean", result.mean,
                    result.sd));
  print(fmt::format("{:<10}{}\n", "hash", result.hash));
}

}  // namespace

Command add_prepare(CLI::App& app) {
  struct Arguments {
    PrepareOptions options;
    std::string raw;
    int test_count = 0;
  };
  const auto arguments = std::make_shared<Arguments>();
  PrepareOptions& options = arguments->options;
  constexpr int most_rows = 10'000'000;

  app.footer(
      "The four IDX files, gzipped or not, are searched in --raw if it is given, otherwise in\n"
      "$MNIST_DATA_DIR, data/raw/ and the MNIST that comes with mnist-dist.");
  app.add_option("--raw", arguments->raw, "Folder of the four IDX files; no other folder is searched")->type_name("FOLDER");
  app.add_option("--out", options.out, "The file to write")->type_name("FILE")->capture_default_str();
  auto* synthetic = app.add_flag("--synthetic", options.synthetic, "Draw digits instead, for tests")->excludes("--raw");
  app.add_option("--count", options.train_count, "Synthetic training images")
      ->type_name("N")
      ->needs(synthetic)
      ->check(CLI::Range(1, most_rows))
      ->capture_default_str();
  app.add_option("--test-count", arguments->test_count, "Synthetic test images; a sixth of --count unless given")
      ->type_name("N")
      ->needs(synthetic)
      ->check(CLI::Range(1, most_rows));
  app.add_flag("--force", options.force, "Write the file again although it is there");

  return [arguments] {
    if (!is_first_rank()) return ExitCode::ok;
    PrepareOptions chosen = arguments->options;
    if (!arguments->raw.empty()) chosen.raw = arguments->raw;
    chosen.test_count = arguments->test_count > 0 ? arguments->test_count : std::max(1, chosen.train_count / 6);
    print_result(prepare(chosen, say_line));
    return ExitCode::ok;
  };
}

}  // namespace mnist_dist
