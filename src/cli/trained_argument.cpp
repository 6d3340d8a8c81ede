#include "cli/trained_argument.h"

#include <fmt/format.h>

#include "cli/first_rank.h"
#include "report/terminal.h"

namespace mnist_dist {

Trained open_trained_argument(const std::string& path) {
  Trained trained = open_trained(path);
  if (!trained.fallback.empty() && is_first_rank())
    say_fitted(fmt::format("note: using {}: {}", trained.file.string(), trained.fallback));
  return trained;
}

void add_raw_weights(CLI::App& app, bool& raw) {
  app.add_flag("--raw-weights", raw,
               "Use the weights of the last step instead of the averaged ones");
}

Weights chosen_weights(const Trained& trained, bool raw) {
  return trained.averages() && !raw ? Weights::averaged : Weights::raw;
}

}  // namespace mnist_dist
