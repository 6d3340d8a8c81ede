#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "base/cpus.h"
#include "base/json_text.h"
#include "base/median.h"
#include "base/plural.h"
#include "base/standard_streams.h"
#include "cli/commands.h"
#include "cli/compute_options.h"
#include "cli/config_options.h"
#include "cli/range.h"
#include "engine/bench/engine_loop.h"
#include "engine/bench/pinning.h"
#include "engine/bench/pytorch_peer.h"
#include "engine/bench/rounds.h"
#include "engine/fused/fused_engine.h"
#include "engine/fused/profile.h"
#include "engine/registry.h"
#include "engine/torch_library.h"
#include "report/bench_table.h"
#include "report/fused_table.h"
#include "report/terminal.h"
#include "train/gpu_choice.h"

namespace mnist_dist {
namespace {

struct BenchArguments {
  ConfigOptions config;
  std::vector<std::string> engines;
  RoundsOptions rounds;
  int threads = 2;
  bool pytorch = false, json = false, quiet = false;
};

constexpr int profiled_slices = 100;
constexpr int gpu_epoch_steps =
    512;  ///< an epoch's beginning stops a GPU, so that it must not come more often than in a run
constexpr int gpu_first_steps = 8;  ///< in which libraries prepare themselves and a step is
                                    ///< recorded: no measure of how many a round takes

constexpr char plain_loop[] = "plain LibTorch loop";

/// An engine alone on a GPU: its vectors are added on the GPU, too.
std::unique_ptr<TrainingLoop> make_gpu_loop(const std::string& name, const Config& config,
                                            bool replay) {
  EngineOptions options;
  options.config = config;
  options.replay = replay;
  auto engine = make_engine(name, options);
  const std::shared_ptr<Communicator> single = make_single();
  const std::shared_ptr<Reducer> sums = make_gpu_reducer(*single, engine->queue().device, {});
  auto loop = make_engine_loop(
      std::move(engine), config, gpu_epoch_steps,
      [single, sums, shards = config.data.shards](const ShardVectors& vectors,
                                                  std::span<float> total, const Queue& queue) {
        sums->tree_all_reduce(vectors, shards, total, queue);
      });
  loop->train(gpu_first_steps * config.train.batch);
  return loop;
}

/// The plain loop, then all engines, each on one thread and on several. Without --engine one that
/// cannot be opened here is left out.
std::vector<Contender> make_contenders(const BenchArguments& arguments, const Config& config,
                                       std::span<const int> cores) {
  std::vector<Contender> contenders;
  const auto try_to = [](bool asked_for, const auto& add) {
    try {
      add();
    } catch (const Error& error) {
      if (asked_for || error.code() != ExitCode::device) throw;
      say_fitted(fmt::format("left out: {}", error.what()));
    }
  };
  for (const std::string& name : arguments.engines.empty() ? engine_names() : arguments.engines)
    try_to(!arguments.engines.empty(), [&] {
      if (runs_on_gpu(name)) {
        contenders.push_back(
            {.name = name, .loop = make_gpu_loop(name, config, true), .on_gpu = true});
        contenders.push_back({.name = name + ", no graph",
                              .loop = make_gpu_loop(name, config, false),
                              .on_gpu = true});
        return;
      }
      for (const int threads : std::set{1, static_cast<int>(cores.size())}) {
        EngineOptions options{.config = config,
                              .normalisation = {},
                              .threads = threads,
                              .simd = name == "fused" ? arguments.rounds.simd : ""};
        // An engine's own threads stay where they were made: on the cores beside the one this
        // thread trains on.
        if (threads > 1) pin_thread(cores.subspan(1));
        auto engine = make_engine(name, options);
        pin_thread(cores.first(1));
        contenders.push_back({name, options.threads, make_engine_loop(std::move(engine), config)});
      }
    });
  try_to(false, [&] {
    auto loop = torch_library().make_plain_loop(config.model, config.optimizer,
                                                config.train.batch / config.data.shards);
    contenders.insert(contenders.begin(), Contender{plain_loop, 1, std::move(loop)});
  });
  if (arguments.pytorch) {
    pin_thread(cores.first(1));  // the child inherits it
    const auto add_pytorch = [&](bool on_gpu) {
      PytorchPeer peer = start_pytorch_peer(config, on_gpu ? "cuda" : "cpu");
      contenders.push_back({.name = "PyTorch " + peer.version + (on_gpu ? " on GPU" : ""),
                            .loop = std::move(peer.loop),
                            .on_gpu = on_gpu});
    };
    const bool gpu = std::ranges::any_of(contenders, &Contender::on_gpu);
    add_pytorch(false);
    if (gpu) add_pytorch(true);
  }
  return contenders;
}

nlohmann::ordered_json as_json(const Contender& contender) {
  const auto speed = [](const std::vector<double>& rates) {
    return nlohmann::ordered_json{{"median", median(rates)}, {"rounds", rates}};
  };
  return {{"name", contender.name},
          {"threads", contender.threads},
          {"trained_images_per_second", speed(contender.trained_per_second)},
          {"evaluated_images_per_second", speed(contender.evaluated_per_second)}};
}

void print_json(const BenchArguments& arguments, const Config& config, const FmaPeak& peak,
                const std::vector<Contender>& contenders) {
  nlohmann::ordered_json json{{"recipe", arguments.config.title(config)},
                              {"batch", config.train.batch},
                              {"slice", config.train.batch / config.data.shards},
                              {"cores", arguments.rounds.cores},
                              {"fma_peak_gflops", peak.gflops},
                              {"fma_peak_simd", peak.simd},
                              {"contenders", nlohmann::ordered_json::array()}};
  for (const Contender& contender : contenders) json["contenders"].push_back(as_json(contender));
  print(json_text(json));
}

ExitCode run(BenchArguments& arguments) {
  const Config config = arguments.config.load(Shape::of_recipe);
  if (!arguments.rounds.simd.empty())
    choose_fused_target(arguments.rounds.simd);  // rejected before anything is measured
  std::vector<int>& cores = arguments.rounds.cores;
  cores = usable_cores();
  const auto threads = static_cast<std::size_t>(arguments.threads);
  if (cores.size() < threads)
    say_fitted(fmt::format("only {} core{} here: no figures for {} threads", cores.size(),
                           plural(cores.size()), threads));
  cores.resize(cores.size() < threads ? 1 : threads);

  std::vector<Contender> contenders = make_contenders(arguments, config, cores);
  const auto progress = [&](const std::string& line) {
    if (!arguments.quiet) say_fitted(line);
  };
  const FmaPeak peak = run_rounds(contenders, arguments.rounds, progress);
  if (arguments.json) {
    print_json(arguments, config, peak, contenders);
    return ExitCode::ok;
  }
  const bool plain = !contenders.empty() && contenders[0].name == plain_loop;
  const int columns = terminal_columns(Output::standard_out);
  print_fitted(fmt::format(
      "{}: training, batch {} in slices of {}, SYNTHETIC digits in memory\naugmentation and "
      "optimiser included (the plain loop: no augmentation, one optimiser step per slice)\nCPU {} "
      "(FMA peak of one core, {}: {:.1f} GFLOP/s), medians of {} alternating rounds\n\n{}",
      arguments.config.title(config), config.train.batch, config.train.batch / config.data.shards,
      fmt::join(cores, ", "), peak.simd, peak.gflops, arguments.rounds.rounds,
      bench_table(contenders, &Contender::trained_per_second, plain ? 0 : -1, peak,
                  training_flops(config.model), columns)));
  print(fmt::format("\nevaluation\n{}",
                    bench_table(contenders, &Contender::evaluated_per_second, plain ? 0 : -1, peak,
                                evaluation_flops(config.model), columns)));
  const auto fused = std::ranges::find(contenders, "fused", &Contender::name);
  if (fused != contenders.end())
    print(fmt::format(
        "\n{}", fused_table(config.model,
                            fused::profile_step(config, arguments.rounds.simd, profiled_slices),
                            config.train.batch / config.data.shards, peak, columns)));
  return ExitCode::ok;
}

}  // namespace

Command add_bench(CLI::App& app) {
  auto arguments = std::make_shared<BenchArguments>();
  add_config_options(app, arguments->config);
  app.add_option(
         "--engine", arguments->engines,
         fmt::format("Engine to measure, may be repeated: {}", fmt::join(engine_names(), ", ")))
      ->type_name("NAME");
  app.add_flag("--pytorch", arguments->pytorch,
               "Also time the same model in python3's PyTorch, eager, without augmentation");
  app.add_option(
         "--simd", arguments->rounds.simd,
         "Force a SIMD target of the fused engine (see doctor). It does not affect LibTorch and "
         "PyTorch")
      ->type_name("TARGET");
  app.add_option(
         "--threads", arguments->threads,
         "Also measure each engine on this number of threads, one per core (1 disables this)")
      ->type_name("N")
      ->check(CLI::Range(1, thread_limit))
      ->capture_default_str();
  app.add_option("--rounds", arguments->rounds.rounds,
                 "Rounds. In each one, every contender has a turn")
      ->type_name("N")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--seconds", arguments->rounds.seconds, "Length of a turn")
      ->type_name("S")
      ->check(real_range(0.01, 60))
      ->capture_default_str();
  app.add_flag("--json", arguments->json, "Print one JSON object instead of tables");
  app.add_flag("--quiet", arguments->quiet, "Print no progress");
  return [arguments] { return run(*arguments); };
}

}  // namespace mnist_dist
