"""read_events.py FOLDER: what TensorBoard reads from a run's folder, one thing per line."""
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2

accumulator = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0, "images": 0})
accumulator.Reload()
for tag in accumulator.Tags()["scalars"]:
    for event in accumulator.Scalars(tag):
        print(tag, event.step, f"{event.value:.{4 if 'accuracy' in tag else 6}f}")
for tag in accumulator.Tags()["images"]:
    for event in accumulator.Images(tag):
        print("image", tag, event.step, f"{event.width}x{event.height}")
for tag, content in accumulator.summary_metadata.items():
    if content.plugin_data.plugin_name != "hparams":
        continue
    data = plugin_data_pb2.HParamsPluginData.FromString(content.plugin_data.content)
    if data.WhichOneof("data") == "session_start_info":
        for name, value in sorted(data.session_start_info.hparams.items()):
            print("hparam", name, getattr(value, value.WhichOneof("kind")))
    if data.WhichOneof("data") == "session_end_info":
        print("status", data.session_end_info.status)
