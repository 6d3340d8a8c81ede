#include "cli/compute_options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>

#include "base/error.h"
#include "base/shell_word.h"
#include "engine/registry.h"

namespace mnist_dist {

namespace {

/// For CLI11. Throws: Error (usage) for the names that other programs have for devices.
std::string check_device(const std::string& device) {
  if (device == "auto" || device == "cpu" || device == "cuda") return "";
  const std::size_t colon = device.find(':');
  const std::string kind = device.substr(0, colon);
  std::string hint = "write it as --device auto, --device cpu or --device cuda";
  if (!built_for_gpus() && kind != "cpu")
    hint = "leave --device out, or build for GPUs with launch/local.sh --cuda";
  if (built_for_gpus() && (kind == "cuda" || kind == "gpu"))
    hint =
        colon == std::string::npos
            ? "write it as --device cuda"
            : "choose the card with CUDA_VISIBLE_DEVICES=" + shell_word(device.substr(colon + 1)) +
                  " and --device cuda";
  throw usage_error(fmt::format("--device {}: no such device (expected auto, cpu or cuda)", device),
                    hint);
}

}  // namespace

void add_compute_options(CLI::App& app, ComputeOptions& options) {
  const std::string choice =
      built_for_gpus() ? "torch-cuda where there is a GPU, else fused" : engine_names().front();
  app.add_option("--engine", options.engine,
                 fmt::format("Engine: {} (default: {})", fmt::join(engine_names(), ", "), choice))
      ->type_name("NAME");
  app.add_option("--device", options.device, "Device")
      ->type_name("D:{auto,cpu,cuda}")
      ->check(check_device)
      ->capture_default_str();
  app.add_option("--simd", options.simd, "Force a SIMD target (see doctor)")->type_name("TARGET");
  app.add_option("--threads", options.threads,
                 "Threads per rank (default: all cores with one process, otherwise 1)")
      ->type_name("N")
      ->check(CLI::Range(1, thread_limit));
  if (!built_for_gpus()) return;
  app.add_option("--comm", options.comm.transport,
                 "Transport between GPUs (auto: NCCL with several ranks)")
      ->type_name("C")
      ->check(CLI::IsMember({"auto", "nccl", "mpi"}))
      ->capture_default_str();
  app.add_option(
         "--reduce", options.comm.reduce,
         "Sums over GPUs: exact (the same bits for any number of ranks) or fast (NCCL's own order)")
      ->type_name("R")
      ->check(CLI::IsMember({"exact", "fast"}))
      ->capture_default_str();
  app.add_flag(
      "!--no-graph", options.replay,
      "On a GPU: enqueue the parts of each step again, instead of replaying a recorded step");
  app.add_flag(
      "--per-slice", options.per_slice,
      "On a GPU: compute each slice by itself. Slower, but the same bits for any number of ranks");
}

}  // namespace mnist_dist
