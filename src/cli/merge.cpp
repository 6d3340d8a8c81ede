#include "sweep/merge.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "base/printable.h"
#include "base/provenance.h"
#include "cli/commands.h"
#include "report/sweep_files.h"
#include "report/sweep_verdict.h"
#include "report/terminal.h"
#include "sweep/sweep.h"

namespace mnist_dist {

Command add_merge(CLI::App& app) {
  auto out = std::make_shared<std::string>();
  auto parts = std::make_shared<std::vector<std::string>>();
  app.add_option("out", *out, "Folder of the sweep to make or to extend")
      ->type_name("OUT")
      ->required();
  app.add_option("parts", *parts,
                 "Folders of sweeps of the same recipe, data, arithmetic and target")
      ->type_name("DIR")
      ->required();
  app.footer(
      "Copies the rows, not the runs. A seed that two sweeps have must have the same weights in "
      "both, otherwise the exit code is 1.");
  return [out, parts] {
    merge_sweeps(*out, *parts, command_line());
    const SweepRecord record =
        write_tables_of(*out, [&](const SweepRecord& now) { write_sweep_report(*out, now); });
    print_fitted(fmt::format("{}\n{}\n", printable(headline(record, verdict_of(record))),
                             printable((std::filesystem::path(*out) / "report.html").string())));
    return ExitCode::ok;
  };
}

}  // namespace mnist_dist
