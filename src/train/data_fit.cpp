#include "train/data_fit.h"

#include <fmt/format.h>

#include <filesystem>
#include <optional>

#include "base/error.h"
#include "config/check.h"
#include "data/dataset.h"

namespace mnist_dist {
namespace {

struct Shape {
  int side, classes;
};

std::optional<Shape> shape_of(const std::filesystem::path& file) {
  std::error_code unknown;
  if (!std::filesystem::exists(file, unknown)) return std::nullopt;
  try {
    const Dataset dataset(file);
    return Shape{dataset.side(), dataset.classes()};
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace

void fit_to_data(Config& config) {
  ModelSpec& model = config.model;
  const std::optional<Shape> data = shape_of(config.data.file);
  if (!data) return fit_model(model, model.side, model.classes);
  const auto reject = [&](const char* key, int stated, const std::string& found) {
    throw usage_error(
        fmt::format("model.{} = {}, but {} has {}", key, stated, config.data.file, found),
        fmt::format("remove model.{} from the recipe, or name other data with --set data.file=FILE",
                    key));
  };
  if (model.side != image_side && model.side != data->side)
    reject("side", model.side, fmt::format("images of {0}x{0} pixels", data->side));
  if (model.classes != class_count && model.classes != data->classes)
    reject("classes", model.classes, fmt::format("{} classes", data->classes));
  fit_model(model, data->side, data->classes);
  check_config(config);
}

void check_data_shape(const ModelSpec& model, const Dataset& dataset, const std::string& what,
                      const std::string& hint) {
  if (dataset.side() != model.side || dataset.classes() != model.classes)
    throw usage_error(
        fmt::format("{}: wrong shape (got {} classes of {}x{} pixels, expected {} of {}x{})", what,
                    dataset.classes(), dataset.side(), dataset.side(), model.classes, model.side,
                    model.side),
        hint);
}

}  // namespace mnist_dist
