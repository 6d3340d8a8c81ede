#include "model/summary.h"

#include <memory>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/json_text.h"
#include "base/standard_streams.h"
#include "cli/commands.h"
#include "cli/config_options.h"
#include "report/network_svg.h"
#include "report/summary_table.h"
#include "report/terminal.h"

namespace mnist_dist {
namespace {

std::string summary_json(const Config& config, const std::string& title) {
  auto layers = nlohmann::ordered_json::array();
  std::size_t parameters = 0, macs = 0;
  const std::vector<LayerShape> shapes = layer_shapes(config.model);
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const LayerShape& shape = shapes[i];
    parameters += shape.parameters;
    macs += shape.macs;
    layers.push_back({{"layer", i + 1},
                      {"description", layer_description(config.model.layers[i], shape)},
                      {"output", {shape.out_channels, shape.out_side, shape.out_side}},
                      {"parameters", shape.parameters},
                      {"macs", shape.macs},
                      {"receptive_field", shape.receptive_field},
                      {"jump", shape.jump}});
  }
  const nlohmann::ordered_json json{{"recipe", title},
                                    {"input", {1, config.model.side, config.model.side}},
                                    {"classes", config.model.classes},
                                    {"parameters", parameters},
                                    {"macs", macs},
                                    {"receptive_field", shapes.back().receptive_field},
                                    {"layers", layers}};
  return json_text(json);
}

}  // namespace

Command add_summary(CLI::App& app) {
  struct Arguments {
    ConfigOptions config;
    bool json = false;
    std::string svg;
  };
  const auto arguments = std::make_shared<Arguments>();
  add_config_options(app, arguments->config);
  app.add_flag("--json", arguments->json, "Print one JSON object");
  app.add_option("--svg", arguments->svg, "Also write a drawing of the network")->type_name("FILE");
  return [arguments] {
    const Config config = arguments->config.load();
    const std::string title = arguments->config.title(config);
    if (!arguments->svg.empty())
      write_file_atomically(arguments->svg, network_svg(title, config.model));
    const int columns = terminal_columns(Output::standard_out);
    if (arguments->json)
      print(summary_json(config, title));
    else
      print_fitted(title + "\n" + summary_table(config.model, columns));
    return ExitCode::ok;
  };
}

}  // namespace mnist_dist
