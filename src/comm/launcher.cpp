#include <fmt/format.h>

#include <cstdlib>
#include <optional>
#include <string_view>

#include "base/parse_number.h"
#include "comm/communicator.h"

namespace mnist_dist {
namespace {

/// The number in an environment variable, if it is set.
std::optional<int> number(const char* name) {
  const char* text = std::getenv(name);
  if (!text) return std::nullopt;
  const auto value = parse_number<int>(text);
  if (!value || *value < 0)
    throw device_error(fmt::format("{}: wrong value (got \"{}\", expected a number)", name, text),
                       fmt::format("unset {} to run as one process", name));
  return value;
}

/// Of ranks that have PMIx: Slurm calls their group "slurm.pmix.JOB.STEP".
bool started_by_srun() {
  const char* group = std::getenv("PMIX_NAMESPACE");
  return group && std::string_view(group).starts_with("slurm.");
}

}  // namespace

Launcher detect_launcher() {
  if (const auto size = number("OMPI_COMM_WORLD_SIZE"))
    return {true, number("OMPI_COMM_WORLD_RANK").value_or(0), *size, "Open MPI"};
  // PMIx sends the number of ranks over its socket only. Slurm's is that of the job when another
  // launcher (prterun) starts the ranks in it.
  if (const auto rank = number("PMIX_RANK"))
    return {true, *rank, started_by_srun() ? number("SLURM_NTASKS").value_or(0) : 0, "PMIx"};
  if (const auto rank = number("PMI_RANK"))
    return {true, *rank, number("PMI_SIZE").value_or(0), "PMI"};
  // MPIs whose launcher gives a rank neither: MVAPICH, and MPICH or Intel MPI where PMI is off.
  for (const char* name : {"MV2_COMM_WORLD_SIZE", "MPI_LOCALNRANKS"})
    if (const auto size = number(name); size.value_or(1) > 1)
      throw device_error(
          fmt::format("a different MPI started {} ranks ({}). Each rank would train separately",
                      *size, name),
          "start with the mpirun of the MPI this program is linked to (launch/local.sh finds it)");
  // Only srun sets this one. A batch script, which Slurm runs once, has SLURM_NTASKS too.
  if (const auto step_tasks = number("SLURM_STEP_NUM_TASKS"); step_tasks.value_or(1) > 1)
    throw device_error(
        fmt::format(
            "Slurm runs {} tasks but gives them neither PMIx nor PMI. Each task would train "
            "separately",
            *step_tasks),
        "start them with srun --mpi=pmix, or with mpirun inside the allocation");
  return {};
}

}  // namespace mnist_dist
