"""score.py JSON MINIMUM: the share of predict --json's images with the digit of their name."""

import json
import sys
from pathlib import Path

images = json.load(open(sys.argv[1]))["images"]
wrong = [
    (image["file"], image["digit"])
    for image in images
    if str(image["digit"]) != Path(image["file"]).name[0]
]
share = 100 * (1 - len(wrong) / len(images))
print(f"{share:.1f} % of {len(images)} right; wrong: {wrong[:20]}")
sys.exit(share < float(sys.argv[2]))
