"""score.py JSON MINIMUM: how many of predict --json's images have the digit that their names begin with."""

import json
import sys
from pathlib import Path

images = json.load(open(sys.argv[1]))["images"]
wrong = [(image["file"], image["digit"]) for image in images if str(image["digit"]) != Path(image["file"]).name[0]]
share = 100 * (1 - len(wrong) / len(images))
print(f"{share:.1f} % of {len(images)} right; wrong: {wrong[:20]}")
sys.exit(share < float(sys.argv[2]))
