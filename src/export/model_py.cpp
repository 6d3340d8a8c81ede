#include "export/model_py.h"

#include <fmt/format.h>

namespace mnist_dist {
namespace {

std::string convolution(const Operation& o) {
  std::string text = fmt::format("nn.Conv2d({}, {}, {}", o.in_channels, o.channels, o.kernel);
  if (o.padding > 0) text += fmt::format(", padding={}", o.padding);
  if (o.groups > 1) text += fmt::format(", groups={}", o.groups);
  return text + (o.bias.empty() ? ", bias=False)" : ")");
}

std::string module(const Operation& o) {
  switch (o.kind) {
    case OperationKind::convolution:
      return convolution(o);
    case OperationKind::relu:
      return "nn.ReLU()";
    case OperationKind::norm:
      return fmt::format("nn.BatchNorm2d({})", o.channels);
    case OperationKind::dropout:
      return fmt::format("nn.Dropout({})", o.dropout);
    case OperationKind::max_pool:
      return fmt::format("nn.MaxPool2d({})", o.kernel);
    case OperationKind::global_average:
      return "nn.AdaptiveAvgPool2d(1)";
    case OperationKind::global_max:
      return "nn.AdaptiveMaxPool2d(1)";
  }
  return {};
}

/// One line per layer of the recipe: an operation that begins one has a weight or is a pool.
std::string modules(const std::vector<Operation>& operations) {
  std::string text;
  for (const Operation& o : operations) {
    const bool continues = o.kind == OperationKind::relu || o.kind == OperationKind::norm ||
                           o.kind == OperationKind::dropout;
    text += fmt::format("{}{}={},", continues ? " " : "\n            ", o.name, module(o));
  }
  return text;
}

/// A JSON string is a Python string.
std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char character : text) {
    if (character == '"' || character == '\\') out += '\\';
    out += character;
  }
  return out + '"';
}

}  // namespace

std::string model_py(const ExportedModel& model, const std::string& weights) {
  const auto about = [&](const char* key) {
    const auto found = model.metadata.find(key);
    return found == model.metadata.end() ? std::string() : found->second;
  };
  return fmt::format(
      R"(# {recipe}, seed {seed}: {mark} {version}. `load()` gives the trained network.
# Trained on {data}.
from collections import OrderedDict
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn


class Net(nn.Sequential):
    """Pixels [N, 1, {side}, {side}], 0 (background) to 255 (ink), uint8 or float -> logits.

    The logits are [N, {classes}].
    """

    def __init__(self):
        super().__init__(OrderedDict({modules}
            flatten=nn.Flatten()))
        self.register_buffer("mean", torch.tensor({mean}))
        self.register_buffer("sd", torch.tensor({sd}))

    def forward(self, pixels):
        return super().forward((pixels.float() / 255 - self.mean) / self.sd)


def load(file=Path(__file__).with_name({file})):
    net = Net()
    net.load_state_dict(load_file(file))
    return net.eval()
)",
      fmt::arg("recipe", about("recipe")), fmt::arg("seed", about("seed")),
      fmt::arg("data", about("data")), fmt::arg("mark", model_py_mark),
      fmt::arg("version", about("version")), fmt::arg("modules", modules(model.operations)),
      fmt::arg("mean", model.normalisation.mean), fmt::arg("sd", model.normalisation.sd),
      fmt::arg("side", model.side), fmt::arg("classes", model.classes),
      fmt::arg("file", quoted(weights)));
}

}  // namespace mnist_dist
