"""A drawn «photo» of rubbish beside a bridge in the loess hills: nothing is fetched, and nobody's picture is used."""

from __future__ import annotations

import io
import math
import random

from PIL import Image, ImageChops, ImageDraw, ImageFilter

SIZE = (960, 720)
Colour = tuple[int, int, int]
BAGS: tuple[Colour, ...] = ((38, 40, 46), (226, 226, 222), (64, 102, 150), (176, 52, 44), (208, 178, 84), (88, 128, 92))


def _sky(draw: ImageDraw.ImageDraw) -> None:
    for y in range(320):
        share = y / 320
        draw.line((0, y, SIZE[0], y), fill=(int(150 + 70 * share), int(186 + 36 * share), int(216 + 6 * share)))


def _ridge(draw: ImageDraw.ImageDraw, top: int, swing: int, phase: float, colour: Colour) -> None:
    points = [
        (x, top + swing * math.sin(x / 150 + phase) + swing / 3 * math.sin(x / 47 + phase)) for x in range(0, 961, 8)
    ]
    draw.polygon([*points, (SIZE[0], 720), (0, 720)], fill=colour)


def _bridge(draw: ImageDraw.ImageDraw) -> None:
    draw.rectangle((520, 330, 960, 372), fill=(168, 162, 152))
    for x in range(528, 960, 36):
        draw.rectangle((x, 296, x + 8, 332), fill=(186, 180, 170))
    draw.rectangle((520, 290, 960, 300), fill=(196, 190, 180))
    draw.pieslice((590, 350, 890, 640), 180, 360, fill=(84, 88, 84))


def _heap(draw: ImageDraw.ImageDraw, dice: random.Random) -> None:
    draw.ellipse((110, 560, 700, 690), fill=(106, 98, 74))
    things = sorted(
        ((dice.gauss(400, 125), min(dice.gauss(560, 46), 640)) for _ in range(150)), key=lambda spot: spot[1]
    )
    for x, y in things:
        size = dice.randint(16, 46)
        base = dice.choice(BAGS)
        shade = tuple(max(0, part - 26) for part in base)
        shape = [
            (x + size * math.cos(a) * dice.uniform(0.7, 1.1), y + size * 0.7 * math.sin(a))
            for a in (i * 0.8 for i in range(8))
        ]
        draw.polygon([(px + 4, py + 6) for px, py in shape], fill=shade)
        draw.polygon(shape, fill=base)
        draw.line(
            (x - size / 3, y - size / 4, x + size / 4, y - size / 3),
            fill=tuple(min(255, p + 34) for p in base),
            width=3,
        )


def dump_at_the_bridge(seed: int = 11) -> bytes:
    """A JPEG of 960 × 720."""
    dice = random.Random(seed)
    picture = Image.new("RGB", SIZE)
    draw = ImageDraw.Draw(picture)
    _sky(draw)
    _ridge(draw, 250, 34, 0.4, (178, 166, 128))
    _ridge(draw, 320, 26, 2.1, (150, 144, 98))
    _bridge(draw)
    _ridge(draw, 470, 16, 4.0, (134, 132, 84))
    _heap(draw, dice)
    grain = Image.effect_noise(SIZE, 14).convert("RGB")
    picture = ImageChops.overlay(picture.filter(ImageFilter.GaussianBlur(1.2)), grain)
    stored = io.BytesIO()
    picture.save(stored, "JPEG", quality=86)
    return stored.getvalue()
