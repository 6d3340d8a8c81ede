#include "model/summary.h"

#include <memory>

#include "base/standard_streams.h"
#include "cli/commands.h"
#include "cli/config_options.h"
#include "cli/first_rank.h"

namespace mnist_dist {

Command add_summary(CLI::App& app) {
  auto options = std::make_shared<ConfigOptions>();
  add_config_options(app, *options);
  return [options] {
    const Config config = options->load();
    if (!is_first_rank()) return ExitCode::ok;
    print(config.name + "\n" + summary_table(config.model));
    return ExitCode::ok;
  };
}

}  // namespace mnist_dist
