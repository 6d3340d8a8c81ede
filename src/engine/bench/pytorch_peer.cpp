#include "engine/bench/pytorch_peer.h"

#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/error.h"
#include "base/share.h"
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

/// A child process that answers each line with a line. Over a socket, because a pipe without its
/// other end raises a signal.
class Conversation {
 public:
  explicit Conversation(const std::string& script) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
      throw device_error("cannot make a socket", "raise ulimit -n");
    ours_.reset(::fdopen(ends[0], "r"));
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    std::string python = "python3", path = script;
    char* const arguments[] = {python.data(), path.data(), nullptr};
    const int error =
        ::posix_spawnp(&child_, python.c_str(), &actions, nullptr, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    if (error != 0)
      throw device_error("python3 cannot be started",
                         "install Python 3 with PyTorch, or leave out --pytorch");
  }
  ~Conversation() {
    ours_.reset();  // its loop over stdin ends
    ::waitpid(child_, nullptr, 0);
  }
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  std::string ask(const std::string& line) {
    const std::string question = line + "\n";
    char answer[256];
    if (::send(::fileno(ours_.get()), question.data(), question.size(), MSG_NOSIGNAL) !=
            static_cast<ssize_t>(question.size()) ||
        !std::fgets(answer, sizeof answer, ours_.get()))
      throw device_error(
          "the PyTorch process ended without an answer",
          "read its message above, and activate an environment in which python3 finds torch");
    return answer;
  }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  pid_t child_ = -1;
  std::unique_ptr<std::FILE, Close> ours_;
};

class PeerLoop final : public TrainingLoop {
 public:
  explicit PeerLoop(std::unique_ptr<Conversation> peer) : peer_(std::move(peer)) {}
  int train(int images) override {
    return std::stoi(peer_->ask("train " + std::to_string(images)));
  }
  int evaluate(int images) override {
    return std::stoi(peer_->ask("evaluate " + std::to_string(images)));
  }

 private:
  std::unique_ptr<Conversation> peer_;
};

}  // namespace

PytorchPeer start_pytorch_peer(const Config& config, const std::string& device) {
  const std::filesystem::path script = find_shared("tools/pytorch_peer.py");
  if (script.empty())
    throw device_error("tools/pytorch_peer.py: not found in share/mnist-dist",
                       "run bench --pytorch with the program of a build folder");
  auto peer = std::make_unique<Conversation>(script.string());
  std::string version = peer->ask(description(config, device));
  while (!version.empty() && version.back() == '\n') version.pop_back();
  return {version, std::make_unique<PeerLoop>(std::move(peer))};
}

}  // namespace mnist_dist
