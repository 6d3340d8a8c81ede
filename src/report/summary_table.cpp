#include "report/summary_table.h"

#include <fmt/format.h>

#include "base/grouped.h"
#include "model/summary.h"
#include "report/text_table.h"

namespace mnist_dist {

std::string summary_table(const ModelSpec& model, int columns) {
  const std::vector<TextColumn> table{
      {.name = "#", .width = 2, .importance = 8},
      {.name = "layer", .left = true, .importance = 9, .narrowest = 24},
      {.name = "output", .width = 12, .left = true, .importance = 6},
      {.name = "parameters", .importance = 7},
      {.name = "MACs", .width = 12, .importance = 4},
      {.name = "receptive field", .importance = 5},
      {.name = "jump", .importance = 3}};
  const auto shapes = layer_shapes(model);
  std::vector<std::vector<std::string>> rows;
  std::size_t parameters = 0, macs = 0;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const LayerShape& s = shapes[i];
    rows.push_back({fmt::format("{}", i + 1), layer_description(model.layers[i], s),
                    fmt::format("[{}][{}][{}]", s.out_channels, s.out_side, s.out_side),
                    grouped(s.parameters), grouped(s.macs), fmt::format("{}", s.receptive_field),
                    fmt::format("{}", s.jump)});
    parameters += s.parameters;
    macs += s.macs;
  }
  rows.push_back({"", "total", "", grouped(parameters), grouped(macs),
                  fmt::format("{}", shapes.back().receptive_field),
                  fmt::format("{}", shapes.back().jump)});
  return text_table(table, rows, columns);
}

}  // namespace mnist_dist
