"""What a photo looks like, in 64 bits: the same picture has nearly the same bits after any recompression.

The signs of the lowest frequencies of a small grey copy against their middle, as pHash takes them (Zauner 2010).
"""

from __future__ import annotations

from functools import cache
from math import cos, pi
from statistics import median

from PIL import Image

SIDE, LOW = 32, 8
FAINTEST = SIDE * SIDE // 2  # below one or two steps of grey there is nothing to see: a wall, a black night


def likeness_of(picture: Image.Image) -> str | None:
    """16 hexadecimal digits for a picture that stands upright; None for one in which there is nothing to see."""
    small = picture.convert("L").resize((SIDE, SIDE), Image.Resampling.LANCZOS).tobytes()
    across = [_low(small[row : row + SIDE]) for row in range(0, SIDE * SIDE, SIDE)]
    waves = [one for column in zip(*across, strict=True) for one in _low(column)][1:]  # the first is the brightness
    if max(map(abs, waves)) < FAINTEST:
        return None
    middle = median(waves)
    return f"{sum((wave > middle) << at for at, wave in enumerate(waves)):016x}"


def _low(values: bytes | tuple[float, ...]) -> list[float]:
    """The lowest frequencies of a line (DCT-II)."""
    return [sum(value * factor for value, factor in zip(values, wave, strict=True)) for wave in _waves()]


@cache
def _waves() -> list[list[float]]:
    return [[cos(pi * wave * (2 * at + 1) / (2 * SIDE)) for at in range(SIDE)] for wave in range(LOW)]
