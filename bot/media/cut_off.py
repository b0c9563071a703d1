"""JPEG files that end too early: some cameras leave the last two bytes away. What matters is that no row is missing."""

from __future__ import annotations

import io

from PIL import Image, ImageChops

END, SCAN = b"\xff\xd9", 0xDA
PROGRESSIVE = (0xC2, 0xC6, 0xCA, 0xCE)
# Two continuations that differ from the first bit on: a picture that reads on into them comes out as two pictures.
NEXT = (bytes(512), bytes((at * 151 + 182) % 255 for at in range(512)))


def with_end(content: bytes, formats: tuple[str, ...], size: tuple[int, int]) -> bytes | None:
    """The file with its end put back; None when rows are missing. `size`: it need not be decoded larger.

    A progressive picture comes in several passes over all rows: none is missing once the second has begun.
    """
    start, progressive = _first_scan(content)
    if not start:
        return None
    cut = content[:-1] if content.endswith(b"\xff") else content
    if progressive:
        return cut + END if content.find(bytes((0xFF, SCAN)), start) > 0 else None
    one, other = (_decoded(cut + more + END, formats, size) for more in NEXT)
    return cut + END if ImageChops.difference(one, other).getbbox() is None else None


def _first_scan(content: bytes) -> tuple[int, bool]:
    """Where the first pass over the picture begins (0 when there is none), and whether others follow."""
    at, progressive = 2, False
    while at + 4 <= len(content) and content[at] == 0xFF:
        kind = content[at + 1]
        progressive = progressive or kind in PROGRESSIVE
        at += 2 + int.from_bytes(content[at + 2 : at + 4], "big")
        if kind == SCAN:
            return at, progressive
    return 0, progressive


def _decoded(content: bytes, formats: tuple[str, ...], size: tuple[int, int]) -> Image.Image:
    with Image.open(io.BytesIO(content), formats=formats) as picture:
        picture.draft("RGB", size)
        picture.load()
        return picture.copy()
