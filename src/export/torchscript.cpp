#include "export/torchscript.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "engine/torch_library.h"

namespace mnist_dist {
namespace {

/// The operation of `x` as an expression.
std::string expression(const Operation& o) {
  const std::string self = "self." + o.name;
  switch (o.kind) {
    case OperationKind::convolution:
      return fmt::format("torch.conv2d(x, {0}.weight, {1}, [1, 1], [{2}, {2}], [1, 1], {3})", self,
                         o.bias.empty() ? "None" : self + ".bias", o.padding, o.groups);
    case OperationKind::relu:
      return "torch.relu(x)";
    case OperationKind::norm:
      return fmt::format(
          "torch.batch_norm(x, {0}.weight, {0}.bias, {0}.running_mean, "
          "{0}.running_var, False, 0.0, {1}, False)",
          self, norm_epsilon);
    case OperationKind::dropout:
      return "x";
    case OperationKind::max_pool:
    case OperationKind::global_max:
      return fmt::format("torch.max_pool2d(x, [{0}, {0}], [{0}, {0}])", o.kernel);
    case OperationKind::global_average:
      return "torch.mean(x, [2, 3], True)";
  }
  return {};
}

}  // namespace

std::string torchscript_file(const ExportedModel& model) {
  ScriptedNetwork network;
  network.tensors = state_dict(model);
  network.forward =
      "def forward(self, pixels):\n"
      "    x = (pixels.float() / 255 - self.mean) / self.sd\n";
  for (const Operation& operation : model.operations)
    if (operation.kind != OperationKind::dropout)
      network.forward += fmt::format("    x = {}\n", expression(operation));
  network.forward += "    return torch.flatten(x, 1)\n";
  const auto replace = nlohmann::json::error_handler_t::replace;
  network.files["metadata.json"] = nlohmann::json(model.metadata).dump(2, ' ', false, replace);
  try {
    return torch_library().torchscript_file(network);
  } catch (const Error& error) {
    throw Error(error.code(), fmt::format("torchscript: {}", error.what()),
                "give --format onnx or safetensors, or build with LibTorch (HACKING.md)");
  }
}

}  // namespace mnist_dist
