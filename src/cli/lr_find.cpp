#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>

#include "base/file.h"
#include "base/printable.h"
#include "cli/commands.h"
#include "cli/compute_options.h"
#include "cli/config_options.h"
#include "cli/range.h"
#include "cli/world.h"
#include "comm/on_root.h"
#include "data/data_name.h"
#include "report/rate_chart.h"
#include "report/terminal.h"
#include "train/computation.h"
#include "train/rate_range.h"

namespace mnist_dist {
namespace {

struct FindArguments {
  ConfigOptions config;
  ComputeOptions compute;
  double low = 1e-4, high = 10;
  int steps = 400;
  std::string out;
};

ExitCode run(Communicator& comm, const FindArguments& arguments, const Config& config) {
  run_on_root(comm, [&] { make_folders(std::filesystem::path(arguments.out).parent_path()); });
  const Session session = make_session(comm, config, arguments.compute, say_fitted);
  Computation computation(comm, comm, session, config);
  const std::vector<RatePoint> points =
      rate_range(computation.reducer(), computation.engine(), config, session.data, arguments.low,
                 arguments.high, arguments.steps);
  if (comm.rank() != 0) return ExitCode::ok;
  if (points.empty())
    throw Error(ExitCode::diverged,
                fmt::format("the loss is not finite at the first rate, {}", arguments.low),
                "give a lower rate with --low");
  const bool has_warmup = config.schedule.warmup > 0;
  const std::optional<double> suggested = suggested_rate(points, has_warmup);
  const int columns = terminal_columns(Output::standard_out);
  print_fitted(fmt::format("{} | {} | seed {} | {} steps, learning rate {:.2g} to {:.2g}\n\n{}\n",
                           arguments.config.title(config), printable(data_title(session.source)),
                           config.train.seed, points.size(), points.front().rate,
                           points.back().rate,
                           rate_text(points, columns > 0 ? std::min(columns, 80) : 80)));
  if (suggested)
    print_fitted(
        fmt::format("lowest loss at {:.2g}\nsuggested {}:\n--set optimizer.learning_rate={:.2g}\n",
                    std::ranges::min_element(points, {}, &RatePoint::loss)->rate,
                    has_warmup ? "peak after the warm-up, a quarter of that"
                               : "rate without a warm-up, a tenth of that",
                    *suggested));
  else
    print_fitted(
        "no rate to suggest: the loss did not fall and rise again\n"
        "give more --steps, or a higher --high\n");
  if (arguments.out.empty()) return ExitCode::ok;
  write_file_atomically(arguments.out, rate_svg(fmt::format("learning rate range test: {}, {}",
                                                            arguments.config.title(config),
                                                            data_name(session.source)),
                                                points, suggested));
  print_fitted(fmt::format("{}\n", printable(arguments.out)));
  return ExitCode::ok;
}

}  // namespace

Command add_lr_find(CLI::App& app) {
  auto arguments = std::make_shared<FindArguments>();
  add_config_options(app, arguments->config);
  app.add_option("--low", arguments->low, "First learning rate")
      ->type_name("RATE")
      ->check(real_range(1e-9, 1e3))
      ->capture_default_str();
  app.add_option("--high", arguments->high, "Last learning rate")
      ->type_name("RATE")
      ->check(real_range(1e-9, 1e3))
      ->capture_default_str();
  app.add_option("--steps", arguments->steps, "Number of steps, at most one epoch")
      ->type_name("N")
      ->check(CLI::Range(2, 100'000))
      ->capture_default_str();
  app.add_option("--out", arguments->out, "Also write the curve as an SVG file")->type_name("FILE");
  add_compute_options(app, arguments->compute);
  return [arguments] {
    if (arguments->low >= arguments->high)
      throw usage_error(fmt::format("--low: not below --high (got {}, expected less than {})",
                                    arguments->low, arguments->high),
                        "give a lower --low or a higher --high");
    const Config config = arguments->config.load();
    return in_world(config.comm.timeout,
                    [&](Communicator& comm) { return run(comm, *arguments, config); });
  };
}

}  // namespace mnist_dist
