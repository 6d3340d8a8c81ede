#include "train/checkpoint_check.h"

#include <fmt/format.h>

#include "base/error.h"
#include "model/layout.h"

namespace mnist_dist {
namespace {

class Check {
 public:
  explicit Check(const std::filesystem::path& file) : file_(file.string()) {}

  template <class T>
  void range(const char* what, T value, T low, T high) const {
    if (value >= low && value <= high) return;  // a NaN fails
    throw problem(
        fmt::format("its {} does not fit (got {}, expected {} to {})", what, value, low, high));
  }

  void size(const char* what, std::size_t size, std::size_t expected) const {
    if (size == expected) return;
    throw problem(fmt::format("its {} do not fit the recipe (got {} numbers, expected {})", what,
                              size, expected));
  }

 private:
  Error problem(const std::string& text) const {
    return data_error(fmt::format("{} contradicts itself: {}", file_, text),
                      "use an unchanged checkpoint of mnist-dist");
  }

  std::string file_;
};

void check_state(const Check& check, const TrainState& state, const Config& config) {
  const FlatLayout layout = flat_layout(config.model);
  const bool averages = config.average.decay > 0;
  check.size("parameters", state.parameters.size(), layout.parameter_count);
  check.size("norm statistics", state.norm_statistics.size(), layout.norm_count);
  check.size("momentum", state.momentum.size(), layout.parameter_count);
  check.size("averaged parameters", state.average_parameters.size(),
             averages ? layout.parameter_count : 0);
  check.size("averaged norm statistics", state.average_norm_statistics.size(),
             averages ? layout.norm_count : 0);
}

}  // namespace

Config checked_recipe(const Checkpoint& checkpoint, const std::filesystem::path& file) {
  Config config = parse_config(checkpoint.recipe, file.string());
  const Check check(file);
  check_state(check, checkpoint.state, config);

  constexpr double much = 1e15;
  const auto epochs = static_cast<std::int64_t>(config.train.epochs);
  const auto epoch = static_cast<std::int64_t>(checkpoint.epoch);
  const Sums& sums = checkpoint.sums;
  check.range<std::int64_t>("epoch", epoch, 0, epochs);
  check.range<std::int64_t>("step", checkpoint.step, 0, epoch == epochs ? 0 : 1'000'000'000);
  check.range<std::int64_t>("number of updates", checkpoint.state.updates, 0,
                            std::int64_t{1} << 52);
  check.range<std::int64_t>("number of images", sums.images, 0, std::int64_t{1} << 52);
  check.range<std::int64_t>("number of correct images", sums.correct, 0, sums.images);
  check.range("loss", sums.loss, -much, much);
  check.range("time", checkpoint.seconds, 0.0, much);
  check.range("time of the epoch", checkpoint.epoch_seconds, 0.0, much);
  check.range("best accuracy", checkpoint.best.accuracy, -1.0, 100.0);
  check.range<std::int64_t>("best epoch", checkpoint.best.epoch, 0, epoch);
  return config;
}

}  // namespace mnist_dist
