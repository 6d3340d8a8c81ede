#!/usr/bin/env python3
"""The same model, batch and optimiser in PyTorch eager.

One thread, tensors at hand on the device, no loader and no augmentation. `mnist-dist bench
--pytorch` starts it.

Reads one line of JSON: {"layers": [{"kind", "in", "out", "groups", "kernel", "padding", "bias",
"relu", "norm", "dropout"}...], "batch", "learning_rate", "momentum", "device": cpu or cuda}; prints
PyTorch's version. Then each line "train N" or "evaluate N" is done with at least N images, and
answered with their number."""
import json
import sys

import torch
from torch import nn
from torch.nn import functional

torch.set_num_threads(1)
torch.manual_seed(1)
spec = json.loads(sys.stdin.readline())
modules = []
for layer in spec["layers"]:
    if layer["kind"] in ("convolution", "linear"):
        modules.append(nn.Conv2d(layer["in"], layer["out"], layer["kernel"],
                                 padding=layer["padding"], groups=layer["groups"],
                                 bias=layer["bias"]))
    else:
        modules.append({"max_pool": nn.MaxPool2d(layer["kernel"]),
                        "global_average": nn.AdaptiveAvgPool2d(1),
                        "global_max": nn.AdaptiveMaxPool2d(1)}[layer["kind"]])
    modules += [nn.ReLU()] * layer["relu"] + [nn.BatchNorm2d(layer["out"])] * layer["norm"]
    modules += [nn.Dropout(layer["dropout"])] * (layer["dropout"] > 0)
device = spec["device"]
if device == "cuda":
    # PyTorch's default rounds a convolution's factors to 11 bits. The engine computes with all 24.
    torch.backends.cudnn.allow_tf32 = False
model = nn.Sequential(*modules, nn.Flatten(), nn.LogSoftmax(1)).to(device)
inputs = torch.randn(spec["batch"], 1, 28, 28, device=device)
labels = torch.randint(10, (spec["batch"],), device=device)
optimizer = torch.optim.SGD(model.parameters(), spec["learning_rate"], spec["momentum"])


def train():
    model.train()
    optimizer.zero_grad()
    functional.nll_loss(model(inputs), labels).backward()
    optimizer.step()


@torch.inference_mode()
def evaluate():
    model.eval()
    functional.nll_loss(model(inputs), labels)


print(torch.__version__, flush=True)
for line in sys.stdin:
    what, images = line.split()
    steps = -(-int(images) // spec["batch"])
    for _ in range(steps):
        {"train": train, "evaluate": evaluate}[what]()
    if device == "cuda":
        torch.cuda.synchronize()
    print(steps * spec["batch"], flush=True)
