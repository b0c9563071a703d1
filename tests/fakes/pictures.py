"""Pictures for tests."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image


def photo(seed: int = 1, size: tuple[int, int] = (64, 48), **save: Any) -> bytes:
    """A small JPEG; another one for another seed."""
    picture = Image.new("RGB", size, ((seed * 37) % 256, (seed * 91) % 256, (seed * 151) % 256))
    stored = io.BytesIO()
    picture.save(stored, "JPEG", **save)
    return stored.getvalue()


def mp4() -> bytes:
    """A video's boxes, as small as can be."""
    boxes = ((b"ftyp", b"isom\0\0\0\0"), (b"moov", b""), (b"mdat", b"frames"))
    return b"".join((8 + len(content)).to_bytes(4, "big") + kind + content for kind, content in boxes)
