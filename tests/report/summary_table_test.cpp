#include "report/summary_table.h"

#include <gtest/gtest.h>

namespace mnist_dist {
namespace {

TEST(Summary, HasOneAlignedLinePerLayer) {
  const ModelSpec model{
      "m",
      {{.channels = 12, .padding = 1, .bias = true, .relu = true, .norm = true, .dropout = 0.1},
       {.kind = LayerKind::max_pool, .kernel = 2},
       {.kind = LayerKind::linear, .channels = 10}}};
  EXPECT_EQ(summary_table(model, 0),
            " #  layer                                                           output        "
            "parameters          MACs  receptive field  jump\n"
            " 1  3x3 conv to 12, padding 1, bias, ReLU, batch norm, dropout 0.1  [12][28][28]      "
            "   144        84,672                3     1\n"
            " 2  2x2 max-pool                                                    [12][14][14]      "
            "     0             0                4     2\n"
            " 3  linear to 10                                                    [10][1][1]        "
            "23,520        23,520               30     2\n"
            "    total                                                                             "
            "23,664       108,192               30     2\n");
}

TEST(Summary, NamesDepthwiseLayers) {
  const std::string table =
      summary_table({"m",
                     {{.channels = 12},
                      {.channels = 12, .depthwise = true, .padding = 1, .relu = true},
                      {.kind = LayerKind::linear, .channels = 10}}},
                    0);
  EXPECT_NE(
      table.find(
          "\n 2  3x3 depthwise conv, padding 1, ReLU  [12][26][26]         108        73,008 "),
      std::string::npos)
      << table;
}

}  // namespace
}  // namespace mnist_dist
