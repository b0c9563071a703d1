"""Videos: which container it is, whether it is whole, and a copy without the place and the phone's marks.

An MP4, 3GP or MOV file is a tree of boxes (size, type, content). What describes the recording (`udta`, `meta`,
`uuid`, timed metadata tracks) is turned into `free` boxes of the same length, so that no offset changes.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import BinaryIO

MIMES = {"mp4": "video/mp4", "3gp": "video/3gpp", "mov": "video/quicktime", "webm": "video/webm"}
EBML = b"\x1a\x45\xdf\xa3"
TELLING = {b"udta", b"meta", b"uuid"}
PARENTS = {b"moov", b"trak", b"mdia"}
MAX_BOXES, DEPTH = 1_000, 3
ZEROS = bytes(64 * 1024)


class Broken(Exception):
    """Cut off, or not what its first bytes say."""


@dataclass(frozen=True, slots=True)
class Box:
    """One box: where it starts and ends in the file, and how long its header is."""

    kind: bytes
    start: int
    header: int
    end: int


def kind_by_content(head: bytes) -> str:
    """mp4, 3gp, mov or webm by the first 64 bytes; "" for anything else."""
    if head.startswith(EBML):
        return "webm" if b"webm" in head[:64] else ""
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        if brand == b"qt  ":
            return "mov"
        if brand[:2] == b"3g":
            return "3gp"
        return "mp4" if brand in (b"isom", b"mp41", b"mp42", b"avc1", b"M4V ", b"MSNV", b"dash") or _iso(brand) else ""
    return "mov" if head[4:8] in (b"moov", b"mdat", b"wide") else ""


def _iso(brand: bytes) -> bool:
    return brand[:3] == b"iso" and brand[3:4].isalnum()


def stripped(content: bytes, name: str) -> bytes:
    """The copy for viewing. Raises Broken when the file is not whole."""
    if name == "webm":
        return content
    file = io.BytesIO(content)
    seen = _blank_file(file, len(content))
    if b"moov" not in seen or b"mdat" not in seen:
        raise Broken("no picture track")
    return file.getvalue()


def _blank_file(file: BinaryIO, size: int) -> set[bytes]:
    """Blank what tells; what some phones append after the last box is cut off."""
    seen: set[bytes] = set()
    at = 0
    while at < size:
        try:
            box = _box(file, at, size)
        except Broken:
            if not {b"moov", b"mdat"} <= seen:
                raise
            box = None
        if box is None:
            file.truncate(at)
            break
        if box.kind in TELLING:
            _free(file, box)
        elif box.kind == b"moov":
            _blank(file, box, DEPTH)
        seen.add(box.kind)
        at = box.end
    return seen


def _blank(file: BinaryIO, parent: Box, depth: int) -> None:
    """Blank what tells inside a box."""
    for box in _children(file, parent):
        if box.kind in TELLING or (box.kind == b"trak" and _is_metadata_track(file, box)):
            _free(file, box)
        elif box.kind in PARENTS and depth > 0:
            _blank(file, box, depth - 1)


def _box(file: BinaryIO, at: int, end: int) -> Box | None:
    """The box at `at`; None at the padding that may end a box."""
    file.seek(at)
    head = file.read(16)
    if len(head) < 8:
        if end - at < 8 and not head.strip(b"\0"):
            return None
        raise Broken("cut off")
    size, kind, header = int.from_bytes(head[:4], "big"), head[4:8], 8
    if size == 1 and len(head) == 16:
        size, header = int.from_bytes(head[8:16], "big"), 16
    elif size == 0:
        if kind == b"\0\0\0\0":
            return None
        size = end - at
    if size < header or at + size > end:
        raise Broken("cut off")
    return Box(kind, at, header, at + size)


def _is_metadata_track(file: BinaryIO, trak: Box) -> bool:
    """Whether the track holds not pictures or sound but places and sensor values."""
    for box in _children(file, trak):
        if box.kind == b"mdia":
            for inner in _children(file, box):
                if inner.kind == b"hdlr":
                    file.seek(inner.start + inner.header + 8)
                    return file.read(4) in (b"meta", b"camm", b"gpmd")
    return False


def _children(file: BinaryIO, parent: Box) -> list[Box]:
    found: list[Box] = []
    at = parent.start + parent.header
    while at < parent.end:
        if len(found) == MAX_BOXES:
            raise Broken("too many boxes")
        box = _box(file, at, parent.end)
        if box is None:
            break
        found.append(box)
        at = box.end
    return found


def _free(file: BinaryIO, box: Box) -> None:
    file.seek(box.start + 4)
    file.write(b"free")
    file.seek(box.start + box.header)
    left = box.end - box.start - box.header
    while left > 0:
        left -= file.write(ZEROS[:left])
