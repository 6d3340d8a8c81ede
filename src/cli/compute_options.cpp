#include "cli/compute_options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>

#include "engine/registry.h"

namespace mnist_dist {

void add_compute_options(CLI::App& app, ComputeOptions& options) {
  app.add_option("--engine", options.engine, fmt::format("What computes: {} (default: the first)", fmt::join(engine_names(), ", ")))
      ->type_name("NAME");
  app.add_option("--device", options.device, "Where: auto, cpu or cuda")
      ->type_name("D")
      ->check(CLI::IsMember({"auto", "cpu", "cuda"}))
      ->capture_default_str();
  app.add_option("--simd", options.simd, "Force a SIMD target (see doctor)")->type_name("TARGET");
  app.add_option("--threads", options.threads, "Threads a rank (default: all cores for a single process, else 1)")
      ->type_name("N")
      ->check(CLI::Range(1, 1024));
}

}  // namespace mnist_dist
