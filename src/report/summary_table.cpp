#include "report/summary_table.h"

#include <fmt/format.h>

#include "base/grouped.h"
#include "model/summary.h"
#include "report/text_table.h"

namespace mnist_dist {

std::string summary_table(const ModelSpec& model, int columns) {
  const std::vector<TextColumn> table{{"#", 2, false, 8},      {"layer", 5, true, 9, 24},
                                      {"output", 12, true, 6}, {"parameters", 10, false, 7},
                                      {"MACs", 12, false, 4},  {"receptive field", 15, false, 5},
                                      {"jump", 4, false, 3}};
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
