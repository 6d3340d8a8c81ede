#include <fmt/format.h>

#include <CLI/App.hpp>
#include <memory>

#include "base/printable.h"
#include "base/standard_streams.h"
#include "cli/commands.h"
#include "report/run_list.h"
#include "report/terminal.h"

namespace mnist_dist {

Command add_runs(CLI::App& app) {
  struct Arguments {
    std::string folder = "runs";
    bool json = false;
  };
  auto arguments = std::make_shared<Arguments>();
  app.add_option("folder", arguments->folder, "Folder of the runs, or of one")
      ->type_name("DIR")
      ->capture_default_str();
  app.add_flag("--json", arguments->json, "Print one JSON array");
  return [arguments] {
    const auto runs = list_runs(arguments->folder);
    if (runs.empty())
      say_fitted(
          fmt::format("note: {}: no run, sweep or search found", printable(arguments->folder)));
    print(arguments->json ? runs_json(runs)
                          : runs_table(runs, terminal_columns(Output::standard_out)));
    return ExitCode::ok;
  };
}

}  // namespace mnist_dist
