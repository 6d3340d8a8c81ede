"""read_back.py DATA LOGITS COUNT FOLDERS...: every reader's logits, and evaluate's.

Of DATA's first COUNT test images.
LOGITS are evaluate's, as .npy. Each folder holds model.{safetensors,onnx,npz}, model.py, and
model.pt where there is a LibTorch.
"""

import importlib.util
import json
import sys
from pathlib import Path

import h5py
import numpy
import onnx
import onnxruntime
from safetensors import safe_open

data, expected, count = sys.argv[1], numpy.load(sys.argv[2]), int(sys.argv[3])
with h5py.File(data) as file:
    images = file["/test/images"][:][:, None]
assert len(expected) == len(images)
images, expected = images[:count], expected[:count]
classes = expected.shape[1]
assert expected.dtype == numpy.float32 and expected.shape == (len(images), classes)


def compare(reader, network):
    """`network` computes the logits of a part of the images; all at once would take gigabytes."""
    logits = numpy.concatenate([network(images[i : i + 500]) for i in range(0, len(images), 500)])
    worst = abs(logits - expected).max()
    different = int((logits.argmax(1) != expected.argmax(1)).sum())
    print(f"{reader}: {len(logits)} images, largest difference {worst:.2g}, "
          f"{different} other predictions")
    assert logits.shape == expected.shape and worst < 1e-4 and different == 0


def read(folder):
    """Every reader but PyTorch. Returns the arrays and the metadata."""
    model = onnx.load(folder / "model.onnx")
    onnx.checker.check_model(model, full_check=True)
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    session = onnxruntime.InferenceSession(folder / "model.onnx")
    compare("onnxruntime", lambda part: session.run(["logits"], {"pixels_0_to_255": part})[0])
    assert session.run(None, {"pixels_0_to_255": images[:1]})[0].shape == (1, classes)

    with numpy.load(folder / "model.npz") as npz:
        assert json.loads(str(npz["metadata"])) == metadata
        arrays = {name: npz[name] for name in npz.files if name != "metadata"}
    with safe_open(folder / "model.safetensors", "numpy") as file:
        assert file.metadata() == metadata
        assert set(file.keys()) == set(arrays)
        assert all(numpy.array_equal(file.get_tensor(name), arrays[name]) for name in arrays)
    assert metadata["seed"] == "1" and len(metadata["parameters_sha256"]) == 64
    print("npz and safetensors:", len(arrays), "arrays")
    return arrays, metadata


def read_by_torch(folder, arrays, metadata):
    spec = importlib.util.spec_from_file_location("model", folder / "model.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    net = module.load()
    with torch.no_grad():
        compare("PyTorch", lambda part: net(torch.from_numpy(part)).numpy())
        part = torch.from_numpy(images[:500])
        assert torch.equal(net(part), net(part.float()))
    names = {n for n in net.state_dict() if not n.endswith("num_batches_tracked")}
    assert names == set(arrays)
    if (folder / "model.pt").exists():
        files = {"metadata.json": ""}
        script = torch.jit.load(folder / "model.pt", _extra_files=files)
        assert json.loads(files["metadata.json"]) == metadata
        with torch.no_grad():
            compare("TorchScript", lambda part: script(torch.from_numpy(part)).numpy())


try:
    import torch
except ImportError:
    torch = None
    print("skip: no PyTorch (python3-torch)")
for folder in map(Path, sys.argv[4:]):
    arrays, metadata = read(folder)
    if torch:
        read_by_torch(folder, arrays, metadata)
