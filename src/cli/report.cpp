#include <fmt/format.h>

#include <CLI/App.hpp>
#include <filesystem>
#include <memory>

#include "base/file.h"
#include "base/printable.h"
#include "cli/commands.h"
#include "report/run_page.h"
#include "report/search_page.h"
#include "report/sweep_console.h"
#include "report/sweep_files.h"
#include "report/terminal.h"
#include "sweep/sweep.h"

namespace mnist_dist {

Command add_report(CLI::App& app) {
  auto folder = std::make_shared<std::string>();
  app.add_option("folder", *folder, "Folder of a run, a sweep or a search")
      ->type_name("DIR")
      ->required();
  return [folder] {
    const std::filesystem::path path = *folder;
    remove_leftovers_beside(path / "report.html");
    if (std::filesystem::exists(path / "sweep.json")) {
      check_tables(path);
      const SweepRecord record =
          write_tables_of(path, [&](const SweepRecord& now) { write_sweep_report(path, now); });
      print_headline(record, verdict_of(record));
    } else if (is_search(path)) {
      write_file_atomically(path / "report.html", search_page(read_search(path)));
    } else {
      write_file_atomically(path / "report.html", run_page(path));
    }
    print_fitted(fmt::format("{}\n", printable((path / "report.html").string())));
    return ExitCode::ok;
  };
}

}  // namespace mnist_dist
