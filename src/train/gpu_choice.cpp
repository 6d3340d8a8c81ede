#include "train/gpu_choice.h"

#include <fmt/format.h>

#include "base/plural.h"
#include "engine/torch_library.h"
#include "train/agreement.h"

namespace mnist_dist {

int choose_gpu(Communicator& world, Communicator& group) {
  const GpuLibrary& library = gpu_library();
  const auto [gpus, why_none] = library.count();
  const int gpu = gpus > 0 ? world.local_rank() % gpus : 0;
  const std::string mine = gpus > 0 ? library.id(gpu) : "";
  std::vector<std::string> chosen;
  for (const auto& id : group.all_gather(std::as_bytes(std::span(mine))))
    chosen.emplace_back(reinterpret_cast<const char*>(id.data()), id.size());
  std::string problem;
  if (gpus == 0)
    problem = "no GPU can be used here: " + why_none;
  else if (const std::string pair = who_shares(chosen); !pair.empty())
    problem = fmt::format(
        "{} of a run have the same GPU: {} ranks on a host, {} GPU{} for this one to choose from",
        pair, world.local_size(), gpus, plural(gpus));
  std::optional<Error> error;
  if (!problem.empty())
    error = device_error(problem,
                         "use one rank per GPU that mnist-dist doctor lists, or --device cpu for "
                         "any number of ranks");
  throw_first(world, error);
  return gpu;
}

std::unique_ptr<Reducer> make_gpu_reducer(Communicator& group, int gpu,
                                          const DeviceCommOptions& options) {
  const auto entry =
      reinterpret_cast<DeviceCommLibraryEntry>(gpu_library_symbol(device_comm_library_entry));
  return entry()(group, gpu, options);
}

std::string who_shares(std::span<const std::string> chosen) {
  for (std::size_t b = 0; b < chosen.size(); ++b)
    for (std::size_t a = 0; a < b; ++a)
      if (!chosen[b].empty() && chosen[a] == chosen[b]) return fmt::format("ranks {} and {}", a, b);
  return "";
}

}  // namespace mnist_dist
