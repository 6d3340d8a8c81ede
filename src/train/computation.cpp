#include "train/computation.h"

#include <fmt/format.h>

#include "engine/fused/fused_engine.h"
#include "engine/registry.h"
#include "train/agreement.h"
#include "train/gpu_choice.h"

namespace mnist_dist {
namespace {

/// Everything else that decides the engine's bits. Libraries are in it when the engine uses them:
/// LibTorch's BLAS takes other kernels on a different CPU, and its version text names them.
void check_same_engine(Communicator& world, const EngineInfo& info) {
  Facts facts{{"the device", info.device}};
  if (info.arithmetic.empty()) facts.emplace_back("the SIMD target", info.simd);
  for (const auto& [name, value] : info.versions)
    facts.emplace_back("the version of " + name, value);
  check_agreement(
      world, facts,
      info.device == "cpu"
          ? "use hosts with the same libraries and CPUs (or set the same ATEN_CPU_CAPABILITY and "
            "OPENBLAS_CORETYPE on all), or --engine fused, which needs neither"
          : "use hosts with the same libraries and GPUs of one type");
}

/// EngineInfo and the options that change bits, one per line. Older checkpoints have the first line
/// alone.
std::string computed_by_text(const EngineInfo& info, const ComputeOptions& compute, int ranks) {
  std::string text =
      fmt::format("{} ({})", info.name, info.arithmetic.empty() ? info.simd : info.arithmetic);
  for (const auto& [name, value] : info.versions) text += fmt::format("\n{} {}", name, value);
  if (!runs_on_gpu(info.name)) return text;
  text += fmt::format("\ndevice {}", info.device);
  text += compute.per_slice ? "\neach slice by itself"
                            : fmt::format("\nthe batches of {} ranks", ranks);
  text += compute.comm.reduce == "fast" && ranks > 1
              ? fmt::format("\nfast sums over {} ranks", ranks)
              : "\nexact sums";
  return text;
}

}  // namespace

Computation::Computation(Communicator& world, Communicator& group, const Session& session,
                         const Config& config)
    : group_(group), name_(session.engine) {
  const ComputeOptions& compute = session.compute;
  DeviceCommOptions comm = compute.comm;
  comm.timeout = config.comm.timeout;
  options_.config = config;
  options_.normalisation = session.normalisation;
  options_.threads = session.threads;
  options_.simd = compute.simd;
  options_.gpu = session.gpu;
  options_.replay = compute.replay;
  options_.per_slice = compute.per_slice;
  options_.recorded_reduce = reduces_on_device(group, comm);
  options_.while_waiting = [this](double seconds) {
    if (on_gpu_) on_gpu_->watch(seconds);
  };
  engine_ = make_engine(name_, options_);
  info_ = engine_->info();
  check_same_engine(world, info_);
  computed_by_ = computed_by_text(info_, compute, group.size());
  if (runs_on_gpu(name_)) on_gpu_ = make_gpu_reducer(group, session.gpu, comm);
}

std::unique_ptr<Engine> Computation::engine_for_seed(std::uint64_t seed) const {
  EngineOptions options = options_;
  options.config.train.seed = seed;
  return make_engine(name_, options);
}

bool computes_the_same(const std::string& recorded, const std::string& now) {
  const std::string was =
      recorded == "fused (avx512)" ? fmt::format("fused ({})", fused_arithmetic) : recorded;
  return was == now || now.starts_with(was + '\n');
}

}  // namespace mnist_dist
