#include "engine/torch/torchscript.h"

#include <torch/script.h>

#include <sstream>

namespace mnist_dist {

std::string torchscript_file(const ScriptedNetwork& network) {
  torch::jit::Module root("Net");
  std::map<std::string, torch::jit::Module> modules;
  for (const NamedTensor& tensor : network.tensors) {
    const std::vector<std::int64_t> shape(tensor.shape.begin(), tensor.shape.end());
    const at::Tensor values =
        at::from_blob(const_cast<float*>(tensor.values.data()), shape, at::kFloat).clone();
    const auto dot = tensor.name.find('.');
    if (dot == std::string::npos) {
      root.register_buffer(tensor.name, values);
      continue;
    }
    const std::string name = tensor.name.substr(0, dot);
    const auto [module, is_new] = modules.try_emplace(name, name);
    module->second.register_buffer(tensor.name.substr(dot + 1), values);
  }
  for (const auto& [name, module] : modules) root.register_module(name, module);
  root.define(network.forward);
  root.eval();
  std::ostringstream out;
  root.save(out, torch::jit::ExtraFilesMap(network.files.begin(), network.files.end()));
  return std::move(out).str();
}

}  // namespace mnist_dist
