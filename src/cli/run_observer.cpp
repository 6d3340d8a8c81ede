#include "cli/run_observer.h"

#include "cli/command_line.h"
#include "config/recipes.h"

namespace mnist_dist {

MakeObserver run_files(RunOutputs outputs, const std::string& recipe) {
  return [outputs, recipe](const std::filesystem::path& folder, const Config& config,
                           const Session& session, int first_epoch) {
    RunIdentity identity{recipe.empty() ? recipe_title(config) : recipe,
                         config.train.seed,
                         parameter_count(config.model),
                         config.data.file,
                         session.data_hash,
                         session.data_set,
                         session.synthetic,
                         command_line(),
                         config.model.classes,
                         settings_of(config)};
    return std::make_unique<RunFiles>(folder, std::move(identity), first_epoch, outputs);
  };
}

}  // namespace mnist_dist
