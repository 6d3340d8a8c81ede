"""Section "Augmentation and input" of docs/arithmetic.md.

Python's functions of doubles are the C library's, which do not round every result correctly. One
draw in some 10^11 lands on another float for that reason.
"""
import math
from types import SimpleNamespace

import numpy as np

from draws import AFFINE, CROP, ELASTIC, ERASE, Stream, sixteen_bits
from floats import f32, fma


def faded(augment, epoch):
    """Augmentation, "Fading"."""
    now = SimpleNamespace(**augment)
    f = epoch + 1 - now.fade_after
    if now.fade_epochs == 0 or f <= 0:
        return now
    strength = 1 - (1 - now.fade_to) * min(1.0, f / now.fade_epochs)
    values = vars(now)
    for key in ("rotation", "shift", "scale", "shear", "elastic_alpha", "erase_probability"):
        values[key] *= strength
    for key in ("crop_scale_min", "crop_scale_max"):
        values[key] = 1 - strength * (1 - values[key])
    for key in ("crop_ratio_min", "crop_ratio_max"):
        values[key] = math.pow(values[key], strength)
    return now


def random_box(stream, side, longest, areas, log_ratios):
    """Augmentation, "Box": (top, left, height, width), or None after ten tries."""
    for _ in range(10):
        area = side * side * stream.uniform(*areas)
        ratio = math.exp(stream.uniform(*log_ratios))
        width, height = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if 1 <= width <= longest and 1 <= height <= longest:
            top = stream.below(side - height + 1)
            return top, stream.below(side - width + 1), height, width
    return None


def crop_map(augment, stream, side):
    """Augmentation, "Box": the map of a crop."""
    box = random_box(stream, side, side, (augment.crop_scale_min, augment.crop_scale_max),
                     (math.log(augment.crop_ratio_min), math.log(augment.crop_ratio_max)))
    if box is None:
        height = round(side / augment.crop_ratio_min) if augment.crop_ratio_min > 1 else side
        width = round(side * augment.crop_ratio_max) if augment.crop_ratio_max < 1 else side
        box = (side - height) // 2, (side - width) // 2, height, width
    top, left, height, width = box
    x, y = width / side, height / side
    return x, 0, left + 0.5 * x - 0.5, 0, y, top + 0.5 * y - 0.5


def radians(degrees):
    """Augmentation, "Move"."""
    return degrees * math.pi / 180


def move_map(augment, stream, side):
    """Augmentation, "Move": the map of rotation, shift, scale and shear."""
    angle = radians(stream.uniform(-augment.rotation, augment.rotation))
    shift_x = stream.uniform(-augment.shift, augment.shift)
    shift_y = stream.uniform(-augment.shift, augment.shift)
    scale = stream.uniform(1 - augment.scale, 1 + augment.scale)
    shear = 0.0
    if augment.shear > 0:
        shear = math.tan(radians(stream.uniform(-augment.shear, augment.shear)))
    c = (side - 1) / 2
    cosine, sine = math.cos(angle) / scale, math.sin(angle) / scale
    a00, a01, a10, a11 = cosine - shear * sine, -sine - shear * cosine, sine, cosine
    return (a00, a01, c - a00 * (c + shift_x) - a01 * (c + shift_y),
            a10, a11, c - a10 * (c + shift_x) - a11 * (c + shift_y))


def elastic_taps(augment, side):
    """Augmentation, "Elastic": the taps, from the centre outward."""
    sigma = augment.elastic_sigma
    reach = min(side - 1, math.ceil(3 * sigma))
    taps = [math.exp(-0.5 * i * i / (sigma * sigma)) for i in range(reach + 1)]
    squares = 0.0
    for i, tap in enumerate(taps):
        squares += (1 if i == 0 else 2) * tap * tap
    scale = math.sqrt(augment.elastic_alpha * math.sqrt(3) / squares)
    return [f32(tap * scale) for tap in taps]


def smoothed(field, taps):
    """Augmentation, "Elastic": smoothing along the last axis."""
    side = field.shape[-1]
    wide = np.zeros(field.shape[:-1] + (3 * side,), f32)
    wide[..., side:2 * side] = field
    total = taps[0] * field
    for i, tap in enumerate(taps[1:], 1):
        total = total + tap * (wide[..., side - i:2 * side - i] + wide[..., side + i:2 * side + i])
    return total


def elastic_field(augment, seed, row, epoch, side):
    """Augmentation, "Elastic": displacements in x, then in y."""
    bits = sixteen_bits(seed, ELASTIC, [row], epoch, 0, 2 * side * side).astype(f32)
    noise = ((bits + f32(0.5)) / f32(32768) - f32(1)).reshape(2, side, side)
    taps = elastic_taps(augment, side)
    return smoothed(smoothed(noise, taps).swapaxes(1, 2), taps).swapaxes(1, 2)


def resample(image, affine_map, displacement, interpolation):
    """Augmentation, "Order": each output pixel reads the source."""
    side = len(image)
    pixels = np.zeros((side + 3, side + 3), f32)
    pixels[1:side + 1, 1:side + 1] = image
    row, column = np.arange(side, dtype=f32)[:, None], np.arange(side, dtype=f32)[None, :]
    a = [f32(entry) for entry in affine_map]
    x = (a[0] * column + a[1] * row) + a[2]
    y = (a[3] * column + a[4] * row) + a[5]
    if displacement is not None:
        x, y = x + displacement[0], y + displacement[1]
    x, y = (np.minimum(np.maximum(v, f32(-1)), f32(side)) + f32(1) for v in (x, y))
    if interpolation == "nearest":
        return pixels[(y + f32(0.5)).astype(int), (x + f32(0.5)).astype(int)]
    i, j = x.astype(int), y.astype(int)
    f, g = x - i.astype(f32), y - j.astype(f32)
    top = pixels[j, i] + f * (pixels[j, i + 1] - pixels[j, i])
    bottom = pixels[j + 1, i] + f * (pixels[j + 1, i + 1] - pixels[j + 1, i])
    return top + g * (bottom - top)


def cropped_and_moved(image, augment, seed, row, epoch):
    """Augmentation, "Order": the crop, then the move."""
    side = len(image)
    if (min(augment.crop_scale_min, augment.crop_scale_max) < 1
            or augment.crop_ratio_min != 1 or augment.crop_ratio_max != 1):
        crop = crop_map(augment, Stream(seed, CROP, row, epoch), side)
        image = resample(image, crop, None, "bilinear")
    moves = max(augment.rotation, augment.shift, augment.scale, augment.shear) > 0
    bends = augment.elastic_alpha > 0
    if moves or bends:
        move, field = (1, 0, 0, 0, 1, 0), None
        if moves:
            move = move_map(augment, Stream(seed, AFFINE, row, epoch), side)
        if bends:
            field = elastic_field(augment, seed, row, epoch, side)
        image = resample(image, move, field, augment.interpolation)
    return image


def erase(image, augment, seed, row, epoch):
    """Augmentation, "Order": a box of 0, in some images."""
    if augment.erase_probability == 0:
        return
    stream, side = Stream(seed, ERASE, row, epoch), len(image)
    if stream.uniform() >= augment.erase_probability:
        return
    box = random_box(stream, side, side - 1, (augment.erase_area_min, augment.erase_area_max),
                     (math.log(1 / augment.erase_ratio_max), math.log(1 / augment.erase_ratio_min)))
    if box is not None:
        top, left, height, width = box
        image[top:top + height, left:left + width] = 0


def normalisation(pixels):
    """Augmentation: mean and sd of the training file."""
    values = pixels.astype(np.int64)
    mean = int(values.sum()) / values.size
    sd = math.sqrt(int((values * values).sum()) / values.size - mean * mean)
    return [f32(math.floor(v / 255 * 1e4 + 0.5) / 1e4) for v in (mean, sd)]


def network_input(pixels, rows, epoch, recipe, mean, sd):
    """Augmentation: [row][1][side][side] of a slice."""
    side, seed = math.isqrt(pixels.shape[1]), recipe["train"]["seed"]
    now, images = faded(recipe["augment"], epoch), []
    for row in rows:
        image = pixels[row].reshape(side, side).astype(f32)
        image = cropped_and_moved(image, now, seed, row, epoch)
        image = fma(image, f32(1) / (f32(255) * sd), -mean / sd)
        erase(image, now, seed, row, epoch)
        images.append(image[None])
    return np.array(images)
