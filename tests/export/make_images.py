"""make_images.py FOLDER DATA: pictures of digits in many forms, one folder per form.

The names are LABEL-N."""

import glob
import sys
from pathlib import Path

import h5py
import numpy
from PIL import Image, ImageDraw, ImageFont

out, data = Path(sys.argv[1]), sys.argv[2]
count = 200
with h5py.File(data) as file:
    digits = file["/test/images"][:count]
    labels = file["/test/labels"][:count]
random = numpy.random.default_rng(1)


def save(form, label, number, image, extension="png"):
    (out / form).mkdir(parents=True, exist_ok=True)
    image.save(out / form / f"{label}-{number}.{extension}")


def photograph(ink):
    """Dark ink on paper in uneven light, small and off the centre, with noise."""
    height, width = 480, 640
    y, x = numpy.mgrid[0:height, 0:width]
    paper = 150 + 70 * x / width - 40 * y / height - 30 * ((x - 300) / width) ** 2
    side = int(random.integers(120, 260))
    top = int(random.integers(20, height - side - 20))
    left = int(random.integers(20, width - side - 20))
    drawn = numpy.asarray(Image.fromarray(ink).resize((side, side), Image.BICUBIC)) / 255
    paper[top : top + side, left : left + side] *= 1 - 0.6 * drawn
    return Image.fromarray((paper + random.normal(0, 4, paper.shape)).clip(0, 255).astype("uint8"))


for number, (ink, label) in enumerate(zip(digits, labels)):
    grey = Image.fromarray(ink)
    save("plain", label, number, grey)
    save("pgm", label, number, grey, "pgm")
    save("inverted", label, number, Image.fromarray(255 - ink))
    save("ten-times", label, number, grey.resize((280, 280), Image.NEAREST))
    smooth = Image.fromarray(255 - ink).resize((280, 280), Image.BICUBIC)
    save("ten-times-smooth-inverted", label, number, smooth)
    framed = numpy.full((300, 500), 230, "uint8")
    framed[150:206, 330:386] = 230 - numpy.kron(ink, numpy.ones((2, 2))) * 0.8
    save("off-centre-grey", label, number, Image.fromarray(framed))
    colour = numpy.zeros((28, 28, 4), "uint8")
    colour[..., 2], colour[..., 3] = 160, ink
    save("rgba", label, number, Image.fromarray(colour).resize((112, 112), Image.BICUBIC))
    save("jpeg", label, number, Image.fromarray(255 - ink).resize((200, 200), Image.BICUBIC), "jpg")
    rows, columns = numpy.nonzero(ink > 60)
    box = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    cropped = grey.crop(box)
    save("cropped", label, number, cropped)
    larger = cropped.resize((10 * cropped.width, 10 * cropped.height), Image.BICUBIC)
    save("cropped-inverted", label, number, Image.eval(larger, lambda level: 255 - level))
    printed = Image.fromarray(255 - ink).resize((200, 200)).convert("CMYK")
    save("cmyk", label, number, printed, "jpg")
    save("photograph", label, number, photograph(ink), "jpg")

fonts = [
    font
    for font in sorted(
        glob.glob("/usr/share/fonts/truetype/dejavu/*.ttf")
        + glob.glob("/usr/share/fonts/truetype/liberation/*.ttf")
    )
    if "Mono" not in font  # whose zero has a dot or a stroke in it
]
for number, path in enumerate(fonts):
    for label in range(10):
        for size, (paper, ink) in [(40, (255, 0)), (200, (0, 255))]:
            image = Image.new("L", (size * 2, size * 2), paper)
            font = ImageFont.truetype(path, size)
            ImageDraw.Draw(image).text((size // 2, size // 3), str(label), ink, font)
            save("fonts", label, f"{number}-{size}", image)

# Drawn as with a mouse: points in a square of 100.
strokes = {
    0: [[(50, 10), (25, 25), (20, 55), (35, 85), (55, 90), (75, 70), (78, 40), (65, 15), (50, 10)]],
    1: [[(52, 8), (48, 92)]],
    2: [[(22, 28), (38, 10), (62, 12), (72, 30), (60, 52), (24, 88), (50, 84), (80, 88)]],
    3: [[(25, 15), (50, 8), (70, 22), (62, 42), (42, 48), (66, 54), (74, 74), (55, 92), (24, 86)]],
    4: [[(30, 10), (22, 52), (76, 50)], [(66, 12), (60, 92)]],
    5: [[(74, 12), (34, 12), (28, 46), (56, 42), (74, 60), (66, 84), (42, 92), (22, 82)]],
    6: [[(66, 10), (38, 30), (24, 64), (38, 90), (62, 88), (70, 66), (54, 52), (30, 64)]],
    7: [[(22, 14), (76, 12), (56, 50), (42, 92)]],
    8: [
        [(66, 18), (42, 10), (30, 26), (46, 44), (68, 62), (66, 84)]
        + [(44, 92), (28, 76), (40, 54), (62, 38), (66, 18)]
    ],
    9: [[(70, 26), (48, 12), (28, 26), (32, 48), (54, 50), (70, 28), (66, 60), (54, 92)]],
}
for label, lines in strokes.items():
    for width in (1, 3, 8, 14):
        image = Image.new("RGB", (300, 260), (250, 250, 245))
        for line in lines:
            points = [(40 + 2 * x, 20 + 2 * y) for x, y in line]
            ImageDraw.Draw(image).line(points, (30, 40, 120), width, joint="curve")
        save("strokes", label, width, image)
