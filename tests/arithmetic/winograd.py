"""Section "Layers", "Winograd", of docs/arithmetic.md.

Points are [column point][row point][image][channel][tile row][tile column].
"""
import numpy as np

from floats import f32, fma
from sums import in_blocks, in_halves


def weight_transform(w):
    """Winograd: G w."""
    outer, inner = w[0] + w[2], w[0] + f32(4) * w[2]
    return [w[0] * f32(1 / 4), (outer + w[1]) * f32(-1 / 6), (outer - w[1]) * f32(-1 / 6),
            (inner + f32(2) * w[1]) * f32(1 / 24), (inner - f32(2) * w[1]) * f32(1 / 24), w[2]]


def input_transform(x):
    """Winograd: B x."""
    e1, o1, e2, o2 = fma(-4, x[2], x[4]), fma(-4, x[1], x[3]), x[4] - x[2], x[3] - x[1]
    return [fma(4, x[0], fma(-5, x[2], x[4])), e1 + o1, e1 - o1, fma(2, o2, e2), fma(-2, o2, e2),
            fma(4, x[1], fma(-5, x[3], x[5]))]


def output_transform(m):
    """Winograd: A m."""
    s1, d1, s2, d2 = m[1] + m[2], m[1] - m[2], m[3] + m[4], m[3] - m[4]
    return [m[0] + (s1 + s2), fma(2, d2, d1), fma(4, s2, s1), m[5] + fma(8, d2, d1)]


def gradient_transform(g):
    """Winograd: A' g."""
    e1, o1, e2, o2 = g[0] + g[2], g[1] + g[3], fma(4, g[2], g[0]), fma(4, g[3], g[1])
    return [g[0], e1 + o1, e1 - o1, fma(2, o2, e2), fma(-2, o2, e2), g[3]]


def input_gradient_transform(m):
    """Winograd: B' m."""
    s1, d1, s2, t2 = m[1] + m[2], m[1] - m[2], m[3] + m[4], f32(2) * (m[3] - m[4])
    return [f32(4) * m[0], fma(4, m[5] - d1, -t2), fma(-5, m[0], fma(-4, s1, -s2)),
            fma(-5, m[5], d1 + t2), m[0] + (s1 + s2), m[5]]


def weight_gradient_transform(m):
    """Winograd: G' m."""
    s1, d1, s2, d2 = m[1] + m[2], m[2] - m[1], m[3] + m[4], m[3] - m[4]
    return [fma(1 / 4, m[0], fma(1 / 24, s2, f32(-1 / 6) * s1)),
            fma(1 / 12, d2, f32(1 / 6) * d1), fma(1 / 6, s2 - s1, m[5])]


def transform_twice(transform, tile):
    """Winograd: along each row of a tile [row][column], then down its columns."""
    rows = [transform(row) for row in tile]
    return np.array([transform([row[p] for row in rows]) for p in range(6)])


def weight_points(w):
    """Winograd: [column point][row point][out][in]."""
    return transform_twice(weight_transform, w.transpose(2, 3, 0, 1))


def tiles_of(maps, offset, count, size):
    """Winograd: [row in tile][column in tile] of arrays over all tiles; 0 beyond the map."""
    whole = np.zeros(maps.shape[:2] + (4 * count + 2,) * 2, f32)
    end = min(maps.shape[2], 4 * count + 2 - offset)
    whole[:, :, offset:offset + end, offset:offset + end] = maps[:, :, :end, :end]
    starts = [slice(at, at + 4 * count - 3, 4) for at in range(size)]
    return [[whole[:, :, rows, columns] for columns in starts] for rows in starts]


def input_points(x, padding, count):
    """Winograd: points of the input."""
    return transform_twice(input_transform, tiles_of(x, padding, count, 6))


def gradient_points(g, count):
    """Winograd: points of the gradient."""
    return transform_twice(gradient_transform, tiles_of(g, 0, count, 4))


def output(x, w, padding):
    """Winograd: output."""
    side = x.shape[2] + 2 * padding - 2
    count = (side + 3) // 4
    points, filters = input_points(x, padding, count), weight_points(w)
    total = np.zeros((6, 6, len(x), len(w), count, count), f32)
    for channel in range(w.shape[1]):
        total = fma(filters[:, :, None, :, channel, None, None],
                    points[:, :, :, channel:channel + 1], total)
    columns = [output_transform(column) for column in total]
    maps = np.zeros((len(x), len(w), 4 * count, 4 * count), f32)
    for row in range(4):
        values = output_transform([column[row] for column in columns])
        for column in range(4):
            maps[:, :, row::4, column::4] = values[column]
    return maps[:, :, :side, :side]


def joined(tiles):
    """Winograd, input gradient: [6][...][tile] to [...][position].

    A tile's first two are added to the last two of the tile before.
    """
    count = tiles[0].shape[-1]
    line = np.zeros(tiles[0].shape[:-1] + (4 * count + 2,), f32)
    for tile in range(count):
        for i in range(6):
            value = tiles[i][..., tile]
            line[..., 4 * tile + i] = value + line[..., 4 * tile + i] if i < 2 else value
    return line


def input_gradient(g, w, padding, side):
    """Winograd: input gradient."""
    count = (g.shape[2] + 3) // 4
    points, filters = gradient_points(g, count), weight_points(w)
    total = np.zeros((6, 6, len(g), w.shape[1], count, count), f32)
    for channel in range(len(w)):
        total = fma(filters[:, :, None, channel, :, None, None],
                    points[:, :, :, channel:channel + 1], total)
    # Down the rows: the axis of tile rows last, then in its place again.
    rows = [joined([part.swapaxes(-1, -2) for part in input_gradient_transform(column)])
            .swapaxes(-1, -2) for column in total]
    whole = joined(input_gradient_transform(rows))
    maps = np.zeros((len(g), w.shape[1], side, side), f32)
    end = min(side, 4 * count + 2 - padding)
    maps[:, :, :end, :end] = whole[:, :, padding:padding + end, padding:padding + end]
    return maps


def weight_gradient(x, g, w, padding):
    """Winograd: weight gradient."""
    count = (g.shape[2] + 3) // 4
    inputs, gradients = input_points(x, padding, count), gradient_points(g, count)
    lanes = np.zeros((6, 6, 16) + w.shape[:2], f32)
    for first in range(0, len(x), 16):
        images = slice(first, first + 16)
        used = len(x[images])
        for row in range(count):
            for column in range(count):
                lanes[:, :, :used] = fma(gradients[:, :, images, :, None, row, column],
                                         inputs[:, :, images, None, :, row, column],
                                         lanes[:, :, :used])
    columns = [weight_gradient_transform(column) for column in lanes]
    total = np.zeros(w.shape, f32)
    for row in range(3):
        taps = weight_gradient_transform([column[row] for column in columns])
        for column in range(3):
            add = in_blocks if 3 * row + column < 8 else in_halves
            total[:, :, row, column] = add(taps[column])
    return total
