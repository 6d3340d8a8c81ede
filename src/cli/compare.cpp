#include <fmt/format.h>

#include <CLI/App.hpp>
#include <memory>

#include "base/error.h"
#include "base/file.h"
#include "base/printable.h"
#include "base/standard_streams.h"
#include "cli/commands.h"
#include "report/comparison.h"
#include "report/terminal.h"

namespace mnist_dist {
namespace {

struct CompareArguments {
  std::vector<std::string> folders;
  std::string out = "compare.html";
  bool json = false;
};

constexpr std::size_t most_folders = 26;  // labels are letters

ExitCode run(const CompareArguments& arguments) {
  if (arguments.folders.size() < 2 || arguments.folders.size() > most_folders)
    throw usage_error(fmt::format("compare: wrong number of folders (got {}, expected 2 to {})",
                                  arguments.folders.size(), most_folders),
                      "name them as mnist-dist compare A B");
  std::vector<Contestant> contestants;
  for (const std::string& folder : arguments.folders)
    contestants.push_back(read_contestant(
        folder, std::string(1, static_cast<char>('A' + static_cast<int>(contestants.size())))));
  print(arguments.json ? comparison_json(contestants)
                       : comparison_text(contestants, terminal_columns(Output::standard_out)));
  write_file_atomically(arguments.out, comparison_page(contestants));
  if (!arguments.json) print_fitted(fmt::format("page {}\n", printable(arguments.out)));
  return ExitCode::ok;
}

}  // namespace

ExitCode compare(const std::vector<std::string>& folders) { return run({.folders = folders}); }

Command add_compare(CLI::App& app) {
  auto arguments = std::make_shared<CompareArguments>();
  app.add_option("folders", arguments->folders, "Folders of runs or of sweeps")
      ->type_name("DIR")
      ->required();
  app.add_option("--out", arguments->out, "Page to write. It replaces an existing one")
      ->type_name("FILE")
      ->capture_default_str();
  app.add_flag("--json", arguments->json, "Print one JSON object");
  return [arguments] { return run(*arguments); };
}

}  // namespace mnist_dist
