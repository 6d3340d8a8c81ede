#include "report/network_svg.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/printable.h"
#include "model/summary.h"

namespace mnist_dist {
namespace {

constexpr int row_height = 66, left = 12, top = 40, width = 620;
constexpr int image_box = 56, text_left = left + 2 * image_box + 40;

std::string square(const char* kind, double x, double y, double side) {
  return fmt::format(
      "<rect class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" "
      "height=\"{:.1f}\"/>\n",
      kind, x, y, side, side);
}

std::string text(int y, const std::string& words, const char* kind = "") {
  return fmt::format("<text{} x=\"{}\" y=\"{}\">{}</text>\n", kind, text_left, y, html_text(words));
}

/// One layer: its output, and how much of the image one value of it has seen.
std::string layer_row(int y, const std::string& what, const LayerShape& shape, int image) {
  const double pixel = 1.0 * image_box / image;
  const double side = std::min(shape.out_side, image) * pixel;
  const double seen = std::min(image, shape.receptive_field) * pixel;
  std::string out = square("out", left + (image_box - side) / 2.0, y, side);
  const int image_left = left + image_box + 20;
  out += square("image", image_left, y, image_box);
  out += square("seen", image_left + (image_box - seen) / 2.0, y + (image_box - seen) / 2.0, seen);
  out += text(y + 14, what);
  out += text(y + 32, fmt::format("{} x {} x {}, {} parameters", shape.out_channels, shape.out_side,
                                  shape.out_side, shape.parameters));
  out += text(y + 50, fmt::format("receptive field {}", shape.receptive_field), " class=\"small\"");
  return out;
}

}  // namespace

std::string network_svg(const std::string& name, const ModelSpec& model) {
  const std::vector<LayerShape> shapes = layer_shapes(model);
  const int height = top + row_height * static_cast<int>(shapes.size());
  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" role=\"img\">\n"
      "<style>text {{ font: 13px sans-serif; fill: #111 }} .small {{ fill: #6b7280 }}\n"
      ".out {{ fill: #2563eb }} .seen {{ fill: #b45309 }}\n"
      ".image {{ fill: none; stroke: #6b7280 }}\n"
      "@media (prefers-color-scheme: dark) {{ svg {{ background: #111 }} text {{ fill: #eee }} }}\n"
      "</style>\n<text x=\"{}\" y=\"22\">{}: output (blue), receptive field in the image "
      "(orange)</text>\n",
      width, height, left, html_text(name));
  for (std::size_t i = 0; i < shapes.size(); ++i)
    out += layer_row(top + row_height * static_cast<int>(i),
                     fmt::format("{}. {}", i + 1, layer_description(model.layers[i], shapes[i])),
                     shapes[i], model.side);
  return out + "</svg>\n";
}

}  // namespace mnist_dist
