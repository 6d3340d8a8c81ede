#include "engine/fused/reference.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace mnist_dist {
namespace {

/// [channel][row][column] of one image.
struct Map {
  int channels = 0, side = 0;
  std::vector<double> values;
  Map() = default;
  Map(int c, int s) : channels(c), side(s), values(static_cast<std::size_t>(c * s * s), 0.0) {}
  double& at(int c, int y, int x) {
    return values[static_cast<std::size_t>((c * side + y) * side + x)];
  }
  double at(int c, int y, int x) const {
    return values[static_cast<std::size_t>((c * side + y) * side + x)];
  }
  bool inside(int y, int x) const { return y >= 0 && x >= 0 && y < side && x < side; }
};

/// Values of one image that a layer keeps for the backward pass.
struct Trace {
  Map input, before_norm, output;  // before_norm: after bias and ReLU
  std::vector<std::uint8_t> dropped;
};

struct LayerTrace {
  std::vector<Trace> images;
  std::vector<double> mean, variance;  // biased
};

class Network {
 public:
  Network(const Config& config, std::span<const double> parameters)
      : config_(config),
        layout_(flat_layout(config.model)),
        shapes_(layer_shapes(config.model)),
        parameters_(parameters),
        gradient_(layout_.parameter_count) {}

  void forward(std::vector<Map> maps, const Slice* training, std::span<const double> running);
  void backward(std::vector<Map> gradients);
  const std::vector<LayerTrace>& traces() const { return traces_; }
  const std::vector<double>& gradient() const { return gradient_; }
  double least_margin() const { return least_margin_; }
  const FlatLayout& layout() const { return layout_; }

 private:
  const ParameterTensor* tensor(int layer, ParameterKind kind) const {
    for (const ParameterTensor& t : layout_.parameters)
      if (t.layer == layer && t.kind == kind) return &t;
    return nullptr;
  }
  double parameter(int layer, ParameterKind kind, std::size_t i) const {
    const auto* t = tensor(layer, kind);
    return t ? parameters_[t->offset + i] : 0.0;
  }
  double& gradient(int layer, ParameterKind kind, std::size_t i) {
    return gradient_[tensor(layer, kind)->offset + i];
  }
  std::size_t weight_index(const LayerShape& s, int o, int i, int y, int x) const {
    return static_cast<std::size_t>(((o * s.kernel_channels + i) * s.kernel + y) * s.kernel + x);
  }
  std::array<int, 2> largest(const Map& in, int c, int y, int x, int window) const;
  double margin(int layer, const Map& in, const Map& before_relu) const;
  Map operation(int layer, const Map& in) const;
  Map operation_backward(int layer, const Map& in, const Map& g);

  const Config& config_;
  FlatLayout layout_;
  std::vector<LayerShape> shapes_;
  std::span<const double> parameters_;
  std::vector<double> gradient_;
  std::vector<LayerTrace> traces_;
  double least_margin_ = std::numeric_limits<double>::infinity();
};

std::array<int, 2> Network::largest(const Map& in, int c, int y, int x, int window) const {
  std::array<int, 2> best{y * window, x * window};
  for (int i = 0; i < window; ++i)
    for (int j = 0; j < window; ++j)
      if (in.at(c, y * window + i, x * window + j) > in.at(c, best[0], best[1]))
        best = {y * window + i, x * window + j};
  return best;
}

/// ReferenceResult::least_margin of one layer and image.
double Network::margin(int layer, const Map& in, const Map& before_relu) const {
  const auto l = static_cast<std::size_t>(layer);
  const LayerShape& s = shapes_[l];
  const Layer& spec = config_.model.layers[l];
  double least = std::numeric_limits<double>::infinity(), squares = 0;
  const auto decision = [&](double distance) {
    least = distance > 1e-12 ? std::min(least, distance) : least;
  };
  const Map& map = spec.relu ? before_relu : in;
  for (const double value : map.values) squares += value * value;
  if (spec.relu)
    for (const double value : map.values) decision(std::abs(value));
  if (spec.kind == LayerKind::max_pool || spec.kind == LayerKind::global_max)
    for (int c = 0; c < s.out_channels; ++c)
      for (int y = 0; y < s.out_side; ++y)
        for (int x = 0; x < s.out_side; ++x) {
          const auto best = largest(in, c, y, x, s.kernel);
          for (int i = 0; i < s.kernel * s.kernel; ++i)
            decision(in.at(c, best[0], best[1]) -
                     in.at(c, y * s.kernel + i / s.kernel, x * s.kernel + i % s.kernel));
        }
  return least / std::sqrt(squares / static_cast<double>(map.values.size()));
}

Map Network::operation(int layer, const Map& in) const {
  const auto l = static_cast<std::size_t>(layer);
  const LayerShape& s = shapes_[l];
  const Layer& spec = config_.model.layers[l];
  Map out(s.out_channels, s.out_side);
  const ParameterTensor* const weight_tensor = tensor(layer, ParameterKind::weight);
  const double* const weights =
      weight_tensor ? parameters_.data() + weight_tensor->offset : nullptr;
  for (int c = 0; c < s.out_channels; ++c)
    for (int y = 0; y < s.out_side; ++y)
      for (int x = 0; x < s.out_side; ++x) {
        double& value = out.at(c, y, x);
        if (spec.kind == LayerKind::global_average) {
          for (int i = 0; i < in.side; ++i)
            for (int j = 0; j < in.side; ++j) value += in.at(c, i, j) / (in.side * in.side);
        } else if (spec.kind == LayerKind::max_pool || spec.kind == LayerKind::global_max) {
          const auto best = largest(in, c, y, x, s.kernel);
          value = in.at(c, best[0], best[1]);
        } else {
          value = parameter(layer, ParameterKind::bias, static_cast<std::size_t>(c));
          const int first = spec.depthwise ? c : 0;
          for (int i = 0; i < s.kernel_channels; ++i)
            for (int u = 0; u < s.kernel; ++u)
              for (int v = 0; v < s.kernel; ++v)
                if (in.inside(y + u - spec.padding, x + v - spec.padding))
                  value += weights[weight_index(s, c, i, u, v)] *
                           in.at(first + i, y + u - spec.padding, x + v - spec.padding);
        }
      }
  return out;
}

Map Network::operation_backward(int layer, const Map& in, const Map& g) {
  const auto l = static_cast<std::size_t>(layer);
  const LayerShape& s = shapes_[l];
  const Layer& spec = config_.model.layers[l];
  Map out(s.in_channels, s.in_side);
  const ParameterTensor* const weight_tensor = tensor(layer, ParameterKind::weight);
  const double* const weights =
      weight_tensor ? parameters_.data() + weight_tensor->offset : nullptr;
  double* const weight_gradient =
      weight_tensor ? gradient_.data() + weight_tensor->offset : nullptr;
  for (int c = 0; c < s.out_channels; ++c)
    for (int y = 0; y < s.out_side; ++y)
      for (int x = 0; x < s.out_side; ++x) {
        const double value = g.at(c, y, x);
        if (spec.kind == LayerKind::global_average) {
          for (int i = 0; i < in.side; ++i)
            for (int j = 0; j < in.side; ++j) out.at(c, i, j) += value / (in.side * in.side);
        } else if (spec.kind == LayerKind::max_pool || spec.kind == LayerKind::global_max) {
          const auto best = largest(in, c, y, x, s.kernel);
          out.at(c, best[0], best[1]) += value;
        } else {
          if (spec.bias) gradient(layer, ParameterKind::bias, static_cast<std::size_t>(c)) += value;
          const int first = spec.depthwise ? c : 0;
          for (int i = 0; i < s.kernel_channels; ++i)
            for (int u = 0; u < s.kernel; ++u)
              for (int v = 0; v < s.kernel; ++v) {
                const int in_y = y + u - spec.padding, in_x = x + v - spec.padding;
                if (!in.inside(in_y, in_x)) continue;
                const std::size_t w = weight_index(s, c, i, u, v);
                weight_gradient[w] += value * in.at(first + i, in_y, in_x);
                out.at(first + i, in_y, in_x) += value * weights[w];
              }
        }
      }
  return out;
}

void Network::forward(std::vector<Map> maps, const Slice* training,
                      std::span<const double> running) {
  for (int layer = 0; layer < static_cast<int>(shapes_.size()); ++layer) {
    const auto l = static_cast<std::size_t>(layer);
    const LayerShape& s = shapes_[l];
    const Layer& spec = config_.model.layers[l];
    LayerTrace trace;
    const auto channels = static_cast<std::size_t>(s.out_channels);
    trace.mean.assign(channels, 0);
    trace.variance.assign(channels, 0);
    for (const Map& in : maps) {
      Trace t{in, operation(layer, in), {}, {}};
      if (training) least_margin_ = std::min(least_margin_, margin(layer, in, t.before_norm));
      if (spec.relu)
        for (double& v : t.before_norm.values) v = std::max(v, 0.0);
      trace.images.push_back(std::move(t));
    }
    const double count = static_cast<double>(maps.size()) * s.out_side * s.out_side;
    const std::size_t map_size = static_cast<std::size_t>(s.out_side * s.out_side);
    if (spec.norm && training) {
      for (std::size_t c = 0; c < channels; ++c) {
        for (const Trace& t : trace.images)
          for (std::size_t i = 0; i < map_size; ++i)
            trace.mean[c] += t.before_norm.values[c * map_size + i] / count;
        for (const Trace& t : trace.images)
          for (std::size_t i = 0; i < map_size; ++i)
            trace.variance[c] +=
                std::pow(t.before_norm.values[c * map_size + i] - trace.mean[c], 2) / count;
      }
    } else if (spec.norm) {
      for (const NormTensor& norm : layout_.norms)
        if (norm.layer == layer)
          for (std::size_t c = 0; c < channels; ++c)
            trace.mean[c] = running[norm.offset + c],
            trace.variance[c] = running[norm.offset + channels + c];
    }
    const DropoutRule rule = dropout_rule(spec.dropout);
    for (std::size_t image = 0; image < maps.size(); ++image) {
      Trace& t = trace.images[image];
      t.output = t.before_norm;
      t.dropped.assign(t.output.values.size(), 0);
      if (training && rule.threshold > 0)
        dropout_mask(rule, config_.train.seed, training->rows[image], training->epoch,
                     static_cast<std::uint32_t>(layer), t.dropped);
      for (std::size_t i = 0; i < t.output.values.size(); ++i) {
        const std::size_t c = i / map_size;
        double& v = t.output.values[i];
        if (spec.norm)
          v = (v - trace.mean[c]) / std::sqrt(trace.variance[c] + 1e-5) *
                  parameter(layer, ParameterKind::gamma, c) +
              parameter(layer, ParameterKind::beta, c);
        if (training) v = t.dropped[i] ? 0 : v * static_cast<double>(rule.scale);
      }
      maps[image] = t.output;
    }
    traces_.push_back(std::move(trace));
  }
}

void Network::backward(std::vector<Map> gradients) {
  for (int layer = static_cast<int>(shapes_.size()) - 1; layer >= 0; --layer) {
    const auto l = static_cast<std::size_t>(layer);
    const LayerShape& s = shapes_[l];
    const Layer& spec = config_.model.layers[l];
    const LayerTrace& trace = traces_[l];
    const std::size_t map_size = static_cast<std::size_t>(s.out_side * s.out_side);
    const double count = static_cast<double>(gradients.size() * map_size);
    const double scale = static_cast<double>(dropout_rule(spec.dropout).scale);
    for (std::size_t image = 0; image < gradients.size(); ++image)
      for (std::size_t i = 0; i < gradients[image].values.size(); ++i)
        gradients[image].values[i] *= trace.images[image].dropped[i] ? 0 : scale;
    for (std::size_t c = 0; spec.norm && c < static_cast<std::size_t>(s.out_channels); ++c) {
      const double deviation = std::sqrt(trace.variance[c] + 1e-5);
      double first = 0, second = 0;
      const auto each = [&](auto&& visit) {
        for (std::size_t image = 0; image < gradients.size(); ++image)
          for (std::size_t i = c * map_size; i < (c + 1) * map_size; ++i)
            visit(gradients[image].values[i],
                  (trace.images[image].before_norm.values[i] - trace.mean[c]) / deviation);
      };
      each([&](double& g, double normalised) { first += g, second += g * normalised; });
      gradient(layer, ParameterKind::gamma, c) = second;
      gradient(layer, ParameterKind::beta, c) = first;
      const double slope = parameter(layer, ParameterKind::gamma, c) / deviation;
      each([&](double& g, double normalised) {
        g = slope * (g - first / count - normalised * second / count);
      });
    }
    for (std::size_t image = 0; image < gradients.size(); ++image) {
      const Trace& t = trace.images[image];
      if (spec.relu)
        for (std::size_t i = 0; i < t.before_norm.values.size(); ++i)
          if (!(t.before_norm.values[i] > 0)) gradients[image].values[i] = 0;
      gradients[image] = operation_backward(layer, t.input, gradients[image]);
    }
  }
}

std::vector<double> logits_of(const Trace& last) { return last.output.values; }

ReferenceResult train(const Config& config, const Normalisation& normalisation, const Slice& slice,
                      std::span<const double> parameters, bool backward) {
  std::vector<Map> maps;
  for (std::size_t image = 0; image < slice.rows.size(); ++image) {
    const ModelSpec& model = config.model;
    std::vector<float> pixels(static_cast<std::size_t>(model.pixels()));
    augment_image({slice.images[image], pixels.size()}, config.augment, normalisation,
                  config.train.seed, slice.rows[image], slice.epoch, pixels, model.side);
    Map map(1, model.side);
    std::copy(pixels.begin(), pixels.end(), map.values.begin());
    maps.push_back(map);
  }
  Network network(config, parameters);
  network.forward(maps, &slice, {});

  ReferenceResult result;
  std::vector<Map> gradients;
  const double smoothing = config.train.label_smoothing;
  for (std::size_t image = 0; image < slice.rows.size(); ++image) {
    const auto logits = logits_of(network.traces().back().images[image]);
    const double largest = *std::max_element(logits.begin(), logits.end());
    double sum = 0;
    for (const double logit : logits) sum += std::exp(logit - largest);
    const int classes = config.model.classes;
    Map g(classes, 1);
    for (int c = 0; c < classes; ++c) {
      const double log_probability = logits[static_cast<std::size_t>(c)] - largest - std::log(sum);
      const double target = smoothing / classes + (slice.labels[image] == c ? 1 - smoothing : 0);
      result.loss -= target * log_probability;
      g.at(c, 0, 0) = std::exp(log_probability) - target;
    }
    result.correct +=
        std::max_element(logits.begin(), logits.end()) - logits.begin() == slice.labels[image];
    result.logits.push_back(logits);
    gradients.push_back(g);
  }
  result.least_margin = network.least_margin();
  if (!backward) return result;
  network.backward(std::move(gradients));
  result.gradient = network.gradient();
  result.norm_statistics.assign(network.layout().norm_count, 0);
  const auto images = static_cast<double>(slice.count());
  for (const NormTensor& norm : network.layout().norms) {
    const LayerTrace& trace = network.traces()[static_cast<std::size_t>(norm.layer)];
    const int side = layer_shapes(config.model)[static_cast<std::size_t>(norm.layer)].out_side;
    const double count = images * side * side;
    for (std::size_t c = 0; c < static_cast<std::size_t>(norm.channels); ++c) {
      result.norm_statistics[norm.offset + c] = images * trace.mean[c];
      result.norm_statistics[norm.offset + static_cast<std::size_t>(norm.channels) + c] =
          images * trace.variance[c] * count / (count - 1);
    }
  }
  return result;
}

}  // namespace

ReferenceResult reference_train(const Config& config, const Normalisation& normalisation,
                                const Slice& slice, std::span<const double> parameters) {
  return train(config, normalisation, slice, parameters, true);
}

ReferenceResult reference_forward(const Config& config, const Normalisation& normalisation,
                                  const Slice& slice, std::span<const double> parameters) {
  return train(config, normalisation, slice, parameters, false);
}

std::vector<std::vector<double>> reference_logits(const Config& config,
                                                  const Normalisation& normalisation,
                                                  std::span<const std::uint8_t* const> images,
                                                  std::span<const float> parameters,
                                                  std::span<const float> norm_statistics) {
  std::vector<Map> maps;
  for (const std::uint8_t* image : images) {
    std::vector<float> pixels(static_cast<std::size_t>(config.model.pixels()));
    decode_image({image, pixels.size()}, normalisation, pixels);
    Map map(1, config.model.side);
    std::copy(pixels.begin(), pixels.end(), map.values.begin());
    maps.push_back(map);
  }
  const std::vector<double> wide(parameters.begin(), parameters.end()),
      running(norm_statistics.begin(), norm_statistics.end());
  Network network(config, wide);
  network.forward(maps, nullptr, running);
  std::vector<std::vector<double>> logits;
  for (const Trace& trace : network.traces().back().images) logits.push_back(logits_of(trace));
  return logits;
}

}  // namespace mnist_dist
