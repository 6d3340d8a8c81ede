#include "report/doctor.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>

#include "base/cpus.h"
#include "base/plural.h"
#include "base/standard_streams.h"
#include "cli/commands.h"
#include "cli/range.h"
#include "cli/world.h"
#include "comm/all_reduce_speed.h"
#include "comm/communicator.h"
#include "config/config.h"
#include "report/terminal.h"

namespace mnist_dist {
namespace {

ExitCode run_all_reduce(double seconds) {
  return in_world(CommConfig{}.timeout, [&](Communicator& comm) {
    comm.set_activity("trying the network");
    const AllReduceSpeed speed = measure_all_reduce(comm, seconds);
    if (comm.rank() == 0)
      print_fitted(fmt::format("{} rank{} on {} host{} add {} KB in {:.2f} ms ({} times)\n",
                               speed.ranks, plural(speed.ranks), speed.hosts, plural(speed.hosts),
                               speed.bytes / 1000, speed.median_seconds * 1e3, speed.calls));
    return ExitCode::ok;
  });
}

}  // namespace

Command add_doctor(CLI::App& app) {
  struct Options {
    std::string data_file = DataConfig{}.file;
    bool full = false, json = false, cores = false;
    std::optional<double> all_reduce;
  };
  const auto options = std::make_shared<Options>();
  app.add_option("--data", options->data_file, "Data file to check")
      ->type_name("FILE")
      ->capture_default_str();
  app.add_flag(
      "--full", options->full,
      "Also load LibTorch, check its code for the GPUs, and read all of the data, which takes "
      "seconds");
  app.add_flag("--json", options->json, "Print one JSON object");
  app.add_flag("--cores", options->cores,
               "Only print the number of cores that this process may use");
  app.add_option(
         "--all-reduce", options->all_reduce,
         "Only add vectors over all ranks for this time, to check their connections and speed")
      ->type_name("SECONDS")
      ->check(real_range(0, 60));
  return [options] {
    if (options->all_reduce) return run_all_reduce(*options->all_reduce);
    if (options->cores) {
      print(fmt::format("{}\n", usable_core_count()));
      return ExitCode::ok;
    }
    const auto findings = examine({options->data_file, options->full});
    if (options->json)
      print(doctor_json(findings));
    else
      print_styled(doctor_table(findings, use_color(Output::standard_out),
                                terminal_columns(Output::standard_out)));
    return doctor_verdict(findings);
  };
}

}  // namespace mnist_dist
