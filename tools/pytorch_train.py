#!/usr/bin/env python3
"""Trains a recipe as a PyTorch user would, to compare the time from start to result.

usage: tools/pytorch_train.py RECIPE.toml [DATA.h5] [SEED] [THREADS]

Eager PyTorch, all images in memory, augmentation by the batch (affine_grid and grid_sample), one
evaluation of the averaged weights at the end. Needs torch, numpy and h5py. Recipes: convolutions,
pools, SGD, schedule "linear", averages, and augmentation by rotation, shift and scale. Others are
rejected. The model, the order of batches and the draws are its own, so the accuracy is another
sample of the same recipe. Prints accuracy and seconds since the start of the process."""
import math
import os
import sys
import time
import tomllib

import h5py
import numpy
import torch
from torch import nn
from torch.nn import functional


def seconds_since_start():
    ticks = int(open("/proc/self/stat").read().rsplit(")", 1)[1].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")


def refuse(table, known, where):
    for key in table:
        if key not in known:
            sys.exit(f"error: {where}.{key}: not in this script")


def network(layers):
    modules, channels = [], 1
    for layer in layers:
        if "pool" in layer:
            modules.append({"max": nn.MaxPool2d(layer.get("kernel", 2)),
                            "global_average": nn.AdaptiveAvgPool2d(1)}[layer["pool"]])
            continue
        refuse(layer, ("conv", "kernel", "padding", "depthwise", "relu", "norm", "bias"), "layer")
        out = 10 if layer["conv"] == "classes" else layer["conv"]
        modules.append(nn.Conv2d(channels, out, layer.get("kernel", 3),
                                 padding=layer.get("padding", 0), bias=layer.get("bias", False),
                                 groups=channels if layer.get("depthwise") else 1))
        modules += [nn.ReLU()] * layer.get("relu", False)
        modules += [nn.BatchNorm2d(out)] * layer.get("norm", False)
        channels = out
    return nn.Sequential(*modules, nn.Flatten())


def augmented(images, augment):
    """[N, 1, 28, 28] with a random rotation (degrees), shift (pixels) and scale per image."""
    count, side = len(images), images.shape[-1]

    def draw(reach):
        return (2 * torch.rand(count) - 1) * reach

    angle = draw(math.radians(augment.get("rotation", 0)))
    scale = 1 + draw(augment.get("scale", 0))
    cos, sin = torch.cos(angle) / scale, torch.sin(angle) / scale
    shift = 2 * augment.get("shift", 0) / side
    theta = torch.stack([torch.stack([cos, -sin, draw(shift)], 1),
                         torch.stack([sin, cos, draw(shift)], 1)], 1)
    grid = functional.affine_grid(theta, images.shape, align_corners=False)
    return functional.grid_sample(images, grid, align_corners=False)


def main(recipe_file, data_file="data/mnist.h5", seed="1", threads="2"):
    recipe = tomllib.load(open(recipe_file, "rb"))
    train, optimizer = recipe["train"], recipe["optimizer"]
    schedule, augment = recipe["schedule"], recipe.get("augment", {})
    refuse(train, ("epochs", "batch", "evaluate_every"), "train")
    refuse(augment, ("rotation", "shift", "scale"), "augment")
    refuse(schedule, ("kind", "warmup"), "schedule")
    torch.set_num_threads(int(threads))
    torch.manual_seed(int(seed))
    with h5py.File(data_file) as file:
        mean, sd = float(file.attrs["mean"]), float(file.attrs["sd"])

        def read(group):
            images = file[group]["images"][:].astype(numpy.float32)
            labels = file[group]["labels"][:].astype(numpy.int64)
            images = (torch.from_numpy(images) / 255 - mean) / sd
            return images.reshape(len(labels), 1, 28, 28), torch.from_numpy(labels)

        images, labels = read("train")
        test_images, test_labels = read("test")
    background = -mean / sd
    model = network(recipe["model"]["layer"])
    weights = [p for p in model.parameters() if p.dim() > 1]
    rest = [p for p in model.parameters() if p.dim() <= 1]
    sgd = torch.optim.SGD([{"params": weights, "weight_decay": optimizer["weight_decay"]},
                           {"params": rest, "weight_decay": 0}], optimizer["learning_rate"],
                          optimizer["momentum"], nesterov=optimizer["nesterov"])
    batch = train["batch"]
    steps = train["epochs"] * -(-len(labels) // batch)
    peak = max(1, schedule.get("warmup", 0) * steps)
    rates = torch.optim.lr_scheduler.LambdaLR(
        sgd, lambda u: (u + 1) / peak if u + 1 < peak else (steps - u) / (steps - peak + 1))
    decay = recipe.get("average", {}).get("decay", 0)
    average = torch.optim.swa_utils.AveragedModel(
        model, use_buffers=True,
        avg_fn=lambda old, new, u: old + (1 - min(decay, (1 + u) / (10 + u))) * (new - old))
    model.train()
    for _ in range(train["epochs"]):
        for rows in torch.randperm(len(labels)).split(batch):
            inputs = images[rows]
            if augment:  # outside of an image is background
                inputs = augmented(inputs - background, augment) + background
            sgd.zero_grad()
            functional.cross_entropy(model(inputs), labels[rows]).backward()
            sgd.step()
            rates.step()
            average.update_parameters(model)
    average.eval()
    with torch.inference_mode():
        right = sum(int((average(test_images[i:i + 1000]).argmax(1) ==
                         test_labels[i:i + 1000]).sum()) for i in range(0, len(test_labels), 1000))
    print(f"PyTorch {torch.__version__}: {100 * right / len(test_labels):.2f} % in "
          f"{seconds_since_start():.1f} s ({threads} threads)")


main(*sys.argv[1:])
