"""Sections "The hash", "Between layers" and "Loss" of docs/arithmetic.md."""
import math
from types import SimpleNamespace

import numpy as np

from draws import DROPOUT, WEIGHTS, Stream, sixteen_bits
from floats import exp_of, f32, f64, fma, log_of
from layer import Layer
from sums import over_images, over_map


def per_channel(values):
    """[channel] or [image][channel] values beside maps."""
    return values[..., None, None]


class Network:
    """The layers, and where the flat vectors have their tensors."""

    def __init__(self, layers, side, classes):
        self.layers, self.places = [], []
        self.parameter_count = self.norm_count = 0
        channels = 1
        for keys in layers:
            layer = Layer(keys, channels, side, classes)
            channels, side = layer.channels, layer.side
            self.layers.append(layer)
            places = {}
            for name, shape in layer.shapes().items():
                places[name] = self.parameter_count, shape
                self.parameter_count += math.prod(shape)
            if layer.norm:
                places["statistics"] = self.norm_count, (2, channels)
                self.norm_count += 2 * channels
            self.places.append(places)

    def tensors(self, parameters, statistics):
        """Views of both flat vectors: for each layer, its tensors by name."""
        views = []
        for places in self.places:
            of_layer = {}
            for name, (first, shape) in places.items():
                vector = statistics if name == "statistics" else parameters
                of_layer[name] = vector[first:first + math.prod(shape)].reshape(shape)
            views.append(of_layer)
        return views

    def initial(self, seed):
        """Draws, "Initial weights": parameters and norm statistics."""
        parameters, statistics = np.zeros(self.parameter_count, f32), np.zeros(self.norm_count, f32)
        index = 0
        for layer, tensors in zip(self.layers, self.tensors(parameters, statistics)):
            for name, tensor in tensors.items():
                if name in ("weight", "bias"):
                    stream = Stream(seed, WEIGHTS, index)
                    bound = f32(1 / math.sqrt(math.prod(layer.shapes()["weight"][1:])))
                    draws = np.array([stream.uniform() for _ in range(tensor.size)], f32)
                    tensor[:] = (-bound + (bound - -bound) * draws).reshape(tensor.shape)
                elif name == "gamma":
                    tensor[:] = 1
                elif name == "statistics":
                    tensor[1] = 1
                index += name != "statistics"
        return parameters, statistics

    def train(self, images, labels, rows, epoch, parameters, recipe):
        """A slice's flat vector: gradient, norm statistics, images, loss, correct."""
        total = np.zeros(self.parameter_count + self.norm_count + 3, f32)
        results = self.tensors(total, total[self.parameter_count:])
        tensors = self.tensors(parameters, np.zeros(self.norm_count, f32))
        seed, x, passes = recipe["train"]["seed"], images, []
        for index, layer in enumerate(self.layers):
            bits = None
            if layer.threshold > 0:
                count = layer.channels * layer.side**2
                bits = sixteen_bits(seed, DROPOUT, rows, epoch, index, count)
            passes.append(forward(layer, x, bits, tensors[index], results[index]))
            x = passes[-1].next
        smoothing = f32(recipe["train"]["label_smoothing"])
        losses, gradient, correct = loss_of(x.reshape(len(x), -1), labels, smoothing)
        total[-3:] = len(rows), over_images(losses), correct
        gradient = gradient.reshape(x.shape)
        for index in reversed(range(len(self.layers))):
            layer, past = self.layers[index], passes[index]
            w = tensors[index].get("weight")
            g = before_norm(layer, past, gradient, tensors[index], results[index])
            if w is not None:
                results[index]["weight"][:] = layer.weight_gradient(past.x, g, w)
            if index > 0:
                gradient = layer.input_gradient(past.x, g, w)
        return total


def forward(layer, x, bits, tensors, results):
    """Between layers, "Value", "Input of the next layer" and "Dropout"."""
    v = layer.output(x, tensors.get("weight"))
    if layer.bias:
        v = v + per_channel(tensors["bias"])
    if layer.relu:
        v = np.where(v < 0, f32(0), v)
    past = SimpleNamespace(x=x, v=v, dropped=None)
    scale, shift = np.full(layer.channels, layer.keep), np.zeros(layer.channels, f32)
    if layer.norm:
        scale, shift = normalise(layer, past, tensors, results["statistics"])
    past.next = v
    if layer.norm or layer.threshold > 0:
        past.next = fma(per_channel(scale), v, per_channel(shift))
    if layer.threshold > 0:
        past.dropped = (bits < layer.threshold).reshape(v.shape)
        past.next = np.where(past.dropped, f32(0), past.next)
    return past


def normalise(layer, past, tensors, statistics):
    """Between layers, "Statistics": the slice's, and scale and shift."""
    v, n, pixels = past.v, len(past.v), float(layer.side**2)
    pivot = v[:, :, :1, :1]
    first = over_map(v - pivot).astype(f64)
    second = over_map(v - pivot, v - pivot).astype(f64)
    means = pivot[:, :, 0, 0].astype(f64) + first / pixels
    mean = over_images(means) / n
    off = means - mean
    squares = over_images(second - first * first / pixels + pixels * off * off)
    squares = np.where(squares < 0, 0, squares)
    inverse = 1 / np.sqrt(squares / (n * pixels) + 1e-5)
    slope, keep = tensors["gamma"].astype(f64) * inverse, float(layer.keep)
    past.mean, past.inverse = mean.astype(f32), inverse.astype(f32)
    statistics[0] = (mean * n).astype(f32)
    statistics[1] = (squares / (n * pixels - 1) * n).astype(f32)
    shift = (tensors["beta"].astype(f64) - slope * mean) * keep
    return (slope * keep).astype(f32), shift.astype(f32)


def before_norm(layer, past, d, tensors, results):
    """Between layers, "Gradient": with respect to what the operation computed."""
    if past.dropped is not None:
        d = np.where(past.dropped, f32(0), d)
    of_d, of_v = np.full(layer.channels, layer.keep), np.zeros(layer.channels, f32)
    constant = of_v
    if layer.norm:
        values, keep = len(d) * float(layer.side**2), float(layer.keep)
        first = over_images(over_map(d)) * keep
        second = over_images(over_map(d, past.v - per_channel(past.mean))) * keep
        mean, inverse = past.mean.astype(f64), past.inverse.astype(f64)
        results["gamma"][:], results["beta"][:] = second * inverse, first
        slope = tensors["gamma"].astype(f64) * inverse
        per_value = -slope * inverse * inverse * second / values
        of_d, of_v = (slope * keep).astype(f32), per_value.astype(f32)
        constant = (-slope * first / values - per_value * mean).astype(f32)
    g = fma(per_channel(of_d), d, fma(per_channel(of_v), past.v, per_channel(constant)))
    if layer.relu:
        g = np.where(past.v > 0, g, f32(0))
    if layer.bias:
        results["bias"][:] = over_images(over_map(g))
    return g


def loss_of(z, labels, smoothing):
    """Loss: per image, with its gradient, and how many classes are right."""
    images, classes = z.shape
    most = z.max(1)
    share, rest = smoothing / f32(classes), f32(1) - smoothing
    exponentials = [exp_of(z[:, c] - most) for c in range(classes)]
    s, differences = np.zeros(images, f32), np.zeros(images, f32)
    for c in range(classes):
        s = s + exponentials[c]
        differences = differences + (z[:, c] - most)
    expected = rest * (z[np.arange(images), labels] - most)
    if smoothing > 0:
        expected = expected + share * differences
    gradient = [exponentials[c] * (f32(1) / s) - (share + np.where(labels == c, rest, f32(0)))
                for c in range(classes)]
    correct = np.count_nonzero(z.argmax(1) == labels)
    return log_of(s) - expected, np.stack(gradient, 1), correct
