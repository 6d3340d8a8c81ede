"""Section "Layers" of docs/arithmetic.md, without Winograd. Maps are [image][channel][y][x]."""
import numpy as np

from floats import f32, fma
from sums import over_map, sum_of_lanes


def padded(maps, width):
    """Zeros around maps."""
    return np.pad(maps, ((0, 0), (0, 0), (width, width), (width, width)))


def direct(x, w, padding, depthwise):
    """Layers, "Direct" and "Depthwise": output."""
    kernel = w.shape[2]
    x = padded(x, padding)
    side = x.shape[2] - kernel + 1
    total = np.zeros((len(x), len(w), side, side), f32)
    for row in range(kernel):
        for channel in range(w.shape[1]):
            for column in range(kernel):
                seen = x[:, :, row:row + side, column:column + side]
                if not depthwise:
                    seen = seen[:, channel:channel + 1]
                total = fma(w[None, :, channel, row, column, None, None], seen, total)
    return total


def direct_input_gradient(g, w, padding, depthwise, in_channels, side):
    """Layers, "Direct" and "Depthwise": input gradient."""
    kernel = w.shape[2]
    g = padded(g, kernel - 1 - padding)
    total = np.zeros((len(g), in_channels, side, side), f32)
    for row in range(kernel):
        for channel in range(1 if depthwise else len(w)):
            for column in range(kernel):
                seen = g[:, :, row:row + side, column:column + side]
                tap = w[:, :, kernel - 1 - row, kernel - 1 - column]
                if depthwise:
                    total = fma(tap[None, :, 0, None, None], seen, total)
                else:
                    total = fma(tap[None, channel, :, None, None], seen[:, channel:channel + 1],
                                total)
    return total


def direct_weight_gradient(x, g, w, padding, depthwise):
    """Layers, "Direct" and "Depthwise": weight gradient."""
    kernel = w.shape[2]
    windows = np.lib.stride_tricks.sliding_window_view(padded(x, padding), (kernel, kernel), (2, 3))
    lanes = np.zeros((16,) + w.shape, f32)
    for first in range(0, len(x), 16):
        images = slice(first, first + 16)
        used = len(x[images])
        for row in range(g.shape[2]):
            for column in range(g.shape[3]):
                gradient = g[images, :, row, column][:, :, None, None, None]
                seen = windows[images, :, row, column]
                seen = seen[:, :, None] if depthwise else seen[:, None]
                lanes[:used] = fma(gradient, seen, lanes[:used])
    return sum_of_lanes(lanes)


def max_windows(x, kernel):
    """Layers, "Max-pool": [image][channel][y][x][window], windows side by side."""
    images, channels, side = *x.shape[:2], x.shape[2] // kernel
    x = x[:, :, :side * kernel, :side * kernel]
    x = x.reshape(images, channels, side, kernel, side, kernel)
    return x.transpose(0, 1, 2, 4, 3, 5).reshape(images, channels, side, side, kernel * kernel)


def max_input_gradient(x, g, kernel):
    """Layers, "Max-pool": the gradient goes to the first largest."""
    windows = max_windows(x, kernel)
    images, channels, side = windows.shape[:3]
    parts = np.zeros_like(windows)
    np.put_along_axis(parts, windows.argmax(-1)[..., None], g[..., None], -1)
    parts = parts.reshape(images, channels, side, side, kernel, kernel).transpose(0, 1, 2, 4, 3, 5)
    total = np.zeros_like(x)
    total[:, :, :side * kernel, :side * kernel] = parts.reshape(
        images, channels, side * kernel, side * kernel)
    return total


def share_of_map(side):
    """Layers, "Global average": its factor."""
    return f32(1) / f32(side * side)


def global_average(x):
    """Layers, "Global average"."""
    return (over_map(x) * share_of_map(x.shape[2]))[:, :, None, None]
