#include "train/provenance.h"

#include "base/provenance.h"
#include "config/recipes.h"

namespace mnist_dist {

Provenance provenance_of(const Config& config, const DataSource& data, const EngineInfo& engine,
                         int threads, const std::string& recipe) {
  return {.recipe = recipe.empty() ? recipe_title(config) : recipe,
          .parameter_count = parameter_count(config.model),
          .epochs = config.train.epochs,
          .validation = !config.data.split.empty(),
          .data = data,
          .engine = engine,
          .threads = threads,
          .host = host_name(),
          .command = command_line(),
          .started = utc_now()};
}

}  // namespace mnist_dist
