#include "cli/run_observer.h"

#include "cli/command_line.h"
#include "report/run_files.h"

namespace mnist_dist {

std::unique_ptr<Observer> make_run_files(const std::filesystem::path& folder, const Config& config, const Session& session, int first_epoch) {
  const RunIdentity identity{config.name,       config.train.seed, parameter_count(config.model), config.data.file, session.data_hash,
                             session.synthetic, command_line()};
  return std::make_unique<RunFiles>(folder, identity, first_epoch);
}

}  // namespace mnist_dist
