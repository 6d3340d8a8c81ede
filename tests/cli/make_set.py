"""Writes small sets of labelled images in the formats that `prepare` reads.

make_set.py KIND OUT [key=value...]: rows, test, height, width, classes, first (label), seed
Each class is a bar at its own place, with noise, so that a network learns it in a few steps.
"""
import gzip
import io
import random
import struct
import sys
import zipfile


def images_of(rows, height, width, classes, seed):
    draws = random.Random(seed)
    labels, pixels = [], bytearray()
    for row in range(rows):
        label = row % classes if row < classes else draws.randrange(classes)
        image = bytearray(draws.randrange(30) for _ in range(height * width))
        at = label * height * width // classes
        for i in range(at, min(at + max(2, height * width // classes), height * width)):
            image[i] = 200 + draws.randrange(56)
        labels.append(label)
        pixels += image
    return bytes(pixels), labels


def idx(kind, shape, values):
    return bytes([0, 0, kind, len(shape)]) + b"".join(struct.pack(">I", n) for n in shape) + values


def npy(descr, shape, values):
    extents = ", ".join(map(str, shape))
    header = "{'descr': '%s', 'fortran_order': False, 'shape': (%s,), }" % (descr, extents)
    header += " " * (63 - (10 + len(header)) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + values


def main():
    kind, out = sys.argv[1:3]
    o = {"rows": 600, "test": 100, "height": 20, "width": 20, "classes": 5, "first": 0, "seed": 1}
    o.update((k, int(v)) for k, v in (a.split("=") for a in sys.argv[3:]))
    h, w = o["height"], o["width"]
    parts = [("train", *images_of(o["rows"], h, w, o["classes"], o["seed"]))]
    if o["test"]:
        parts.append(("test", *images_of(o["test"], h, w, o["classes"], o["seed"] + 1)))
    parts = [(part, pixels, [label + o["first"] for label in labels])
             for part, pixels, labels in parts]

    if kind == "idx":  # OUT: a prefix of names, with {} for train and test
        for part, pixels, labels in parts:
            with gzip.open(out.format(part) + "-images-idx3-ubyte.gz", "wb", 1) as f:
                f.write(idx(8, (len(labels), h, w), pixels))
            with open(out.format(part) + "-labels-idx1-ubyte", "wb") as f:
                f.write(idx(8, (len(labels),), bytes(labels)))
    elif kind == "csv":  # OUT: a folder
        for part, pixels, labels in parts:
            with open(f"{out}/{part}.csv", "w") as f:
                f.write("label," + ",".join(f"pixel{i}" for i in range(h * w)) + "\n")
                for i, label in enumerate(labels):
                    image = pixels[i * h * w:(i + 1) * h * w]
                    f.write(f"{label}," + ",".join(map(str, image)) + "\n")
    elif kind == "npz":
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for part, pixels, labels in parts:
                values = b"".join(struct.pack("<q", label) for label in labels)
                archive.writestr(f"x_{part}.npy", npy("|u1", (len(labels), h, w), pixels))
                archive.writestr(f"y_{part}.npy", npy("<i8", (len(labels),), values))


main()
