"""A layer of a recipe: sections "The hash" and "Layers" of docs/arithmetic.md."""
import numpy as np

import operations
import winograd
from floats import f32


class Layer:
    """The sizes of a layer, its tensors and its operation."""

    def __init__(self, keys, channels, side, classes):
        self.bias, self.relu, self.norm, self.depthwise = (
            keys.get(key, False) for key in ("bias", "relu", "norm", "depthwise"))
        self.kind = next(kind for kind in ("conv", "linear", "pool") if kind in keys)
        self.in_side, self.in_channels = side, channels
        self.padding, kernel = keys.get("padding", 0), keys.get("kernel")
        outputs = classes if keys[self.kind] == "classes" else keys[self.kind]
        if self.kind == "pool":
            self.pool = "average" if outputs == "global_average" else "max"
            self.kernel = (kernel or 2) if outputs == "max" else side
            self.channels, self.side = channels, side // self.kernel
        else:
            self.kernel = side if self.kind == "linear" else kernel or 3
            self.channels, self.side = outputs, side + 2 * self.padding - self.kernel + 1
        self.winograd = (self.kind != "pool" and not self.depthwise and self.kernel == 3
                         and self.side >= 16 and channels >= 4 and outputs >= 4)
        threshold = round(keys.get("dropout", 0) * 65536)
        self.threshold = min(max(threshold, 0), 65535)
        self.keep = f32(65536 / (65536 - self.threshold))

    def shapes(self):
        """The hash: names and shapes of the layer's tensors, in order."""
        shapes = {}
        if self.kind != "pool":
            inputs = 1 if self.depthwise else self.in_channels
            shapes["weight"] = (self.channels, inputs, self.kernel, self.kernel)
        for name, present in (("bias", self.bias), ("gamma", self.norm), ("beta", self.norm)):
            if present:
                shapes[name] = (self.channels,)
        return shapes

    def output(self, x, w):
        """Layers: the operation."""
        if self.kind == "pool" and self.pool == "average":
            return operations.global_average(x)
        if self.kind == "pool":
            return operations.max_windows(x, self.kernel).max(-1)
        if self.winograd:
            return winograd.output(x, w, self.padding)
        return operations.direct(x, w, self.padding, self.depthwise)

    def input_gradient(self, x, g, w):
        """Layers: the gradient of the operation's input."""
        if self.kind == "pool" and self.pool == "average":
            return np.broadcast_to(g * operations.share_of_map(self.in_side), x.shape)
        if self.kind == "pool":
            return operations.max_input_gradient(x, g, self.kernel)
        if self.winograd:
            return winograd.input_gradient(g, w, self.padding, self.in_side)
        return operations.direct_input_gradient(g, w, self.padding, self.depthwise,
                                                self.in_channels, self.in_side)

    def weight_gradient(self, x, g, w):
        """Layers: the gradient of the weights."""
        if self.winograd:
            return winograd.weight_gradient(x, g, w, self.padding)
        return operations.direct_weight_gradient(x, g, w, self.padding, self.depthwise)
