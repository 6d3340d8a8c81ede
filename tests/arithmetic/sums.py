"""Section "Sums over lanes, images and shards" of docs/arithmetic.md, and sums in reading order."""
import numpy as np

from floats import f32, f64, fma


def in_blocks(lanes):
    """Sums, "Lanes": in blocks."""
    block = [(lanes[4 * k] + lanes[4 * k + 2]) + (lanes[4 * k + 1] + lanes[4 * k + 3])
             for k in range(4)]
    return (block[0] + block[2]) + (block[1] + block[3])


def in_halves(lanes):
    """Sums, "Lanes": in halves."""
    for half in (8, 4, 2, 1):
        lanes = lanes[:half] + lanes[half:2 * half]
    return lanes[0]


def sum_of_lanes(lanes):
    """Sums, "Lanes": the weights of a direct or depthwise layer."""
    flat = lanes.reshape(16, -1)
    blocks = np.arange(flat.shape[1]) < flat.shape[1] // 4 * 4
    return np.where(blocks, in_blocks(flat), in_halves(flat)).reshape(lanes.shape[1:])


def sum_of_shards(vectors):
    """Sums, "Shards": a binary tree."""
    if len(vectors) == 1:
        return vectors[0]
    split = 1 << (len(vectors) - 1).bit_length() - 1
    return sum_of_shards(vectors[:split]) + sum_of_shards(vectors[split:])


def over_map(maps, other=None):
    """Between layers: [image][channel] sums in reading order, or those of fma(maps, other, sum)."""
    flat = maps.reshape(*maps.shape[:2], -1)
    total = np.zeros(maps.shape[:2], f32)
    for i in range(flat.shape[2]):
        if other is None:
            total = total + flat[:, :, i]
        else:
            total = fma(flat[:, :, i], other.reshape(flat.shape)[:, :, i], total)
    return total


def over_images(values):
    """Between layers: a sum in double over the images in order."""
    total = np.zeros(values.shape[1:], f64)
    for value in values:
        total = total + value.astype(f64)
    return total
