#include "engine/bench/pytorch_peer.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/error.h"
#include "model/spec.h"

extern char** environ;

namespace mnist_dist {
namespace {

const char* kind_name(LayerKind kind) {
  switch (kind) {
    case LayerKind::convolution:
      return "convolution";
    case LayerKind::linear:
      return "linear";
    case LayerKind::max_pool:
      return "max_pool";
    case LayerKind::global_average:
      return "global_average";
    case LayerKind::global_max:
      return "global_max";
  }
  return "";
}

std::string description(const Config& config, const std::string& device) {
  nlohmann::json layers = nlohmann::json::array();
  const auto shapes = layer_shapes(config.model);
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const Layer& layer = config.model.layers[i];
    layers.push_back({{"kind", kind_name(layer.kind)},
                      {"in", shapes[i].in_channels},
                      {"out", shapes[i].out_channels},
                      {"groups", shapes[i].in_channels / shapes[i].kernel_channels},
                      {"kernel", shapes[i].kernel},
                      {"padding", layer.padding},
                      {"bias", layer.bias},
                      {"relu", layer.relu},
                      {"norm", layer.norm},
                      {"dropout", layer.dropout}});
  }
  return nlohmann::json{{"layers", layers},
                        {"batch", config.train.batch},
                        {"learning_rate", config.optimizer.learning_rate},
                        {"momentum", config.optimizer.momentum},
                        {"device", device}}
      .dump();
}

/// A child process that answers each line with a line.
class Conversation {
 public:
  explicit Conversation(const std::string& script) {
    int to_child[2], from_child[2];
    if (::pipe2(to_child, O_CLOEXEC) != 0 || ::pipe2(from_child, O_CLOEXEC) != 0) throw device_error("cannot make a pipe", "raise ulimit -n");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, to_child[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, from_child[1], STDOUT_FILENO);
    std::string python = "python3", path = script;
    char* const arguments[] = {python.data(), path.data(), nullptr};
    const int error = ::posix_spawnp(&child_, python.c_str(), &actions, nullptr, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    ::close(to_child[0]);
    ::close(from_child[1]);
    in_ = ::fdopen(to_child[1], "w");
    out_ = ::fdopen(from_child[0], "r");
    if (error != 0) throw device_error("python3 cannot be started", "install Python 3 with PyTorch, or leave out --pytorch");
  }
  ~Conversation() {
    std::fclose(in_);  // its loop over stdin ends
    std::fclose(out_);
    if (child_ > 0) ::waitpid(child_, nullptr, 0);
  }
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  std::string ask(const std::string& line) {
    char answer[256];
    if (std::fputs((line + "\n").c_str(), in_) < 0 || std::fflush(in_) != 0 || !std::fgets(answer, sizeof answer, out_))
      throw device_error("the PyTorch process ended without an answer", "its message is above; python3 must find torch (activate its environment)");
    return answer;
  }

 private:
  pid_t child_ = -1;
  std::FILE *in_ = nullptr, *out_ = nullptr;
};

class PeerLoop final : public TrainingLoop {
 public:
  explicit PeerLoop(std::unique_ptr<Conversation> peer) : peer_(std::move(peer)) {}
  int train(int images) override { return std::stoi(peer_->ask("train " + std::to_string(images))); }
  int evaluate(int images) override { return std::stoi(peer_->ask("evaluate " + std::to_string(images))); }

 private:
  std::unique_ptr<Conversation> peer_;
};

}  // namespace

PytorchPeer start_pytorch_peer(const Config& config, const std::string& device) {
  const std::string script = std::string(MNIST_DIST_SOURCE_DIR) + "/tests/pytorch_peer.py";
  if (!std::filesystem::exists(script))
    throw device_error("there is no " + script, "run bench --pytorch from a build whose source folder is still there");
  auto peer = std::make_unique<Conversation>(script);
  std::string version = peer->ask(description(config, device));
  while (!version.empty() && version.back() == '\n') version.pop_back();
  return {version, std::make_unique<PeerLoop>(std::move(peer))};
}

}  // namespace mnist_dist
