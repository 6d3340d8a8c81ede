#include "report/doctor.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "cli/commands.h"
#include "comm/communicator.h"
#include "config/config.h"
#include "report/terminal.h"

namespace mnist_dist {
namespace {

/// Of several ranks the first speaks for all. What is wrong with the launcher itself is for the findings to say.
bool talks() {
  try {
    return detect_launcher().rank == 0;
  } catch (const Error&) {
    return true;
  }
}

}  // namespace

Command add_doctor(CLI::App& app) {
  struct Options {
    std::string data_file = DataConfig{}.file;
    bool full = false, json = false;
  };
  const auto options = std::make_shared<Options>();
  app.add_option("--data", options->data_file, "The data file to look at")->type_name("FILE")->capture_default_str();
  app.add_flag("--full", options->full, "Also open LibTorch and read all of the data (seconds)");
  app.add_flag("--json", options->json, "Print JSON");
  return [options] {
    if (!talks()) return ExitCode::ok;
    const auto findings = examine({options->data_file, options->full});
    const std::string text = options->json ? doctor_json(findings) : doctor_table(findings, use_color(Output::standard_out));
    std::fwrite(text.data(), 1, text.size(), stdout);
    return doctor_verdict(findings);
  };
}

}  // namespace mnist_dist
