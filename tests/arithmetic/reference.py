"""A second implementation of docs/arithmetic.md. It uses nothing of the program.

reference.py RECIPE IMAGES STEPS: prints the parameters_sha256 after STEPS steps of the recipe
RECIPE (TOML) on the training images IMAGES (CSV: a header, then label and pixels per row).
"""
import hashlib
import math
import sys
import tomllib

import numpy as np

from draws import ORDER, PREPARE, Stream
from floats import f32, fma
from images import network_input, normalisation
from network import Network
from sums import sum_of_shards

DEFAULTS = {
    "data": {"shards": 4},
    "augment": {
        "crop_scale_min": 1, "crop_scale_max": 1, "crop_ratio_min": 1, "crop_ratio_max": 1,
        "rotation": 0, "shift": 0, "scale": 0, "shear": 0, "interpolation": "bilinear",
        "elastic_alpha": 0, "elastic_sigma": 4, "erase_probability": 0, "erase_area_min": 0.02,
        "erase_area_max": 0.33, "erase_ratio_min": 0.3, "erase_ratio_max": 3.3, "fade_after": 0,
        "fade_epochs": 0, "fade_to": 0},
    "train": {"epochs": 15, "batch": 64, "seed": 1, "label_smoothing": 0},
    "optimizer": {"learning_rate": 0.01, "momentum": 0.9, "nesterov": False, "weight_decay": 0,
                  "decay_norm": False},
    "schedule": {"kind": "constant", "step_epochs": 7, "step_factor": 0.1, "warmup": 0,
                 "start_factor": 0, "end_factor": 0},
    "average": {"decay": 0},
}


def read_recipe(path):
    """The recipe, with the default of each absent key."""
    with open(path, "rb") as file:
        given = tomllib.load(file)
    recipe = {section: {**keys, **given.get(section, {})} for section, keys in DEFAULTS.items()}
    return {**recipe, "layers": given["model"]["layer"]}


def read_images(path):
    """Labels and pixels, in the order of the prepared file."""
    rows = np.loadtxt(path, delimiter=",", dtype=np.int64, skiprows=1)
    rows = rows[Stream(1, PREPARE).shuffle(list(range(len(rows))))]
    return rows[:, 0], rows[:, 1:].astype(np.uint8)


def along_line(a, b, u):
    """Update: from a to b with share u."""
    return a + (b - a) * u


def along_cosine(a, b, u):
    """Update: from a to b with share u."""
    return b + (a - b) * (1 + math.cos(math.pi * u)) / 2


def factor(schedule, step, steps_per_epoch, steps):
    """Update: a step's rate as a share of the peak."""
    kind = schedule["kind"]
    if kind == "constant":
        return 1.0
    if kind == "step":
        changes = step // steps_per_epoch // schedule["step_epochs"]
        return math.pow(schedule["step_factor"], changes)
    peak = max(0.0, schedule["warmup"] * steps - 1)
    if step < peak:
        rise = along_cosine if kind == "one_cycle" else along_line
        return rise(schedule["start_factor"], 1, step / peak)
    if steps - 1 <= peak:
        return 1.0
    fall = along_line if kind == "linear" else along_cosine
    return fall(1, schedule["end_factor"], (step - peak) / (steps - 1 - peak))


class Training:
    """A run's weights, and what each update changes."""

    def __init__(self, recipe, network):
        self.recipe, self.network = recipe, network
        self.parameters, self.statistics = network.initial(recipe["train"]["seed"])
        self.velocity = np.zeros_like(self.parameters)
        self.averages = self.parameters, self.statistics
        self.decays = np.full(len(self.parameters), recipe["optimizer"]["decay_norm"])
        for tensors in network.tensors(self.decays, self.statistics):
            if "weight" in tensors:
                tensors["weight"][:] = True

    def update(self, total, step, rate):
        """Update: the weights after a step, from its total."""
        optimizer, count = self.recipe["optimizer"], self.network.parameter_count
        images, p = total[-3], self.parameters
        gradient = total[:count] / images
        if optimizer["weight_decay"] > 0:
            decayed = fma(optimizer["weight_decay"], p, gradient)
            gradient = np.where(self.decays, decayed, gradient)
        momentum = f32(optimizer["momentum"])
        self.velocity = momentum * self.velocity + gradient
        ahead = fma(momentum, self.velocity, gradient) if optimizer["nesterov"] else self.velocity
        self.parameters = fma(-rate, ahead, p)
        measured = total[count:-3] / images
        self.statistics = fma(0.1, measured, f32(0.9) * self.statistics)
        share = 1 - min(self.recipe["average"]["decay"], (1 + step) / (10 + step))
        self.averages = [fma(share, now - average, average) for now, average in
                         zip((self.parameters, self.statistics), self.averages)]

    def delivered(self):
        """The hash: its bytes."""
        vectors = self.parameters, self.statistics
        if self.recipe["average"]["decay"] > 0:
            vectors = self.averages
        return b"".join(vector.astype("<f4").tobytes() for vector in vectors)


def trained(recipe, labels, pixels, steps_at_most):
    """The training after a number of steps."""
    n, shards, seed = len(labels), recipe["data"]["shards"], recipe["train"]["seed"]
    network = Network(recipe["layers"], math.isqrt(pixels.shape[1]), int(labels.max()) + 1)
    run, moments = Training(recipe, network), normalisation(pixels)
    bounds = [k * n // shards for k in range(shards + 1)]
    size = recipe["train"]["batch"] // shards
    steps_per_epoch = -(-max(b - a for a, b in zip(bounds, bounds[1:])) // size)
    steps = recipe["train"]["epochs"] * steps_per_epoch
    for step in range(min(steps, steps_at_most)):
        epoch, first = step // steps_per_epoch, step % steps_per_epoch * size
        vectors = []
        for shard in range(shards):
            order = list(range(bounds[shard], bounds[shard + 1]))
            rows = Stream(seed, ORDER, shard, epoch).shuffle(order)[first:first + size]
            if rows:
                images = network_input(pixels, rows, epoch, recipe, *moments)
                vector = network.train(images, labels[rows], rows, epoch, run.parameters, recipe)
            else:
                vector = np.zeros(network.parameter_count + network.norm_count + 3, f32)
            vectors.append(vector)
        rate = recipe["optimizer"]["learning_rate"] * factor(
            recipe["schedule"], step, steps_per_epoch, steps)
        run.update(sum_of_shards(vectors), step, f32(rate))
    return run


if __name__ == "__main__":
    outcome = trained(read_recipe(sys.argv[1]), *read_images(sys.argv[2]), int(sys.argv[3]))
    print(hashlib.sha256(outcome.delivered()).hexdigest())
